//! Random histories: whatever happens in the cluster, to the operator and to its watches, the status stays true.

use super::{
    cluster::{Change, Cluster, KINDS, Kind, START, Truth},
    operator::Operator,
    step::{Step, step, step_unseen},
};
use antfly_backup_operator::records::{are_of_one_run, identity};
use antfly_backup_operator::{
    announcements::{Announcement, Publish},
    api::{AntflyBackupStatus, BackupRecord, BackupStatus},
};
use jiff::Timestamp;
use proptest::{collection, option, prelude::*, sample};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What happens besides.
#[derive(Clone, Debug)]
enum Moment {
    InCluster(Step),
    /// The operator looks after each of them.
    Watched(Vec<Step>),
    /// The operator hears of all that has happened, and looks.
    Look,
    /// It hears of the next thing that one watch has to tell.
    Hear(Kind),
    /// A watch is cut, and begins with a new list.
    Relist(Kind),
    /// Nobody watches while that happens, and then an operator starts.
    Absence(Vec<Step>),
    /// Nobody watches until the next start.
    Stop,
    Start,
    /// The operator's clock is that far ahead from now on.
    Clock(i64),
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        16 => step().prop_map(Moment::InCluster),
        3 => collection::vec(step(), 1..12).prop_map(Moment::Watched),
        5 => Just(Moment::Look),
        5 => sample::select(KINDS.to_vec()).prop_map(Moment::Hear),
        1 => sample::select(KINDS.to_vec()).prop_map(Moment::Relist),
        3 => collection::vec(step_unseen(), 1..8).prop_map(Moment::Absence),
        3 => (0..12usize).prop_map(|number| Moment::Watched(vec![Step::Manual(number), Step::Schedule])),
        1 => Just(Moment::Stop),
        2 => Just(Moment::Start),
        1 => sample::select(vec![-7200, -30, 0, 0, 30, 7200]).prop_map(Moment::Clock),
    ]
}

/// How far kube-controller-manager's clock is ahead of the API server's.
fn skew() -> impl Strategy<Value = i64> {
    sample::select(vec![0, 0, 0, 5, -5, 4000, -4000, 90_000])
}

/// A history in the making.
struct History {
    cluster: Cluster,
    operator: Option<Operator>,
    clock: i64,
    /// What the watches have not told yet.
    untold: Vec<Change>,
    status: Option<AntflyBackupStatus>,
    /// UIDs of Jobs that an operator heard of.
    heard: BTreeSet<String>,
    announced: BTreeSet<(String, String)>,
    /// What became of each run.
    ended: BTreeMap<String, BackupStatus>,
}

impl History {
    fn new(skew: i64) -> Self {
        let cluster = Cluster::new(skew);
        let operator = Some(Operator::start(&cluster, None));
        History {
            cluster,
            operator,
            clock: 0,
            untold: Vec::new(),
            status: None,
            heard: BTreeSet::new(),
            announced: BTreeSet::new(),
            ended: BTreeMap::new(),
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.cluster.clock + self.clock).unwrap()
    }

    fn take(&mut self, moment: &Moment) {
        match moment {
            Moment::InCluster(step) => {
                let changes = self.cluster.take(step);
                self.untold.extend(changes);
            }
            Moment::Watched(steps) => {
                for step in steps {
                    self.take(&Moment::InCluster(step.clone()));
                    self.take(&Moment::Look);
                }
            }
            Moment::Look => {
                while !self.untold.is_empty() {
                    self.hear(0);
                }
                self.look();
            }
            Moment::Hear(kind) => {
                if let Some(next) = self.untold.iter().position(|change| change.kind == *kind) {
                    self.hear(next);
                }
                self.look();
            }
            Moment::Relist(kind) => {
                self.untold.retain(|change| change.kind != *kind);
                if let Some(operator) = &mut self.operator {
                    operator.list(&self.cluster, *kind);
                    self.hear_list(*kind);
                }
                self.look();
            }
            Moment::Absence(steps) => {
                self.operator = None;
                steps.iter().for_each(|step| drop(self.cluster.take(step)));
                self.take(&Moment::Start);
            }
            Moment::Stop => self.operator = None,
            Moment::Start => {
                self.untold.clear();
                self.operator = Some(Operator::start(&self.cluster, self.status.as_ref()));
                KINDS.into_iter().for_each(|kind| self.hear_list(kind));
                self.look();
            }
            Moment::Clock(ahead) => self.clock = *ahead,
        }
    }

    fn hear(&mut self, position: usize) {
        let change = self.untold.remove(position);
        if let Some(operator) = &mut self.operator {
            operator.take(&change);
            if change.kind == Kind::Jobs {
                self.heard.insert(uid(&change));
            }
        }
    }

    fn hear_list(&mut self, kind: Kind) {
        if kind == Kind::Jobs {
            let jobs = self.cluster.objects(kind);
            self.heard.extend(jobs.iter().map(|job| job["metadata"]["uid"].as_str().unwrap().to_owned()));
        }
    }

