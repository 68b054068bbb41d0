//! Golden cases: runs the operator's code on the objects in `tests/golden/<case>/`.
//!
//! A case has only the files that it is about. Otherwise it uses the AntflyBackup and the AntflyCluster of [`DEFAULT`].

#[path = "performed.rs"]
mod performed;

use antfly_backup_operator::testing::{
    api::{AntflyBackupStatus, AppliedTemplate, decode_pod, reason},
    cluster::{Cluster, ClusterCache, CrossNamespaceClusters, Facts, PodTemplate, Scope, StoredBackup, key_of},
    desired::{Action, CannotPlan, FileLocations, JobImage, OperatorSettings, PodField, PodPolicy, cron_job},
    names::{BACKUP_LABEL, cron_job_name},
    status::{Announcement, StatusUpdate, refused, unconfirmed},
};
use anyhow::{Context, Result, anyhow, ensure};
use clap::ValueEnum as _;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::CronJob;
use kube::runtime::watcher::Event;
use performed::{at_rest, reconciled, stored_status};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The case whose `backup.yaml` and `cluster.yaml` are used by cases that have none.
pub const DEFAULT: &str = "minimal";

/// Returns the time of a case that names none, a Monday.
fn now() -> Timestamp {
    jiff::civil::date(2026, 11, 23).at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).expect("UTC has it").timestamp()
}

/// One case, as read from its files.
#[derive(Debug)]
pub struct GoldenCase {
    /// Its directory.
    pub directory: PathBuf,
    /// What it shows: its line in `COVERS.md`.
    pub description: String,
    /// The AntflyBackup as the API server holds it.
    pub backup: Value,
    /// The AntflyCluster, unless the case has none.
    pub cluster: Option<Value>,
    cron_jobs: Vec<Value>,
    jobs: Vec<Value>,
    pods: Vec<Value>,
    events: Vec<Value>,
    operator: Operator,
}

/// `operator.yaml`: how the operator or the API server differs from the default.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Operator {
    /// Watched namespaces; none means all.
    namespaces: Vec<String>,
    cluster_is_missing: bool,
    cluster_kind_is_missing: bool,
    /// The image of the Pods.
    job_image: Option<String>,
    job_image_pull_policy: Option<String>,
    job_image_pull_secrets: Vec<String>,
    /// Jobs (with their Pods) that are deleted before the operator reconciles.
    deleted_jobs: Vec<String>,
    /// Jobs whose label was removed, which a watch tells of as deletions.
    unlabelled_jobs: Vec<String>,
    /// `--cross-namespace-clusters`.
    cross_namespace_clusters: String,
    /// `--allow-file-locations`.
    allow_file_locations: bool,
    /// `--allow-pod-fields`.
    allow_pod_fields: Vec<String>,
    /// The contents of `--pod-defaults-file`.
    pod_defaults: Value,
    /// Minutes that a backup may be late.
    overdue_grace: i64,
    /// The time of the case.
    now: Timestamp,
}

impl Default for Operator {
    fn default() -> Self {
        Operator {
            namespaces: Vec::new(),
            cluster_is_missing: false,
            cluster_kind_is_missing: false,
            job_image: None,
            job_image_pull_policy: None,
            job_image_pull_secrets: Vec::new(),
            deleted_jobs: Vec::new(),
            unlabelled_jobs: Vec::new(),
            cross_namespace_clusters: "allow".to_owned(),
            allow_file_locations: true,
            allow_pod_fields: Vec::new(),
            pod_defaults: Value::Null,
            overdue_grace: 15,
            now: now(),
        }
    }
}

/// The outcome of a case.
#[derive(Debug)]
pub struct Outcome {
    /// The CronJob, or why there is none.
    pub cron_job: Result<CronJob, CannotPlan>,
    /// The status; without `appliedTemplates` if the case is not about them and they are the usual ones.
    pub status: AntflyBackupStatus,
    /// The actions in order, each with its reason.
    #[allow(dead_code, reason = "not all who use this need it")]
    pub actions: Vec<String>,
    /// The published events, in order.
    #[allow(dead_code, reason = "not all who use this need it")]
    pub events: Vec<String>,
}

