//! Random histories: the status stays true whatever happens to the cluster, the operator and its watches.

use super::{
    operator::{Operator, Reconciled},
    pod::PodState,
    starts::Starts,
    step::{START, Step, new_cluster, step, step_unseen},
};
use antfly_backup_operator::testing::status::{are_of_one_run, identity};
use antfly_backup_operator::testing::{
    api::{AntflyBackupStatus, BackupRecord, BackupStatus},
    status::{Announcement, Publish},
};
use cluster_model::{Change, Cluster, Kind, Run, Truth};
use jiff::Timestamp;
use proptest::{collection, option, prelude::*, sample};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What happens next.
#[derive(Clone, Debug)]
enum Moment {
    InCluster(Step),
    /// The operator receives all events and reconciles after each step.
    Watched(Vec<Step>),
    /// The operator receives all pending events and reconciles.
    Reconcile,
    /// The operator receives the next event of one watch and reconciles.
    Receive(Kind),
    /// A watch breaks and starts with a new list.
    Relist(Kind),
    /// The steps happen while no operator runs, and then one starts.
    Absence(Vec<Step>),
    /// No operator runs until the next start.
    Stop,
    Start,
    /// From now on, the operator's clock is this far ahead.
    Clock(i64),
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        16 => step().prop_map(Moment::InCluster),
        1 => (0..3usize).prop_map(|job| Moment::InCluster(Step::Unlabel(job))),
        3 => collection::vec(step(), 1..12).prop_map(Moment::Watched),
        5 => Just(Moment::Reconcile),
        5 => sample::select(Kind::ALL.to_vec()).prop_map(Moment::Receive),
        1 => sample::select(Kind::ALL.to_vec()).prop_map(Moment::Relist),
        3 => collection::vec(step_unseen(), 1..8).prop_map(Moment::Absence),
        3 => (0..12usize).prop_map(|number| Moment::Watched(vec![Step::Manual(number), Step::Schedule])),
        1 => Just(Moment::Stop),
        2 => Just(Moment::Start),
        1 => sample::select(vec![-7200, -30, 0, 0, 30, 7200]).prop_map(Moment::Clock),
    ]
}

/// How far the clock of kube-controller-manager is ahead of the API server's.
fn skew() -> impl Strategy<Value = i64> {
    sample::select(vec![0, 0, 0, 5, -5, 4000, -4000, 90_000])
}

/// A history, which grows step by step.
struct History {
    cluster: Cluster,
    operator: Option<Operator>,
    clock: i64,
    /// Events that the operator has not received yet.
    pending: Vec<Change>,
    status: Option<AntflyBackupStatus>,
    /// UIDs of Jobs whose events an operator received, and has not forgotten with its end.
    received: BTreeSet<String>,
    /// Those of them that were known when a status was stored.
    recorded: BTreeSet<String>,
    announced: BTreeSet<(String, String)>,
    /// The final status of each run.
    ended: BTreeMap<String, BackupStatus>,
    starts: Starts,
}

impl History {
    fn new(skew: i64) -> Self {
        let cluster = new_cluster(skew);
        let operator = Some(Operator::start(&cluster, None));
        History {
            cluster,
            operator,
            clock: 0,
            pending: Vec::new(),
            status: None,
            received: BTreeSet::new(),
            recorded: BTreeSet::new(),
            announced: BTreeSet::new(),
            ended: BTreeMap::new(),
            starts: Starts::new(skew),
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.cluster.clock() + self.clock).unwrap()
    }

