//! Why a backup that is due by schedule does not start, as far as it is known.

use crate::{
    api::AntflyBackupStatus,
    cluster::views::JobRefusal,
    desired::scheduled_times::ScheduledTimes,
    status::{
        served::{MissedRun, Served},
        skipped::waited_for,
    },
    text::one_line,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// How far the time of a CronJob may be ahead before a clock counts as wrong.
const FAR_AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Why a backup that is due by schedule does not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The last scheduled time, or the creation, of the CronJob is in the future.
    ClocksDiffer {
        /// Name of the CronJob.
        cron_job: String,
        /// The field with the time.
        field: &'static str,
        /// Whose clock it was.
        clock: &'static str,
        /// The time.
        time: Timestamp,
    },
    /// The CronJob controller cannot create the Job. Has the API server's message.
    JobRefused(String),
    /// An earlier backup goes on. Has its id.
    WaitsFor(String),
}

impl Obstacle {
    /// Returns a text for people, which says what to do.
    pub fn text(&self) -> String {
        match self {
            Obstacle::ClocksDiffer { cron_job, field, clock, time } => format!(
                "{field} of CronJob {cron_job} is {time}, far ahead of this operator's clock: the clock of {clock} is or was ahead, \
                or the operator's is behind. No backup may start until then: correct the clocks, then delete CronJob {cron_job}; \
                the operator makes it anew"
            ),
            Obstacle::JobRefused(message) => format!("its Job cannot be created: {message}"),
            Obstacle::WaitsFor(backup) => {
                format!("backup {backup} still goes on, and no other starts beside it (concurrencyPolicy: Forbid)")
            }
        }
    }
}

/// Returns why no backup starts: a wrong clock, else a refusal, else an earlier backup that goes on.
pub fn obstacle(
    refused: Option<&StartError>,
    missed: Option<&MissedRun>,
    served: &Served<'_>,
    now: Timestamp,
) -> Option<Obstacle> {
    let refused = || refused.map(|refused| Obstacle::JobRefused(refused.message.clone()));
    let waits = || {
        let record = waited_for(served, missed?.scheduled)?;
        record.completion_time.is_none().then(|| Obstacle::WaitsFor(record.backup_id.clone()))
    };
    clocks_differ(served, now).or_else(refused).or_else(waits)
}

/// Returns when [`obstacle`] changes because a time of the CronJob is no longer far ahead.
pub fn no_longer_ahead(served: &Served<'_>) -> Option<Timestamp> {
    counted_from(served)?.2.checked_sub(FAR_AHEAD).ok()
}

fn clocks_differ(served: &Served<'_>, now: Timestamp) -> Option<Obstacle> {
    let (field, clock, time) = counted_from(served)?;
    let cron_job = served.cron_job?.name().to_owned();
    (time.duration_since(now) > FAR_AHEAD).then_some(Obstacle::ClocksDiffer { cron_job, field, clock, time })
}

/// Returns the time from which the CronJob controller counts: its field, whose clock it was, and the time.
fn counted_from(served: &Served<'_>) -> Option<(&'static str, &'static str, Timestamp)> {
    let cron_job = served.cron_job?;
    let last = cron_job.last_schedule_time.map(|time| ("status.lastScheduleTime", "kube-controller-manager", time));
    last.or_else(|| Some(("metadata.creationTimestamp", "the API server", cron_job.created()?)))
}

/// That the CronJob controller could not create a Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartError {
    /// When it was first seen with this message.
    pub time: Timestamp,
    /// The API server's message.
    pub message: String,
}

/// Returns why the Job of a backup cannot be created, unless one has been started since. Events expire, so the earlier status
/// counts, too.
pub fn start_error(
    refusal: Option<&JobRefusal>,
    earlier: Option<&AntflyBackupStatus>,
    scheduled_times: &ScheduledTimes<'_>,
    missed: Option<&MissedRun>,
    now: Timestamp,
) -> Option<StartError> {
    let known = earlier.and_then(|status| {
        let (Time(time), message) = (status.start_error_time.as_ref()?, status.start_error.as_ref()?);
        Some(StartError { time: *time, message: one_line(message) })
    });
    let seen =
        refusal.and_then(|refusal| Some(StartError { time: refusal.last_seen?, message: refusal.message.clone() }));
    let is_news =
        |seen: &StartError| known.as_ref().is_none_or(|known| known.message != seen.message && known.time <= seen.time);
    let error = seen.filter(is_news).or_else(|| known.clone())?;
    // it is about the scheduled time that is due, or about the first one that was missed
    let waiting = scheduled_times.due(now).into_iter().chain(missed.map(|missed| missed.scheduled)).min()?;
    (waiting <= error.time).then_some(error)
}