impl GoldenCase {
    /// Reads the case in a directory.
    ///
    /// # Errors
    /// Returns an error if a file is missing or invalid.
    pub fn read(directory: &Path) -> Result<Self> {
        let file = |name: &str| one_document(&directory.join(name));
        let file_or_default = |name: &str| -> Result<Option<Value>> {
            let own = file(name)?;
            if own.is_some() { Ok(own) } else { one_document(&directory.with_file_name(DEFAULT).join(name)) }
        };
        let several = |name: &str| documents(&directory.join(name));

        let name = name_of(directory);
        let description = covers()?.into_iter().find_map(|(case, shows)| (case == name).then_some(shows));
        let operator: Operator = file("operator.yaml")?.map(serde_json::from_value).transpose()?.unwrap_or_default();
        let has_cluster = !operator.cluster_is_missing && !operator.cluster_kind_is_missing;
        Ok(GoldenCase {
            directory: directory.to_owned(),
            description: description.with_context(|| format!("COVERS.md has no line for {name}"))?,
            backup: file_or_default("backup.yaml")?.with_context(|| format!("{DEFAULT} has no backup.yaml"))?,
            cluster: if has_cluster { file_or_default("cluster.yaml")? } else { None },
            cron_jobs: several("cronjob.yaml")?,
            jobs: several("jobs.yaml")?,
            pods: several("pods.yaml")?,
            events: several("events.yaml")?,
            operator,
        })
    }

    /// Returns the name of the case.
    pub fn name(&self) -> String {
        name_of(&self.directory)
    }

    /// Reconciles the case.
    ///
    /// # Errors
    /// Returns an error if an object is invalid, or if a second reconcile, a second later, would change anything.
    pub fn outcome(&self) -> Result<Outcome> {
        let facts = self.facts()?;
        let settings = OperatorSettings {
            job_image: self.job_image(),
            overdue_grace: SignedDuration::from_mins(self.operator.overdue_grace),
            file_locations: if self.operator.allow_file_locations {
                FileLocations::Allowed
            } else {
                FileLocations::NotAllowed
            },
            pod: self.pod_policy()?,
        };
        let (outcome, settlement) = reconciled(&facts, &settings, self.operator.now);
        let status = stored_status(&facts, &settlement).context("the status is written at once")?;
        let at_rest = at_rest(&facts, &outcome, status.clone());
        let (again, second) = reconciled(&at_rest, &settings, self.operator.now + SignedDuration::from_secs(1));
        ensure!(
            second.status == StatusUpdate::Unchanged,
            "a second reconcile changes the status from {status:?}: {second:?}"
        );
        let mut status = status;
        if self.backup.pointer("/status/appliedTemplates").is_none() {
            let templates = std::mem::take(&mut status.applied_templates);
            ensure_usual(&templates, &facts, outcome.decision.template.as_ref())?;
        }
        let actions = again.decision.actions;
        let events = second.announcements.len() + usize::from(second.refusal.is_some());
        ensure!(actions.is_empty() && events == 0, "a second reconcile: {actions:?}, {second:?}");
        let refusal = settlement.refusal.iter().map(|refusal| {
            let cluster = &refusal.cluster;
            let event = event_line(&refused(&refusal.namespace));
            format!("on AntflyCluster {}/{}: {event}", cluster.namespace(), cluster.name())
        });
        Ok(Outcome {
            cron_job: outcome.decision.plan.as_ref().map(cron_job).map_err(Clone::clone),
            status,
            actions: outcome.decision.actions.iter().map(|action| action_line(self.backup_name(), action)).collect(),
            events: settlement.announcements.iter().map(event_line).chain(refusal).collect(),
        })
    }

    fn pod_policy(&self) -> Result<PodPolicy> {
        let allowed = self.operator.allow_pod_fields.iter().map(|name| PodField::from_str(name, false));
        let allowed: Result<_, _> = allowed.collect();
        let defaults = decode_pod(self.operator.pod_defaults.clone());
        Ok(PodPolicy {
            allowed: allowed.map_err(|error| anyhow!("allowPodFields: {error}"))?,
            defaults: defaults.map_err(|violations| anyhow!("podDefaults: {violations:?}"))?,
        })
    }

    /// Returns the usual actions and events: the CronJob is applied, with an event. If nothing can be planned, a warning says
    /// why. A backup that has become overdue has an event with the message of its condition.
    #[allow(dead_code, reason = "not all who use this need it")]
    pub fn usual(&self, outcome: &Outcome) -> (Vec<String>, Vec<String>) {
        let name = cron_job_name(self.backup_name());
        let (actions, first) = match &outcome.cron_job {
            Ok(_) if self.cron_jobs.iter().any(|cron_job| cron_job["metadata"]["name"] == *name) => {
                let note = format!("Updated CronJob {name} to what the spec and the AntflyCluster ask for");
                (vec![format!("Apply {name}: CronJobUpdated")], format!("Normal CronJobUpdated ApplyCronJob: {note}"))
            }
            Ok(_) => {
                let note = format!("Created CronJob {name}");
                (vec![format!("Apply {name}: CronJobCreated")], format!("Normal CronJobCreated ApplyCronJob: {note}"))
            }
            Err(cause) => (Vec::new(), format!("Warning {} PlanBackup: {}", cause.reason, cause.message)),
        };
        let was_overdue =
            self.backup.pointer("/status/conditions").and_then(Value::as_array).is_some_and(|conditions| {
                conditions.iter().any(|condition| condition["reason"] == reason::BACKUP_OVERDUE)
            });
        let overdue = outcome.status.conditions.iter().find(|condition| condition.reason == reason::BACKUP_OVERDUE);
        let overdue = overdue.filter(|_| !was_overdue);
        let overdue = overdue.map(|condition| format!("Warning BackupOverdue RunBackup: {}", condition.message));
        (actions, std::iter::once(first).chain(overdue).collect())
    }

