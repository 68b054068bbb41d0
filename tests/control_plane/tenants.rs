//! What a tenant writes in a namespace of his own changes nothing of another tenant's backup.

use crate::support::{ACTIVE, Attacker, Room, attended, kubelet, state};
use anyhow::{Context as _, ensure};
use k8s_openapi::{
    api::{
        batch::v1::{CronJob, Job},
        core::v1::{Event, Pod},
    },
    jiff::{SignedDuration, Timestamp},
};
use kube::{
    Resource, ResourceExt,
    api::{DynamicObject, Patch, PatchParams, PostParams},
    core::NamespaceResourceScope,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::fmt::Debug;

/// What a terminal obeys, and what turns the text around it.
const ESCAPES: &str = "\u{1b}]0;owned\u{7}\u{202e}";

/// A Job as a CronJob makes it, which no controller of Kubernetes' runs.
fn job(cron_job: &CronJob, namespace: &str, name: &str, location: &str) -> Value {
    let arguments = json!(["backup", "--server=http://main", format!("--location={location}")]);
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {
            "name": name, "namespace": namespace, "labels": {"antfly.io/backup": "nightly"},
            "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
            "ownerReferences": [owner("batch/v1", "CronJob", "nightly-cron", &cron_job.uid().unwrap())],
        },
        "spec": {
            "managedBy": "example.com/nobody", "backoffLimit": 3,
            "template": {"spec": {
                "restartPolicy": "Never", "containers": [{"name": "backup", "image": "backup:1", "args": arguments}],
            }},
        },
    })
}

fn owner(api_version: &str, kind: &str, name: &str, uid: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "controller": true})
}

/// A Pod of a Job.
fn pod(job: &Value, name: &str) -> Value {
    let uid = job["metadata"]["uid"].as_str().unwrap();
    let name_of_job = job["metadata"]["name"].as_str().unwrap();
    let mut spec = job["spec"]["template"]["spec"].clone();
    spec["automountServiceAccountToken"] = json!(false);
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": job["metadata"]["namespace"],
            "labels": {"antfly.io/backup": "nightly", "batch.kubernetes.io/job-name": name_of_job,
                "batch.kubernetes.io/controller-uid": uid},
            "ownerReferences": [owner("batch/v1", "Job", name_of_job, uid)],
        },
        "spec": spec,
    })
}

/// The status of a Pod whose image cannot be pulled.
fn waiting(message: &str) -> Value {
    kubelet::status("Pending", &[("backup", json!({"waiting": {"reason": "ErrImagePull", "message": message}}))])
}

/// The status of a Job that has completed.
fn completed() -> Value {
    let now = Timestamp::now().to_string();
    let condition = |kind: &str| {
        json!({"type": kind, "status": "True", "lastProbeTime": now, "lastTransitionTime": now,
            "reason": "CompletionsReached", "message": "Reached expected number of succeeded pods"})
    };
    json!({"status": {
        "startTime": now, "completionTime": now, "succeeded": 1, "ready": 0, "terminating": 0,
        "uncountedTerminatedPods": {},
        "conditions": [condition("SuccessCriteriaMet"), condition("Complete")],
    }})
}

/// The event that a Pod of a Job, or a Job of a CronJob, could not be created.
fn refusal(namespace: &str, kind: &str, name: &str, uid: &str, message: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "FailedCreate", "message": message,
        "metadata": {"generateName": "refused-", "namespace": namespace},
        "involvedObject": {"apiVersion": "batch/v1", "kind": kind, "name": name, "namespace": namespace, "uid": uid},
        "firstTimestamp": Timestamp::now().to_string(), "lastTimestamp": Timestamp::now().to_string(),
    })
}

/// Waits until the error of the only record contains a text; returns the record.
async fn until_told(room: &Room<'_>, text: &str) -> Value {
    room.eventually(&format!("the record to say {text:?}"), async || {
        let backup = room.backups().get("nightly").await?;
        let records = backup.data["status"]["recentBackups"].as_array().context("it has no records")?;
        ensure!(records.len() == 1, "there are {} records", records.len());
        let error = records[0]["error"].as_str().unwrap_or_default();
        ensure!(error.contains(text), "it says {error:?}");
        Ok(records[0].clone())
    })
    .await
}

