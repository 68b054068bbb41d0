use super::*;
use crate::api::{API_VERSION, KIND};
use serde_json::json;

fn backup(uid: &str, version: u64) -> StoredBackup {
    let metadata = json!({"name": "nightly", "namespace": "a", "uid": uid, "resourceVersion": version.to_string()});
    StoredBackup::from_value(json!({"metadata": metadata})).unwrap()
}

fn cron_job(owner: &str, version: u64) -> CronJobView {
    let owner = json!({"apiVersion": API_VERSION, "kind": KIND, "name": "nightly", "uid": owner, "controller": true});
    serde_json::from_value(json!({
        "metadata": {"name": "nightly-cron", "namespace": "a", "uid": "c", "resourceVersion": version.to_string(),
            "ownerReferences": [owner]},
        "spec": {"schedule": "@daily", "jobTemplate": {}},
    }))
    .unwrap()
}

fn suspended(suspended: bool, version: u64) -> CronJobView {
    CronJobView { suspended, ..cron_job("old", version) }
}

fn key() -> ObjectKey {
    ObjectKey::new("a", "nightly")
}

fn has_cron_job(cache: &ClusterCache) -> bool {
    cache.facts(&key()).unwrap().cron_job.is_some()
}

#[test]
fn a_written_cron_job_is_known_before_the_watch_delivers_it() {
    let mut cache = ClusterCache::new([]);
    cache.backup_event(&Scope::All, Event::Apply(backup("old", 1)));
    cache.cron_job_written(&key(), Arc::new(cron_job("old", 5)));
    // An event from before the write.
    cache.cron_job_event(&Scope::All, Event::Apply(cron_job("old", 4)));
    assert_eq!(cache.facts(&key()).unwrap().cron_job.unwrap().metadata.resource_version.as_deref(), Some("5"));
    cache.cron_job_event(&Scope::All, Event::Apply(cron_job("old", 5)));
    assert!(has_cron_job(&cache));
    cache.cron_job_event(&Scope::All, Event::Delete(cron_job("old", 6)));
    assert!(!has_cron_job(&cache));
}

#[test]
fn only_changes_of_the_cron_job_by_others_cause_a_reconcile() {
    let mut cache = ClusterCache::new([]);
    cache.backup_event(&Scope::All, Event::Apply(backup("old", 1)));
    cache.cron_job_written(&key(), Arc::new(cron_job("old", 5)));
    let mut concerned = |version| cache.cron_job_event(&Scope::All, Event::Apply(suspended(version % 2 == 0, version)));
    assert!(concerned(4).contains(&key()), "an event from before the write");
    assert!(concerned(5).is_empty());
    assert!(concerned(6).contains(&key()));
    assert!(cache.cron_job_event(&Scope::All, Event::Delete(cron_job("old", 7))).contains(&key()));
}

#[test]
fn a_cron_job_that_was_deleted_before_the_response_to_its_write_arrived_is_not_known() {
    let mut cache = ClusterCache::new([]);
    cache.backup_event(&Scope::All, Event::Apply(backup("old", 1)));
    // For example one whose owner no longer existed: the garbage collector is fast.
    cache.cron_job_event(&Scope::All, Event::Apply(cron_job("old", 5)));
    cache.cron_job_event(&Scope::All, Event::Delete(cron_job("old", 6)));
    cache.cron_job_written(&key(), Arc::new(cron_job("old", 5)));
    cache.backup_event(&Scope::All, Event::Apply(backup("new", 2)));
    assert!(!has_cron_job(&cache), "no event would ever remove it");
}

#[test]
fn the_progress_of_one_namespace_does_not_count_for_another() {
    let mut cache = ClusterCache::new([]);
    cache.backup_event(&Scope::Namespace("a".to_owned()), Event::Apply(backup("old", 1)));
    let elsewhere = Scope::Namespace("b".to_owned());
    cache.cron_job_event(&elsewhere, Event::Delete(cron_job("old", 9)));
    cache.cron_job_written(&key(), Arc::new(cron_job("old", 5)));
    assert!(has_cron_job(&cache));
}

