//! A stream that ends when nobody calls on it, or when its agent has taken other seats since: a connection costs a descriptor, and
//! an open one without a call is of no use to anybody.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// How long a stranger may stay without a call under way; there is one call for a stranger, and then it goes.
const STRANGER: Duration = Duration::from_secs(30);
/// How long a certificate's holder may go without a call; also how often either is looked at after its first time.
const KNOWN: Duration = Duration::from_secs(10);

/// The calls of one connection, counted.
#[derive(Debug, Clone, Default)]
pub(in crate::agents) struct Calls(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    under_way: AtomicUsize,
    /// Whether one began or ended since somebody looked.
    lively: AtomicBool,
}

/// A call under way, until this is dropped.
#[derive(Debug)]
pub(in crate::agents) struct Call(Calls);

impl Calls {
    /// A call begins.
    pub(super) fn begin(&self) -> Call {
        self.0.under_way.fetch_add(1, Ordering::Relaxed);
        self.0.lively.store(true, Ordering::Relaxed);
        Call(self.clone())
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.0.lively.store(true, Ordering::Relaxed);
        self.0.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream under watch.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    calls: Calls,
    known: bool,
    /// Whoever has a seat may lose it.
    lost: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    next_look: Pin<Box<Sleep>>,
}

impl<S> Watched<S> {
    /// From now on. Who is known may pause between two calls.
    pub(super) fn new(stream: S, calls: Calls, known: bool, lost: Option<CancellationToken>) -> Self {
        let first = if known { KNOWN } else { STRANGER };
        let lost = lost.map(|lost| Box::pin(lost.cancelled_owned()));
        Self { stream, calls, known, lost, next_look: Box::pin(sleep(first)) }
    }

    /// Looks if it is time to. Asked on every read and write: a peer that lets one of them stall is seen by the other.
    fn look(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.lost.as_mut().is_some_and(|lost| lost.as_mut().poll(context).is_ready()) {
            // It ends here and is not asked again: a future that is over must not be.
            self.lost = None;
            let detail = "the agent has opened other connections since";
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, detail));
        }
        while self.next_look.as_mut().poll(context).is_ready() {
            let count = &self.calls.0;
            let lively = count.lively.swap(false, Ordering::Relaxed) && self.known;
            if count.under_way.load(Ordering::Relaxed) == 0 && !lively {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the connection is open and nobody calls",
                ));
            }
            self.next_look.as_mut().reset(Instant::now() + KNOWN);
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.look(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.look(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.look(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.look(context)?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.look(context)?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};

    use super::*;

    /// How long a read lasts on a watched stream whose other end says nothing.
    async fn life(calls: &Calls, known: bool) -> Duration {
        let (ours, _theirs): (_, DuplexStream) = duplex(64);
        let begun = Instant::now();
        let error = Watched::new(ours, calls.clone(), known, None).read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_calls_is_gone_after_ten_seconds_with_a_certificate_and_thirty_without() {
        assert_eq!(life(&Calls::default(), true).await.as_secs(), 10);
        assert_eq!(life(&Calls::default(), false).await.as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_lost_the_seat_is_gone_at_once_whatever_is_under_way() {
        let (ours, _theirs): (_, DuplexStream) = duplex(64);
        let (calls, lost) = (Calls::default(), CancellationToken::new());
        let _call = calls.begin();
        let mut stream = Watched::new(ours, calls, true, Some(lost.clone()));
        let (ended, ()) = tokio::join!(stream.read_u8(), async { lost.cancel() });
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_under_way_keeps_the_connection_open() {
        for (known, expected) in [(true, 120), (false, 110)] {
            let calls = Calls::default();
            let call = calls.begin();
            let hold = tokio::spawn(async move {
                sleep(Duration::from_secs(105)).await;
                drop(call);
            });
            assert_eq!(life(&calls, known).await.as_secs(), expected, "known: {known}");
            hold.await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_short_calls_keep_a_known_connection_and_no_stranger() {
        for (known, expected) in [(true, 70), (false, 30)] {
            let calls = Calls::default();
            let busy = calls.clone();
            let short = tokio::spawn(async move {
                for _ in 0..11 {
                    sleep(Duration::from_secs(5)).await;
                    drop(busy.begin());
                }
            });
            assert_eq!(life(&calls, known).await.as_secs(), expected, "known: {known}");
            short.abort();
        }
    }
}
