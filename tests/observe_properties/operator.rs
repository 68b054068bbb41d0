//! The operator without its shell: takes watch events, returns the status.

use super::{
    performed::{reconciled, stored_status, with_status},
    step::{SCHEDULE, START},
    tenants::Forged,
};
use antfly_backup_operator::testing::{
    api::{AntflyBackupStatus, validate_status},
    cluster::{
        BackupChange, Cluster as AntflyCluster, ClusterCache, ClusterLookup, Facts, ObjectKey, Scope, StoredBackup,
    },
    desired::{OperatorSettings, cron_job, plan},
    status::{Announcement, StatusUpdate, unconfirmed},
};
use cluster_model::{Change, Cluster, Kind, antfly};
use jiff::{SignedDuration, Timestamp};
use kube::runtime::watcher::Event;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

pub fn settings() -> OperatorSettings {
    OperatorSettings { overdue_grace: SignedDuration::from_mins(15), ..OperatorSettings::default() }
}

fn backup() -> Value {
    let mut backup = antfly::backup(
        "heron",
        json!({
            "clusterRef": {"name": "osprey"}, "schedule": SCHEDULE, "destination": {"location": "s3://tidewater/ledgers"},
            "tables": ["voyages", "größe"],
            "suspend": false, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1, "backupTimeout": "500s",
        }),
    );
    backup["metadata"] = json!({
        "name": "heron", "namespace": "harbour", "uid": "of-heron", "generation": 1, "resourceVersion": "1",
        "creationTimestamp": "2026-11-23T11:59:00Z",
    });
    backup
}

fn osprey() -> AntflyCluster {
    AntflyCluster::from_value(&antfly::cluster("harbour", "osprey", json!({}), "Running")).unwrap()
}

/// Returns the Pod template of the CronJob that the operator applies.
pub fn planned_template() -> Value {
    let backup = StoredBackup::from_value(backup()).unwrap();
    let plan = plan(
        &backup,
        &ClusterLookup::Found(Arc::new(osprey())),
        None,
        &settings().job_image,
        settings().file_locations,
        &settings().pod,
    )
    .unwrap();
    json!(cron_job(&plan))["spec"]["jobTemplate"]["spec"]["template"].take()
}

/// An operator with its AntflyBackup.
pub struct Operator {
    cache: ClusterCache,
    backup: Value,
}

/// What a reconcile leaves.
pub struct Reconciled {
    /// The stored status.
    pub status: AntflyBackupStatus,
    pub announcements: Vec<Announcement>,
    /// Whether the stored status is that from before.
    pub is_postponed: bool,
}

impl Operator {
    /// Starts an operator on the present objects. `status` is that of an earlier operator.
    pub fn start(cluster: &Cluster, status: Option<&AntflyBackupStatus>) -> Self {
        let mut backup = backup();
        backup["status"] = json!(status);
        let mut operator = Operator { cache: ClusterCache::new([]), backup };
        operator.cache.cluster_event(&Scope::All, Event::Apply(osprey()));
        operator.backup_changed();
        Kind::ALL.into_iter().for_each(|kind| operator.list(cluster, kind));
        operator
    }

    /// Processes a new list of a kind, as after a watch broke.
    pub fn list(&mut self, cluster: &Cluster, kind: Kind) {
        let objects = cluster.objects(kind);
        match kind {
            Kind::CronJobs => listed(objects, |event| drop(self.cache.cron_job_event(&Scope::All, event))),
            Kind::Jobs => listed(objects, |event| drop(self.cache.job_event(&Scope::All, event))),
            Kind::Pods => listed(objects, |event| drop(self.cache.pod_event(&Scope::All, event))),
            Kind::Refusals => listed(objects, |event| drop(self.cache.refusal_event(&Scope::All, event))),
        }
    }

    /// Processes an event.
    pub fn receive(&mut self, change: &Change) {
        match change.kind {
            Kind::CronJobs => drop(self.cache.cron_job_event(&Scope::All, event(change))),
            Kind::Jobs => drop(self.cache.job_event(&Scope::All, event(change))),
            Kind::Pods => drop(self.cache.pod_event(&Scope::All, event(change))),
            Kind::Refusals => drop(self.cache.refusal_event(&Scope::All, event(change))),
        }
    }