    fn take(&mut self, moment: &Moment) {
        match moment {
            Moment::InCluster(step) => {
                self.pending.extend(step.perform(&mut self.cluster));
                self.starts.check_foresight(&self.cluster);
            }
            Moment::Watched(steps) => {
                for step in steps {
                    self.take(&Moment::InCluster(step.clone()));
                    self.take(&Moment::Reconcile);
                }
            }
            Moment::Reconcile => {
                while !self.pending.is_empty() {
                    self.receive(0);
                }
                self.reconcile();
            }
            Moment::Receive(kind) => {
                if let Some(next) = self.pending.iter().position(|change| change.kind == *kind) {
                    self.receive(next);
                }
                self.reconcile();
            }
            Moment::Relist(kind) => {
                self.pending.retain(|change| change.kind != *kind);
                if let Some(operator) = &mut self.operator {
                    operator.list(&self.cluster, *kind);
                    self.receive_list(*kind);
                }
                self.reconcile();
            }
            Moment::Absence(steps) => {
                self.stop();
                steps.iter().for_each(|step| drop(step.perform(&mut self.cluster)));
                self.take(&Moment::Start);
            }
            Moment::Stop => self.stop(),
            Moment::Start => {
                self.stop();
                self.pending.clear();
                self.operator = Some(Operator::start(&self.cluster, self.status.as_ref()));
                Kind::ALL.into_iter().for_each(|kind| self.receive_list(kind));
                self.reconcile();
            }
            Moment::Clock(ahead) => self.clock = *ahead,
        }
    }

    /// Stops the operator, which forgets what no status has.
    fn stop(&mut self) {
        self.operator = None;
        self.received.clone_from(&self.recorded);
    }

    fn receive(&mut self, position: usize) {
        let change = self.pending.remove(position);
        if let Some(operator) = &mut self.operator {
            operator.receive(&change);
            if change.kind == Kind::Jobs {
                self.received.insert(uid(&change));
            }
        }
    }

    fn receive_list(&mut self, kind: Kind) {
        if kind == Kind::Jobs {
            let jobs = self.cluster.objects(kind);
            self.received.extend(jobs.iter().map(|job| job["metadata"]["uid"].as_str().unwrap().to_owned()));
        }
    }

    fn reconcile(&mut self) {
        let now = self.now();
        let Some(operator) = &mut self.operator else { return };
        let Reconciled { status, announcements, is_postponed } = operator.reconcile(now, Some(&self.cluster));
        if !is_postponed {
            self.recorded.clone_from(&self.received);
        }
        self.check_bounds(&status);
        self.check_verdicts(&status);
        self.check_last_success(&status);
        self.check_truth(&status);
        self.check_announcements(&status, announcements);
        let is_informed = self.pending.is_empty() && self.clock == 0;
        self.starts.reconciled(&self.cluster, &status, is_informed, is_postponed);
        self.status = Some(status);
    }

    fn check_bounds(&self, status: &AntflyBackupStatus) {
        let records = &status.recent_backups;
        let has_ended = |record: &&BackupRecord| record.status != BackupStatus::Running;
        let before = self.status.as_ref().map(|status| status.recent_backups.as_slice()).unwrap_or_default();
        let had_ended =
            |record: &&BackupRecord| before.iter().filter(has_ended).any(|known| are_of_one_run(known, record));
        let since = records.iter().filter(has_ended).filter(|record| !had_ended(record)).count();
        // at rest, what is there stays
        let most = if since == 0 { before.iter().filter(has_ended).count().max(10) } else { 10 + since };
        assert!(records.iter().filter(has_ended).count() <= most, "{} records", records.len());
        assert!(records.is_sorted_by(|one, other| newness(one) > newness(other)), "{records:#?}");
        let errors = records.iter().filter_map(|record| record.error.as_ref());
        assert!(errors.into_iter().all(|error| error.chars().count() <= BackupRecord::ERROR_MAX_LENGTH));
    }

    /// A run that has ended keeps its status.
    fn check_verdicts(&mut self, status: &AntflyBackupStatus) {
        for record in &status.recent_backups {
            let run = identity(record).to_owned();
            if let Some(ended) = self.ended.get(&run) {
                // The final state of a Pod may arrive late and correct a failure.
                let is_mended = *ended == BackupStatus::Failed && record.status == BackupStatus::Completed;
                assert!(*ended == record.status || is_mended, "{ended:?}: {record:?}");
            }
            if record.status != BackupStatus::Running {
                self.ended.insert(run, record.status);
            }
        }
    }

