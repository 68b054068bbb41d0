//! Records of backups, from Jobs and from what an earlier status remembers.
//!
//! A record outlives its Job. Once it is Completed or Failed it stays so, whatever the order of updates, and after a restart.

mod all;
mod history;
mod job;
mod recent;
mod record;
mod result;
mod unconfirmed;
mod unseen;

pub use self::{
    all::{all, awaits_job},
    history::{History, UNSEEN},
    recent::{Keeping, recent},
    record::{are_of_one_run, identity, is_of, is_of_another_template},
    unconfirmed::unconfirmed,
    unseen::END_UNSEEN,
};

use self::record::newness;
use crate::api::{BackupRecord, BackupStatus};

/// Returns the newest record of that status among [`all()`] records and the remembered one. A run that did something else than the
/// operator applied is none of them.
pub fn newest(
    status: BackupStatus,
    records: &[BackupRecord],
    remembered: Option<&BackupRecord>,
) -> Option<BackupRecord> {
    let newest = records.iter().find(|record| record.status == status && !is_of_another_template(record));
    // the present record of a run replaces the remembered one
    let remembered = remembered.filter(|remembered| !records.iter().any(|record| are_of_one_run(record, remembered)));
    match (newest, remembered) {
        (Some(newest), Some(remembered)) if newness(remembered) > newness(newest) => Some(remembered.clone()),
        (Some(newest), _) => Some(newest.clone()),
        (None, remembered) => remembered.cloned(),
    }
}