    /// Reconciles once, and stores the status unless it is postponed. Reads Jobs that no watch has from `cluster`, if there is one.
    ///
    /// # Panics
    /// If a second reconcile would change something, or the schema refuses the status.
    pub fn reconcile(&mut self, now: Timestamp, cluster: Option<&Cluster>) -> Reconciled {
        let key = ObjectKey::new("harbour", "heron");
        let mut facts = self.cache.facts(&key).unwrap();
        if let Some(cluster) = cluster {
            let names = unconfirmed(&facts, now);
            let read = names.iter().filter_map(|name| cluster.job(name));
            let read = read.map(|job| serde_json::from_value(job).unwrap()).collect();
            self.cache.add_read(&key, &mut facts, read);
        }
        let (_, settlement) = reconciled(&facts, &settings(), now);
        let Some(status) = stored_status(&facts, &settlement) else {
            let status = facts.backup.status.clone().expect("the first status is not postponed");
            return Reconciled { status, announcements: settlement.announcements, is_postponed: true };
        };
        let (_, second) = reconciled(&with_status(&facts, Some(status.clone())), &settings(), now);
        assert_eq!(second.status, StatusUpdate::Unchanged, "a second reconcile of the same facts");

        let violations = validate_status(&json!(status));
        assert!(violations.is_empty(), "{violations:?}");
        self.cache.recorded(&key, &facts.runs, now);
        self.backup["status"] = json!(status);
        self.backup_changed();
        Reconciled { status, announcements: settlement.announcements, is_postponed: false }
    }

    /// Returns what is known of the AntflyBackup.
    pub fn facts(&self) -> Facts {
        self.cache.facts(&ObjectKey::new("harbour", "heron")).unwrap()
    }

    /// Returns the AntflyBackup.
    pub fn backup(&self) -> &Value {
        &self.backup
    }

    /// Processes a new list of all objects of a kind, whatever namespace they are in.
    pub fn list_objects(&mut self, kind: Kind, objects: Vec<Value>) {
        self.list_in(&Scope::All, Forged::Watched(kind), objects);
    }

    /// Processes a new list of the objects of a kind in one namespace.
    pub fn list_of(&mut self, namespace: &str, kind: Forged, objects: Vec<Value>) {
        self.list_in(&Scope::Namespace(namespace.to_owned()), kind, objects);
    }

    fn list_in(&mut self, scope: &Scope, kind: Forged, objects: Vec<Value>) {
        match kind {
            Forged::Watched(Kind::CronJobs) => listed(objects, |event| drop(self.cache.cron_job_event(scope, event))),
            Forged::Watched(Kind::Jobs) => listed(objects, |event| drop(self.cache.job_event(scope, event))),
            Forged::Watched(Kind::Pods) => listed(objects, |event| drop(self.cache.pod_event(scope, event))),
            Forged::Watched(Kind::Refusals) => listed(objects, |event| drop(self.cache.refusal_event(scope, event))),
            Forged::Backup => listed(objects, |event| drop(self.cache.backup_event(scope, event))),
            Forged::RefusalOfCronJob => listed(objects, |event| drop(self.cache.job_refusal_event(scope, event))),
            Forged::Cluster => listed(objects, |event| drop(self.cache.cluster_event(scope, event))),
        }
    }

    /// Processes an event about a forged object. Returns the backups that it concerns.
    pub fn receive_forged(&mut self, kind: Forged, object: &Value, is_deletion: bool) -> BTreeSet<ObjectKey> {
        let (cache, all) = (&mut self.cache, &Scope::All);
        match kind {
            Forged::Watched(Kind::CronJobs) => cache.cron_job_event(all, event_of(object, is_deletion)),
            Forged::Watched(Kind::Jobs) => cache.job_event(all, event_of(object, is_deletion)),
            Forged::Watched(Kind::Pods) => cache.pod_event(all, event_of(object, is_deletion)),
            Forged::Watched(Kind::Refusals) => cache.refusal_event(all, event_of(object, is_deletion)),
            Forged::RefusalOfCronJob => cache.job_refusal_event(all, event_of(object, is_deletion)),
            Forged::Cluster => cache.cluster_event(all, event_of(object, is_deletion)).backups,
            Forged::Backup => {
                let changes = cache.backup_event(all, event_of(object, is_deletion));
                let key = |change| match change {
                    BackupChange::Changed(key) | BackupChange::Gone(key) => key,
                };
                changes.into_iter().map(key).collect()
            }
        }
    }

    /// Has the runs of the backup of the same name in another namespace recorded, if there is one.
    pub fn reconcile_theirs(&mut self, namespace: &str) {
        let key = ObjectKey::new(namespace, "heron");
        if let Some(facts) = self.cache.facts(&key) {
            let now = Timestamp::from_second(START).unwrap() + SignedDuration::from_hours(24);
            self.cache.recorded(&key, &facts.runs, now);
        }
    }

    fn backup_changed(&mut self) {
        let backup = StoredBackup::from_value(self.backup.clone()).unwrap();
        self.cache.backup_event(&Scope::All, Event::Apply(backup));
    }
}

fn event<T: DeserializeOwned>(change: &Change) -> Event<T> {
    event_of(&change.object, change.is_deletion)
}

fn event_of<T: DeserializeOwned>(object: &Value, is_deletion: bool) -> Event<T> {
    let object = serde_json::from_value(object.clone()).unwrap();
    if is_deletion { Event::Delete(object) } else { Event::Apply(object) }
}

fn listed<T: DeserializeOwned>(objects: Vec<Value>, mut take: impl FnMut(Event<T>)) {
    take(Event::Init);
    objects.into_iter().for_each(|object| take(Event::InitApply(serde_json::from_value(object).unwrap())));
    take(Event::InitDone);
}
