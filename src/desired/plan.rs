//! Plans the CronJob of a backup by a chain of checks. The first check that fails says why there is no plan.

use crate::{
    api::{PodSettings, duration, reason, schedule::Schedule, validation::Violation},
    cluster::{
        lookup::{ClusterLookup, cluster_message},
        stored::StoredBackup,
        views::{Cluster, CronJobView},
    },
    desired::pod::PodPolicy,
    names::cron_job_name,
};
use jiff::SignedDuration;

/// Image of this version, for an operator outside a Pod.
pub const DEFAULT_IMAGE: &str = concat!("ghcr.io/antflydb/antfly-backup-operator:", env!("CARGO_PKG_VERSION"));

/// The finalizer of a deletion that waits for what the object owns.
const FOREGROUND: &str = "foregroundDeletion";

/// All values of a CronJob, validated. The builders get nothing else.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Name of the `AntflyBackup`.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its UID; `None` for a file that no API server has seen.
    pub uid: Option<String>,
    /// Cron expression, UTC.
    pub schedule: String,
    /// The same, parsed.
    pub parsed_schedule: Schedule,
    /// Whether the CronJob is suspended.
    pub suspend: bool,
    /// `activeDeadlineSeconds` of the Jobs.
    pub timeout_seconds: i64,
    /// How late a backup may start, in whole seconds.
    pub starting_deadline: SignedDuration,
    /// Number of failed Pods that a Job replaces.
    pub retries: i32,
    /// Successful Jobs to keep.
    pub successful_jobs_history_limit: i32,
    /// Failed Jobs to keep.
    pub failed_jobs_history_limit: i32,
    /// Where backups go.
    pub location: String,
    /// Name of the Secret with the credentials.
    pub credentials_secret: Option<String>,
    /// Name and key of the ConfigMap with the certificates of authorities.
    pub ca_bundle: Option<(String, String)>,
    /// Tables; empty for all.
    pub tables: Vec<String>,
    /// Id of the connection that Antfly writes with.
    pub connection: Option<String>,
    /// Name of the cluster.
    pub cluster_name: String,
    /// Namespace of the cluster.
    pub cluster_namespace: String,
    /// UID of the cluster; `None` for a file that no API server has seen.
    pub cluster_uid: Option<String>,
    /// URLs at which the cluster's API may be, in the order in which to ask them.
    pub servers: Vec<String>,
    /// The image of the Pods.
    pub image: JobImage,
    /// What else is set of the Pods: by the spec, or for all backups.
    pub pod: PodSettings,
}

/// The image of the Pods: the operator's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobImage {
    /// Its name.
    pub name: String,
    /// Its pull policy; `None` for Kubernetes' default for that name.
    pub pull_policy: Option<String>,
    /// Names of the Secrets to pull it with, in the namespace of the `AntflyBackup`.
    pub pull_secrets: Vec<String>,
}

impl Default for JobImage {
    fn default() -> Self {
        JobImage { name: DEFAULT_IMAGE.to_owned(), pull_policy: None, pull_secrets: Vec::new() }
    }
}

/// Whether backups may be written to folders of Antfly's own nodes (`file://`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileLocations {
    /// They may.
    #[default]
    Allowed,
    /// They may not.
    NotAllowed,
}

/// Why nothing can be planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannotPlan {
    /// Reason in CamelCase, for the condition and the event.
    pub reason: &'static str,
    /// For people.
    pub message: String,
}

/// Plans a backup.
///
/// # Errors
/// Returns the first of these that is missing: a valid spec, a schedule that fires, an allowed location, allowed fields of `spec.pod`, the cluster, a free name for the CronJob.
pub fn plan(
    backup: &StoredBackup,
    cluster: &ClusterLookup,
    cron_job: Option<&CronJobView>,
    image: &JobImage,
    file_locations: FileLocations,
    pod: &PodPolicy,
) -> Result<Plan, CannotPlan> {
    let spec = backup.spec.as_ref().map_err(|spec| invalid(&spec.violations))?;
    let parsed_schedule = fires(&spec.schedule)?;
    allowed(&spec.destination.location, file_locations)?;
    let pod = pod.settings(spec).map_err(|message| cannot_plan(reason::POD_FIELD_NOT_ALLOWED, message))?;
    let cluster = found(backup, cluster)?;
    has_place(backup, cron_job)?;
    Ok(Plan {
        name: backup.name().to_owned(),
        namespace: backup.namespace().to_owned(),
        uid: backup.metadata.uid.clone(),
        schedule: spec.schedule.clone(),
        parsed_schedule,
        suspend: spec.suspend,
        timeout_seconds: duration::seconds_rounded_up(spec.timeout()),
        starting_deadline: spec.starting_deadline(),
        retries: spec.retries(),
        successful_jobs_history_limit: spec.successful_jobs_history_limit,
        failed_jobs_history_limit: spec.failed_jobs_history_limit,
        location: spec.destination.location.clone(),
        credentials_secret: spec.destination.credentials_secret.as_ref().map(|secret| secret.name.clone()),
        ca_bundle: spec.destination.ca_bundle.as_ref().map(|bundle| {
            let of = &bundle.config_map_key_ref;
            (of.name.clone(), of.key.clone())
        }),
        tables: spec.tables.clone(),
        connection: spec.destination.connection.clone(),
        cluster_name: cluster.name().to_owned(),
        cluster_namespace: cluster.namespace().to_owned(),
        cluster_uid: cluster.metadata.uid.clone(),
        servers: cluster.servers(),
        image: image.clone(),
        pod,
    })
}

