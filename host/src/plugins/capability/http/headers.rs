//! The headers of a request and of its answer: what is the host's own is refused in one direction and left out in the other.

use http::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

use crate::plugins::capability::refusal::Refusal;

/// How many a request may have.
const MOST: usize = 64;
/// Bytes of their names and values.
const LONGEST: usize = 32 * 1024;
/// Ties the server's log to the host's.
const CALL: HeaderName = HeaderName::from_static("x-keelson-call");

/// What frames the message, names the server or manages the connection; and what the host knows better. A compressed answer
/// could hide a secret in it from the host, and a cookie is a secret that no administrator entered.
const HOSTS: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-keelson-call",
];
/// What of an answer is about its transport, or for a browser.
const TRANSPORT: &[&str] =
    &["connection", "keep-alive", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade"];

/// The guest's headers, and the host's.
pub(super) fn request(given: &[(String, String)], call: &str) -> Result<HeaderMap, Refusal> {
    if given.len() > MOST {
        return Err(Refusal::bad_request(format!("{} headers are given; {MOST} at most", given.len())));
    }
    let bytes: usize = given.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
    if bytes > LONGEST {
        return Err(Refusal::bad_request(format!("the headers have {bytes} bytes; {LONGEST} at most")));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let (name, value) = one(name, value)?;
        headers.append(name, value);
    }
    let call = HeaderValue::from_str(call)
        .map_err(|_| Refusal::bad_request("the call has an id that no header takes"))?;
    headers.insert(CALL, call);
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
        .entry(USER_AGENT)
        .or_insert(HeaderValue::from_static(concat!("Keelson/", env!("CARGO_PKG_VERSION"))));
    Ok(headers)
}

fn one(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Refusal> {
    let shown = || name.chars().take(64).collect::<String>().escape_default().to_string();
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Refusal::bad_request(format!("`{}` is no name of a header", shown())))?;
    // Servers that hand headers on as variables take `_` and `-` for the same.
    let plain = parsed.as_str().replace('_', "-");
    if HOSTS.contains(&plain.as_str()) || plain.starts_with("proxy-") {
        return Err(Refusal::bad_request(format!(
            "the header `{}` is the host's to set; leave it out",
            shown()
        )));
    }
    match HeaderValue::from_str(value) {
        Ok(good) if is_plain(value) => Ok((parsed, good)),
        _ => Err(Refusal::bad_request(format!(
            "the value of the header `{}` has a character that is no printable ASCII",
            shown()
        ))),
    }
}

/// What every server reads in the same manner.
pub(super) fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ' || byte == b'\t')
}

/// What the guest gets of an answer's.
pub(super) fn answer(headers: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .filter(|(name, _)| !TRANSPORT.contains(name) && !name.starts_with("proxy-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str, value: &str) -> String {
        request(&[(name.to_owned(), value.to_owned())], "call-1").unwrap_err().message
    }

    #[test]
    fn what_is_the_hosts_own_is_refused_in_every_spelling() {
        for name in [
            "host",
            "Host",
            "HOST",
            "Content-Length",
            "content_length",
            "Transfer-Encoding",
            "Connection",
            "TE",
            "Trailer",
            "Upgrade",
            "Proxy-Authorization",
            "proxy_connection",
            "Keep-Alive",
            "Cookie",
            "Expect",
            "Accept-Encoding",
            "X-Keelson-Call",
        ] {
            assert!(refusal(name, "x").contains("host's to set"), "{name}");
        }
    }

    #[test]
    fn nothing_is_smuggled_in_a_name_or_a_value() {
        for value in ["a\r\nHost: evil", "a\nb", "a\0b", "ä", "\u{7f}"] {
            assert!(refusal("x-good", value).contains("printable"), "{value:?}");
        }
        for name in ["", "x y", "x:y", "x\r\ny", "ä", " host", "host "] {
            assert!(refusal(name, "x").contains("no name of a header"), "{name:?}");
        }
        assert!(refusal("x-long", &"x".repeat(LONGEST)).contains("at most"));
        let many = vec![("x".to_owned(), "y".to_owned()); MOST + 1];
        assert!(request(&many, "call-1").unwrap_err().message.contains("64 at most"));
    }

    #[test]
    fn the_rest_passes_and_the_hosts_own_is_added() {
        let given = [
            ("Accept".to_owned(), "a/b".to_owned()),
            ("x".to_owned(), "1".to_owned()),
            ("X".to_owned(), "2".to_owned()),
        ];
        let headers = request(&given, "call-7").unwrap();
        assert_eq!((headers["accept"].as_bytes(), headers.get_all("x").iter().count()), (&b"a/b"[..], 2));
        assert!(headers["x-keelson-call"] == "call-7" && headers["accept-encoding"] == "identity");
        assert!(headers.get("user-agent").unwrap().to_str().unwrap().starts_with("Keelson/"));
    }
}
