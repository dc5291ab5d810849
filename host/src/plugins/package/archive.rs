//! The one file in which a plugin travels: `name-1.2.3.kpkg`, a zip. Whoever made it is a stranger, so it is read in memory,
//! with a cap on everything, and anything that two readers could understand differently is refused.

use std::io::Write as _;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveWriter, ZipFileHeaderRecord, ZipSliceArchive};

use super::super::limits::mebibytes;
use super::files::{self, Files};

/// The largest archive.
pub(in crate::plugins) const MAX_ARCHIVE: usize = 32 << 20;

/// Unpacks one in memory. What is wrong with it is a sentence.
pub(in crate::plugins) fn unpack(bytes: &[u8]) -> Result<Files, String> {
    if bytes.len() > MAX_ARCHIVE {
        return Err(format!("it is larger than {}", mebibytes(MAX_ARCHIVE)));
    }
    let archive =
        ZipArchive::from_slice(bytes).map_err(|error| format!("it is not a zip archive: {error}"))?;
    let whole = archive.end_offset() == size(bytes) && archive.comment().as_bytes().is_empty();
    if !whole {
        return Err(
            "there is something behind its end, or a comment; pack it again with `keelson plugin pack`"
                .to_owned(),
        );
    }
    let mut found = Files::default();
    let mut taken = Vec::new();
    for entry in archive.entries() {
        let entry = entry.map_err(|error| damaged(&error))?;
        let Unpacked { name, bytes, place } = unpack_one(&archive, &entry)?;
        taken.push(place);
        found.add(&name, bytes)?;
    }
    if u64::try_from(taken.len()).ok() != Some(archive.entries_hint()) {
        return Err(format!(
            "its directory lists {} files but says that there are {}; it is damaged, fetch it again",
            taken.len(),
            archive.entries_hint()
        ));
    }
    tight(taken, archive.directory_offset())?;
    Ok(found)
}

/// A file of an archive.
struct Unpacked {
    name: String,
    bytes: Vec<u8>,
    /// From its header to its end.
    place: (u64, u64),
}

fn unpack_one(archive: &ZipSliceArchive<&[u8]>, entry: &ZipFileHeaderRecord<'_>) -> Result<Unpacked, String> {
    let path = entry.file_path();
    let name = String::from_utf8_lossy(path.as_bytes()).into_owned();
    // Before anything is unpacked.
    let cap = files::cap(&name)?;
    let found = archive.get_entry(entry.wayfinder()).map_err(|error| damaged(&error))?;
    if found.local_header().file_path().as_bytes() != path.as_bytes() {
        return Err(format!(
            "`{name}` has another name in front of its bytes than in the directory; who made it lies"
        ));
    }
    if entry.flags().is_encrypted() {
        return Err(format!("`{name}` is encrypted, and nobody could read what was signed"));
    }
    let plain = match entry.compression_method() {
        CompressionMethod::STORE => files::read_capped(found.verifying_reader(found.data()), cap),
        CompressionMethod::DEFLATE => {
            files::read_capped(found.verifying_reader(DeflateDecoder::new(found.data())), cap)
        }
        other => return Err(format!("`{name}` is compressed by {other}; only deflate is read")),
    };
    let bytes = plain
        .map_err(|error| format!("`{name}` is damaged ({error}); fetch the package again"))?
        .ok_or_else(|| files::too_large(&name, cap))?;
    Ok(Unpacked { name, bytes, place: (entry.local_header_offset(), found.compressed_data_range().1) })
}

/// Files lie one behind the other from the first byte to the directory: two that share bytes make a bomb, and what lies
/// between them was signed by nobody. Only what tells the length of a file after it may stand there.
fn tight(mut taken: Vec<(u64, u64)>, directory: u64) -> Result<(), String> {
    /// The longest data descriptor.
    const DESCRIPTOR: u64 = 24;
    taken.sort_unstable();
    taken.push((directory, directory));
    let (mut end, mut gap) = (0, 0);
    for (start, next) in taken {
        if start < end {
            return Err("two of its files share the same bytes; such a package is a bomb".to_owned());
        }
        if start - end > gap {
            return Err(
                "there is something before or between its files; pack it again with `keelson plugin pack`"
                    .to_owned(),
            );
        }
        (end, gap) = (next, DESCRIPTOR);
    }
    Ok(())
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn damaged(error: &rawzip::Error) -> String {
    format!("it is damaged ({error}); fetch it again")
}

/// Packs files: the same files make the same bytes.
pub(in crate::plugins) fn pack(files: &Files) -> Result<Vec<u8>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("the archive cannot be written: {error}");
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, bytes) in files.iter() {
        let (mut entry, config) = archive
            .new_file(name)
            .compression_method(CompressionMethod::DEFLATE)
            .start()
            .map_err(|error| failed(&error))?;
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::best()));
        writer.write_all(bytes).map_err(|error| failed(&error))?;
        let (encoder, descriptor) = writer.finish().map_err(|error| failed(&error))?;
        encoder.finish().map_err(|error| failed(&error))?;
        entry.finish(descriptor).map_err(|error| failed(&error))?;
    }
    let packed = archive.finish().map_err(|error| failed(&error))?;
    if packed.len() > MAX_ARCHIVE {
        return Err(format!("packed, it is larger than {}", mebibytes(MAX_ARCHIVE)));
    }
    Ok(packed)
}

#[cfg(test)]
mod tests;