    fn check_last_success(&self, status: &AntflyBackupStatus) {
        let last = |status: &AntflyBackupStatus| status.last_successful_backup.clone();
        let completed = status.recent_backups.iter().filter(|record| record.status == BackupStatus::Completed);
        let is_there = |last: &BackupRecord| status.recent_backups.iter().any(|record| are_of_one_run(record, last));
        let earlier = self.status.as_ref().and_then(last).filter(|last| !is_there(last));
        let newest = completed.map(newness).chain(earlier.as_ref().map(newness)).max();
        let last = last(status);
        // A success that is reported for the first time may have ended before all recorded runs.
        let is_made = |last: &BackupRecord| {
            self.cluster.runs().iter().any(|run| run.made && last.job_uid.as_deref() == Some(run.uid()))
        };
        let is_reported_late = last.as_ref().map(newness) > newest && last.as_ref().is_some_and(is_made);
        let is_newest = last.as_ref().map(newness) == newest;
        assert!(is_newest || is_reported_late, "the last success: {last:#?}, {:#?}", status.recent_backups);
    }

    /// The status reports nothing that did not happen.
    fn check_truth(&self, status: &AntflyBackupStatus) {
        // The CronJob's last success may be a run that the operator never saw, if that did not keep its scheduled time.
        let unreceived = |run: &Run| {
            run.truth == Truth::Completed && (run.by_hand || run.overran) && !self.received.contains(run.uid())
        };
        let is_ambiguous = self.cluster.runs().iter().any(unreceived);
        for record in &status.recent_backups {
            // The Job of a scheduled time that nobody saw has only a name.
            let is_meant = |run: &&Run| match &record.job_uid {
                Some(uid) => run.uid() == uid,
                None => run.name() == identity(record),
            };
            let run = self.cluster.runs().iter().rfind(is_meant).expect("the record is of a Job");
            let Run { truth, made, .. } = *run;
            let reason = record.reason.as_deref().unwrap_or_default();
            match record.status {
                BackupStatus::Completed => {
                    let may_be_another = record.verified == Some(false) && is_ambiguous;
                    assert!(made || may_be_another, "{truth:?}: {record:#?}");
                }
                BackupStatus::Failed if reason == "EndUnseen" => {
                    assert!(!self.cluster.goes_on(run.uid()), "{record:#?}");
                }
                // A Job without its label may end and be deleted before the operator asks for it: no watch told of its end.
                BackupStatus::Failed if reason == "JobDeleted" => {
                    assert!(truth == Truth::Deleted || run.is_unlabelled, "{truth:?}: {record:#?}");
                }
                // The Pod's final state may still arrive: if a clock is wrong, the operator does not know to wait for it.
                BackupStatus::Failed if reason == "DeadlineExceeded" && made => {}
                BackupStatus::Failed => assert_eq!(truth, Truth::Failed, "{record:#?}"),
                BackupStatus::Running => {}
            }
        }
    }

    fn check_announcements(&mut self, status: &AntflyBackupStatus, announcements: Vec<Announcement>) {
        let of_starts = ["BackupOverdue", "BackupSkipped", "CatchUp", "ClocksDiffer", "JobRefused"];
        let of_runs = |it: &Announcement| it.publish == Publish::WithStatus && !of_starts.contains(&it.reason);
        for Announcement { reason, note, .. } in announcements.into_iter().filter(of_runs) {
            let id = note.split(' ').nth(1).unwrap().to_owned();
            // If two Jobs have the same name, either may be meant, until a Pod sets the id.
            let is_meant = |record: &&BackupRecord| match reason {
                "BackupFailed" => record.status == BackupStatus::Failed,
                "BackupCompleted" => record.status == BackupStatus::Completed,
                _ => true,
            };
            let of_id = status.recent_backups.iter().filter(|record| record.backup_id == id);
            let mut runs = of_id.filter(is_meant).map(identity);
            let is_new = runs.any(|run| self.announced.insert((reason.to_owned(), run.to_owned())));
            assert!(is_new, "{reason} is announced twice: {note}");
        }
    }
}

fn uid(change: &Change) -> String {
    change.object["metadata"]["uid"].as_str().unwrap().to_owned()
}

/// Returns the key by which records are ordered: start and id.
fn newness(record: &BackupRecord) -> (Timestamp, &str, &str) {
    (record.start_time.0, &record.backup_id, identity(record))
}

/// Returns the events of a history in which none is lost.
fn changes(skew: i64, steps: &[Step]) -> (Cluster, Vec<Change>) {
    let mut cluster = new_cluster(skew);
    let changes = steps.iter().flat_map(|step| step.perform(&mut cluster)).collect();
    (cluster, changes)
}

