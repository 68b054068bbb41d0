//! Passes a stream of the command's output on, and has it scanned.

use super::{answer::Scanner, mask::MaskedStream};
use std::{
    io::{ErrorKind, Read, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::Sender},
    thread,
};

/// How much is read at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// The scanner of a stream that may still be read.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Mutex<Scanner>>);

impl Shared {
    /// Gives the scanner to those that share it.
    pub fn new(scanner: Scanner) -> Self {
        Shared(Arc::new(Mutex::new(scanner)))
    }

    /// Takes what has been scanned so far.
    pub fn take(&self) -> Scanner {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Scanner> {
        // a scanner is whole after each feed, and nothing else holds the lock
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a thread that copies `from` to `to`, byte for byte but for credentials, and as it comes, until `from` ends; then it
/// says so.
///
/// Once `to` takes no more, such as when nobody reads it, the rest is still scanned: the command must not notice.
pub fn start(
    mut from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    scanner: Shared,
    mut masked: MaskedStream,
    ended: Sender<()>,
) {
    thread::spawn(move || {
        let mut chunk = vec![0; CHUNK];
        let mut passing_on = true;
        loop {
            let bytes = match from.read(&mut chunk) {
                Ok(0) => break,
                Ok(length) => &chunk[..length],
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            // first, so that the answer is known even if writing hangs
            scanner.lock().feed(bytes);
            let bytes = masked.push(bytes);
            passing_on = passing_on && to.write_all(&bytes).and_then(|()| to.flush()).is_ok();
        }
        if passing_on {
            let _ = to.write_all(&masked.finish()).and_then(|()| to.flush());
        }
        // the runner may have stopped waiting
        let _ = ended.send(());
    });
}
