//! Foreign text: whatever others write, no status, condition or event has a control or format character.

use super::{
    operator::settings,
    performed::{performed, with_status},
};
use antfly_backup_operator::testing::{
    api::validate_status,
    backup::{BackupResult, FailedTable, ResultStatus},
    cluster::{ClusterCache, Facts, ObjectKey, Scope},
    desired::{Failure, FailureKind, Outcome, decide},
    status::{Settlement, StatusUpdate, settle},
};
use jiff::Timestamp;
use kube::runtime::watcher::Event;
use proptest::{collection, prelude::*, sample};
use regex::Regex;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::LazyLock;

static UNSEEN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[\p{Cc}\p{Cf}]").unwrap());

/// 2026-11-23T12:00:00Z.
const NOW: i64 = 1_795_435_200;

/// Returns texts with what terminals and readers obey: escapes, ends of lines, what turns, joins or hides text.
fn foreign() -> impl Strategy<Value = String> {
    let parts = vec![
        "\u{1b}[2J",
        "\u{1b}]0;x\u{7}",
        "\u{9b}31m",
        "\n",
        "\r\n",
        "\t",
        "\u{7f}",
        "\u{85}",
        "\u{0}",
        "\u{200b}",
        "\u{200d}",
        "\u{202e}",
        "\u{2066}",
        "\u{feff}",
        "\u{ad}",
        "\u{e0041}",
        "\u{600}",
        "\u{2028}",
        " ",
        "a",
        "word",
        "é",
        "\"",
        "\\",
        "{",
        "; ",
        ": ",
        "/",
    ];
    collection::vec(sample::select(parts), 0..8).prop_map(|parts| parts.concat())
}

/// The objects of a cluster in which others have written texts of theirs wherever the API server lets them.
#[derive(Clone, Debug)]
struct Texts {
    all: Vec<String>,
    /// Which of several shapes each object has.
    shape: usize,
    /// How many seconds ago the Job ended.
    age: i64,
}

fn texts() -> impl Strategy<Value = Texts> {
    (collection::vec(foreign(), 40), any::<usize>(), 0..20_000i64).prop_map(|(all, shape, age)| Texts {
        all,
        shape,
        age,
    })
}

impl Texts {
    fn text(&self, number: usize) -> &str {
        &self.all[number % self.all.len()]
    }

    /// Returns whether a property of the shape holds, one of 2 for each number.
    fn is(&self, number: usize) -> bool {
        self.shape >> number & 1 == 1
    }

    fn at(&self, seconds: i64) -> String {
        Timestamp::from_second(NOW - self.age + seconds).unwrap().to_string()
    }

    fn backup(&self) -> Value {
        let tables: Vec<_> = (0..2).map(|number| format!("t{number}{}", self.text(number))).collect();
        let record = |job: &str, status: &str| {
            json!({
                "backupId": job, "jobName": job, "jobUID": format!("of-{job}"), "status": status,
                "startTime": "2026-11-22T02:00:00Z", "error": self.text(2), "firstError": self.text(3),
                "errorBefore": self.text(4), "readBackError": self.text(5), "tables": [self.text(6), "users"],
                "location": format!("s3://b/{}", self.text(7)), "otherBackupIds": [self.text(8)],
                "clusterRef": {"namespace": self.text(9), "name": "main"},
            })
        };
        let odd = record(self.text(10), "Completed");
        let mut spec = json!({"clusterRef": {"name": "main"}, "schedule": "0 2 * * *",
            "destination": {"location": format!("s3://tidewater/{}", self.text(11))}});
        if self.is(0) {
            spec["tables"] = json!(tables);
        }
        if self.is(1) {
            spec["schedule"] = json!(self.text(12));
        }
        if self.is(2) {
            spec["clusterRef"] = json!({"name": "main", "namespace": "elsewhere"});
        }
        json!({
            "apiVersion": "antfly.io/v1", "kind": "AntflyBackup",
            "metadata": {"name": "nightly", "namespace": "shop", "uid": "of-nightly", "generation": 2,
                "creationTimestamp": "2026-11-01T00:00:00Z", "resourceVersion": "5"},
            "spec": spec,
            "status": {
                "observedGeneration": 1, "phase": "Active", "cronJobName": "nightly-cron",
                "recentBackups": [record("earlier", "Failed"), odd, record("by-hand", "Running")],
                "lastSuccessfulBackup": record("last", "Completed"),
                "startError": self.text(13), "startErrorTime": self.at(-60),
                "otherWriters": [{"manager": self.text(14), "fields": [self.text(15)], "time": self.at(-60)}],
                "appliedCronJob": {"uid": "of-cron-job", "requested": self.text(16), "answered": self.text(17),
                    "changedFields": [self.text(18)]},
            },
        })
    }

