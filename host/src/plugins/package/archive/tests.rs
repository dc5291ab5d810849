//! What strangers may pack, and what becomes of it.

use super::super::files::MAX_FILES;
use super::*;

fn files(list: &[(&str, &[u8])]) -> Files {
    let mut files = Files::default();
    for (name, bytes) in list {
        files.add(name, bytes.to_vec()).unwrap();
    }
    files
}

/// A zip as a stranger may make one.
fn zip(list: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, bytes) in list {
        let verbatim = rawzip::path::EntryPath::verbatim(name.as_bytes());
        let (mut entry, config) = archive.new_file(verbatim).compression_method(method).start().unwrap();
        let deflates = method == CompressionMethod::DEFLATE;
        let level = if deflates { Compression::best() } else { Compression::none() };
        let descriptor = if deflates {
            let mut writer = config.wrap(DeflateEncoder::new(&mut entry, level));
            writer.write_all(bytes).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            descriptor
        } else {
            let mut writer = config.wrap(&mut entry);
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap().1
        };
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
}

#[test]
fn what_was_packed_is_unpacked_and_the_same_files_make_the_same_bytes() {
    let plain = files(&[("plugin.toml", b"id"), ("plugin.wasm", &[7; 10_000]), ("views/a.json", b"{}")]);
    let packed = pack(&plain).unwrap();
    assert_eq!(unpack(&packed).unwrap(), plain);
    assert_eq!(pack(&plain).unwrap(), packed);
    assert!(packed.len() < 1_000, "it is compressed");
}

#[test]
fn a_zip_of_another_tool_is_read_too() {
    let stored = zip(&[("plugin.toml", b"id"), ("README.md", b"words")], CompressionMethod::STORE);
    assert_eq!(unpack(&stored).unwrap().get("README.md"), Some(&b"words"[..]));
}

#[test]
fn what_is_no_zip_or_has_something_around_it_is_refused() {
    let good = zip(&[("LICENSE", b"x")], CompressionMethod::STORE);
    assert!(unpack(b"#!/bin/sh").unwrap_err().contains("not a zip"));
    assert!(unpack(b"").unwrap_err().contains("not a zip"));
    let before = [&[0; 1][..], good.as_slice()].concat();
    assert!(unpack(&before).unwrap_err().contains("before or between its files"), "{:?}", unpack(&before));
    let behind = [good.as_slice(), &[0; 1]].concat();
    assert!(unpack(&behind).unwrap_err().contains("behind its end"), "{:?}", unpack(&behind));
}

#[test]
fn a_zip_that_slips_out_of_its_folder_is_refused_before_it_is_unpacked() {
    for name in ["../../etc/cron.d/x", "/etc/passwd", "views\\..\\..\\x.json", "views/"] {
        let error = unpack(&zip(&[(name, b"x")], CompressionMethod::STORE)).unwrap_err();
        assert!(error.contains("nothing else"), "{name}: {error}");
    }
}

#[test]
fn a_bomb_is_stopped_at_the_cap_of_its_file() {
    let bomb = zip(&[("README.md", &vec![0; 40 << 20])], CompressionMethod::DEFLATE);
    assert!(bomb.len() < 100_000, "a small file that grows");
    assert_eq!(unpack(&bomb).unwrap_err(), "README.md is larger than 1 MiB");
}

#[test]
fn two_entries_of_one_name_are_refused() {
    let twice = zip(&[("plugin.toml", b"one"), ("plugin.toml", b"two")], CompressionMethod::STORE);
    assert!(unpack(&twice).unwrap_err().contains("`plugin.toml` twice"));
}

#[test]
fn a_flipped_bit_in_a_file_is_found() {
    let mut good = zip(&[("LICENSE", b"permission is granted")], CompressionMethod::STORE);
    let at = good.windows(10).position(|window| window == b"permission").unwrap();
    good[at] ^= 1;
    let error = unpack(&good).unwrap_err();
    assert!(error.contains("`LICENSE` is damaged"), "{error}");
}

#[test]
fn every_truncation_is_refused() {
    let good = zip(&[("plugin.toml", b"id"), ("LICENSE", b"x")], CompressionMethod::DEFLATE);
    for length in 0..good.len() {
        assert!(unpack(&good[..length]).is_err(), "{length} of {} bytes", good.len());
    }
}

#[test]
fn every_flipped_bit_is_refused_or_changes_nothing() {
    let good = zip(&[("plugin.toml", b"id = 1"), ("LICENSE", b"words")], CompressionMethod::STORE);
    let plain = unpack(&good).unwrap();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = unpack(&bad) {
            assert_eq!(read, plain, "bit {bit}");
        }
    }
}

#[test]
fn names_that_differ_between_header_and_directory_are_refused() {
    let mut good = zip(&[("LICENSE", b"x")], CompressionMethod::STORE);
    let at = good.windows(7).position(|window| window == b"LICENSE").unwrap();
    good[at..at + 7].copy_from_slice(b"LICENCE");
    assert!(unpack(&good).unwrap_err().contains("another name"), "{:?}", unpack(&good));
}

#[test]
fn too_many_files_are_refused() {
    let names: Vec<String> = (0..=MAX_FILES).map(|number| format!("{number}.json")).collect();
    let list: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"{}"[..])).collect();
    assert!(unpack(&zip(&list, CompressionMethod::STORE)).unwrap_err().contains("64 files"));
}
