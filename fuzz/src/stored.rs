//! Whatever objects a cluster holds, they are read. Only a valid spec leads to a CronJob. The API accepts the status, which
//! stays the same until the time of the next reconcile.

#[path = "../../tests/support/performed.rs"]
mod performed;

use antfly_backup_operator::testing::{
    api::{UnknownFields, validate, validate_status},
    backup::JobRequest,
    cluster::{ClusterCache, Facts, Scope, StoredBackup, key_of},
    desired::{OperatorSettings, Plan, cron_job},
    status::{AFTER_CHANGE, Settlement, StatusUpdate},
};
use jiff::{SignedDuration, Timestamp};
use kube::runtime::watcher::Event;
use performed::{reconciled, stored_status, with_status};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Longest name of a CronJob, in characters.
const LONGEST_NAME: usize = 52;

/// Most bytes of a status: etcd allows 1.5 MiB for an object, and the spec needs some.
const LARGEST_STATUS: usize = 1024 * 1024;

/// How late a backup may start before it is overdue.
const GRACE: SignedDuration = SignedDuration::from_mins(15);

/// Checks JSON: one object, or a `List` of all objects of a cluster.
pub fn check(input: &[u8]) {
    let Ok(input) = serde_json::from_slice::<Value>(input) else { return };
    let objects = input["items"].as_array().cloned().unwrap_or_else(|| vec![input]);
    let cache = cache(&objects);
    for backup in cache.backups() {
        if let Some(facts) = cache.facts(&key_of(backup)) {
            check_facts(&facts);
        }
    }
}

/// Returns the cache as the watches fill it.
fn cache(objects: &[Value]) -> ClusterCache {
    let mut cache = ClusterCache::new([]);
    list(objects, "AntflyBackup", |event| drop(cache.backup_event(&Scope::All, event)));
    list(objects, "CronJob", |event| drop(cache.cron_job_event(&Scope::All, event)));
    list(objects, "Job", |event| drop(cache.job_event(&Scope::All, event)));
    list(objects, "Pod", |event| drop(cache.pod_event(&Scope::All, event)));
    list(objects, "Event", |event| drop(cache.refusal_event(&Scope::All, event)));
    list(objects, "Event", |event| drop(cache.job_refusal_event(&Scope::All, event)));
    list(objects, "AntflyCluster", |event| drop(cache.cluster_event(&Scope::All, event)));
    cache
}

/// Passes on the events of a watch that lists the readable objects of a kind.
fn list<T: DeserializeOwned>(objects: &[Value], kind: &str, mut take: impl FnMut(Event<T>)) {
    take(Event::Init);
    let of_kind = objects.iter().filter(|object| object["kind"] == kind && is_possible(&object["metadata"]));
    of_kind.filter_map(|object| serde_json::from_value(object.clone()).ok()).for_each(|object| {
        take(Event::InitApply(object));
    });
    take(Event::InitDone);
}

/// Returns whether an API server can return this metadata: it bounds names, and sets UIDs and generations itself.
fn is_possible(metadata: &Value) -> bool {
    let is_within = |field: &str, longest| metadata[field].as_str().is_none_or(|text| text.len() <= longest);
    is_within("name", 253) && is_within("uid", 63) && metadata["generation"].as_i64().is_none_or(|number| number >= 0)
}

fn check_facts(facts: &Facts) {
    let settings = OperatorSettings { overdue_grace: GRACE, ..OperatorSettings::default() };
    spec_is_stable(&facts.backup);
    let mut now: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a time");
    let (outcome, mut settlement) = reconciled(facts, &settings, now);
    if let Ok(plan) = &outcome.decision.plan {
        cron_job_matches_the_spec(&facts.backup, plan);
    }
    assert_is_later(&settlement, now);
    // A status is postponed at most once for each Job, while it has no Pod.
    for _ in &facts.runs {
        if settlement.status == StatusUpdate::Postponed {
            now = settlement.again.expect("a postponed status has a time");
            (_, settlement) = reconciled(facts, &settings, now);
            assert_is_later(&settlement, now);
        }
    }
    let status = stored_status(facts, &settlement).expect("a status is not postponed forever");
    let json = serde_json::to_value(&status).expect("a status is JSON");
    let violations = validate_status(&json);
    assert!(violations.is_empty(), "the schema refuses the status: {violations:?}");
    assert!(json.to_string().len() <= LARGEST_STATUS, "{} bytes of status", json.to_string().len());

    let facts = with_status(facts, Some(status));
    let a_day_on = now + SignedDuration::from_hours(24);
    let just_before = |again: Timestamp| again - AFTER_CHANGE - SignedDuration::from_secs(1);
    for later in [now, now.max(settlement.again.map_or(a_day_on, just_before))] {
        let (_, again) = reconciled(&facts, &settings, later);
        let next = settlement.again;
        let is_unchanged = again.status == StatusUpdate::Unchanged;
        assert!(is_unchanged, "a reconcile at {later}, before the next is due at {next:?}: {again:?}, not {facts:?}");
    }
}

fn assert_is_later(settlement: &Settlement, now: Timestamp) {
    assert!(settlement.again.is_none_or(|again| again > now), "the next reconcile is in the past");
}

/// Asserts that a spec that was read, written and read again is valid and the same.
fn spec_is_stable(backup: &StoredBackup) {
    let Ok(spec) = &backup.spec else { return };
    let written = json!({
        "apiVersion": "antfly.io/v1",
        "kind": "AntflyBackup",
        "metadata": {"name": "nightly"},
        "spec": spec,
    });
    let violations = validate(&written, UnknownFields::Refuse);
    assert!(violations.is_empty(), "{written}: {violations:?}");
    let again = StoredBackup::from_value(written.clone()).expect("it has a name");
    assert_eq!(json!(again.spec.expect("it is valid")), written["spec"]);
}

fn cron_job_matches_the_spec(backup: &StoredBackup, plan: &Plan) {
    let spec = backup.spec.as_ref().expect("nothing is planned for a spec that is not valid");
    let made = cron_job(plan);
    let name = made.metadata.name.expect("it has a name");
    assert!(name.len() <= LONGEST_NAME, "{name}");
    let job = made.spec.job_template.spec.expect("it has Jobs");
    assert!(job.active_deadline_seconds.is_some_and(|seconds| (1..=604_800).contains(&seconds)), "{job:?}");
    let pod = job.template.spec.expect("they have Pods");
    let arguments = pod.containers.into_iter().flat_map(|container| container.args).flatten().collect::<Vec<_>>();
    let asked = JobRequest::from_arguments(&arguments).expect("they run the program of this operator");
    assert_eq!(asked.location, spec.destination.location);
    assert_eq!((asked.connection, asked.tables), (spec.destination.connection.clone(), spec.tables.clone()));
}