    fn backup_name(&self) -> &str {
        self.backup["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// Returns the cluster, if the case has one.
    #[allow(dead_code, reason = "for the tests in kind")]
    pub fn cluster(&self) -> Option<&Value> {
        self.cluster.as_ref()
    }

    /// Returns the options of the operator about Pods: the fields that may be set, and the contents of the file with defaults, which is
    /// null without one.
    #[allow(dead_code, reason = "the tests in kind alone deploy an operator with them")]
    pub fn pod_options(&self) -> (Vec<String>, Value) {
        (self.operator.allow_pod_fields.clone(), self.operator.pod_defaults.clone())
    }

    /// Returns the image of the Pods.
    pub fn job_image(&self) -> JobImage {
        JobImage {
            name: self
                .operator
                .job_image
                .clone()
                .unwrap_or_else(|| "registry.example/antfly-backup-operator:0.1.0".into()),
            pull_policy: self.operator.job_image_pull_policy.clone(),
            pull_secrets: self.operator.job_image_pull_secrets.clone(),
        }
    }

    fn events_about(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(move |event| event["involvedObject"]["kind"] == kind)
    }

    /// Fills the cache with the objects, as lists of the watches, and returns the facts of the backup, with the Jobs that the
    /// operator reads because no watch has them.
    fn facts(&self) -> Result<Facts> {
        let rule = CrossNamespaceClusters::from_str(&self.operator.cross_namespace_clusters, false);
        let mut cache = ClusterCache::new(self.operator.namespaces.clone())
            .with_cross_namespace_clusters(rule.map_err(|error| anyhow!(error))?);
        let scopes = match self.operator.namespaces.as_slice() {
            [] => vec![Scope::All],
            namespaces => namespaces.iter().cloned().map(Scope::Namespace).collect(),
        };
        let of_names = |names: &[String], job: &Value| names.iter().any(|name| job["metadata"]["name"] == **name);
        let was_labelled = |job: &&Value| {
            job["metadata"]["labels"].get(BACKUP_LABEL).is_some() || of_names(&self.operator.unlabelled_jobs, job)
        };
        let labelled: Vec<&Value> = self.jobs.iter().filter(was_labelled).collect();
        for scope in &scopes {
            list(scope, [&self.backup], |event| drop(cache.backup_event(scope, event)))?;
            list(scope, &self.cron_jobs, |event| drop(cache.cron_job_event(scope, event)))?;
            list(scope, labelled.iter().copied(), |event| drop(cache.job_event(scope, event)))?;
            list(scope, &self.pods, |event| drop(cache.pod_event(scope, event)))?;
            list(scope, self.events_about("Job"), |event| drop(cache.refusal_event(scope, event)))?;
            list(scope, self.events_about("CronJob"), |event| drop(cache.job_refusal_event(scope, event)))?;
            for name in &self.operator.deleted_jobs {
                for job in self.jobs.iter().filter(|job| job["metadata"]["name"] == **name) {
                    cache.job_event(scope, Event::Delete(serde_json::from_value(job.clone())?));
                }
                for pod in self.pods.iter().filter(|pod| pod["metadata"]["ownerReferences"][0]["name"] == **name) {
                    cache.pod_event(scope, Event::Delete(serde_json::from_value(pod.clone())?));
                }
            }
            for job in self.jobs.iter().filter(|job| of_names(&self.operator.unlabelled_jobs, job)) {
                cache.job_event(scope, Event::Delete(serde_json::from_value(job.clone())?));
            }
            list::<Cluster>(scope, &self.cluster, |event| drop(cache.cluster_event(scope, event)))?;
        }
        if self.operator.cluster_kind_is_missing {
            cache.set_cluster_kind_is_missing(true);
        }
        let key = key_of(&StoredBackup::from_value(self.backup.clone())?);
        let mut facts = cache.facts(&key).with_context(|| format!("{key} is not in a watched namespace"))?;
        let unconfirmed: Vec<String> = unconfirmed(&facts, self.operator.now).into_iter().collect();
        let exists = |job: &&Value| of_names(&unconfirmed, job) && !of_names(&self.operator.deleted_jobs, job);
        let read = self.jobs.iter().filter(exists).map(|job| serde_json::from_value(job.clone()));
        cache.add_read(&key, &mut facts, read.collect::<Result<_, _>>()?);
        Ok(facts)
    }
}

/// Requires the templates that a status has at first: the one that is planned, or admission's answer to it, and what is there.
fn ensure_usual(templates: &[AppliedTemplate], facts: &Facts, planned: Option<&PodTemplate>) -> Result<()> {
    let Some(planned) = planned else {
        ensure!(templates.is_empty(), "nothing is planned, and yet there are templates: {templates:?}");
        return Ok(());
    };
    let (first, former) = templates.split_first().context("the planned template is missing")?;
    ensure!(first.requested == planned.digest().to_string() && first.replaced_time.is_none(), "{first:?}");
    let of_cron_jobs = facts.cron_job.iter().chain(&facts.former_cron_jobs).filter_map(|it| it.template.as_ref());
    let seen: Vec<_> = of_cron_jobs.chain(facts.runs.iter().filter_map(|run| run.job.template.as_ref())).collect();
    for template in former {
        ensure!(seen.iter().any(|seen| seen.is(template)), "it is of nothing: {template:?}");
    }
    Ok(())
}

/// Returns an action as in `events.snap`.
fn action_line(backup: &str, action: &Action) -> String {
    let (verb, name) = match action {
        Action::Apply(_) => ("Apply", cron_job_name(backup)),
        Action::TakeBack(taken) => ("TakeBack", taken.cron_job.name().to_owned()),
        Action::CatchUp(catch_up) => ("CatchUp", catch_up.cron_job.name().to_owned()),
        Action::Suspend(target) => ("Suspend", target.cron_job.name().to_owned()),
        Action::Delete(target) => ("Delete", target.cron_job.name().to_owned()),
    };
    format!("{verb} {name}: {}", action.reason())
}

/// Returns an event as in `events.snap`.
fn event_line(announcement: &Announcement) -> String {
    let kind = if announcement.is_warning { "Warning" } else { "Normal" };
    format!("{kind} {} {}: {}", announcement.reason, announcement.action, announcement.note)
}

/// Passes on the events of a watch that lists the objects of its scope.
fn list<'a, T: DeserializeOwned>(
    scope: &Scope,
    objects: impl IntoIterator<Item = &'a Value>,
    mut take: impl FnMut(Event<T>),
) -> Result<()> {
    take(Event::Init);
    for object in objects {
        let is_covered = match scope {
            Scope::All => true,
            Scope::Namespace(namespace) => object["metadata"]["namespace"] == **namespace,
        };
        if is_covered {
            take(Event::InitApply(serde_json::from_value(object.clone())?));
        }
    }
    take(Event::InitDone);
    Ok(())
}

/// Returns the YAML documents of a file; none if it does not exist.
fn documents(path: &Path) -> Result<Vec<Value>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    serde_saphyr::from_multiple(&text).with_context(|| format!("{} is YAML", path.display()))
}

