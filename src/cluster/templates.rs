//! Which Jobs do what the operator applied.
//!
//! The digests stand in the status of the AntflyBackup, which only the operator writes, and for a moment in its memory. What the Jobs,
//! their CronJob and their Pods say of themselves proves nothing: others may edit it.

use crate::{
    api::AppliedTemplate,
    cluster::{
        run::Run,
        views::{Differences, JobView},
    },
};
use jiff::{SignedDuration, Timestamp};
use std::cmp::Reverse;

/// Most templates that a status has.
const MOST: usize = crate::api::AntflyBackupStatus::APPLIED_TEMPLATES_MAX_ITEMS;

/// How long after a template was replaced a Job of it may still be created: the CronJob controller's view of the CronJob, and its
/// clock, may lag behind.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// Returns the runs, each with the parts in which its Job differs from what was applied. While no template is known, none differs:
/// the status is of a version that did not note them.
pub fn judged(runs: &[Run], templates: &[AppliedTemplate]) -> Vec<Run> {
    runs.iter().map(|run| Run { differs: differences(&run.job, templates), ..run.clone() }).collect()
}

/// Returns in which parts a Job differs from what was applied: from that which is the most like it.
fn differences(job: &JobView, templates: &[AppliedTemplate]) -> Option<Differences> {
    let template = job.template.as_ref()?;
    let counts = |applied: &&AppliedTemplate| {
        let replaced = applied.replaced_time.as_ref();
        replaced.is_none_or(|replaced| job.created().duration_since(replaced.0) <= GRACE)
    };
    let of_each: Option<Vec<_>> =
        templates.iter().filter(counts).map(|applied| template.differences_from(applied)).collect();
    of_each?.into_iter().min_by_key(|differences| differences.count())
}

/// Returns the templates that there is room for: the present ones, and of the former ones first those of Jobs that run, then those
/// of other Jobs, then those that were replaced last.
pub fn bounded(templates: Vec<AppliedTemplate>, runs: &[Run]) -> Vec<AppliedTemplate> {
    let (mut kept, mut former): (Vec<_>, Vec<_>) = templates.into_iter().partition(|it| it.replaced_time.is_none());
    let newest_first =
        |it: &AppliedTemplate| (Reverse(it.replaced_time.as_ref().map(|time| time.0)), it.answered.clone());
    if kept.len() + former.len() > MOST {
        former.sort_by_cached_key(|it| {
            let has = |fits: fn(&Run) -> bool| runs.iter().any(|run| fits(run) && is_of(run, it));
            (Reverse(has(Run::is_running)), Reverse(has(|_| true)), newest_first(it))
        });
        former.truncate(MOST.saturating_sub(kept.len()));
    }
    former.sort_by_cached_key(newest_first);
    kept.extend(former);
    kept.truncate(MOST);
    kept
}

/// Returns the templates without the former ones of which there is no Job, and none can come any more.
pub fn needed(templates: Vec<AppliedTemplate>, runs: &[Run], now: Timestamp) -> Vec<AppliedTemplate> {
    let is_needed = |it: &AppliedTemplate| match &it.replaced_time {
        Some(replaced) => now.duration_since(replaced.0) <= GRACE || runs.iter().any(|run| is_of(run, it)),
        None => true,
    };
    templates.into_iter().filter(is_needed).collect()
}

/// Returns whether two are one answer to one request.
pub fn is_same(one: &AppliedTemplate, other: &AppliedTemplate) -> bool {
    one.requested == other.requested && one.answered == other.answered
}

fn is_of(run: &Run, applied: &AppliedTemplate) -> bool {
    run.job.template.as_ref().is_some_and(|template| template.is(applied))
}
