//! Names: of users, companies, resellers, locations. People tell them apart by looking at them, in lists, mails and the
//! activity log, so a name holds nothing that cannot be seen, or that makes it look like another one.

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// ` Bakery` looks like `Bakery`.
    #[error("begins or ends with a blank; leave it out")]
    Blank,
    /// A line break, a sign that turns the direction of the text around, a space of no width.
    #[error("holds the character U+{:04X}, which cannot be seen; leave it out", u32::from(*.0))]
    Unseen(char),
}

/// Refuses a name that does not look like what it is.
pub fn check_name(name: &str) -> Result<(), BadName> {
    if let Some(unseen) = name.chars().find(|letter| letter.is_control() || is_unseen(*letter)) {
        return Err(BadName::Unseen(unseen));
    }
    if name.trim() == name { Ok(()) } else { Err(BadName::Blank) }
}

/// Signs of direction, separators of lines, and what has no width. Joiners are not among them: some scripts need them.
fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_it_looks_like() {
        for good in ["Bakery", "Bäckerei Müller & Söhne", "パン屋", "نان‌وایی", "a b"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in [" Bakery", "Bakery ", "Bakery\u{a0}", "\u{3000}"] {
            assert_eq!(check_name(bad), Err(BadName::Blank), "{bad:?}");
        }
        for unseen in ['\0', '\n', '\t', '\u{7f}', '\u{85}', '\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}'] {
            assert_eq!(check_name(&format!("Bak{unseen}ery")), Err(BadName::Unseen(unseen)), "{unseen:?}");
        }
        assert!(check_name("a\u{202e}b").unwrap_err().to_string().contains("U+202E"));
    }
}
