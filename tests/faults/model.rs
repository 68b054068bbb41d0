//! The expected state, given the actions of users and other programs. Far simpler than the operator, and without its code.
//! Jobs start and end in the model of a cluster, too, which so knows what really happened.

use crate::{
    jobs,
    step::{CHANGING, Edit, RUNNING},
    support::{ACTIVE, NO_CLUSTER, Room, SUSPENDED, servers, state},
};
use anyhow::{Result, ensure};
use cluster_model::{Cluster, Truth};
use k8s_openapi::api::{batch::v1::CronJob, core::v1::PodStatus};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

const CONFLICT: &str = "Failed ScheduleReady=False/CronJobConflict ClusterReady=True/ClusterRunning";

/// Schedule of foreign CronJobs, and of CronJobs that were changed by others.
const FOREIGN: &str = "7 7 7 7 *";

/// An existing backup.
#[derive(Clone, Debug)]
struct Backup {
    schedule: &'static str,
    suspend: bool,
}

/// The expected state. See the module.
pub struct Model {
    backups: BTreeMap<&'static str, Backup>,
    foreign: BTreeSet<&'static str>,
    cluster: Option<&'static str>,
    /// The Jobs of [`RUNNING`].
    jobs: Cluster,
}

/// The differences between the expected and the actual state.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Descriptions of the differences.
    pub wrong: Vec<String>,
    /// Number of ended Jobs without a record.
    pub lost: usize,
    /// Number of records without a Job that was started, and of duplicate records.
    pub doubled: usize,
}

impl Verdict {
    /// Returns whether there are no differences.
    pub fn is_good(&self) -> bool {
        self.wrong.is_empty() && self.lost == 0 && self.doubled == 0
    }
}

impl Model {
    /// Creates a running cluster and all backups.
    pub async fn begin(room: &Room<'_>) -> Self {
        let mut model = Model {
            backups: BTreeMap::new(),
            foreign: BTreeSet::new(),
            cluster: None,
            jobs: Cluster::new(CronJob::default(), 0, 0, 60),
        };
        model.edit(room, &Edit::Cluster("Standalone")).await;
        for name in CHANGING.into_iter().chain([RUNNING]) {
            model.create(room, name, Backup { schedule: "0 2 * * *", suspend: false }).await;
        }
        model
    }