fn cannot_plan(reason: &'static str, message: String) -> CannotPlan {
    CannotPlan { reason, message }
}

/// Returns the cause for the violations of a stored object. The first one decides the reason; the message has all of them.
fn invalid(violations: &[Violation]) -> CannotPlan {
    let is_in = |name: &str| violations.first().is_some_and(|first| first.field.is_within(&["spec", name]));
    let reason = if is_in("schedule") {
        reason::INVALID_SCHEDULE
    } else if is_in("destination") {
        reason::INVALID_DESTINATION
    } else if is_in("clusterRef") {
        reason::INVALID_CLUSTER_REF
    } else {
        reason::INVALID_SPEC
    };
    let message = violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("; ");
    cannot_plan(reason, message)
}

/// Returns the schedule that `spec.schedule` means.
///
/// # Errors
/// Returns an error if the schedule is invalid or never fires.
pub fn fires(text: &str) -> Result<Schedule, CannotPlan> {
    let refused = |why: String| cannot_plan(reason::INVALID_SCHEDULE, format!("spec.schedule: {why}"));
    let schedule = Schedule::parse(text).map_err(|error| refused(format!("{text:?}: {error}")))?;
    if !schedule.fires() {
        let why = format!("{text:?} never fires: no year has that date; correct day of month or month");
        return Err(refused(why));
    }
    Ok(schedule)
}

/// Returns why backups may not be written to the location, if that is so.
fn allowed(location: &str, file_locations: FileLocations) -> Result<(), CannotPlan> {
    if file_locations == FileLocations::Allowed || !location.starts_with("file:") {
        return Ok(());
    }
    let message = format!(
        "spec.destination.location: {location:?} is a folder of Antfly's own nodes, and the operator runs with \
         --allow-file-locations=false; write an s3:// location"
    );
    Err(cannot_plan(reason::FILE_LOCATION_NOT_ALLOWED, message))
}

fn found<'a>(backup: &StoredBackup, cluster: &'a ClusterLookup) -> Result<&'a Cluster, CannotPlan> {
    match cluster {
        ClusterLookup::Found(cluster) => Ok(cluster),
        missing => {
            let (namespace, name) = backup.cluster_key().unwrap_or_default();
            let message = cluster_message(missing, backup.namespace(), &namespace, &name);
            Err(cannot_plan(missing.reason(), message))
        }
    }
}

/// Returns why no backup starts by a CronJob that is being deleted; `None` if it is not.
pub fn being_deleted(cron_job: &CronJobView) -> Option<CannotPlan> {
    let since = &cron_job.metadata.deletion_timestamp.as_ref()?.0;
    let (foreground, others): (Vec<_>, Vec<_>) =
        cron_job.finalizers.iter().map(String::as_str).partition(|finalizer| *finalizer == FOREGROUND);
    let mut message = format!(
        "CronJob {} is being deleted since {since} and starts no backup; it is made anew as soon as it is gone",
        cron_job.name()
    );
    if !foreground.is_empty() {
        message.push_str(
            "; it waits until its Jobs and their Pods are gone (foreground deletion): see whether a Pod is on a lost node",
        );
    }
    if !others.is_empty() {
        message.push_str(&format!("; it waits for {}: see who has to remove that finalizer", others.join(", ")));
    }
    Some(cannot_plan(reason::CRON_JOB_DELETING, message))
}

/// Returns whether the CronJob's place is free, or the CronJob in it belongs to the backup and is not being deleted.
fn has_place(backup: &StoredBackup, cron_job: Option<&CronJobView>) -> Result<(), CannotPlan> {
    let Some(cron_job) = cron_job else { return Ok(()) };
    if let Some(cause) = being_deleted(cron_job) {
        return Err(cause);
    }
    if cron_job.belongs_to(backup.name(), backup.uid()) {
        return Ok(());
    }
    let name = cron_job_name(backup.name());
    let message = match &cron_job.controller {
        Some(owner) if owner.kind == crate::api::KIND && owner.name == backup.name() => format!(
            "CronJob {name} belongs to a deleted AntflyBackup of the same name (uid {}); waiting for it to be removed",
            owner.uid
        ),
        Some(owner) => format!(
            "CronJob {name} belongs to {} {:?}; it is left alone: delete it, or give this AntflyBackup another name",
            owner.kind, owner.name
        ),
        None => format!(
            "CronJob {name} exists and was not made for this AntflyBackup; it is left alone: delete it, or give this AntflyBackup another name"
        ),
    };
    Err(cannot_plan(reason::CRON_JOB_CONFLICT, message))
}
