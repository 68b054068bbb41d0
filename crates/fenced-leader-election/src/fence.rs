//! The moment until which a process may write.

use crate::boot_time::BootTime;
use std::{
    error::Error,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// The moment until which this process may write. The fence closes by itself when that moment passes, whatever else the
/// process does or fails to do meanwhile.
#[derive(Debug)]
pub struct Fence(AtomicU64);

/// The fence is closed: this process may not write now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not sent: this replica is not the leader")]
pub struct Fenced;

impl Fenced {
    /// Returns whether a closed fence is the cause of an error of a [fenced client](crate::fenced_client).
    pub fn is_cause_of(error: &(dyn Error + 'static)) -> bool {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if error.is::<Fenced>() {
                return true;
            }
            cause = match error.downcast_ref::<io::Error>() {
                // its own `source` passes over what it holds
                Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
                None => error.source(),
            };
        }
        false
    }
}

impl Fence {
    const CLOSED: u64 = 0;
    const OPEN: u64 = u64::MAX;

    /// Makes a fence that is always open, for a process that shares its work with no other.
    pub fn always_open() -> Arc<Self> {
        Arc::new(Fence(AtomicU64::new(Self::OPEN)))
    }

    /// Makes a fence that is closed until it is opened.
    pub fn closed() -> Arc<Self> {
        Arc::new(Fence(AtomicU64::new(Self::CLOSED)))
    }

    /// Lets writes pass until that moment.
    pub fn open_until(&self, end: BootTime) {
        self.0.store(end.nanoseconds(), Ordering::SeqCst);
    }

    /// Lets no write pass.
    pub fn close(&self) {
        self.0.store(Self::CLOSED, Ordering::SeqCst);
    }

    /// Checks whether a write may pass now.
    ///
    /// # Errors
    /// It may not.
    pub fn check(&self) -> Result<(), Fenced> {
        let end = self.0.load(Ordering::SeqCst);
        if end == Self::OPEN || BootTime::now().nanoseconds() < end { Ok(()) } else { Err(Fenced) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_fence_closes_when_its_time_is_over() {
        let fence = Fence::closed();
        fence.open_until(BootTime::now());
        assert!(fence.check().is_err());
        fence.open_until(BootTime::now().plus(Duration::from_secs(60)));
        assert!(fence.check().is_ok());
        assert!(Fence::always_open().check().is_ok());
    }

    #[test]
    fn a_closed_fence_is_found_among_the_causes_of_an_error() {
        let error = kube::Error::Service(Box::new(io::Error::other(io::Error::other(Fenced))));
        assert!(Fenced::is_cause_of(&error));
        assert!(!Fenced::is_cause_of(&kube::Error::Service(Box::new(io::Error::other("reset")))));
    }
}