    /// Performs an edit and updates the model.
    pub async fn edit(&mut self, room: &Room<'_>, edit: &Edit) {
        match *edit {
            Edit::Schedule(name, schedule) => match self.backups.get_mut(name) {
                Some(backup) => {
                    backup.schedule = schedule;
                    room.patch_backup(name, json!({"spec": {"schedule": schedule}})).await;
                }
                None => self.create(room, name, Backup { schedule, suspend: false }).await,
            },
            Edit::Suspend(name, suspend) => {
                if let Some(backup) = self.backups.get_mut(name) {
                    backup.suspend = suspend;
                    room.patch_backup(name, json!({"spec": {"suspend": suspend}})).await;
                }
            }
            Edit::Delete(name) => {
                if self.backups.remove(name).is_some() {
                    room.delete_backup(name).await;
                }
            }
            Edit::Recreate(name) => {
                if let Some(backup) = self.backups.remove(name) {
                    room.delete_backup(name).await;
                    self.create(room, name, backup).await;
                }
            }
            Edit::DeleteCronJob(name) if !self.foreign.contains(name) => delete_cron_job(room, name).await,
            Edit::DriftCronJob(name) if !self.foreign.contains(name) => {
                let parameters = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..Default::default() };
                let patch = Patch::Merge(json!({"spec": {"schedule": FOREIGN}}));
                // The CronJob may be missing.
                let _ = room.cron_jobs().patch(&cron_job_of(name), &parameters, &patch).await;
            }
            Edit::ForeignCronJob(name) => {
                if make_foreign(room, name).await {
                    self.foreign.insert(name);
                }
            }
            Edit::ForeignGone(name) if self.foreign.remove(name) => delete_cron_job(room, name).await,
            Edit::ForgeStatus(name) if self.backups.contains_key(name) => {
                let condition = json!({"type": "ScheduleReady", "status": "False", "reason": "CronJobRefused",
                    "message": "forged", "observedGeneration": 99, "lastTransitionTime": "2030-01-01T00:00:00Z"});
                let status = json!({"phase": "Failed", "conditions": [condition], "nextScheduledBackup": null});
                let patch = Patch::Merge(json!({"status": status}));
                room.backups().patch_status(name, &PatchParams::default(), &patch).await.unwrap();
            }
            Edit::Cluster(mode) => {
                room.apply_cluster_with("main", json!({"mode": mode}), "Running").await;
                self.cluster = Some(mode);
            }
            Edit::NoCluster => {
                if self.cluster.take().is_some() {
                    room.clusters().delete("main", &DeleteParams::default()).await.unwrap();
                }
            }
            Edit::StartJob => {
                // The CronJob may be missing, or not back yet.
                if let Some(cron_job) = room.cron_jobs().get_opt(&cron_job_of(RUNNING)).await.unwrap() {
                    self.jobs.set_cron_job(jobs::with_one_attempt(cron_job));
                    let name = format!("by-hand-{}", self.jobs.runs().len());
                    for started in self.jobs.start_by_hand(&name) {
                        jobs::create(room, &serde_json::from_value(started.object).unwrap()).await;
                    }
                }
            }
            Edit::EndJobs => {
                for job in self.running() {
                    jobs::succeed(room, &job).await;
                    self.finish(&job, "Succeeded");
                }
            }
            Edit::FailJobs => {
                for job in self.running() {
                    jobs::fail(room, &job).await;
                    self.finish(&job, "Failed");
                }
            }
            Edit::DeleteCronJob(_) | Edit::DriftCronJob(_) | Edit::ForeignGone(_) | Edit::ForgeStatus(_) => {}
        }
    }

    /// Returns the names of the Jobs that run.
    fn running(&self) -> Vec<String> {
        let running = self.jobs.runs().iter().filter(|run| run.truth == Truth::Running);
        running.map(|run| run.name().to_owned()).collect()
    }

    /// Ends a Job in the model, with a Pod in this phase.
    fn finish(&mut self, job: &str, phase: &str) {
        self.jobs.finish(job, PodStatus { phase: Some(phase.to_owned()), ..PodStatus::default() });
    }

    async fn create(&mut self, room: &Room<'_>, name: &'static str, backup: Backup) {
        let limits = json!({
            "schedule": backup.schedule, "suspend": backup.suspend,
            "successfulJobsHistoryLimit": 25, "failedJobsHistoryLimit": 25,
        });
        room.create_backup(name, limits).await;
        self.backups.insert(name, backup);
    }

    fn state(&self, name: &str) -> &'static str {
        match &self.backups[name] {
            _ if self.cluster.is_none() => NO_CLUSTER,
            _ if self.foreign.contains(name) => CONFLICT,
            backup if backup.suspend => SUSPENDED,
            _ => ACTIVE,
        }
    }

    /// Waits until all statuses are as expected.
    pub async fn settle(&self, room: &Room<'_>) {
        for name in self.backups.keys() {
            room.until(name, self.state(name)).await;
        }
        room.eventually("the objects to be as they must", async || {
            let verdict = self.compare(room).await?;
            ensure!(verdict.is_good(), "{verdict:?}");
            Ok(())
        })
        .await;
    }

    /// Compares the expected with the actual state.
    pub async fn judge(&self, room: &Room<'_>) -> Verdict {
        self.compare(room).await.unwrap()
    }

    async fn compare(&self, room: &Room<'_>) -> Result<Verdict> {
        let mut verdict = Verdict::default();
        for name in self.backups.keys() {
            let is = state(&room.backups().get(name).await?);
            if is != self.state(name) {
                verdict.wrong.push(format!("{name} is {is}, not {}", self.state(name)));
            }
        }
        let cron_jobs = room.cron_jobs().list(&ListParams::default()).await?;
        for cron_job in &cron_jobs {
            if let Some(wrong) = self.wrong_in(cron_job) {
                verdict.wrong.push(format!("CronJob {} {wrong}", cron_job.name_any()));
            }
        }
        let there: BTreeSet<_> = cron_jobs.iter().map(ResourceExt::name_any).collect();
        for name in self.backups.keys().filter(|_| self.cluster.is_some()) {
            if !there.contains(&cron_job_of(name)) {
                verdict.wrong.push(format!("{name} has no CronJob"));
            }
        }
        self.compare_runs(room, &mut verdict).await?;
        Ok(verdict)
    }

    /// Returns what is wrong with a CronJob, including that it must not exist.
    fn wrong_in(&self, cron_job: &CronJob) -> Option<String> {
        let name = cron_job.name_any();
        let name = name.strip_suffix("-cron")?;
        let schedule = &cron_job.spec.schedule;
        if self.foreign.contains(name) {
            let is_untouched = schedule == FOREIGN && cron_job.owner_references().is_empty();
            return (!is_untouched).then(|| "of another owner was touched".to_owned());
        }
        let Some(backup) = self.backups.get(name) else { return Some("has no backup".to_owned()) };
        let suspend = backup.suspend || self.cluster.is_none();
        if cron_job.spec.suspend.unwrap_or_default() != suspend {
            return Some(format!("has suspend {:?}", cron_job.spec.suspend));
        }
        // Without a cluster the CronJob is suspended and otherwise unchanged.
        let service = format!("main-{}.", self.cluster?.to_lowercase());
        let addresses = servers(cron_job);
        if schedule != backup.schedule || !addresses.iter().all(|address| address.contains(&service)) {
            return Some(format!("has schedule {schedule} and addresses {addresses:?}"));
        }
        None
    }

    async fn compare_runs(&self, room: &Room<'_>, verdict: &mut Verdict) -> Result<()> {
        // Each Job, with the status that its record must have.
        let expected: BTreeMap<&str, &str> =
            self.jobs.runs().iter().map(|run| (run.name(), status_of(run.truth))).collect();
        let jobs = room.jobs().list(&ListParams::default()).await?;
        verdict.doubled += jobs.iter().filter(|job| !expected.contains_key(&*job.name_any())).count();
        let records = jobs::records(&room.backups().get(RUNNING).await?);
        let recorded: BTreeSet<_> =
            records.iter().map(|record| record["jobName"].as_str().unwrap_or_default()).collect();
        verdict.doubled += records.len() - recorded.len();
        let has_record = |job: &str, status: &str| {
            records.iter().any(|record| record["jobName"] == job && record["status"] == status)
        };
        let (running, ended): (Vec<_>, Vec<_>) = expected
            .iter()
            .filter(|(job, status)| !has_record(job, status))
            .partition(|(_, status)| **status == "Running");
        verdict.lost += ended.len();
        if !running.is_empty() || recorded.len() != expected.len() {
            verdict.wrong.push(format!("the records are {records:?}"));
        }
        Ok(())
    }
}

