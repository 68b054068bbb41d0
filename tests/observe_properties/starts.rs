//! What a status says about backups by schedule: which comes next, and which were skipped.

use antfly_backup_operator::testing::api::AntflyBackupStatus;
use cluster_model::Cluster;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What the statuses of a history said, as long as all clocks agreed and the watches kept up.
pub struct Starts {
    /// Whether they do so far.
    is_certain: bool,
    /// The clock at the last reconcile that wrote what it knew, and what came next.
    foresight: Option<(i64, Option<Timestamp>)>,
    started: BTreeSet<Timestamp>,
    skipped: BTreeSet<Timestamp>,
}

impl Starts {
    /// Begins a history with that skew of kube-controller-manager's clock.
    pub fn new(skew: i64) -> Self {
        Starts { is_certain: skew == 0, foresight: None, started: BTreeSet::new(), skipped: BTreeSet::new() }
    }

    /// Asserts that what has started since the last reconcile is what that status had as next.
    pub fn check_foresight(&mut self, cluster: &Cluster) {
        let all = cluster.started();
        let started: Vec<_> = all.difference(&self.started).copied().collect();
        if let (true, Some((clock, next)), Some(started)) = (self.is_certain, self.foresight, started.first())
            && clock == cluster.clock()
        {
            assert_eq!(next, Some(*started), "the scheduled time that started was not foreseen");
        }
        self.started = all;
    }

    /// Takes a status. Asserts that nothing was started for a scheduled time that was skipped by this or an earlier status.
    pub fn reconciled(
        &mut self,
        cluster: &Cluster,
        status: &AntflyBackupStatus,
        is_informed: bool,
        is_postponed: bool,
    ) {
        self.is_certain &= is_informed;
        self.started = cluster.started();
        let next = status.next_scheduled_backup.as_ref().map(|time| time.0);
        self.foresight = (!is_postponed).then_some((cluster.clock(), next));
        self.skipped.extend(status.last_skipped_time.as_ref().map(|time| time.0));
        if self.is_certain {
            let both: Vec<_> = self.skipped.intersection(&self.started).collect();
            assert!(both.is_empty(), "{both:?} were skipped and started: {status:#?}");
        }
    }
}