    fn look(&mut self) {
        let now = self.now();
        let Some(operator) = &mut self.operator else { return };
        let (status, announcements) = operator.look(now);
        self.check_bounds(&status);
        self.check_verdicts(&status);
        self.check_last_success(&status);
        self.check_truth(&status);
        self.check_announcements(&status, announcements);
        self.status = Some(status);
    }

    fn check_bounds(&self, status: &AntflyBackupStatus) {
        let records = &status.recent_backups;
        let running = records.iter().filter(|record| record.status == BackupStatus::Running).count();
        assert!(records.len() <= running + 10, "{} records", records.len());
        assert!(records.is_sorted_by(|one, other| newness(one) > newness(other)), "{records:#?}");
        let errors = records.iter().filter_map(|record| record.error.as_ref());
        assert!(errors.into_iter().all(|error| error.chars().count() <= BackupRecord::ERROR_MAX_LENGTH));
    }

    /// Who has ended stays as he ended.
    fn check_verdicts(&mut self, status: &AntflyBackupStatus) {
        for record in &status.recent_backups {
            let run = identity(record).to_owned();
            if let Some(ended) = self.ended.get(&run) {
                // a Pod's word that came late is believed
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
        // one that is told for the first time may have ended before all those that have a record
        let is_made = |last: &BackupRecord| last.job_uid.as_ref().is_some_and(|uid| self.cluster.made.contains(uid));
        let is_first_told = last.as_ref().map(newness) > newest && last.as_ref().is_some_and(is_made);
        let is_newest = last.as_ref().map(newness) == newest;
        assert!(is_newest || is_first_told, "the last success: {last:#?}, {:#?}", status.recent_backups);
    }

    /// Nothing is claimed that did not happen.
    fn check_truth(&self, status: &AntflyBackupStatus) {
        // a run that nobody heard of may be what the CronJob's last success speaks of, if it kept no time
        let unheard = |(uid, truth): (&String, &Truth)| {
            let keeps_time = !self.cluster.manual.contains(uid) && !self.cluster.overrun.contains(uid);
            *truth == Truth::Completed && !keeps_time && !self.heard.contains(uid)
        };
        let is_ambiguous = self.cluster.truth.iter().any(unheard);
        for record in &status.recent_backups {
            // the Job of a slot that nobody saw has a name only
            let uid = record.job_uid.as_ref().unwrap_or_else(|| &self.cluster.uids[identity(record)]);
            let truth = self.cluster.truth[uid];
            let reason = record.reason.as_deref().unwrap_or_default();
            match record.status {
                BackupStatus::Completed => {
                    let is_told = record.verified == Some(false) && is_ambiguous;
                    assert!(self.cluster.made.contains(uid) || is_told, "{truth:?}: {record:#?}");
                }
                BackupStatus::Failed if reason == "EndUnseen" => {}
                BackupStatus::Failed if reason == "JobDeleted" => {
                    assert_eq!(truth, Truth::Deleted, "{record:#?}");
                }
                // the word of its Pod, which nobody knows to wait for by a clock that is wrong, may come yet
                BackupStatus::Failed if reason == "DeadlineExceeded" && self.cluster.made.contains(uid) => {}
                BackupStatus::Failed => assert_eq!(truth, Truth::Failed, "{record:#?}"),
                BackupStatus::Running => {}
            }
        }
    }

    fn check_announcements(&mut self, status: &AntflyBackupStatus, announcements: Vec<Announcement>) {
        let of_runs = |it: &Announcement| it.publish == Publish::WithStatus && it.reason != "BackupOverdue";
        for Announcement { reason, note, .. } in announcements.into_iter().filter(of_runs) {
            let id = note.split(' ').nth(1).unwrap().to_owned();
            // of two Jobs of one name either may be meant, as long as no Pod has given it an id of its own
            let is_meant = |record: &&BackupRecord| match reason {
                "BackupFailed" => record.status == BackupStatus::Failed,
                "BackupCompleted" => record.status == BackupStatus::Completed,
                _ => true,
            };
            let of_id = status.recent_backups.iter().filter(|record| record.backup_id == id);
            let mut runs = of_id.filter(is_meant).map(identity);
            let is_new = runs.any(|run| self.announced.insert((reason.to_owned(), run.to_owned())));
            assert!(is_new, "{reason} is told twice: {note}");
        }
    }
}

fn uid(change: &Change) -> String {
    change.object["metadata"]["uid"].as_str().unwrap().to_owned()
}

/// Start and id, by which records are ordered.
fn newness(record: &BackupRecord) -> (Timestamp, &str, &str) {
    (record.start_time.0, &record.backup_id, identity(record))
}

/// The changes of a history in which nothing is lost, each with the moment before which it happened.
fn changes(skew: i64, steps: &[Step]) -> (Cluster, Vec<Change>) {
    let mut cluster = Cluster::new(skew);
    let changes = steps.iter().flat_map(|step| cluster.take(step)).collect();
    (cluster, changes)
}

/// The same changes in another order, that of each watch kept. A Job is heard of before its Pods are gone and, if the
/// CronJob is not to overtake it, before what the CronJob tells of it.
fn reordered(changes: &[Change], choices: &[usize], may_overtake: bool) -> Vec<Change> {
    let of_kind = |kind: Kind| changes.iter().enumerate().filter(move |(_, change)| change.kind == kind);
    let queue = |kind: Kind| of_kind(kind).map(|(at, change)| (at, change.clone())).collect::<VecDeque<_>>();
    let mut queues = KINDS.map(queue);
    let mut heard: BTreeSet<String> = BTreeSet::new();
    let mut order = Vec::new();
    let mut choices = choices.iter().cycle();
    while queues.iter().any(|queue| !queue.is_empty()) {
        let wanted = choices.next().unwrap() % queues.len();
        let mut choice =
            (wanted..wanted + queues.len()).map(|at| at % queues.len()).find(|at| !queues[*at].is_empty()).unwrap();
        let jobs = KINDS.iter().position(|kind| *kind == Kind::Jobs).unwrap();
        let next_job = queues[jobs].front().map_or(usize::MAX, |(at, _)| *at);
        let waits_for_job = |(at, change): &(usize, Change)| {
            let job = change.object["metadata"]["ownerReferences"][0]["uid"].as_str().unwrap_or_default();
            let is_of_unheard = change.kind == Kind::Pods && change.is_deletion && !heard.contains(job);
            is_of_unheard || (change.kind == Kind::CronJobs && !may_overtake && next_job < *at)
        };
        if queues[choice].front().is_some_and(waits_for_job) {
            choice = jobs;
        }
        if let Some((_, change)) = queues[choice].pop_front() {
            heard.insert(uid(&change));
            order.push(change);
        }
    }
    order
}

/// A record without what depends on when the operator looked.
fn told(record: BackupRecord) -> BackupRecord {
    let is_late = record.reason.as_deref() == Some("JobDeleted");
    let completion_time = record.completion_time.filter(|_| !is_late);
    // what held a run up is only known to who looked then
    let error = record.error.filter(|error| is_late || error.starts_with("partial"));
    let reason = record.reason.filter(|_| error.is_some());
    // which Pods were seen before their Job was gone
    let (backup_id, backup_id_known) = if is_late {
        (record.job_name.clone().unwrap_or_default(), None)
    } else {
        (record.backup_id, record.backup_id_known)
    };
    BackupRecord {
        backup_id,
        backup_id_known,
        other_backup_ids: Vec::new(),
        completion_time,
        error,
        reason,
        attempts: record.attempts.filter(|_| !is_late),
        stuck_time: None,
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
    fn the_order_in_which_watches_tell_says_nothing(
        skew in skew(),
        steps in collection::vec(step(), 0..60),
        choices in collection::vec(0..12usize, 1..60),
    ) {
        let (cluster, changes) = changes(skew, &steps);
        let now = Timestamp::from_second(cluster.clock + 10).unwrap();
        let status = |changes: &[Change]| {
            let mut operator = Operator::start(&Cluster::new(skew), None);
            changes.iter().for_each(|change| operator.take(change));
            operator.look(now).0
        };
        prop_assert_eq!(status(&reordered(&changes, &choices, true)), status(&changes));
    }

    #[test]
    fn when_the_operator_looks_says_nothing(
        steps in collection::vec(step(), 0..60),
        choices in collection::vec(0..12usize, 1..60),
        looks in collection::vec(option::of(0..4i64), 1..40),
    ) {
        // time does not pass: news of Pods that are late by more than a few seconds are not waited for; and of two Jobs of
        // one name that began in the same second nobody can tell which is the later one
        let steps = steps.into_iter().enumerate().filter(|(_, step)| !matches!(step, Step::Wait(_)));
        let named = |(at, step)| if matches!(step, Step::Manual(_)) { Step::Manual(at) } else { step };
        let steps: Vec<_> = steps.map(named).collect();
        let (cluster, changes) = changes(0, &steps);
        let changes = reordered(&changes, &choices, false);
        let now = Timestamp::from_second(cluster.clock + 20).unwrap();
        let records = |looks: &[Option<i64>]| {
            let mut operator = Operator::start(&Cluster::new(0), None);
            let mut clock = START;
            for (change, look) in changes.iter().zip(looks.iter().cycle()) {
                operator.take(change);
                clock = clock.max(latest(&change.object).unwrap_or(START));
                // news are never older than a few seconds
                if let Some(late) = look {
                    operator.look(Timestamp::from_second(clock + late).unwrap());
                }
            }
            let status = operator.look(now).0;
            status.recent_backups.into_iter().map(told).collect::<Vec<_>>()
        };
        prop_assert_eq!(records(&looks), records(&[None]));
    }
}

/// The latest moment that an object speaks of.
fn latest(object: &serde_json::Value) -> Option<i64> {
    match object {
        serde_json::Value::String(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_second),
        serde_json::Value::Array(items) => items.iter().filter_map(latest).max(),
        serde_json::Value::Object(fields) => fields.values().filter_map(latest).max(),
        _ => None,
    }
}
