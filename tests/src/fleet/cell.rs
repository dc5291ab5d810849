//! A value of a row, and how PostgreSQL's COPY spells it.

use uuid::Uuid;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Number(f64),
    Word(&'static str),
    Text(String),
    Uuid(Uuid),
    Flag(bool),
    Bytes(Vec<u8>),
}

macro_rules! from {
    ($($from:ty => $cell:ident;)+) => {$(
        impl From<$from> for Cell {
            fn from(value: $from) -> Self {
                Self::$cell(value)
            }
        }
    )+};
}

from! {
    i64 => Integer;
    f64 => Number;
    &'static str => Word;
    String => Text;
    Uuid => Uuid;
    bool => Flag;
    Vec<u8> => Bytes;
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Cell {
    /// Appends it as COPY's text format has it.
    pub(super) fn copy_to(&self, line: &mut String) {
        match self {
            Self::Null => line.push_str("\\N"),
            Self::Integer(number) => line.push_str(&number.to_string()),
            Self::Number(number) => line.push_str(&number.to_string()),
            Self::Word(text) => escaped(line, text),
            Self::Text(text) => escaped(line, text),
            Self::Uuid(uid) => line.push_str(uid.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
            Self::Flag(flag) => line.push(if *flag { 't' } else { 'f' }),
            Self::Bytes(bytes) => {
                line.push_str("\\\\x");
                line.extend(bytes.iter().map(|byte| format!("{byte:02x}")));
            }
        }
    }
}

fn escaped(line: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            other => line.push(other),
        }
    }
}
