//! Tenants: nothing that is in another namespace changes a fact of a backup, whatever UIDs, owners, labels and names it bears.

use super::{
    operator::{Operator, Reconciled},
    pod::PodState,
    step::{START, Step, new_cluster, step},
};
use cluster_model::{Cluster, Kind};
use jiff::Timestamp;
use proptest::{collection, prelude::*, sample};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The namespace of whoever forges objects.
const THEIRS: &str = "reef";

/// What happens next.
#[derive(Clone, Debug)]
enum Moment {
    InCluster(Step),
    Forge(Forgery),
    /// A watch breaks and starts with a new list: of all namespaces, or only of the other one.
    Relist(Forged, bool),
    /// The operator reconciles the backup of that name in the other namespace, and records its runs.
    ReconcileTheirs,
}

/// A kind of which an object can be forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forged {
    Watched(Kind),
    Backup,
    RefusalOfCronJob,
    Cluster,
}

const KINDS: [Forged; 7] = [
    Forged::Watched(Kind::CronJobs),
    Forged::Watched(Kind::Jobs),
    Forged::Watched(Kind::Pods),
    Forged::Watched(Kind::Refusals),
    Forged::Backup,
    Forged::RefusalOfCronJob,
    Forged::Cluster,
];

/// A forged object. The numbers choose among what there is of the honest ones.
#[derive(Clone, Debug)]
struct Forgery {
    kind: Forged,
    /// Which honest object it is a copy of.
    copied: usize,
    /// Whether it has the name of that one.
    same_name: bool,
    /// Which UID it has; `None`: one of its own.
    uid: Option<usize>,
    /// What controls it: a kind, and which UID; `None`: what controls the honest one.
    owner: Option<(&'static str, usize)>,
    /// Whether it has lost the label of backups.
    unlabelled: bool,
    state: PodState,
    /// Whether it is deleted right away.
    is_deleted: bool,
}

fn forgery() -> impl Strategy<Value = Forgery> {
    let owners = vec!["AntflyBackup", "CronJob", "Job", "Namespace"];
    let owner = proptest::option::of((sample::select(owners), 0..20usize));
    let states = vec![PodState::Verified, PodState::Partial, PodState::Crash, PodState::ImagePull, PodState::Works];
    (
        (sample::select(KINDS.to_vec()), 0..5usize, any::<bool>(), proptest::option::of(0..20usize)),
        (owner, proptest::bool::weighted(0.2), sample::select(states), proptest::bool::weighted(0.3)),
    )
        .prop_map(|((kind, copied, same_name, uid), (owner, unlabelled, state, is_deleted))| Forgery {
            kind,
            copied,
            same_name,
            uid,
            owner,
            unlabelled,
            state,
            is_deleted,
        })
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        8 => step().prop_map(Moment::InCluster),
        8 => forgery().prop_map(Moment::Forge),
        1 => (sample::select(KINDS.to_vec()), any::<bool>()).prop_map(|(kind, all)| Moment::Relist(kind, all)),
        1 => Just(Moment::ReconcileTheirs),
    ]
}

/// An operator that sees only the honest objects, and one that sees the forged ones, too.
struct Tenants {
    cluster: Cluster,
    alone: Operator,
    beside: Operator,
    /// The UIDs of all honest objects, those that are gone included.
    uids: Vec<String>,
    /// The forged objects that are there, by kind and name.
    forged: BTreeMap<(Forged, String), Value>,
    count: usize,
}

impl Tenants {
    fn new() -> Self {
        let cluster = new_cluster(0);
        let [alone, beside] = [(); 2].map(|()| Operator::start(&cluster, None));
        let uids = vec!["of-heron".to_owned(), "of-the-cron-job".to_owned()];
        Tenants { cluster, alone, beside, uids, forged: BTreeMap::new(), count: 0 }
    }

    fn take(&mut self, moment: &Moment) {
        match moment {
            Moment::InCluster(step) => {
                for change in step.perform(&mut self.cluster) {
                    self.uids.push(change.object["metadata"]["uid"].as_str().unwrap_or_default().to_owned());
                    self.alone.receive(&change);
                    self.beside.receive(&change);
                }
            }
            Moment::Forge(forgery) => {
                let object = self.object(forgery);
                self.forge(forgery.kind, &object, false);
                if forgery.is_deleted {
                    self.forge(forgery.kind, &object, true);
                }
            }
            Moment::Relist(kind, of_all) => {
                let forged = self.forged.iter().filter(|((of, _), _)| of == kind).map(|(_, object)| object.clone());
                let forged: Vec<_> = forged.collect();
                match kind {
                    Forged::Watched(kind) if *of_all => {
                        self.alone.list(&self.cluster, *kind);
                        self.beside.list_objects(*kind, [self.cluster.objects(*kind), forged].concat());
                    }
                    kind => self.beside.list_of(THEIRS, *kind, forged),
                }
            }
            Moment::ReconcileTheirs => self.beside.reconcile_theirs(THEIRS),
        }
        self.compare();
    }

    fn forge(&mut self, kind: Forged, object: &Value, is_deletion: bool) {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        if is_deletion {
            self.forged.remove(&(kind, name));
        } else {
            self.forged.insert((kind, name), object.clone());
        }
        let concerned = self.beside.receive_forged(kind, object, is_deletion);
        assert!(concerned.iter().all(|key| key.namespace == THEIRS), "{object} concerns {concerned:?}");
    }