#[test]
fn a_list_of_one_namespace_says_nothing_of_a_cron_job_that_was_just_written_in_another() {
    let mut cache = ClusterCache::new([]);
    let [here, elsewhere] = ["a", "b"].map(|namespace| Scope::Namespace(namespace.to_owned()));
    cache.backup_event(&here, Event::Apply(backup("old", 1)));
    cache.cron_job_event(&here, Event::Init);
    cache.cron_job_written(&key(), Arc::new(cron_job("old", 5)));
    cache.cron_job_event(&elsewhere, Event::Init);
    cache.cron_job_event(&here, Event::InitDone);
    assert!(has_cron_job(&cache), "its list began before the write");
}

fn list_backups(cache: &mut ClusterCache, version: u64) -> Vec<BackupChange> {
    cache.backup_event(&Scope::All, Event::Init);
    let mut changes = cache.backup_event(&Scope::All, Event::InitApply(backup("old", version)));
    changes.extend(cache.backup_event(&Scope::All, Event::InitDone));
    changes
}

#[test]
fn a_status_that_the_api_server_has_lost_is_not_awaited() {
    let mut cache = ClusterCache::new([]);
    cache.backup_event(&Scope::All, Event::Apply(backup("old", 1)));
    cache.status_written(&key(), Some(9));
    assert!(cache.awaits_own_status(&backup("old", 1)), "the watch lags behind");
    // a restored etcd: what was written is lost
    assert!(list_backups(&mut cache, 2).contains(&BackupChange::Changed(key())));
    assert!(!cache.awaits_own_status(&backup("old", 2)), "it would wait until the versions have caught up");
}

#[test]
fn an_object_that_did_not_change_while_the_status_was_lost_is_reconciled() {
    let mut cache = ClusterCache::new([]);
    cache.backup_event(&Scope::All, Event::Apply(backup("old", 1)));
    cache.status_written(&key(), Some(9));
    assert_eq!(list_backups(&mut cache, 1), [BackupChange::Changed(key())]);
    assert_eq!(list_backups(&mut cache, 1), []);
}

#[test]
fn another_edit_with_the_same_version_is_reconciled() {
    let edited = |schedule: &str| {
        let metadata =
            json!({"name": "nightly", "namespace": "a", "uid": "old", "generation": 2, "resourceVersion": "5"});
        let spec = json!({"schedule": schedule, "clusterRef": {"name": "main"}, "destination": {
            "location": "s3://bucket/path", "credentialsSecret": {"name": "credentials"},
        }});
        StoredBackup::from_value(json!({"metadata": metadata, "spec": spec})).unwrap()
    };
    let mut cache = ClusterCache::new([]);
    cache.backup_event(&Scope::All, Event::Apply(edited("@hourly")));
    assert!(cache.backup_event(&Scope::All, Event::Apply(edited("@hourly"))).is_empty());
    // After a restore of etcd the versions are given out again.
    let changes = cache.backup_event(&Scope::All, Event::Apply(edited("@weekly")));
    assert_eq!(changes, [BackupChange::Changed(key())]);

    let abridged = || Event::Apply(StoredBackup { is_abridged: true, ..edited("@weekly") });
    cache.backup_event(&Scope::All, abridged());
    assert_eq!(cache.backup_event(&Scope::All, abridged()), [BackupChange::Changed(key())], "its tables may be others");
}

#[test]
fn an_edit_that_has_the_version_of_a_lost_status_is_reconciled() {
    let edited = |schedule: &str, version: &str| {
        let metadata =
            json!({"name": "nightly", "namespace": "a", "uid": "old", "generation": 2, "resourceVersion": version});
        StoredBackup::from_value(json!({"metadata": metadata, "spec": {"schedule": schedule}})).unwrap()
    };
    let mut cache = ClusterCache::new([]);
    cache.backup_event(&Scope::All, Event::Apply(edited("@hourly", "4")));
    cache.status_written(&key(), Some(5));
    cache.backup_event(&Scope::All, Event::Init);
    let changes = cache.backup_event(&Scope::All, Event::InitApply(edited("@weekly", "5")));
    assert_eq!(changes, [BackupChange::Changed(key())]);
}