/// Makes an object in the namespace of the backup; returns it.
async fn created<K>(room: &Room<'_>, object: Value) -> Value
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned,
{
    let object = serde_json::from_value(object).unwrap();
    serde_json::to_value(room.all::<K>().create(&PostParams::default(), &object).await.unwrap()).unwrap()
}

/// A backup, its CronJob, and somebody in another namespace.
struct Tenants {
    prod: Room<'static>,
    evil: Room<'static>,
    backup: DynamicObject,
    cron_job: CronJob,
}

impl Tenants {
    async fn new(name: &str) -> Self {
        let stage = attended().await;
        let (prod, evil) = (stage.room(&format!("prod-{name}")).await, stage.room(&format!("evil-{name}")).await);
        prod.apply_cluster("main", "Running").await;
        prod.create_backup("nightly", json!({})).await;
        let backup = prod.until("nightly", ACTIVE).await;
        let cron_job = prod.cron_jobs().get("nightly-cron").await.unwrap();
        Tenants { prod, evil, backup, cron_job }
    }

    /// Makes an honest Job of the backup; returns it.
    async fn start(&self) -> Value {
        let job = job(&self.cron_job, &self.prod.namespace, "by-hand", "s3://tidewater/ledgers");
        created::<Job>(&self.prod, job).await
    }

    /// Has the honest Job be refused a Pod, and waits until the record says so. A watch tells of things in their order: then the
    /// operator has seen all events from before.
    async fn refuse(&self, job: &Value) -> Value {
        let (uid, message) = (job["metadata"]["uid"].as_str().unwrap(), "exceeded quota: pods");
        created::<Event>(&self.prod, refusal(&self.prod.namespace, "Job", "by-hand", uid, message)).await;
        until_told(&self.prod, message).await
    }

    /// Asserts that nothing of the backup is forged.
    async fn is_untouched(&self) {
        let backup = self.prod.backups().get("nightly").await.unwrap();
        assert_eq!(state(&backup), ACTIVE);
        let status = backup.data["status"].to_string();
        assert!(!status.contains("forged") && !status.contains("of-the-attacker"), "{status}");
    }
}

#[tokio::test]
async fn a_completed_job_with_its_proof_in_another_namespace_is_no_backup() {
    let tenants = Tenants::new("job").await;
    let (evil, cron_job) = (&tenants.evil, &tenants.cron_job);
    let attacker = Attacker::of(evil).await;
    let forged = job(cron_job, &evil.namespace, "nightly-cron-29400120", "s3://of-the-attacker/ledgers");
    let forged = attacker.create(forged);
    let of_forged = serde_json::from_value(attacker.create(pod(&forged, "of-forged"))).unwrap();
    let proof = kubelet::status("Succeeded", &[("backup", kubelet::ended_well(&of_forged))]);
    attacker.report("pod", "of-forged", &proof);
    attacker.report("job", "nightly-cron-29400120", &completed());
    // a CronJob of prod's AntflyBackup, as under a former name: its Jobs would count, and it would be suspended and deleted
    let mut former = serde_json::to_value(cron_job).unwrap();
    former["kind"] = json!("CronJob");
    former["apiVersion"] = json!("batch/v1");
    former["metadata"] = json!({"name": "nightly-backup", "ownerReferences":
        [owner("antfly.io/v1", "AntflyBackup", "nightly", &tenants.backup.uid().unwrap())]});
    former["status"] = json!({});
    attacker.create(former);

    // when this Job is recorded, the forged one is known
    let honest = tenants.start().await;
    tenants.refuse(&honest).await;
    let backup = tenants.prod.backups().get("nightly").await.unwrap();
    let records = backup.data["status"]["recentBackups"].as_array().unwrap();
    assert_eq!(records.iter().map(|record| &record["jobUID"]).collect::<Vec<_>>(), [&honest["metadata"]["uid"]]);
    assert_eq!(backup.data["status"].get("lastSuccessfulBackup"), None);
    tenants.is_untouched().await;
}

#[tokio::test]
async fn a_refusal_in_another_namespace_is_none_of_the_backups_job() {
    let tenants = Tenants::new("event").await;
    let (evil, cron_job) = (&tenants.evil, &tenants.cron_job);
    let honest = tenants.start().await;
    let attacker = Attacker::of(evil).await;
    let uid = honest["metadata"]["uid"].as_str().unwrap();
    // the last one counts: this one is of tomorrow
    let mut forged = refusal(&evil.namespace, "Job", "by-hand", uid, &format!("forged {ESCAPES}"));
    forged["lastTimestamp"] = json!((Timestamp::now() + SignedDuration::from_hours(24)).to_string());
    attacker.create(forged);
    attacker.create(refusal(&evil.namespace, "CronJob", "nightly-cron", &cron_job.uid().unwrap(), "forged"));
    let record = tenants.refuse(&honest).await;
    assert_eq!(record["error"], "FailedCreate: exceeded quota: pods");
    tenants.is_untouched().await;
}

#[tokio::test]
async fn a_pod_in_another_namespace_is_no_try_of_the_backups_job() {
    let tenants = Tenants::new("pod").await;
    let (prod, evil) = (&tenants.prod, &tenants.evil);
    let honest = tenants.start().await;
    let attacker = Attacker::of(evil).await;
    attacker.create(pod(&honest, "zz-forged"));
    attacker.report("pod", "zz-forged", &waiting(&format!("forged {ESCAPES}")));

    created::<Pod>(prod, pod(&honest, "by-hand-1")).await;
    let status = Patch::Merge(waiting("no such image"));
    prod.pods().patch_status("by-hand-1", &PatchParams::default(), &status).await.unwrap();
    let record = until_told(prod, "no such image").await;
    let pod = prod.pods().get("by-hand-1").await.unwrap();
    assert_eq!((&record["backupId"], &record["attempts"]), (&json!(kubelet::id_of(&pod)), &json!(1)));
    assert_eq!(record["error"], "ImagePullBackOff: no such image");
    tenants.is_untouched().await;
}
