//! How much of what another operator did is undone now.

use crate::{
    api::SecondWriter,
    cluster::{
        cache::Facts,
        second_writer::{Allowance, Contest, Undone, seen},
        stored::StatusStanding,
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
}

impl Undoing {
    /// Returns what is to be undone at `now`, and of `actions` those that may be done. Only writes of CronJobs under former names
    /// wait.
    pub fn bounded(facts: &Facts, actions: Vec<Action>, now: Timestamp) -> (Self, Vec<Action>) {
        let before = Contest::standing(facts, now);
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
        actions.retain(|action| {
            let is_allowed = !is_of_former(action) || left > 0;
            left = left.saturating_sub(usize::from(is_of_former(action)));
            is_allowed
        });
        (Undoing { before, seen: seen(facts), allowance }, actions)
    }

    /// Returns whether the status of another operator may be replaced now.
    pub fn may_replace_status(&self) -> bool {
        matches!(self.allowance, Allowance::All | Allowance::Status)
    }

    /// Returns when something is undone next, if that has to wait.
    pub fn until(&self, after: Option<&Contest>) -> Option<Timestamp> {
        match self.allowance {
            Allowance::All => None,
            Allowance::NothingUntil(until) => self.seen.as_ref().map(|_| until),
            Allowance::OneCronJob | Allowance::Status => self.seen.as_ref().and_then(|_| after).map(Contest::due),
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