#[test]
fn a_status_that_was_written_during_a_list_is_awaited() {
    let mut cache = ClusterCache::new([]);
    cache.backup_event(&Scope::All, Event::Apply(backup("old", 1)));
    cache.backup_event(&Scope::All, Event::Init);
    cache.backup_event(&Scope::All, Event::InitApply(backup("old", 1)));
    cache.status_written(&key(), Some(2));
    assert_eq!(cache.backup_event(&Scope::All, Event::InitDone), []);
    assert!(cache.awaits_own_status(&backup("old", 1)));
}

#[test]
fn a_cron_job_that_the_api_server_has_lost_is_forgotten() {
    let mut cache = ClusterCache::new([]);
    cache.backup_event(&Scope::All, Event::Apply(backup("old", 1)));
    cache.cron_job_event(&Scope::All, Event::Apply(suspended(true, 3)));
    cache.cron_job_event(&Scope::All, Event::Apply(cron_job("old", 8)));
    cache.cron_job_written(&key(), Arc::new(cron_job("old", 9)));
    cache.cron_job_event(&Scope::All, Event::Init);
    cache.cron_job_event(&Scope::All, Event::InitApply(suspended(true, 3)));
    assert!(cache.cron_job_event(&Scope::All, Event::InitDone).contains(&key()));
    assert!(cache.facts(&key()).unwrap().cron_job.unwrap().suspended, "it is the one of the list");
    // versions count from where they are now
    cache.cron_job_written(&key(), Arc::new(cron_job("old", 5)));
    assert!(!cache.facts(&key()).unwrap().cron_job.unwrap().suspended);
}

#[test]
fn the_refusal_of_a_job_concerns_the_backup_of_its_cron_job_and_those_of_other_cron_jobs_are_not_kept() {
    let mut cache = ClusterCache::new([]);
    cache.backup_event(&Scope::All, Event::Apply(backup("old", 1)));
    cache.cron_job_event(&Scope::All, Event::Apply(cron_job("old", 2)));
    let refusal = |namespace: &str, cron_job: &str, message: &str, second: u8| -> JobRefusal {
        serde_json::from_value(json!({
            "metadata": {"name": format!("{cron_job}.{second}"), "namespace": namespace},
            "involvedObject": {"kind": "CronJob", "namespace": namespace, "name": cron_job, "uid": "c"},
            "message": message, "lastTimestamp": format!("2026-11-23T12:00:{second:02}Z"),
        }))
        .unwrap()
    };
    let mut concerned = |refusal| cache.job_refusal_event(&Scope::All, Event::Apply(refusal));
    assert!(concerned(refusal("a", "reports", "of another", 9)).is_empty());
    assert_eq!(concerned(refusal("a", "nightly-cron", "exceeded\nquota", 1)), BTreeSet::from([key()]));
    // a UID alone proves nothing
    concerned(refusal("b", "nightly-cron", "of another namespace", 8));
    assert_eq!(cache.job_refusals.iter().count(), 2);
    let message = |cache: &ClusterCache| cache.facts(&key()).unwrap().job_refusal.unwrap().message.clone();
    assert_eq!(message(&cache), "exceeded quota");
    cache.job_refusal_event(&Scope::All, Event::Apply(refusal("a", "nightly-cron", "a policy", 2)));
    assert_eq!(message(&cache), "a policy", "the latest counts");
}

/// A backup of that namespace, which names the cluster prod/main.
fn elsewhere(namespace: &str, name: &str) -> StoredBackup {
    StoredBackup::from_value(json!({
        "metadata": {"name": name, "namespace": namespace, "uid": format!("{namespace}-{name}"), "resourceVersion": "1"},
        "spec": {"clusterRef": {"name": "main", "namespace": "prod"}},
    }))
    .unwrap()
}