/// Returns the YAML document of a file, or `None` if it does not exist.
fn one_document(path: &Path) -> Result<Option<Value>> {
    let mut documents = documents(path)?;
    ensure!(documents.len() <= 1, "{} is one YAML document", path.display());
    Ok(documents.pop())
}

fn name_of(directory: &Path) -> String {
    directory.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns the lines of `COVERS.md`: the name of each case and what it shows.
///
/// # Errors
/// Returns an error if the file cannot be read, or if a line has no name or no description.
pub fn covers() -> Result<Vec<(String, String)>> {
    let text = fs::read_to_string(directory().join("COVERS.md")).context("read COVERS.md")?;
    let entries = text.lines().filter_map(|line| line.strip_prefix("- `"));
    let parsed = entries.map(|entry| {
        let (name, shows) = entry.split_once("`: ").with_context(|| format!("COVERS.md: {entry}"))?;
        Ok((name.to_owned(), shows.to_owned()))
    });
    parsed.collect()
}

/// Returns the directory of the cases.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Returns all cases, sorted by name.
///
/// # Errors
/// Returns an error if a directory is not a case.
pub fn all() -> Result<Vec<GoldenCase>> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(directory())? {
        let path = entry?.path();
        if path.is_dir() {
            cases.push(GoldenCase::read(&path)?);
        }
    }
    ensure!(!cases.is_empty(), "{} has no cases", directory().display());
    cases.sort_by_key(GoldenCase::name);
    Ok(cases)
}
