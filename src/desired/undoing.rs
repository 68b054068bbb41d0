//! How much of what another operator did is undone now.

use crate::{
    api::SecondWriter,
    cluster::{
        cache::{Facts, resource_version},
        second_writer::{Allowance, Contest, Undone, joined},
        stored::StatusStanding,
        views::CronJobView,
    },
    desired::action::Action,
    names::cron_job_name,
};
use jiff::Timestamp;

/// What another operator did to the objects of a backup, and how much of it is undone now.
#[derive(Clone, Debug)]
pub struct Undoing {
    /// The contest as it was before.
    before: Option<Contest>,
    /// What is to be undone.
    seen: Option<SecondWriter>,
    /// How much of it may be undone now.
    allowance: Allowance,
    /// Whether something waits that is to be done.
    is_held_back: bool,
}

impl Undoing {
    /// Returns what is to be undone at `now`, and of `actions` those that may be done. Only writes of CronJobs under former names
    /// wait.
    pub fn bounded(facts: &Facts, actions: Vec<Action>, now: Timestamp) -> (Self, Vec<Action>) {
        let told = || facts.backup.status.as_ref()?.second_writer.clone();
        let before = facts.contest.clone().or_else(|| Some(Contest::remembered(told()?, now)));
        let name = cron_job_name(facts.backup.name());
        let is_of_former = |action: &Action| is_of_former(action, &name);
        let is_overwritten = is_overwritten(facts);
        let has_cron_jobs = actions.iter().any(is_of_former);
        let allowance = before.as_ref().map_or(Allowance::All, |it| it.allowance(is_overwritten, has_cron_jobs, now));
        let mut left = match allowance {
            Allowance::All => usize::MAX,
            Allowance::OneCronJob => 1,
            Allowance::Status | Allowance::NothingUntil(_) => 0,
        };
        let mut actions = actions;
        let wanted = actions.len();
        actions.retain(|action| {
            let is_allowed = !is_of_former(action) || left > 0;
            left = left.saturating_sub(usize::from(is_of_former(action)));
            is_allowed
        });
        let waits = is_overwritten && !matches!(allowance, Allowance::All | Allowance::Status);
        let is_held_back = waits || actions.len() < wanted;
        (Undoing { before, seen: seen(facts), allowance, is_held_back }, actions)
    }

    /// Returns whether the status of another operator may be replaced now.
    pub fn may_replace_status(&self) -> bool {
        matches!(self.allowance, Allowance::All | Allowance::Status)
    }

    /// Returns when something is undone next, if that has to wait.
    pub fn until(&self, after: Option<&Contest>) -> Option<Timestamp> {
        match self.allowance {
            _ if !self.is_held_back => None,
            Allowance::All => None,
            Allowance::NothingUntil(until) => Some(until),
            Allowance::OneCronJob | Allowance::Status => after.map(Contest::due),
        }
    }

    /// Returns the contest after the actions that were tried, and after the status was replaced or not.
    pub fn contest<'a>(
        &self,
        facts: &Facts,
        mut tried: impl Iterator<Item = &'a Action>,
        replaced_status: bool,
        now: Timestamp,
    ) -> Option<Contest> {
        let name = cron_job_name(facts.backup.name());
        let undone = match (replaced_status && is_overwritten(facts), tried.any(|action| is_of_former(action, &name))) {
            (true, _) => Some(Undone::Status),
            (false, true) => Some(Undone::CronJob),
            (false, false) => None,
        };
        Contest::after(self.before.clone(), self.seen.clone(), undone, now)
    }
}

/// Returns whether another field manager replaced the status of this operator.
pub fn is_overwritten(facts: &Facts) -> bool {
    matches!(facts.backup.standing, StatusStanding::Overwritten { after_ours: true, .. })
}

fn is_of_former(action: &Action, name: &str) -> bool {
    matches!(action, Action::Suspend(target) | Action::Delete(target) if target.cron_job.name() != name)
}

/// Returns what another operator does to the objects of a backup, as they are now; `None` if there is nothing.
fn seen(facts: &Facts) -> Option<SecondWriter> {
    let returned: Vec<_> = facts.former_cron_jobs.iter().filter(|former| has_returned(former, facts)).collect();
    let of_status = match &facts.backup.standing {
        StatusStanding::Overwritten { manager, after_ours: true } => Some(manager.clone()),
        _ => None,
    };
    let cron_job = returned.first().map(|cron_job| cron_job.name().to_owned());
    let writes_status = of_status.is_some().then_some(true);
    let managers = returned.iter().filter_map(|cron_job| cron_job.last_writer.clone()).chain(of_status);
    let writer = SecondWriter { managers: Vec::new(), cron_job, writes_status };
    let is_any = writer.cron_job.is_some() || writer.writes_status.is_some();
    is_any.then(|| joined(writer, SecondWriter { managers: managers.collect(), cron_job: None, writes_status: None }))
}

/// Returns whether a CronJob under another name was made after the backup's own, or resumed after this operator suspended it.
fn has_returned(former: &CronJobView, facts: &Facts) -> bool {
    let ours = facts.cron_job.as_ref().filter(|ours| ours.is_controlled_by(facts.backup.uid()));
    let is_later = ours.is_some_and(|ours| former.created() > ours.created());
    let version = resource_version(&former.metadata);
    // made again, perhaps in the same second as ours, or resumed
    let is_back = facts.suspended_cron_jobs.iter().any(|it| match it.uid == former.uid() {
        true => !former.suspended && it.version < version,
        false => it.name == former.name(),
    });
    is_later || is_back
}
