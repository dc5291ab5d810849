//! Archives as restic writes them, and as a hostile one might.

use super::*;

/// A header with its sum.
fn block(name: &[u8], kind: u8, size: u64) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    block[..name.len()].copy_from_slice(name);
    block[100..107].copy_from_slice(b"0000644");
    block[108..115].copy_from_slice(b"0000007");
    block[116..123].copy_from_slice(b"0000011");
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[136..147].copy_from_slice(b"00000000144");
    block[156] = kind;
    block[257..263].copy_from_slice(b"ustar\0");
    sum(&mut block);
    block
}

fn sum(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}

fn with(mut block: Vec<u8>, content: &[u8]) -> Vec<u8> {
    block.extend_from_slice(content);
    block.resize(block.len().next_multiple_of(BLOCK), 0);
    block
}

fn end() -> Vec<u8> {
    vec![0; 2 * BLOCK]
}

#[test]
fn entries_come_with_what_extensions_say_of_them() {
    let name = "n".repeat(300);
    let pax = |key: &str, value: &str| {
        let bare = format!(" {key}={value}\n");
        let length =
            (bare.len()..999).find(|length| length.to_string().len() + bare.len() == *length).unwrap();
        format!("{length}{bare}")
    };
    let extension = pax("path", &name) + &pax("mtime", "200.5") + &pax("SCHILY.xattr.user.x", "=a\n=");
    let archive = [
        with(block(b"a/b", b'0', 5), b"hello"),
        with(block(b"pax", b'x', extension.len() as u64), extension.as_bytes()),
        with(block(b"short", b'0', 1), b"x"),
        block(b"d/", b'5', 0),
        block(b"l", b'2', 0),
        block(b"fifo", b'6', 0),
        end(),
    ]
    .concat();
    let mut archive = Archive::new(&archive[..]);
    let first = archive.next().unwrap().unwrap();
    assert_eq!((first.path.as_slice(), first.size, first.mode), (&b"a/b"[..], 5, 0o644));
    assert_eq!((first.owner, first.modified, first.kind), ((7, 9), 100, Type::File));
    // Half of it is read, the rest left out.
    let mut half = [0; 2];
    archive.read_exact(&mut half).unwrap();
    let second = archive.next().unwrap().unwrap();
    assert_eq!((second.path, second.modified), (name.into_bytes(), 200));
    let mut content = String::new();
    archive.read_to_string(&mut content).unwrap();
    assert_eq!(content, "x");
    let kinds: Vec<_> = (0..3).map(|_| archive.next().unwrap().unwrap().kind).collect();
    assert_eq!(kinds, [Type::Folder, Type::Link, Type::Other]);
    assert_eq!(archive.next().unwrap(), None);
}

#[test]
fn damage_is_an_error_and_never_a_short_file_or_a_large_allocation() {
    let whole = [with(block(b"a", b'0', 1_000), &[7; 1_000]), end()].concat();
    for cut in [0, 100, 512, 700, 1_400, 1_536] {
        let mut archive = Archive::new(&whole[..cut]);
        let read = archive.next().and_then(|_| io::copy(&mut archive, &mut io::sink()));
        assert!(read.and_then(|_| archive.next()).is_err(), "cut at {cut}");
    }
    let mut flipped = whole.clone();
    flipped[3] ^= 1;
    assert!(Archive::new(&flipped[..]).next().is_err());
    let huge = with(block(b"x", b'x', 4 << 30), b"x");
    assert!(Archive::new(&huge[..]).next().is_err());
    for bad in ["", "9", "9 a", "99 a=b\n", "x a=b\n", "2 \n"] {
        let pax = [with(block(b"x", b'x', bad.len() as u64), bad.as_bytes()), end()].concat();
        let read = Archive::new(&pax[..]).next();
        assert!(read.is_err() || bad.is_empty(), "{bad:?}");
    }
    let mut endless = block(b"big", b'0', 0);
    endless[124..136].copy_from_slice(&[0xff; 12]);
    sum(&mut endless);
    assert!(Archive::new(&endless[..]).next().is_err());
}