/// Returns the events in another order, which keeps that of each watch. A Job comes before the deletions of its Pods and,
/// unless `may_overtake`, before later events of the CronJob.
fn reordered(changes: &[Change], choices: &[usize], may_overtake: bool) -> Vec<Change> {
    let of_kind = |kind: Kind| changes.iter().enumerate().filter(move |(_, change)| change.kind == kind);
    let queue = |kind: Kind| of_kind(kind).map(|(at, change)| (at, change.clone())).collect::<VecDeque<_>>();
    let mut queues = Kind::ALL.map(queue);
    let mut received: BTreeSet<String> = BTreeSet::new();
    let mut order = Vec::new();
    let mut choices = choices.iter().cycle();
    while queues.iter().any(|queue| !queue.is_empty()) {
        let wanted = choices.next().unwrap() % queues.len();
        let mut choice =
            (wanted..wanted + queues.len()).map(|at| at % queues.len()).find(|at| !queues[*at].is_empty()).unwrap();
        let jobs = Kind::ALL.iter().position(|kind| *kind == Kind::Jobs).unwrap();
        let next_job = queues[jobs].front().map_or(usize::MAX, |(at, _)| *at);
        let waits_for_job = |(at, change): &(usize, Change)| {
            let job = change.object["metadata"]["ownerReferences"][0]["uid"].as_str().unwrap_or_default();
            let is_of_unreceived = change.kind == Kind::Pods && change.is_deletion && !received.contains(job);
            is_of_unreceived || (change.kind == Kind::CronJobs && !may_overtake && next_job < *at)
        };
        if queues[choice].front().is_some_and(waits_for_job) {
            choice = jobs;
        }
        if let Some((_, change)) = queues[choice].pop_front() {
            received.insert(uid(&change));
            order.push(change);
        }
    }
    order
}