    fn object(&mut self, forgery: &Forgery) -> Value {
        self.count += 1;
        let now = Timestamp::from_second(self.cluster.clock()).unwrap();
        let mut object = match forgery.kind {
            Forged::Watched(kind) => {
                let honest = self.cluster.objects(kind);
                honest.get(forgery.copied % honest.len().max(1)).cloned().unwrap_or_else(|| json!({"metadata": {}}))
            }
            Forged::Backup => self.alone.backup().clone(),
            Forged::RefusalOfCronJob => json!({"metadata": {"name": "heron-cron.1"}}),
            Forged::Cluster => {
                json!({"metadata": {"name": "osprey"}, "spec": {"mode": "Swarm"}, "status": {"phase": "Pending"}})
            }
        };
        let uid = |number: usize| self.uids[number % self.uids.len()].clone();
        let metadata = &mut object["metadata"];
        metadata["namespace"] = json!(THEIRS);
        metadata["uid"] = json!(forgery.uid.map_or_else(|| format!("forged-{}", self.count), uid));
        metadata["resourceVersion"] = json!((1000 + self.count).to_string());
        if !forgery.same_name || metadata["name"].is_null() {
            metadata["name"] = json!(["heron-cron", "heron", "by-hand-1", "forged"][forgery.copied % 4]);
        }
        if let Some((kind, number)) = forgery.owner {
            let names = BTreeMap::from([("AntflyBackup", "heron"), ("CronJob", "heron-cron")]);
            metadata["ownerReferences"] = json!([{"apiVersion": "v1", "kind": kind, "uid": uid(number),
                "name": names.get(kind).unwrap_or(&"heron-cron-29923920"), "controller": true}]);
        }
        if forgery.unlabelled {
            metadata["labels"] = json!({});
        }
        match forgery.kind {
            Forged::Watched(Kind::Jobs) => {
                let end = json!([{"type": "Complete", "status": "True", "lastTransitionTime": now.to_string()}]);
                object["status"]["conditions"] = end;
                object["status"]["completionTime"] = json!(now.to_string());
            }
            Forged::Watched(Kind::Pods) => object["status"] = json!(forgery.state.status(now)),
            Forged::Watched(Kind::Refusals) => {
                let of = json!({"kind": "Job", "namespace": "harbour", "name": "heron-cron-29923920",
                    "uid": uid(forgery.copied + 2)});
                object["involvedObject"] = of;
                object["message"] = json!("forged");
                object["lastTimestamp"] = json!(now.to_string());
            }
            Forged::RefusalOfCronJob => {
                object["involvedObject"] =
                    json!({"kind": "CronJob", "namespace": "harbour", "name": "heron-cron", "uid": "of-the-cron-job"});
                object["message"] = json!("forged");
                object["lastTimestamp"] = json!(now.to_string());
            }
            _ => {}
        }
        object
    }

    /// Asserts that both know the same, and settle it alike.
    fn compare(&mut self) {
        let facts = [&self.alone, &self.beside].map(|operator| format!("{:#?}", operator.facts()));
        assert_eq!(facts[0], facts[1], "a forged object has changed the facts");
        let now = Timestamp::from_second(self.cluster.clock() + 10).unwrap();
        let settled = [&mut self.alone, &mut self.beside].map(|operator| {
            let Reconciled { status, announcements, is_postponed } = operator.reconcile(now, None);
            (status, announcements, is_postponed)
        });
        assert_eq!(settled[0], settled[1], "a forged object has changed the status");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_object_of_another_namespace_changes_a_fact(moments in collection::vec(moment(), 0..40)) {
        let mut tenants = Tenants::new();
        moments.iter().for_each(|moment| tenants.take(moment));
    }
}

/// Returns a forged object that is a copy of the first honest one, and differs as little as possible.
fn copy(kind: Kind) -> Forgery {
    Forgery {
        kind: Forged::Watched(kind),
        copied: 0,
        same_name: true,
        uid: None,
        owner: None,
        unlabelled: false,
        state: PodState::Verified,
        is_deleted: false,
    }
}

#[test]
fn copies_of_a_job_and_of_its_pod_in_another_namespace_are_not_of_the_backup() {
    let mut tenants = Tenants::new();
    tenants.take(&Moment::InCluster(Step::Schedule));
    tenants.take(&Moment::InCluster(Step::Pod(0)));
    for kind in [Kind::CronJobs, Kind::Jobs, Kind::Pods] {
        tenants.take(&Moment::Forge(copy(kind)));
        tenants.take(&Moment::Forge(Forgery { is_deleted: true, ..copy(kind) }));
    }
    assert!(tenants.cluster.clock() >= START);
    assert!(tenants.count == 6 && !tenants.uids.is_empty());
}

/// The Pod of a deleted Job is kept with that until it is recorded, by the Job's UID.
#[test]
fn a_pod_of_another_namespace_is_not_kept_for_a_deleted_job() {
    let mut tenants = Tenants::new();
    for step in [Step::Schedule, Step::Pod(0), Step::SetPodState(0, PodState::Works)] {
        tenants.take(&Moment::InCluster(step));
    }
    let forged = tenants.object(&copy(Kind::Pods));
    for change in Step::DeleteJob(0).perform(&mut tenants.cluster) {
        tenants.alone.receive(&change);
        tenants.beside.receive(&change);
        tenants.forge(Forged::Watched(Kind::Pods), &forged, false);
        tenants.forge(Forged::Watched(Kind::Pods), &forged, true);
    }
    tenants.compare();
}
