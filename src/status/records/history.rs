//! What records are made of.

use crate::{
    api::{AntflyBackupStatus, schedule::Schedule},
    cluster::{run::Run, views::CronJobView},
};
use jiff::SignedDuration;

/// Fewest records that a status keeps, once it has had as many.
pub const FEWEST_RECORDS: usize = 10;

/// How long a scheduled Job may stay unseen before it counts as deleted: the update of the CronJob may come before the Job's.
pub const UNSEEN: SignedDuration = SignedDuration::from_secs(60);

/// What records are made of.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// The status as it was.
    pub earlier: Option<&'a AntflyBackupStatus>,
    /// The Jobs that are known.
    pub runs: &'a [Run],
    /// The CronJob, if it is the backup's.
    pub cron_job: Option<&'a CronJobView>,
    /// The schedule, if the spec has a valid one.
    pub schedule: Option<&'a Schedule>,
    /// The longest time that a backup takes, if the spec has a valid one.
    pub timeout: Option<SignedDuration>,
}
