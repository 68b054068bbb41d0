//! Third part of an attempt: reads a completed backup back from its destination.
#![allow(clippy::disallowed_methods, reason = "the shell has a clock")]

use super::Attempt;
use crate::backup::{
    credentials::Storage,
    decide::{Ending, Verdict},
    log::line,
    read_back::{self, Destination, Finding, Size},
    result::BackupResult,
    s3, story,
};
use jiff::Timestamp;
use std::time::Duration;

impl Attempt {
    /// Reads a completed backup back from its destination. Reports the verdict before it starts.
    pub(super) async fn read_back(&self, mut verdict: Verdict) -> Verdict {
        self.decided(&verdict);
        let Some(read) = self.size_at_destination(&verdict.result).await else { return verdict };
        line(&story::read_back(&read));
        if !read_back::conclude(&mut verdict.result, read, Timestamp::now()) {
            verdict.ending = Ending::Again(Duration::ZERO);
        }
        verdict
    }

    /// Returns the size of the backup at its destination, or `None` if it is not to be read back.
    async fn size_at_destination(&self, result: &BackupResult) -> Option<Result<Size, Finding>> {
        let destination = Destination::parse(&self.order.location)?;
        let keys = match &self.credentials.storage {
            Storage::None => return None,
            Storage::Lacks(key) => {
                return Some(Err(Finding::Unreadable(format!("the Secret lacks key {key}"))));
            }
            Storage::Keys(keys) => keys,
        };
        let destination = match destination {
            Ok(destination) => destination,
            Err(finding) => return Some(Err(finding)),
        };
        line(&format!("reading backup {} back from bucket {:?}", self.id, destination.bucket));
        Some(s3::read_back(&destination, keys, &self.id, &result.tables, &self.credentials.mask).await)
    }
}
