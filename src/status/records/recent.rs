//! Which records `recentBackups` keeps.
//!
//! What runs, and what has ended since the last status, is kept first: no run ends without a record and an event. The others are kept by
//! their end. Nothing is dropped unless a run has ended or the spec was edited, so that a status at rest stays as it is.

use super::{
    history::FEWEST_RECORDS,
    record::{are_of_one_run, ended, identity, newness},
};
use crate::api::{AntflyBackupStatus, BackupRecord, BackupStatus};
use jiff::Timestamp;
use std::{cmp::Reverse, collections::BTreeSet};

/// Most records that a status keeps.
const MOST_RECORDS: usize = AntflyBackupStatus::RECENT_BACKUPS_MAX_ITEMS;

/// Most records of runs that go on, so that there is room for those that ended.
const MOST_RUNNING: usize = MOST_RECORDS - FEWEST_RECORDS;

/// What decides which records are kept.
#[derive(Clone, Copy, Debug)]
pub struct Keeping<'a> {
    /// The status as it was.
    pub earlier: Option<&'a AntflyBackupStatus>,
    /// The sum of the spec's two history limits.
    pub history_limits: usize,
    /// Whether the spec has changed since that status.
    pub is_edited: bool,
}

/// What a record has been since the status as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    /// It was running in that status. It runs still, or has ended.
    Ran,
    /// It has ended, and that status does not have it.
    Ended,
    /// It runs, and that status does not have it.
    Started,
    /// It had ended before.
    Old,
}

impl Keeping<'_> {
    /// Returns how many records are kept of runs that ended.
    fn limit(&self) -> usize {
        self.history_limits.max(FEWEST_RECORDS)
    }

    /// Returns the record of the same run in the status as it was.
    fn known(&self, record: &BackupRecord) -> Option<&BackupRecord> {
        self.earlier?.recent_backups.iter().find(|known| are_of_one_run(known, record))
    }

    /// Whether the status as it was may have dropped the record for those that ended later.
    fn may_have_dropped(&self, record: &BackupRecord) -> bool {
        let Some(earlier) = self.earlier.filter(|_| self.known(record).is_none()) else { return false };
        let kept = || earlier.recent_backups.iter().filter(|kept| kept.status != BackupStatus::Running);
        let later = kept().filter(|kept| ended(record) <= ended(kept)).count();
        let is_below_all = later >= FEWEST_RECORDS && later == kept().count();
        later >= self.limit() || is_below_all
    }

    /// Returns whether the record may have news: it is in the status as it was, or that did not drop it.
    pub fn has_news(&self, record: &BackupRecord) -> bool {
        !self.may_have_dropped(record)
    }

    fn since(&self, record: &BackupRecord) -> Since {
        match (self.known(record).map(|known| known.status), record.status) {
            (Some(BackupStatus::Running), _) => Since::Ran,
            (_, BackupStatus::Running) => Since::Started,
            (None, _) if self.earlier.is_some() && !self.may_have_dropped(record) => Since::Ended,
            _ => Since::Old,
        }
    }
}

/// Returns `recentBackups`, newest first: of [`super::all()`] records those that run, those that ended since the status as it was, and
/// those that ended last. Of more runs at a time than there is room for, those that started first have a record; the others get
/// theirs as these end, or when they end themselves.
pub fn recent(records: Vec<BackupRecord>, keeping: &Keeping<'_>) -> Vec<BackupRecord> {
    let runs = |record: &BackupRecord| record.status == BackupStatus::Running;
    let mut records: Vec<_> = records.into_iter().map(|record| (keeping.since(&record), record)).collect();
    let ran = records.iter().filter(|(since, _)| *since == Since::Ran).count();
    let still_run = records.iter().filter(|(since, record)| *since == Since::Ran && runs(record)).count();
    let ended_since = records.iter().filter(|(since, _)| *since == Since::Ended).count();
    let is_at_rest = keeping.earlier.is_some() && !keeping.is_edited && ran == still_run && ended_since == 0;

    let first = by(&records, |(since, _)| *since == Since::Started, |it| (it.start_time.0, identity(it).to_owned()));
    let first: BTreeSet<String> = first.into_iter().take(MOST_RUNNING.saturating_sub(still_run)).collect();
    let last = by(&records, |(_, record)| !runs(record), by_end);
    let last: BTreeSet<String> = last.into_iter().take(keeping.limit()).collect();
    records.retain(|(since, record)| match since {
        Since::Ran | Since::Ended => true,
        Since::Started => first.contains(identity(record)),
        Since::Old => last.contains(identity(record)) || (is_at_rest && keeping.known(record).is_some()),
    });

    // without room for all that ended since, the end alone decides: what is dropped has ended before what is kept
    let is_crowded = ran + ended_since > MOST_RECORDS;
    records.sort_by_cached_key(|(since, record)| {
        let rank = match since {
            Since::Ran => 0,
            Since::Old if is_at_rest && keeping.known(record).is_some() => 0,
            Since::Ended => 1,
            Since::Old if is_crowded => 1,
            Since::Started => 2,
            Since::Old => 3,
        };
        (rank, by_end(record))
    });
    records.truncate(MOST_RECORDS);
    let mut records: Vec<_> = records.into_iter().map(|(_, record)| record).collect();
    records.sort_by(|one, other| newness(other).cmp(&newness(one)));
    records
}

/// Returns the key that orders records by their end, the last one first.
fn by_end(record: &BackupRecord) -> Reverse<(Timestamp, Timestamp, String)> {
    Reverse((ended(record), record.start_time.0, identity(record).to_owned()))
}

/// Returns the identities of some records, ordered by a key.
fn by<K: Ord>(
    records: &[(Since, BackupRecord)],
    wanted: impl Fn(&(Since, BackupRecord)) -> bool,
    key: impl Fn(&BackupRecord) -> K,
) -> Vec<String> {
    let mut records: Vec<_> = records.iter().filter(|it| wanted(it)).map(|(_, record)| record).collect();
    records.sort_by_cached_key(|record| key(record));
    records.into_iter().map(|record| identity(record).to_owned()).collect()
}

#[cfg(test)]
mod tests;
