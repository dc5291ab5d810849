//! One line from an error and everything that caused it, for the boundary that prints or logs it.

use std::error::Error;
use std::fmt::Write as _;

/// `error: cause: cause of the cause`. A cause that only repeats its parent's words is left out.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut last = line.clone();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !last.contains(&text) && write!(line, ": {text}").is_ok() {
            last = text;
        }
        cause = inner.source();
    }
    line
}

/// What the host said, or what broke on the way: `Status` itself prints its innards.
pub(crate) fn spoken(status: &tonic::Status) -> String {
    let cause = status.source().map(chain);
    match (status.message(), cause) {
        ("" | "transport error", Some(cause)) => cause,
        ("", None) => status.code().to_string(),
        (message, _) => message.to_owned(),
    }
}
