//! Echoes: a server that repeats what it was sent would show a secret to the guest. Whatever of an answer looks like one, as it is,
//! percent-encoded, in JSON or in base64, is replaced.

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

/// What stands in its place.
const MARK: &[u8] = b"[redacted]";
/// What is shorter would be found where it is none.
const SHORTEST: usize = 4;
/// As a strict encoder writes it, and as a lazy one does.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const LAZY: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'#').add(b'?').add(b'%');

/// Looks for secrets.
#[derive(Debug)]
pub(super) struct Redactor {
    /// None if there is nothing to hide.
    forms: Option<AhoCorasick>,
    longest: usize,
}

impl Redactor {
    /// For these secrets; none if they are too large to look for.
    pub(super) fn new<'s>(secrets: impl Iterator<Item = &'s str>) -> Option<Self> {
        let mut forms: Vec<Zeroizing<Vec<u8>>> = secrets.flat_map(forms).collect();
        forms.retain(|form| form.len() >= SHORTEST);
        if forms.is_empty() {
            return Some(Self { forms: None, longest: 0 });
        }
        let longest = forms.iter().map(|form| form.len()).max().unwrap_or_default();
        let forms = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(forms.iter().map(|form| form.as_slice()))
            .ok()?;
        Some(Self { forms: Some(forms), longest })
    }

    /// Whether there is something to hide.
    pub(super) fn is_needed(&self) -> bool {
        self.forms.is_some()
    }

    /// How far behind a limit must be read, so that a secret that lies across it is seen whole.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// The text without secrets.
    pub(super) fn clean(&self, text: Vec<u8>) -> Vec<u8> {
        match &self.forms {
            Some(forms) if forms.is_match(&text) => {
                let marks = vec![MARK; forms.patterns_len()];
                forms.replace_all_bytes(&text, &marks)
            }
            _ => text,
        }
    }
}

/// The ways in which a secret is written.
fn forms(secret: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let mut forms = vec![secret.to_owned()];
    for set in [STRICT, LAZY] {
        let encoded = utf8_percent_encode(secret, set).to_string();
        forms.push(encoded.replace("%20", "+"));
        forms.push(lowercase_hex(&encoded));
        forms.push(encoded);
    }
    let quoted = serde_json::Value::from(secret).to_string();
    let quoted = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    forms.push(quoted.replace('/', "\\/"));
    forms.push(quoted.to_owned());
    let mut forms: Vec<_> = forms.into_iter().map(|form| Zeroizing::new(form.into_bytes())).collect();
    forms.extend((0..3).flat_map(|shift| base64_inside(secret, shift)));
    forms
}

fn lowercase_hex(encoded: &str) -> String {
    let mut hex = 0_u8;
    let lower = |c: char| {
        let inside = hex > 0;
        hex = if c == '%' { 2 } else { hex.saturating_sub(1) };
        if inside { c.to_ascii_lowercase() } else { c }
    };
    encoded.chars().map(lower).collect()
}

/// The characters that are the same whatever stands before and behind the secret, if it begins at that byte of three.
fn base64_inside(secret: &str, shift: usize) -> [Zeroizing<Vec<u8>>; 2] {
    let mut padded = Zeroizing::new(vec![0; shift]);
    padded.extend_from_slice(secret.as_bytes());
    let first = (shift * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    let inside = |encoded: String| {
        let encoded = Zeroizing::new(encoded.into_bytes());
        Zeroizing::new(encoded.get(first..last).unwrap_or_default().to_vec())
    };
    [inside(STANDARD_NO_PAD.encode(&padded)), inside(URL_SAFE_NO_PAD.encode(&padded))]
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    const SECRET: &str = "s3cr/t ~\"väl+ue?";

    fn clean(text: &str) -> String {
        let redactor = Redactor::new([SECRET].into_iter()).unwrap();
        String::from_utf8(redactor.clean(text.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn a_secret_is_found_in_every_way_in_which_it_is_written() {
        let json = serde_json::Value::from(SECRET).to_string();
        let strict = utf8_percent_encode(SECRET, STRICT).to_string();
        for echo in [
            SECRET.to_owned(),
            strict.clone(),
            strict
                .replace("%2F", "%2f")
                .replace("%C3%A4", "%c3%a4")
                .replace("%2B", "%2b")
                .replace("%3F", "%3f"),
            utf8_percent_encode(SECRET, LAZY).to_string(),
            strict.replace("%20", "+"),
            json.trim_matches('"').to_owned(),
            json.replace('/', "\\/").trim_matches('"').to_owned(),
        ] {
            assert!(clean(&format!("a{echo}b")).contains("[redacted]"), "{echo}");
            assert!(!clean(&format!("a{echo}b")).contains("s3cr"), "{echo}");
        }
    }

    #[test]
    fn base64_of_it_is_found_whatever_stands_around_it() {
        for before in ["", "a", "ab", "abc", "user:"] {
            for behind in ["", "x", "xy"] {
                let text = format!("{before}{SECRET}{behind}");
                for encoded in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                    let cleaned = clean(&encoded);
                    assert!(cleaned.contains("[redacted]"), "{text}: {cleaned}");
                    assert!(
                        cleaned.len() < "[redacted]".len() + 4 + before.len() * 2 + 8,
                        "{text}: {cleaned}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_no_secret_stays_and_no_secrets_hide_nothing() {
        assert_eq!(clean("s3cr nothing here"), "s3cr nothing here");
        let none = Redactor::new(std::iter::empty()).unwrap();
        assert!(!none.is_needed());
        assert_eq!(none.clean(b"anything".to_vec()), b"anything");
    }
}
