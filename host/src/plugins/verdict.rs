//! What a rule says about a table, after the host has checked every column of it.

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Needs a look.
    Warning,
    /// Needs a hand.
    Error,
}

impl Severity {
    /// From the number of the contract.
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Info),
            2 => Some(Self::Warning),
            3 => Some(Self::Error),
            _ => None,
        }
    }
}

/// One object that is not well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Its position in the table.
    pub row: u32,
    /// How bad it is.
    pub severity: Severity,
    /// What an administrator reads; at most 2 KiB.
    pub message: String,
}

/// The outcome of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// Ascending by row. A row that is not here is well.
    pub verdicts: Vec<Verdict>,
    /// For each row, when its verdict may change though no fact does; `None` for never.
    pub recheck: Vec<Option<i64>>,
    /// Which generation of the plugin judged.
    pub generation: u64,
}
