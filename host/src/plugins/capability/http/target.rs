//! The path and query of a request, held to what every server on the way reads in the same manner: what one would decode, shorten
//! or cut off before another looks at the prefix is refused, not repaired.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::plugins::capability::refusal::Refusal;

/// What a secret may take the place of.
pub(super) const HOLE: &str = "{secret}";
/// The longest path with its query.
const LONGEST: usize = 8 * 1024;
/// What stands for itself everywhere.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Path and query, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    path: String,
    /// With its `?`; empty if there is none.
    query: String,
}

impl Target {
    /// Reads what the guest gave.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        if !text.starts_with('/') {
            return Err(Refusal::bad_request(
                "the path begins with `/`; which server it is, says the destination",
            ));
        }
        if text.len() > LONGEST {
            return Err(Refusal::bad_request(format!("the path with its query has {LONGEST} bytes at most")));
        }
        let odd = |byte: &u8| !byte.is_ascii_graphic() || b"\\#\"<>^`|".contains(byte);
        if let Some(byte) = text.bytes().find(odd) {
            return Err(Refusal::bad_request(format!(
                "the path has the byte 0x{byte:02x}, which must be percent-encoded"
            )));
        }
        let (path, query) = text.split_at(text.find('?').unwrap_or(text.len()));
        if query.contains(['{', '}']) || path.replacen(HOLE, "", 1).contains(['{', '}']) {
            return Err(Refusal::bad_request(format!(
                "braces must be percent-encoded; only `{HOLE}` may stand in the path, once"
            )));
        }
        path.get(1..).unwrap_or_default().split('/').try_for_each(check_segment)?;
        if path.contains("//") {
            return Err(ambiguous("//"));
        }
        Ok(Self { path: path.to_owned(), query: query.to_owned() })
    }

    /// Whether the path begins with one of them.
    pub(super) fn is_under(&self, prefixes: &[String]) -> bool {
        prefixes.iter().any(|prefix| self.path.starts_with(prefix.as_str()))
    }

    /// Whether a secret is to stand in it.
    pub(super) fn has_hole(&self) -> bool {
        self.path.contains(HOLE)
    }

    /// Puts the secret into its place.
    pub(super) fn fill(&mut self, secret: &str) -> Result<(), Refusal> {
        let encoded = Zeroizing::new(utf8_percent_encode(secret, ENCODED).to_string());
        self.path = self.path.replacen(HOLE, &encoded, 1);
        if self.path.split('/').any(is_dots) {
            return Err(Refusal::new("no-secret", "the secret cannot stand in a path: it is only dots"));
        }
        Ok(())
    }

    /// As it is sent.
    pub(super) fn uri(&self) -> Result<http::Uri, Refusal> {
        format!("{}{}", self.path, self.query)
            .parse()
            .map_err(|_echoes_the_path| Refusal::bad_request("the path is no path of a URL"))
    }
}

/// `.`, `..`, and what some servers take for them.
fn is_dots(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|byte| byte == b'.' || byte == b' ')
}

fn check_segment(segment: &str) -> Result<(), Refusal> {
    let bytes = segment.as_bytes();
    for (at, _) in segment.match_indices('%') {
        let hex = bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        if !hex {
            return Err(Refusal::bad_request("the path has a `%` without two hexadecimal digits behind it"));
        }
    }
    let decoded = percent_decode_str(segment)
        .decode_utf8()
        .map_err(|_| Refusal::bad_request("the path is not UTF-8 where it is percent-encoded"))?;
    // `%25` would be decoded again by a server that decodes twice.
    let hidden = |c: char| matches!(c, '/' | '\\' | '%') || c.is_control();
    if decoded.contains(hidden) || segment.to_ascii_lowercase().contains("%2e") {
        return Err(ambiguous(segment));
    }
    // What is behind a `;` some servers take away before they look at the dots.
    let name = decoded.split(';').next().unwrap_or_default();
    if is_dots(name) || (name.is_empty() && !decoded.is_empty()) {
        return Err(ambiguous(segment));
    }
    Ok(())
}

fn ambiguous(what: &str) -> Refusal {
    Refusal::bad_request(format!(
        "the path has `{}`, which servers read in different ways; give the path as it is meant",
        what.chars().take(64).collect::<String>()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> bool {
        Target::parse(text).is_err_and(|refusal| refusal.code == "bad-request")
    }

    #[test]
    fn a_plain_path_with_a_query_passes_as_it_is() {
        for text in [
            "/",
            "/api/",
            "/api/v1/items?q=a%20b&to=/../x//y&at=1:2",
            "/api/Z%C3%BCrich/a;v=1",
            "/.well-known/x..y",
        ] {
            assert_eq!(Target::parse(text).unwrap().uri().unwrap().to_string(), text);
        }
        let prefixes = ["/api/".to_owned()];
        assert!(Target::parse("/api/x").unwrap().is_under(&prefixes));
        assert!(!Target::parse("/admin/x?/api/").unwrap().is_under(&prefixes));
        assert!(!Target::parse("/%61pi/x").unwrap().is_under(&prefixes));
    }

    #[test]
    fn what_servers_could_read_in_two_ways_is_refused() {
        let bad = [
            "",
            "api",
            "http://evil/api/",
            "//evil/api/",
            "/api//x",
            "/api/..",
            "/api/../x",
            "/api/./x",
            "/api/.",
            "/api/%2e%2e/x",
            "/api/.%2E/x",
            "/api/%2f/x",
            "/api/..%2fx",
            "/api/%5c..",
            "/api/..\\x",
            "/api/%252e%252e/x",
            "/api/%00",
            "/api/%0d%0aHost:%20evil",
            "/api/x\r\nHost: evil",
            "/api/a b",
            "/api/\t",
            "/api/ä",
            "/api/#x",
            "/api/%c0%ae%c0%ae/x",
            "/api/..;/x",
            "/api/..%3bv=1/x",
            "/api/;/x",
            "/api/..%20/x",
            "/api/.../x",
            "/api/%zz",
            "/api/%2",
            "/api/{other}",
            "/api/{secret}/{secret}",
            "/api/x?{secret}",
            "/api/\u{7f}",
        ];
        for text in bad {
            assert!(refused(text), "{text:?}");
        }
        assert!(refused(&format!("/{}", "x".repeat(LONGEST))));
    }

    #[test]
    fn a_secret_in_the_path_cannot_leave_its_place() {
        let filled = |secret: &str| {
            let mut target = Target::parse("/bot{secret}/send?x=1").unwrap();
            target.fill(secret).map(|()| target.uri().unwrap().to_string())
        };
        assert_eq!(filled("12:ab-c").unwrap(), "/bot12%3Aab-c/send?x=1");
        assert_eq!(filled("a/../b?c#d\r\n").unwrap(), "/bota%2F..%2Fb%3Fc%23d%0D%0A/send?x=1");
        let mut whole = Target::parse("/a/{secret}/b").unwrap();
        assert_eq!(whole.fill("..").unwrap_err().code, "no-secret");
    }
}