    fn cron_job(&self) -> Value {
        let owner = json!({"apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "name": "nightly", "uid": "of-nightly",
            "controller": true});
        let other = json!({"apiVersion": "x/v1", "kind": self.text(19), "name": self.text(20), "uid": self.text(21),
            "controller": true});
        let mut object = json!({
            "metadata": {
                "name": "nightly-cron", "namespace": "shop", "uid": "of-cron-job", "resourceVersion": "6",
                "creationTimestamp": "2026-11-01T00:00:00Z",
                "ownerReferences": [if self.is(3) && self.is(4) { other } else { owner }],
                "managedFields": [
                    {"manager": "antfly-backup-operator", "operation": "Apply", "fieldsType": "FieldsV1",
                        "fieldsV1": {"f:spec": {"f:schedule": {}}}},
                    {"manager": self.text(22), "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {
                        "f:suspend": {}, format!("f:{}", self.text(23)): {}, "f:jobTemplate": {"f:metadata": {
                            "f:annotations": {format!("f:{}", self.text(24)): {}}}}}}},
                ],
            },
            "spec": {"schedule": "0 2 * * *", "suspend": self.is(5), self.text(23): "x",
                "jobTemplate": {"metadata": {"annotations": {self.text(24): "x"}}}},
            "status": {"lastScheduleTime": self.at(-120)},
        });
        if self.is(6) && self.is(7) {
            object["metadata"]["deletionTimestamp"] = json!(self.at(0));
            object["metadata"]["finalizers"] = json!([self.text(25)]);
        }
        object
    }

    fn job(&self) -> Value {
        let conditions = match (self.is(8), self.is(9)) {
            (true, true) => {
                json!([{"type": "Failed", "status": "True", "reason": self.text(26), "message": self.text(27),
                "lastTransitionTime": self.at(0)}])
            }
            (true, false) => json!([{"type": "Complete", "status": "True", "lastTransitionTime": self.at(0)}]),
            (false, true) => json!([{"type": "FailureTarget", "status": "True", "reason": self.text(26)}]),
            (false, false) => json!([]),
        };
        let arguments = json!([
            "backup",
            "--server=http://main",
            format!("--location=s3://tidewater/{}", self.text(11)),
            format!("--connection={}", self.text(28)),
            format!("--table=t{}", self.text(0))
        ]);
        let controller = if self.is(10) { "of-cron-job" } else { "of-another" };
        json!({
            "metadata": {
                "name": "by-hand", "namespace": "shop", "uid": "of-by-hand", "creationTimestamp": self.at(-3600),
                "labels": {"antfly.io/backup": "nightly", "antfly.io/cluster": "main"},
                "annotations": {"antfly.io/cluster-namespace": self.text(29), "antfly.io/cluster-uid": self.text(30),
                    "batch.kubernetes.io/cronjob-scheduled-timestamp": self.text(31)},
                "ownerReferences": [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly-cron",
                    "uid": controller, "controller": true}],
            },
            "spec": {"backoffLimit": 1, "activeDeadlineSeconds": 3600, "template": {"spec": {"containers": [
                {"name": "backup", "args": arguments}]}}},
            "status": {"startTime": self.at(-3600), "failed": 1, "conditions": conditions},
        })
    }

    /// What the program of a Pod may have written.
    fn message(&self) -> String {
        let result = BackupResult {
            status: if self.is(11) { ResultStatus::Completed } else { ResultStatus::Partial },
            verified: self.is(12),
            reason: self.text(32).to_owned(),
            backup_id: if self.is(13) { self.text(33).to_owned() } else { String::new() },
            error: Some(self.text(34).to_owned()),
            note: Some(self.text(35).to_owned()),
            read_back_error: self.is(14).then(|| self.text(36).to_owned()),
            tables: vec!["users".to_owned(), format!("t{}", self.text(37))],
            table_count: 2,
            failed_tables: vec![FailedTable { name: self.text(38).to_owned(), error: self.text(39).to_owned() }],
            missing_tables: vec![self.text(0).to_owned()],
            ..BackupResult::default()
        };
        if self.is(15) { result.to_message() } else { format!("{}\n{}", self.text(1), self.text(2)) }
    }

    fn pod(&self, name: &str, number: usize) -> Value {
        let code = i32::from(self.is(16 + number));
        let state = match (self.is(18 + number), self.is(20 + number)) {
            (true, _) => {
                json!({"terminated": {"exitCode": code, "reason": if self.is(22) { "Error" } else { self.text(3) },
                "message": self.message(), "finishedAt": self.at(-600)}})
            }
            (false, true) => json!({"waiting": {"reason": self.text(4), "message": self.text(5)}}),
            (false, false) => json!({"running": {}}),
        };
        let mut pod = json!({
            "metadata": {
                "name": name, "namespace": "shop", "uid": format!("of-{name}"), "creationTimestamp": self.at(-3500),
                "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "by-hand", "uid": "of-by-hand",
                    "controller": true}],
            },
            "spec": {"nodeName": self.text(6), "containers": [{"name": "backup"}, {"name": self.text(7)}]},
            "status": {
                "phase": if self.is(18 + number) { if code == 0 { "Succeeded" } else { "Failed" } } else { "Pending" },
                "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": self.text(8)}],
                "containerStatuses": [
                    {"name": "backup", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state},
                    {"name": self.text(7), "image": "", "imageID": "", "ready": false, "restartCount": 3,
                        "state": {"waiting": {"reason": self.text(9), "message": self.text(10)}}},
                ],
            },
        });
        if self.is(24 + number) {
            pod["status"]["reason"] = json!(self.text(11));
            pod["status"]["message"] = json!(self.text(12));
        }
        if self.is(26 + number) {
            pod["metadata"]["deletionTimestamp"] = json!(self.at(-300));
            pod["metadata"]["deletionGracePeriodSeconds"] = json!(30);
            pod["metadata"]["finalizers"] = json!([self.text(13)]);
        }
        pod
    }

    fn refusal(&self, kind: &str, name: &str, uid: &str) -> Value {
        json!({
            "metadata": {"name": format!("of-{kind}"), "namespace": "shop"},
            "involvedObject": {"kind": kind, "name": name, "namespace": "shop", "uid": uid},
            "reason": "FailedCreate", "message": self.text(14), "lastTimestamp": self.at(0),
        })
    }

    fn cluster(&self) -> Value {
        json!({"metadata": {"name": "main", "namespace": "shop", "uid": self.text(15)}, "spec": {"mode": self.text(16)},
            "status": {"phase": self.text(17)}})
    }

    fn facts(&self) -> Facts {
        let mut cache = ClusterCache::new([]);
        let all = &Scope::All;
        cache.backup_event(all, listed(&self.backup()));
        if self.is(28) {
            cache.cron_job_event(all, listed(&self.cron_job()));
        }
        cache.job_event(all, listed(&self.job()));
        for (number, name) in ["by-hand-1", "by-hand-2"].into_iter().take(usize::from(self.is(29)) * 2).enumerate() {
            cache.pod_event(all, listed(&self.pod(name, number)));
        }
        cache.refusal_event(all, listed(&self.refusal("Job", "by-hand", "of-by-hand")));
        cache.job_refusal_event(all, listed(&self.refusal("CronJob", "nightly-cron", "of-cron-job")));
        if self.is(30) || self.is(31) {
            cache.cluster_event(all, listed(&self.cluster()));
        }
        cache.facts(&ObjectKey::new("shop", "nightly")).unwrap()
    }

    /// What becomes of the decision: all is written, or the first write is refused, with the words of a policy.
    fn outcome(&self, facts: &Facts, now: Timestamp) -> Outcome {
        let outcome = performed(decide(facts, &settings(), now));
        if outcome.results.is_empty() || !self.is(32) {
            return outcome;
        }
        let kind = if self.is(33) { FailureKind::Refused } else { FailureKind::Transient };
        let failure = Failure { kind, source: self.text(18).into() };
        Outcome { results: vec![Err(failure)], failures_before: if self.is(34) { 5 } else { 0 }, ..outcome }
    }
}

fn listed<T: DeserializeOwned>(object: &Value) -> Event<T> {
    Event::Apply(serde_json::from_value(object.clone()).unwrap())
}

/// Calls `check` with each text of a value and where it is.
fn each_text(value: &Value, place: &str, check: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => check(place, text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, place, check)),
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| each_text(value, &format!("{place}.{name}"), check));
        }
        _ => {}
    }
}

fn check(settlement: &Settlement) {
    for announcement in &settlement.announcements {
        assert!(!UNSEEN.is_match(&announcement.note), "an event: {announcement:?}");
    }
    if let StatusUpdate::Replace(status) = &settlement.status {
        let status = json!(status);
        each_text(&status, "status", &mut |place, text| assert!(!UNSEEN.is_match(text), "{place}: {text:?}"));
        let violations = validate_status(&status);
        assert!(violations.is_empty(), "{violations:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn no_status_and_no_event_has_a_control_or_format_character(texts in texts()) {
        let now = Timestamp::from_second(NOW).unwrap();
        let facts = texts.facts();
        for facts in [with_status(&facts, None), facts] {
            check(&settle(&facts, &texts.outcome(&facts, now), now));
        }
    }
}