/// Returns a record without what depends on the times of the reconciles.
fn without_reconcile_times(record: BackupRecord) -> BackupRecord {
    let is_late = record.reason.as_deref() == Some("JobDeleted");
    let completion_time = record.completion_time.filter(|_| !is_late);
    // Only a reconcile at that time sees what held up a run.
    let error = record.error.filter(|error| is_late || error.starts_with("partial"));
    let reason = record.reason.filter(|_| error.is_some());
    // The record depends on which Pods were seen before their Job was deleted.
    let (backup_id, backup_id_known) = if is_late {
        (record.job_name.clone().unwrap_or_default(), None)
    } else {
        (record.backup_id, record.backup_id_known)
    };
    BackupRecord {
        backup_id,
        backup_id_known,
        other_backup_ids: Vec::new(),
        first_error: None,
        completion_time,
        error,
        reason,
        attempts: record.attempts.filter(|_| !is_late),
        stuck_time: None,
        reason_before: None,
        error_before: None,
        ..record
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_status_stays_true(skew in skew(), moments in collection::vec(moment(), 0..80)) {
        let mut history = History::new(skew);
        moments.iter().for_each(|moment| history.take(moment));
    }

    #[test]
    fn the_order_of_events_of_different_watches_does_not_matter(
        skew in skew(),
        steps in collection::vec(step(), 0..60),
        choices in collection::vec(0..12usize, 1..60),
    ) {
        let (cluster, changes) = changes(skew, &steps);
        let now = Timestamp::from_second(cluster.clock() + 10).unwrap();
        let status = |changes: &[Change]| {
            let mut operator = Operator::start(&new_cluster(skew), None);
            changes.iter().for_each(|change| operator.receive(change));
            operator.reconcile(now, None).status
        };
        prop_assert_eq!(status(&reordered(&changes, &choices, true)), status(&changes));
    }

    #[test]
    fn the_times_of_reconciles_do_not_matter(
        steps in collection::vec(step(), 0..60),
        choices in collection::vec(0..12usize, 1..60),
        reconciles in collection::vec(option::of(0..4i64), 1..40),
    ) {
        // No time passes, because the operator waits only a few seconds for late updates of Pods. Names are unique, because
        // the order of two Jobs with the same name and the same start is undefined.
        let steps = steps.into_iter().enumerate().filter(|(_, step)| !matches!(step, Step::Wait(_)));
        let named = |(at, step)| if matches!(step, Step::Manual(_)) { Step::Manual(at) } else { step };
        let steps: Vec<_> = steps.map(named).collect();
        let (cluster, changes) = changes(0, &steps);
        let changes = reordered(&changes, &choices, false);
        let now = Timestamp::from_second(cluster.clock() + 20).unwrap();
        let records = |reconciles: &[Option<i64>]| {
            let mut operator = Operator::start(&new_cluster(0), None);
            let mut clock = START;
            for (change, reconcile) in changes.iter().zip(reconciles.iter().cycle()) {
                operator.receive(change);
                clock = clock.max(latest(&change.object).unwrap_or(START));
                // Events are at most a few seconds old.
                if let Some(late) = reconcile {
                    operator.reconcile(Timestamp::from_second(clock + late).unwrap(), None);
                }
            }
            let status = operator.reconcile(now, None).status;
            status.recent_backups.into_iter().map(without_reconcile_times).collect::<Vec<_>>()
        };
        prop_assert_eq!(records(&reconciles), records(&[None]));
    }
}

/// A status is postponed for the first Pod of a Job, and an operator that stops meanwhile forgets what it received. The start of a run
/// by hand is not: its success would count as that of the scheduled run.
#[test]
fn the_success_of_a_run_by_hand_that_an_operator_has_seen_is_never_that_of_the_scheduled_run() {
    let started = |number| Moment::Watched(vec![Step::Manual(number), Step::Schedule]);
    let unseen = vec![Step::Succeed(2), Step::DeleteJob(0), Step::Wait(61), Step::DeleteJob(1)];
    let mut history = History::new(0);
    for moment in [Moment::InCluster(Step::Wait(1)), Moment::Reconcile, started(0), started(1), Moment::Absence(unseen)]
    {
        history.take(&moment);
    }
    let records = &history.status.as_ref().unwrap().recent_backups;
    let of_schedule = records.iter().find(|record| record.job_name.as_deref() == Some("heron-cron-29923920")).unwrap();
    assert_eq!((of_schedule.status, of_schedule.verified), (BackupStatus::Failed, Some(false)));
}

/// The success of a run by hand seems to be before its start, if the controllers' clock is behind the API server's.
#[test]
fn a_success_before_the_start_of_a_run_by_hand_may_be_of_that_run() {
    let mut history = History::new(-4000);
    history.take(&Moment::Watched(vec![Step::Manual(0)]));
    history.take(&Moment::Absence(vec![Step::Succeed(0), Step::Schedule, Step::DeleteJob(0), Step::DeleteJob(0)]));
    let records = &history.status.as_ref().unwrap().recent_backups;
    assert!(records.iter().all(|record| record.status == BackupStatus::Failed), "{records:#?}");
}

/// The first and the second Pod were made in one second.
#[test]
fn the_first_of_two_tries_of_one_second_is_the_one_that_ended() {
    let mut history = History::new(0);
    let moments = [
        Moment::Watched(vec![Step::Schedule, Step::Manual(0)]),
        Moment::InCluster(Step::Pod(0)),
        Moment::Watched(vec![Step::Manual(1), Step::Schedule]),
        Moment::InCluster(Step::Manual(2)),
        Moment::Absence(vec![Step::Succeed(1)]),
        Moment::Clock(30),
        Moment::Watched(vec![
            Step::SetPodState(0, PodState::Partial),
            Step::Manual(3),
            Step::Succeed(1),
            Step::Manual(4),
            Step::Pod(0),
        ]),
        Moment::InCluster(Step::DeletePod(0)),
        Moment::Reconcile,
        Moment::InCluster(Step::End(0)),
        Moment::Watched(vec![Step::Manual(0), Step::Schedule]),
    ];
    moments.iter().for_each(|moment| history.take(moment));
}

/// Returns the latest time in an object.
fn latest(object: &serde_json::Value) -> Option<i64> {
    match object {
        serde_json::Value::String(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_second),
        serde_json::Value::Array(items) => items.iter().filter_map(latest).max(),
        serde_json::Value::Object(fields) => fields.values().filter_map(latest).max(),
        _ => None,
    }
}