fn cluster(uid: &str, consent: &str, phase: &str) -> Cluster {
    let annotations = json!({"antfly.io/backup-from-namespaces": consent});
    let metadata = json!({"name": "main", "namespace": "prod", "uid": uid, "annotations": annotations});
    Cluster::from_value(&json!({"metadata": metadata, "status": {"phase": phase}})).unwrap()
}

/// The backups to reconcile, and the namespaces that the owner of the cluster is told of.
fn changed(cache: &mut ClusterCache, event: Event<Cluster>) -> (Vec<String>, Vec<String>) {
    let changes = cache.cluster_event(&Scope::All, event);
    let backups = changes.backups.iter().map(ToString::to_string).collect();
    (backups, changes.refusals.into_iter().map(|refusal| refusal.namespace).collect())
}

fn cache_of(rule: CrossNamespaceClusters) -> ClusterCache {
    let mut cache = ClusterCache::new([]).with_cross_namespace_clusters(rule);
    for (namespace, name) in [("let", "a"), ("other", "a"), ("other", "b"), ("prod", "own")] {
        cache.backup_event(&Scope::All, Event::Apply(elsewhere(namespace, name)));
    }
    changed(&mut cache, Event::Init);
    changed(&mut cache, Event::InitDone);
    cache
}

#[test]
fn a_change_of_a_cluster_concerns_only_the_backups_that_may_know_of_it() {
    let texts = |texts: &[&str]| -> Vec<String> { texts.iter().map(|text| (*text).to_owned()).collect() };
    let mut cache = cache_of(CrossNamespaceClusters::Consent);
    let apply = |consent: &str, phase: &str| Event::Apply(cluster("one", consent, phase));
    let (may, own) = (texts(&["let/a", "prod/own"]), texts(&["prod/own"]));
    assert_eq!(changed(&mut cache, apply("let", "Pending")), (may.clone(), texts(&["other"])), "once for a namespace");
    assert_eq!(changed(&mut cache, apply("let", "Running")), (may.clone(), texts(&[])));
    assert_eq!(changed(&mut cache, apply("", "Running")), (may, texts(&[])), "it is revoked: its status tells");
    assert_eq!(changed(&mut cache, apply("", "Pending")), (own.clone(), texts(&[])));
    assert_eq!(changed(&mut cache, Event::Delete(cluster("one", "", "Pending"))), (own, texts(&[])));
    let all = texts(&["let/a", "other/a", "other/b", "prod/own"]);
    assert_eq!(changed(&mut cache_of(CrossNamespaceClusters::Allow), apply("", "Running")), (all, texts(&[])));
    let denied = changed(&mut cache_of(CrossNamespaceClusters::Deny), apply("*", "Running"));
    assert_eq!(denied, (texts(&["prod/own"]), texts(&[])));
}

#[test]
fn the_owner_of_a_cluster_that_is_there_at_the_start_is_not_told_again() {
    let mut cache = ClusterCache::new([]).with_cross_namespace_clusters(CrossNamespaceClusters::Consent);
    cache.backup_event(&Scope::All, Event::Apply(elsewhere("other", "a")));
    changed(&mut cache, Event::Init);
    let listed = [Event::InitApply(cluster("one", "", "Running")), Event::InitDone];
    assert!(listed.into_iter().all(|event| changed(&mut cache, event).1.is_empty()));
    // one that is new in a later list was not seen before
    changed(&mut cache, Event::Init);
    assert_eq!(changed(&mut cache, Event::InitApply(cluster("two", "", "Running"))).1, ["other"]);
    assert!(changed(&mut cache, Event::InitDone).1.is_empty());
}

#[test]
fn an_edit_of_the_annotation_that_accepts_a_cluster_causes_a_reconcile() {
    let mut cache = ClusterCache::new([]);
    cache.backup_event(&Scope::All, Event::Apply(backup("old", 1)));
    cache.status_written(&key(), Some(2));
    let accepted = StoredBackup { accepted_cluster_uid: Some("two".to_owned()), ..backup("old", 2) };
    assert_eq!(cache.backup_event(&Scope::All, Event::Apply(accepted)), [BackupChange::Changed(key())]);
}
