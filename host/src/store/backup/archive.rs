//! The file of a PostgreSQL backup: lines. The first says what it is, then comes each table, named with its columns, then its rows
//! in the text form of `COPY`, then `\.`, which no row can be; the last line has the hash of all before it.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, BufWriter};

use super::super::StoreError;
use super::fresh;

/// Ends a table's rows.
const END: &[u8] = b"\\.\n";
/// Rows are handed over in pieces of about so many bytes.
const PIECE: usize = 64 << 10;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    /// The version that wrote it.
    pub(super) keelson: String,
    /// The newest migration of the database.
    pub(super) schema: i64,
}

/// Before its rows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Table {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Seal {
    sha256: String,
}

/// Writes one.
pub(super) struct Writer {
    file: BufWriter<File>,
    hash: Sha256,
}

impl Writer {
    pub(super) async fn create(path: &Path, head: &Head) -> std::io::Result<Self> {
        fresh(path);
        let file = File::options().write(true).open(path).await?;
        let mut writer = Self { file: BufWriter::new(file), hash: Sha256::new() };
        writer.line(head).await?;
        Ok(writer)
    }

    pub(super) async fn begin(&mut self, table: &Table) -> std::io::Result<()> {
        self.line(table).await
    }

    pub(super) async fn rows(&mut self, rows: &[u8]) -> std::io::Result<()> {
        self.hash.update(rows);
        self.file.write_all(rows).await
    }

    pub(super) async fn end(&mut self) -> std::io::Result<()> {
        self.rows(END).await
    }

    pub(super) async fn finish(mut self) -> std::io::Result<()> {
        let sha256 = hex::encode(self.hash.clone().finalize());
        self.line(&Seal { sha256 }).await?;
        self.file.flush().await
    }

    async fn line(&mut self, what: &impl Serialize) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(what)?;
        line.push(b'\n');
        self.rows(&line).await
    }
}

/// Reads one.
pub(super) struct Reader {
    file: BufReader<File>,
}

impl Reader {
    /// Opens one that is whole.
    pub(super) async fn open(path: &Path) -> Result<(Self, Head), StoreError> {
        verify(path).await?;
        let mut reader = Self::at(path).await?;
        let line = reader.line(path).await?;
        let head = serde_json::from_slice(&line);
        Ok((
            reader,
            head.map_err(|_| StoreError::no_backup(path, "it is no backup of a PostgreSQL database"))?,
        ))
    }

    async fn at(path: &Path) -> Result<Self, StoreError> {
        let file =
            File::open(path).await.map_err(|error| StoreError::file("read the backup", path, error))?;
        Ok(Self { file: BufReader::new(file) })
    }

    /// The next table; none after the last.
    pub(super) async fn table(&mut self, path: &Path) -> Result<Option<Table>, StoreError> {
        Ok(serde_json::from_slice(&self.line(path).await?).ok())
    }

    /// Rows of the table; none after the last.
    pub(super) async fn rows(&mut self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        let mut rows = self.line(path).await?;
        if rows == END {
            return Ok(None);
        }
        while rows.len() < PIECE {
            let buffer = self.file.fill_buf().await;
            let buffer = buffer.map_err(|error| StoreError::file("read the backup", path, error))?;
            if buffer.starts_with(b"\\") || buffer.is_empty() {
                break;
            }
            rows.extend(self.line(path).await?);
        }
        Ok(Some(rows))
    }

    async fn line(&mut self, path: &Path) -> Result<Vec<u8>, StoreError> {
        let mut line = Vec::new();
        let read = self.file.read_until(b'\n', &mut line).await;
        read.map_err(|error| StoreError::file("read the backup", path, error))?;
        Ok(line)
    }
}

/// Whether all of it is there, as it was written.
async fn verify(path: &Path) -> Result<(), StoreError> {
    let mut reader = Reader::at(path).await?;
    let (mut hash, mut before) = (Sha256::new(), Vec::new());
    loop {
        let line = reader.line(path).await?;
        if line.is_empty() {
            break;
        }
        hash.update(&before);
        before = line;
    }
    let seal: Option<Seal> = serde_json::from_slice(&before).ok();
    if seal.is_some_and(|seal| seal.sha256 == hex::encode(hash.finalize())) {
        return Ok(());
    }
    Err(StoreError::no_backup(path, "it is cut short, was changed, or is no backup of a PostgreSQL database"))
}
