//! Names that a backup holds and this machine is to hold.

use std::ffi::{OsStr, OsString};

use sha2::{Digest as _, Sha256};

/// Bytes of one name: what the usual file systems hold.
const LONGEST_NAME: usize = 255;
/// Bytes of a whole path: what the usual systems open.
const LONGEST_PATH: usize = 4_096;
/// Names of devices on Windows, whatever comes after a dot.
const DEVICES: &[&str] = &["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// Refuses what is no name, or means something else here than a name.
pub(super) fn check(parts: &[OsString]) -> Result<(), String> {
    if parts.iter().map(|part| part.len() + 1).sum::<usize>() > LONGEST_PATH {
        return Err(format!("its path is longer than {LONGEST_PATH} bytes"));
    }
    parts.iter().try_for_each(|part| check_part(part, cfg!(windows)))
}

fn check_part(part: &OsStr, windows: bool) -> Result<(), String> {
    let bytes = part.as_encoded_bytes();
    let refuse = |why: &str| {
        let shown: String = part.to_string_lossy().chars().take(60).collect();
        Err(format!("\"{}\" is no name of a file: {why}", shown.escape_debug()))
    };
    if bytes.is_empty() || bytes == b"." || bytes == b".." {
        return refuse("it leads elsewhere");
    }
    if bytes.len() > LONGEST_NAME {
        return refuse("it is longer than 255 bytes");
    }
    if bytes.iter().any(|byte| matches!(byte, 0 | b'/')) {
        return refuse("it holds a slash or a NUL character");
    }
    if windows && !is_plain_on_windows(bytes) {
        return refuse("Windows takes it for something else, or cannot hold it");
    }
    Ok(())
}

fn is_plain_on_windows(bytes: &[u8]) -> bool {
    if bytes.iter().any(|byte| *byte < 32 || br#"\:*?"<>|"#.contains(byte)) {
        return false;
    }
    if bytes.ends_with(b".") || bytes.ends_with(b" ") {
        return false;
    }
    let stem = bytes.split(|byte| *byte == b'.').next().unwrap_or_default();
    let stem = String::from_utf8_lossy(stem).trim_end().to_uppercase();
    let port = |name: &str| {
        stem.strip_prefix(name).is_some_and(|rest| rest.chars().count() == 1 && !rest.starts_with('0'))
    };
    !DEVICES.contains(&stem.as_str()) && !port("COM") && !port("LPT")
}

/// Where a file is written before it gets its name: the same for the same name, so that what a crash left is found.
pub(super) fn aside(name: &OsStr) -> OsString {
    let hash = hex::encode(Sha256::digest(name.as_encoded_bytes()));
    OsString::from(format!(".keelson-{}.part", hash.get(..16).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_else_on_windows_is_no_name_there() {
        for bad in
            ["C:", "a:stream", "..\\x", "CON", "nul.txt", "com1", "LPT9.log", "dot.", "blank ", "a\u{1}"]
        {
            assert!(check_part(OsStr::new(bad), true).is_err(), "{bad}");
        }
        for good in ["C:", "CON", "dot.", "a\\b"] {
            check_part(OsStr::new(good), false).unwrap();
        }
        for good in ["console", "com10", "com0", ".profile", "ä b.txt"] {
            check_part(OsStr::new(good), true).unwrap();
        }
    }
}
