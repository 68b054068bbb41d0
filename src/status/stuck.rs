//! Runs that are stuck so that they cannot end, or hold up later backups: part of `BackupRunHealthy`.

use crate::{
    api::{BackupRecord, BackupStatus, BackupTrigger, reason},
    cluster::run::{PAST_DEADLINE, POD_TERMINATING, RESTARTING, RETRYING, Run, SIDECAR_RUNNING, TEMPLATE_CHANGED},
    status::{conditions::ConditionDraft, records::is_of, served::Due},
};
use jiff::Timestamp;

/// Most scheduled times that a message names.
const MOST_NAMED: usize = 3;

/// Most scheduled times that are counted.
const MOST_COUNTED: usize = 1000;

/// Returns the condition if a run is stuck so that it cannot end, or so that later backups wait for it. `records` are those of
/// the status. A run that works, or is tried again, is not stuck, however long it takes.
pub fn stuck(records: &[BackupRecord], runs: &[Run], due: Option<Due<'_>>, now: Timestamp) -> Option<ConditionDraft> {
    let running = records.iter().filter(|record| runs.iter().any(|run| run.is_running() && is_of(record, &run.job)));
    let mut stuck = running.filter(|record| is_stuck(record)).filter_map(|record| {
        let waiting = due.map_or_else(Waiting::default, |due| Waiting::for_run(record, due, now));
        (cannot_end(record) || !waiting.first.is_empty()).then_some((record, waiting))
    });
    let first = stuck.next()?;
    // one that holds up others matters more
    let (record, waiting) = if first.1.first.is_empty() {
        stuck.find(|(_, waiting)| !waiting.first.is_empty()).unwrap_or(first)
    } else {
        first
    };
    let state = match record.status {
        BackupStatus::Completed => "completed, and its Job does not end",
        _ => "makes no progress",
    };
    let error = record.error.as_deref().unwrap_or_default();
    let message = format!("backup {} {state}: {error}{}", record.backup_id, waiting.text());
    Some(ConditionDraft { kind: "BackupRunHealthy", status: "False", reason: reason::BACKUP_STUCK, message })
}

/// Whether the record of a run that goes on says that it is stuck.
fn is_stuck(record: &BackupRecord) -> bool {
    let reason = record.reason.as_deref();
    match record.status {
        BackupStatus::Running => {
            reason.is_some_and(|reason| ![RETRYING, RESTARTING, TEMPLATE_CHANGED].contains(&reason))
        }
        BackupStatus::Completed => [Some(SIDECAR_RUNNING), Some(POD_TERMINATING)].contains(&reason),
        BackupStatus::Failed => false,
    }
}

/// Whether nothing will end the run unless somebody does something.
fn cannot_end(record: &BackupRecord) -> bool {
    [Some(POD_TERMINATING), Some(PAST_DEADLINE)].contains(&record.reason.as_deref())
}

/// The scheduled times that have passed since a run began: the CronJob controller starts no backup before that run has ended
/// (`concurrencyPolicy: Forbid`).
#[derive(Debug, Default, PartialEq, Eq)]
struct Waiting {
    /// The first few of them.
    first: Vec<Timestamp>,
    /// How many there are beyond those.
    others: usize,
}

impl Waiting {
    /// Returns the scheduled times that wait for a run. None waits for one that was started by hand.
    fn for_run(record: &BackupRecord, due: Due<'_>, now: Timestamp) -> Self {
        if record.trigger == Some(BackupTrigger::Manual) {
            return Waiting::default();
        }
        let next = |time: &Timestamp| due.schedule.next_after(*time).filter(|next| *next <= now);
        let since = record.start_time.0.max(due.since);
        let mut times = std::iter::successors(next(&since), next);
        let first = times.by_ref().take(MOST_NAMED).collect();
        Waiting { first, others: times.take(MOST_COUNTED).count() }
    }

    /// Returns the part of a message that names them.
    fn text(&self) -> String {
        if self.first.is_empty() {
            return String::new();
        }
        let names: Vec<_> = self.first.iter().map(ToString::to_string).collect();
        let others = match self.others {
            0 => String::new(),
            MOST_COUNTED => format!(" and {MOST_COUNTED} others or more"),
            others => format!(" and {others} others"),
        };
        format!(". Backups due since then wait for it: {}{others}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::schedule::Schedule;

    fn waiting(schedule: &str, trigger: &str, since: &str) -> Waiting {
        let record: BackupRecord = serde_json::from_value(serde_json::json!({
            "backupId": "a", "startTime": "2026-11-23T04:30:01Z", "status": "Running", "trigger": trigger,
        }))
        .unwrap();
        let schedule = Schedule::parse(schedule).unwrap();
        let due = Due {
            since: since.parse().unwrap(),
            schedule: &schedule,
            starting_deadline: jiff::SignedDuration::from_hours(3),
        };
        Waiting::for_run(&record, due, "2026-11-23T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_scheduled_times_since_the_start_of_a_run_wait_for_it_a_few_by_name() {
        let since = "2026-09-01T00:00:00Z";
        assert_eq!(waiting("30 4 * * *", "Scheduled", since).text(), "");
        let text = waiting("0 6,12 * * *", "Scheduled", since).text();
        assert_eq!(text, ". Backups due since then wait for it: 2026-11-23T06:00:00Z, 2026-11-23T12:00:00Z");
        let hourly = waiting("0 * * * *", "Scheduled", since);
        assert_eq!((hourly.first.len(), hourly.others), (3, 5));
        assert!(hourly.text().ends_with("05:00:00Z, 2026-11-23T06:00:00Z, 2026-11-23T07:00:00Z and 5 others"));
        // the schedule was edited at 11:58:30
        let edited = waiting("* * * * *", "Scheduled", "2026-11-23T11:58:30Z");
        assert_eq!((edited.first.len(), edited.others), (2, 0));
        assert_eq!(waiting("* * * * *", "Scheduled", since).others, 447);
    }

    #[test]
    fn nothing_waits_for_a_run_that_was_started_by_hand() {
        assert_eq!(waiting("0 * * * *", "Manual", "2026-09-01T00:00:00Z"), Waiting::default());
    }
}
