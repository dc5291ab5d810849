//! When to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Ends at the first SIGINT or SIGTERM. A second one ends the process at once: whoever sends it has waited enough, and
/// what was acknowledged is on the disk.
pub async fn asked_to_stop() -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::warn!("lifecycle: asked twice; stopping at once");
        std::process::exit(1);
    });
    Ok(())
}