/// Returns the status of the record of a Job with this outcome.
fn status_of(truth: Truth) -> &'static str {
    match truth {
        Truth::Running => "Running",
        Truth::Completed => "Completed",
        Truth::Failed | Truth::Deleted => "Failed",
    }
}

fn cron_job_of(backup: &str) -> String {
    format!("{backup}-cron")
}

async fn delete_cron_job(room: &Room<'_>, backup: &str) {
    // The CronJob may be missing.
    let _ = room.cron_jobs().delete(&cron_job_of(backup), &DeleteParams::background()).await;
}

/// Replaces the backup's CronJob by a foreign one. Returns whether that is there: the operator may be faster with its own, or
/// a quota may refuse it.
async fn make_foreign(room: &Room<'_>, backup: &str) -> bool {
    let object: CronJob = serde_json::from_value(json!({
        "metadata": {"name": cron_job_of(backup)},
        "spec": {"schedule": FOREIGN, "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/other"}],
        }}}}},
    }))
    .unwrap();
    loop {
        if let Some(existing) = room.cron_jobs().get_opt(&cron_job_of(backup)).await.unwrap() {
            if existing.owner_references().is_empty() {
                return true;
            }
            delete_cron_job(room, backup).await;
        }
        match room.cron_jobs().create(&Default::default(), &object).await {
            Err(kube::Error::Api(status)) if status.code == 403 => return false,
            // The foreign one was created, or the operator was faster.
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
