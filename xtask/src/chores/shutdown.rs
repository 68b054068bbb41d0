//! Commands that run until a signal.

use std::future::Future;

use anyhow::{Context, Result};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

/// How a command ended.
#[derive(Debug)]
pub enum Ended<T> {
    /// It finished with this result.
    Finished(T),
    /// Ctrl-C, a termination or a hang-up ended it.
    Interrupted,
}

/// Runs `command` until it finishes or a signal arrives.
///
/// If a signal comes first, the command is dropped before this returns, which stops what it started.
///
/// # Errors
/// Those of `command`, and when signals can't be listened to.
pub fn until_signal<T>(command: impl Future<Output = Result<T>>) -> Result<Ended<T>> {
    let runtime = Runtime::new().context("start the runtime")?;
    runtime.block_on(async {
        let mut signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
            .into_iter()
            .map(signal)
            .collect::<std::io::Result<Vec<_>>>()
            .context("listen to signals")?;
        let signalled = futures::future::select_all(signals.iter_mut().map(|signal| Box::pin(signal.recv())));
        tokio::select! {
            outcome = command => outcome.map(Ended::Finished),
            _ = signalled => Ok(Ended::Interrupted),
        }
    })
}
