//! Reading the tar archive that `restic dump` makes of a folder: one process for a folder, not one for each file.
//!
//! What is in it comes from a repository and is not trusted: sizes are bounds and not allocations, names are bytes that others
//! judge.

use std::io::{self, Read};

const BLOCK: usize = 512;
/// Of an extension: names, and what Linux keeps beside a file.
const LARGEST_EXTENSION: u64 = 1 << 20;

/// An archive, read entry by entry; as a reader, the present entry's bytes.
pub(super) struct Archive<R> {
    source: R,
    left: u64,
    padding: u64,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    File,
    Folder,
    Link,
    Other,
}

/// What stands before an entry's bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) path: Vec<u8>,
    pub(super) kind: Type,
    pub(super) size: u64,
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
    /// Unix seconds.
    pub(super) modified: i64,
}

/// What extensions say of the next entry.
#[derive(Default)]
struct Extension {
    path: Option<Vec<u8>>,
    size: Option<u64>,
    owner: (Option<u32>, Option<u32>),
    modified: Option<i64>,
}

impl<R: Read> Archive<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, left: 0, padding: 0 }
    }

    /// The next entry; what was not read of the last one is left out.
    pub(super) fn next(&mut self) -> io::Result<Option<Header>> {
        let mut extension = Extension::default();
        loop {
            let rest = self.left + self.padding;
            if io::copy(&mut (&mut self.source).take(rest), &mut io::sink())? < rest {
                return Err(broken("it ends within an entry"));
            }
            (self.left, self.padding) = (0, 0);
            let mut block = [0; BLOCK];
            self.source.read_exact(&mut block).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => broken("it ends without its end mark"),
                _ => error,
            })?;
            if block.iter().all(|byte| *byte == 0) {
                // To the very end: whether restic was content shows only there.
                io::copy(&mut self.source, &mut io::sink())?;
                return Ok(None);
            }
            check_sum(&block)?;
            let size = number(field(&block, 124, 12))?;
            match field(&block, 156, 1).first() {
                Some(b'x') => self.extend(&mut extension, size)?,
                Some(b'L') => extension.path = Some(until_nul(&self.extension(size)?).to_vec()),
                // Of all entries that follow: nothing that matters here.
                Some(b'g' | b'K') => drop(self.extension(size)?),
                kind => {
                    let header = header(&block, kind.copied().unwrap_or_default(), size, extension)?;
                    self.left = header.size;
                    self.padding = padding(header.size);
                    return Ok(Some(header));
                }
            }
        }
    }

    fn extension(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > LARGEST_EXTENSION {
            return Err(broken("an extension is too large"));
        }
        let mut bytes = Vec::new();
        (&mut self.source).take(size).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != size {
            return Err(broken("it ends within an extension"));
        }
        self.padding = padding(size);
        Ok(bytes)
    }

    /// Lines of `length key=value`.
    fn extend(&mut self, extension: &mut Extension, size: u64) -> io::Result<()> {
        let bytes = self.extension(size)?;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let bad = || broken("an extension cannot be read");
            let blank = rest.iter().position(|byte| *byte == b' ').ok_or_else(bad)?;
            let length: usize = text(rest.get(..blank)).and_then(|text| text.parse().ok()).ok_or_else(bad)?;
            let line = rest.get(blank + 1..length.saturating_sub(1)).ok_or_else(bad)?;
            rest = rest.get(length..).ok_or_else(bad)?;
            let equals = line.iter().position(|byte| *byte == b'=').ok_or_else(bad)?;
            let (key, value) = line.split_at(equals);
            let value = value.get(1..).unwrap_or_default();
            let whole = text(Some(value)).map(|text| text.split('.').next().unwrap_or_default());
            match key {
                b"path" => extension.path = Some(value.to_vec()),
                b"size" => extension.size = Some(whole.and_then(|text| text.parse().ok()).ok_or_else(bad)?),
                b"uid" => extension.owner.0 = whole.and_then(|text| text.parse().ok()),
                b"gid" => extension.owner.1 = whole.and_then(|text| text.parse().ok()),
                b"mtime" => extension.modified = whole.and_then(|text| text.parse().ok()),
                _ => {}
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Archive<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let read = (&mut self.source).take(self.left).read(buffer)?;
        if read == 0 {
            return Err(broken("it ends within a file"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

fn header(block: &[u8; BLOCK], kind: u8, size: u64, extension: Extension) -> io::Result<Header> {
    let kind = match kind {
        b'0' | 0 => Type::File,
        b'5' => Type::Folder,
        b'1' | b'2' => Type::Link,
        _ => Type::Other,
    };
    let own_name = || {
        let mut path = match field(block, 257, 6) {
            b"ustar\0" => until_nul(field(block, 345, 155)).to_vec(),
            _ => Vec::new(),
        };
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(until_nul(field(block, 0, 100)));
        path
    };
    let small = |at| number(field(block, at, 8)).map(|value| u32::try_from(value).unwrap_or_default());
    Ok(Header {
        path: extension.path.unwrap_or_else(own_name),
        kind,
        size: if kind == Type::File { extension.size.unwrap_or(size) } else { 0 },
        mode: small(100)?,
        owner: (
            extension.owner.0.map_or_else(|| small(108), Ok)?,
            extension.owner.1.map_or_else(|| small(116), Ok)?,
        ),
        modified: match extension.modified {
            Some(at) => at,
            None => i64::try_from(number(field(block, 136, 12))?).unwrap_or_default(),
        },
    })
}

fn field(block: &[u8; BLOCK], at: usize, length: usize) -> &[u8] {
    block.get(at..at + length).unwrap_or_default()
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn text(bytes: Option<&[u8]>) -> Option<&str> {
    std::str::from_utf8(bytes?).ok()
}

/// In octal digits, or in binary behind a mark.
fn number(bytes: &[u8]) -> io::Result<u64> {
    let bad = || broken("a number cannot be read");
    if let Some((mark, rest)) = bytes.split_first().filter(|(mark, _)| **mark & 0x80 != 0) {
        let first = u64::from(mark & 0x7f);
        return rest.iter().try_fold(first, |value, byte| {
            value.checked_mul(256).and_then(|value| value.checked_add(u64::from(*byte))).ok_or_else(bad)
        });
    }
    let digits = text(Some(until_nul(bytes))).ok_or_else(bad)?.trim();
    if digits.is_empty() { Ok(0) } else { u64::from_str_radix(digits, 8).map_err(|_| bad()) }
}

fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

fn check_sum(block: &[u8; BLOCK]) -> io::Result<()> {
    let own = number(field(block, 148, 8))?;
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| u64::from(if (148..156).contains(&at) { b' ' } else { *byte }))
        .sum();
    if own == sum { Ok(()) } else { Err(broken("a header is damaged")) }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the archive of the folder cannot be read: {what}"))
}

#[cfg(test)]
mod tests;
