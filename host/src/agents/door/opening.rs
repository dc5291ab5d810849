//! A stream that remembers how it began: whoever does not speak TLS shows in the first bytes what they speak instead.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Enough to know a protocol by.
const FIRST: usize = 24;

/// The first bytes of a stream, as they come.
#[derive(Debug, Clone, Default)]
pub(super) struct FirstBytes(Arc<Mutex<Vec<u8>>>);

impl FirstBytes {
    /// Those that have come.
    pub(super) fn seen(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes some; whether there is room for more.
    fn note(&self, bytes: &[u8]) -> bool {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = FIRST - first.len();
        first.extend(bytes.iter().take(room));
        first.len() < FIRST
    }
}

/// The stream. Past its first bytes it costs a comparison a read.
#[derive(Debug)]
pub(in crate::agents) struct Opening<S> {
    stream: S,
    first: Option<FirstBytes>,
}

impl<S> Opening<S> {
    pub(super) fn new(stream: S, first: FirstBytes) -> Self {
        Self { stream, first: Some(first) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opening<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(first) = &self.first
            && !first.note(buffer.filled().get(before..).unwrap_or_default())
        {
            self.first = None;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opening<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn bytes_that_trickle_in_are_remembered_and_none_past_the_first() {
        let (ours, mut theirs) = duplex(64);
        let first = FirstBytes::default();
        let mut opening = Opening::new(ours, first.clone());
        for byte in b"GET /" {
            theirs.write_u8(*byte).await.unwrap();
            opening.read_u8().await.unwrap();
        }
        assert_eq!(first.seen(), b"GET /");
        theirs.write_all(&[b'x'; 40]).await.unwrap();
        drop(theirs);
        let mut rest = Vec::new();
        opening.read_to_end(&mut rest).await.unwrap();
        assert_eq!((first.seen().len(), rest.len()), (FIRST, 40));
    }
}
