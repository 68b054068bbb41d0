// This is a generated file: types of the API. Do not edit it; change `schema/antflybackup.yaml`
// and run `cargo xtask generate`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The AntflyCluster to back up.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq)]
pub struct ClusterReference {
    /// Name of the AntflyCluster.
    pub name: String,
    /// Namespace of the AntflyCluster. When absent or empty, the namespace of the AntflyBackup itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// The Secret, in the namespace of the AntflyBackup, with credentials. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, optionally with AWS_REGION and AWS_ENDPOINT_URL, are for reading the backup back at an s3:// location after Antfly has written it; Antfly itself writes with credentials of its own. The first two are required for an s3:// location without connection. ANTFLY_TOKEN, or ANTFLY_USERNAME and ANTFLY_PASSWORD, log in to Antfly where it asks for that. No other key is read.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq)]
pub struct SecretReference {
    /// Name of the Secret.
    pub name: String,
}

/// The key of a ConfigMap, in the namespace of the AntflyBackup, with one or more certificates in PEM form, of at most 128 KiB. While either is missing, no backup starts.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq)]
pub struct ConfigMapKeyReference {
    /// Name of the ConfigMap.
    pub name: String,
    /// The key, such as ca.crt.
    pub key: String,
}

/// Certificates of authorities that the backup's Pod trusts, besides the well-known ones, when it reads the backup back at an s3:// location. Antfly itself trusts what its own nodes trust.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq)]
pub struct CaBundle {
    /// The key of a ConfigMap, in the namespace of the AntflyBackup, with one or more certificates in PEM form, of at most 128 KiB. While either is missing, no backup starts.
    #[serde(rename = "configMapKeyRef")]
    pub config_map_key_ref: ConfigMapKeyReference,
}

/// Where backups are written to, and with which credentials.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq)]
pub struct BackupDestination {
    /// Where backups are written: s3://BUCKET/PATH for S3 and for what speaks its protocol (Google Cloud Storage, MinIO, with AWS_ENDPOINT_URL in the credentials), or file:///ABSOLUTE/PATH, a folder of the cluster's own nodes, for tests only. Example: s3://my-bucket/antfly-backups.
    pub location: String,
    /// The Secret, in the namespace of the AntflyBackup, with credentials. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, optionally with AWS_REGION and AWS_ENDPOINT_URL, are for reading the backup back at an s3:// location after Antfly has written it; Antfly itself writes with credentials of its own. The first two are required for an s3:// location without connection. ANTFLY_TOKEN, or ANTFLY_USERNAME and ANTFLY_PASSWORD, log in to Antfly where it asks for that. No other key is read.
    #[serde(
        rename = "credentialsSecret",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub credentials_secret: Option<SecretReference>,
    /// Certificates of authorities that the backup's Pod trusts, besides the well-known ones, when it reads the backup back at an s3:// location. Antfly itself trusts what its own nodes trust.
    #[serde(rename = "caBundle", default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<CaBundle>,
    /// The id of the connection with which Antfly writes to the location: one of the external_io connections in spec.config of the AntflyCluster, which must grant backup.write there. Newer versions of Antfly require it, older ones ignore it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}

/// Settings of the Pods that make the backups. Their shapes are Kubernetes' own. What is absent has the operator's value. Since 0.2.0.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq, Default)]
pub struct PodSettings {
    /// Labels of the Pods, besides those of the operator. The CronJob and its Jobs do not get them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<std::collections::BTreeMap<String, String>>,
    /// Annotations of the Pods. The CronJob and its Jobs do not get them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<std::collections::BTreeMap<String, String>>,
    /// Resources of the container. What is not set has the operator's value: requests of 10m cpu and 32Mi memory, and a limit of 256Mi memory. A request of the operator's that is above a limit is lowered to it, and a limit of the operator's below a request is raised to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<k8s_openapi::api::core::v1::ResourceRequirements>,
    /// Labels that a node must have for the Pods to run on it, besides kubernetes.io/os=linux.
    #[serde(rename = "nodeSelector", default, skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<std::collections::BTreeMap<String, String>>,
    /// Taints of nodes that the Pods tolerate. The operator allows it only with --allow-pod-fields=tolerations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<k8s_openapi::api::core::v1::Toleration>,
    /// Name of the PriorityClass of the Pods. The operator allows it only with --allow-pod-fields=priorityClassName. While there is none of that name, no backup starts.
    #[serde(
        rename = "priorityClassName",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub priority_class_name: Option<String>,
    /// Name of the ServiceAccount of the Pods, in the namespace of the AntflyBackup. Its token is not mounted. The operator allows it only with --allow-pod-fields=serviceAccountName. While there is none of that name, no backup starts.
    #[serde(
        rename = "serviceAccountName",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub service_account_name: Option<String>,
    /// Secrets, in the namespace of the AntflyBackup, for pulling the image of the Pods, besides those of the operator's options.
    #[serde(rename = "imagePullSecrets", default, skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secrets: Vec<k8s_openapi::api::core::v1::LocalObjectReference>,
    /// Security of the Pods. What is not set has the operator's value: runAsNonRoot true and the seccomp profile RuntimeDefault. The restricted Pod Security Standard holds in any case, and the container's own settings cannot be changed.
    #[serde(
        rename = "securityContext",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub security_context: Option<k8s_openapi::api::core::v1::PodSecurityContext>,
}

/// What to back up, when, and where to.
#[derive(CustomResource, Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq)]
#[kube(
    group = "antfly.io",
    version = "v1",
    kind = "AntflyBackup",
    plural = "antflybackups"
)]
#[kube(namespaced)]
#[kube(status = "AntflyBackupStatus")]
#[kube(schema = "disabled")]
#[kube(derive = "PartialEq")]
pub struct AntflyBackupSpec {
    /// The AntflyCluster to back up.
    #[serde(rename = "clusterRef")]
    pub cluster_ref: ClusterReference,
    /// When backups start, as a cron expression in the time zone that timeZone names, or UTC: minute (0-59), hour (0-23), day of month (1-31), month (1-12 or jan-dec), day of week (0-6 or sun-sat, 0 is Sunday). Each field takes *, a number, a range (1-5), a list (1,15) and a step (*/15). If day of month and day of week are both restricted, a day that matches either is meant. Also @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually. Example: "0 2 * * *" is every day at 02:00.
    pub schedule: String,
    /// The time zone of the schedule, by its name in the IANA database, such as Europe/Berlin or America/New_York. When absent, UTC. A time that the clock skips when daylight saving begins is skipped, and one that it shows twice when that ends starts two backups. All times in the status are in UTC. Versions before 0.2.0 ignore it.
    #[serde(rename = "timeZone", default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Where backups are written to, and with which credentials.
    pub destination: BackupDestination,
    /// The tables to back up. When absent or empty, all tables that the cluster has when a backup starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// Set to true to start no more backups until it is false again; a backup that runs already is not stopped.
    #[serde(default = "defaults::spec_suspend")]
    pub suspend: bool,
    /// How long a backup may take, retries included, before it is stopped and counts as failed: a duration such as 30m, 1h30m or 90s, from 1s to 168h. A fraction of a second is rounded up. When empty, the default.
    #[serde(rename = "backupTimeout", default = "defaults::spec_backup_timeout")]
    pub backup_timeout: String,
    /// How late a backup may start when its scheduled time has passed, because Kubernetes was down, an earlier backup went on, or the cluster was missing: a duration such as 30m, 6h or 90s, from 10s to 168h. A fraction of a second is rounded up. Later than that it is skipped. When absent or empty, 3h. Since 0.2.0.
    #[serde(
        rename = "startingDeadline",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub starting_deadline: Option<String>,
    /// How often a backup is tried again after a failed attempt, with growing pauses, before it counts as failed. All attempts share backupTimeout. Pods that were evicted or disrupted otherwise use up no retry, and a failure that every attempt would repeat is not tried again. When absent, 3. Since 0.2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<i32>,
    /// How many Jobs of successful backups to keep, for their logs. The records in the status do not depend on it.
    #[serde(
        rename = "successfulJobsHistoryLimit",
        default = "defaults::spec_successful_jobs_history_limit"
    )]
    pub successful_jobs_history_limit: i32,
    /// How many Jobs of failed backups to keep, for their logs. The records in the status do not depend on it.
    #[serde(
        rename = "failedJobsHistoryLimit",
        default = "defaults::spec_failed_jobs_history_limit"
    )]
    pub failed_jobs_history_limit: i32,
    /// Settings of the Pods that make the backups. Their shapes are Kubernetes' own. What is absent has the operator's value. Since 0.2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<PodSettings>,
}

/// State of the schedule.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq, Copy, Eq)]
pub enum BackupPhase {
    /// Backups start as scheduled.
    Active,
    /// No backup starts until spec.suspend is false again.
    Suspended,
    /// The schedule cannot run as the spec asks; the conditions say why.
    Failed,
    /// Antfly's own operator has written the status. This operator never writes it, and replaces it.
    Pending,
}

/// How the backup went.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq, Copy, Eq)]
pub enum BackupStatus {
    /// It has started and not ended.
    Running,
    /// It ended well.
    Completed,
    /// It ended otherwise; see error.
    Failed,
}

/// What started the backup.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq, Copy, Eq)]
pub enum BackupTrigger {
    /// The schedule.
    Scheduled,
    /// Somebody, with kubectl create job --from.
    Manual,
}

/// The AntflyCluster that was backed up.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq)]
pub struct RecordedCluster {
    /// Namespace of the AntflyCluster.
    pub namespace: String,
    /// Name of the AntflyCluster.
    pub name: String,
    /// UID of the AntflyCluster when the backup was first seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}

/// What of this record the status has no room for; see omitted of the status. Absent if it is whole.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq, Copy, Eq)]
pub enum OmittedFromRecord {
    /// The names of its tables.
    Tables,
    /// These, and its errors; the first characters of error are left.
    Errors,
    /// These, and location, connection, clusterRef and otherBackupIds.
    Details,
}

/// The most recent backup that completed. It stays when newer backups fail and when its Job is gone.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq)]
pub struct BackupRecord {
    /// Identifier of the backup, needed to restore it: the name of the Job, and parts of the UIDs of the Job and of the Pod that made it. It is the name of the Job alone where backupIdKnown is not true.
    #[serde(rename = "backupId")]
    pub backup_id: String,
    /// Whether backupId is the id that Antfly was asked to use. When false, no Pod of the backup has been seen; if there is a backup, its id begins with backupId, dots in it replaced by dashes, and a dash.
    #[serde(rename = "backupIdKnown", default, skip_serializing_if = "Option::is_none")]
    pub backup_id_known: Option<bool>,
    /// Identifiers of earlier attempts of which nobody knows whether Antfly finished them. What they left at the location can be deleted once backupId is there.
    #[serde(rename = "otherBackupIds", default, skip_serializing_if = "Vec::is_empty")]
    pub other_backup_ids: Vec<String>,
    /// When the backup started.
    #[serde(rename = "startTime")]
    pub start_time: Time,
    /// When the backup completed or failed or, where nobody saw that, was missed. Absent while it runs.
    #[serde(rename = "completionTime", default, skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,
    /// How the backup went.
    pub status: BackupStatus,
    /// The scheduled time that the backup was started for. Absent for one started by hand.
    #[serde(rename = "scheduledTime", default, skip_serializing_if = "Option::is_none")]
    pub scheduled_time: Option<Time>,
    /// What started the backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<BackupTrigger>,
    /// Whether Antfly itself said, of this very backup and of each table that was wanted, that it is complete, by a run that did what the operator applied. When false, reason and error say why not, or nobody saw its end and this is what the CronJob says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// Why the backup failed, makes no progress or is not verified, what its Job lost while it runs, or what spoiled it after it completed: one word in CamelCase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The AntflyCluster that was backed up.
    #[serde(rename = "clusterRef", default, skip_serializing_if = "Option::is_none")]
    pub cluster_ref: Option<RecordedCluster>,
    /// Where the backup was written. To restore it, both this and backupId are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The connection with which Antfly was asked to write the backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Name of the Job that made the backup. The Job itself may be gone.
    #[serde(rename = "jobName", default, skip_serializing_if = "Option::is_none")]
    pub job_name: Option<String>,
    /// UID of that Job, which tells it from another one that had the same name.
    #[serde(rename = "jobUID", default, skip_serializing_if = "Option::is_none")]
    pub job_uid: Option<String>,
    /// How many Pods were started for the backup. A failed one is replaced as often as spec.retries says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<i32>,
    /// How many of these Pods were evicted or disrupted otherwise, such as by the drain of a node. That uses up none of the attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruptions: Option<i32>,
    /// The tables that are in the backup, as far as they are known and have room; see tableCount and tablesOmitted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// How many tables are in the backup. Absent when that is not known.
    #[serde(rename = "tableCount", default, skip_serializing_if = "Option::is_none")]
    pub table_count: Option<i32>,
    /// How many of them tables does not name: it has no room for them, or their names have control or format characters.
    #[serde(rename = "tablesOmitted", default, skip_serializing_if = "Option::is_none")]
    pub tables_omitted: Option<i32>,
    /// Size of the backup's data at the location, in bytes, as it was read back there.
    #[serde(rename = "sizeBytes", default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<i64>,
    /// When the backup was read back at the location, and had all tables that Antfly named.
    #[serde(rename = "readBackTime", default, skip_serializing_if = "Option::is_none")]
    pub read_back_time: Option<Time>,
    /// Why the backup could not be read back. It says nothing against the backup itself.
    #[serde(rename = "readBackError", default, skip_serializing_if = "Option::is_none")]
    pub read_back_error: Option<String>,
    /// Why the backup failed, makes no progress or is not verified, what its Job lost while it runs, or what spoiled it after it completed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Why the first attempt failed. While the backup runs, and where it failed in the end for another cause, which is often only what followed from the first.
    #[serde(rename = "firstError", default, skip_serializing_if = "Option::is_none")]
    pub first_error: Option<String>,
    /// When the backup was first seen to make no progress. Absent if it always made some.
    #[serde(rename = "stuckTime", default, skip_serializing_if = "Option::is_none")]
    pub stuck_time: Option<Time>,
    /// The reason that the backup had before its Pod was deleted and did not end, which is the reason PodTerminating. It counts again once the backup has ended.
    #[serde(rename = "reasonBefore", default, skip_serializing_if = "Option::is_none")]
    pub reason_before: Option<String>,
    /// The error that belongs to reasonBefore, for people.
    #[serde(rename = "errorBefore", default, skip_serializing_if = "Option::is_none")]
    pub error_before: Option<String>,
    /// What of this record the status has no room for; see omitted of the status. Absent if it is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omitted: Option<OmittedFromRecord>,
}

/// What was left out, each with all before it.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq, Copy, Eq)]
pub enum OmittedFromStatus {
    /// The names of the tables of records in recentBackups, the oldest first.
    TablesOfOldRecords,
    /// Those of all records for which there was no room, also of the newest and the last ones.
    Tables,
    /// Errors of records, the oldest first.
    Errors,
    /// Locations, connections, clusters and other identifiers of records, the oldest first.
    Details,
}

/// What the status has no room for. It takes at most 512 KiB as JSON, or less where the API server refuses that. Absent if nothing was left out. What was left out of a record stays so: see omitted of that record.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq)]
pub struct Omitted {
    /// What was left out, each with all before it.
    pub what: OmittedFromStatus,
    /// What the API server answered when it refused the status with more in it. Absent if only the 512 KiB are the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

/// The AntflyCluster of another namespace that the backup is bound to, where its owner has to consent (run --cross-namespace-clusters=consent). Another one of that name is not backed up before the annotation antfly.io/accept-cluster-uid of the AntflyBackup has its UID.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq)]
pub struct PinnedCluster {
    /// Namespace of the AntflyCluster.
    pub namespace: String,
    /// Name of the AntflyCluster.
    pub name: String,
    /// UID that the AntflyCluster had when it was first seen with the owner's consent, or accepted.
    pub uid: String,
}

/// What the API server made of the CronJob that the operator last asked for, where its mutating admission changed that. As long as the CronJob is the one that was answered, the operator does not ask again. Absent where nothing was changed.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq)]
pub struct AppliedCronJob {
    /// UID of the CronJob.
    pub uid: String,
    /// Digest of the manifest that was asked for.
    pub requested: String,
    /// Digest of the same fields of the CronJob as the API server returned it.
    pub answered: String,
    /// The fields that were changed, at most 16 of them, the uppermost first.
    #[serde(rename = "changedFields", default, skip_serializing_if = "Vec::is_empty")]
    pub changed_fields: Vec<String>,
}

/// What another operator does to the objects of this AntflyBackup, such as Antfly's own. It is undone three times at once, and then at most once a minute. Absent ten minutes after it was undone last.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq, Default)]
pub struct SecondWriter {
    /// Names of its field managers, as metadata.managedFields has them, at most 4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub managers: Vec<String>,
    /// Name of a CronJob that it makes or resumes again and again.
    #[serde(rename = "cronJob", default, skip_serializing_if = "Option::is_none")]
    pub cron_job: Option<String>,
    /// Whether it writes the status, too.
    #[serde(rename = "writesStatus", default, skip_serializing_if = "Option::is_none")]
    pub writes_status: Option<bool>,
}

/// A part of what a Pod does.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq)]
pub struct TemplatePart {
    /// Path of the part in the Pod's spec.
    pub path: String,
    /// Digest of the part.
    pub digest: String,
}

/// What a Pod does: of all its containers the name, image, command, args, environment and mounts; its volumes, ServiceAccount and host namespaces. Defaults do not count.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq)]
pub struct AppliedTemplate {
    /// Digest of what was asked for.
    pub requested: String,
    /// Digest of what the API server made of it.
    pub answered: String,
    /// Digests of its parts, to name those that differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<TemplatePart>,
    /// When another one took its place. It counts for Jobs that were created before, or within a minute after. Absent from the present one.
    #[serde(rename = "replacedTime", default, skip_serializing_if = "Option::is_none")]
    pub replaced_time: Option<Time>,
}

/// A field manager.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq)]
pub struct OtherWriter {
    /// Name of the field manager, as metadata.managedFields has it.
    pub manager: String,
    /// Fields that it changed or added then, at most 8 of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// When an event told of it.
    pub time: Time,
}

/// What the operator last saw. Written by the operator only.
#[derive(Serialize, Deserialize, Clone, Debug, JsonSchema, PartialEq, Default)]
pub struct AntflyBackupStatus {
    /// The metadata.generation of the AntflyBackup that all of the status speaks of. It is -1 until the operator has written a status.
    #[serde(
        rename = "observedGeneration",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub observed_generation: Option<i64>,
    /// State of the schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<BackupPhase>,
    /// The most recent scheduled time for which a backup was started.
    #[serde(
        rename = "lastScheduledTime",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub last_scheduled_time: Option<Time>,
    /// The most recent backup that completed. It stays when newer backups fail and when its Job is gone.
    #[serde(
        rename = "lastSuccessfulBackup",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub last_successful_backup: Option<BackupRecord>,
    /// The most recent backup that failed. It stays when its Job is gone.
    #[serde(
        rename = "lastFailedBackup",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub last_failed_backup: Option<BackupRecord>,
    /// The most recent backups, newest first, also those that run and those whose Jobs are gone.
    #[serde(rename = "recentBackups", default, skip_serializing_if = "Vec::is_empty")]
    pub recent_backups: Vec<BackupRecord>,
    /// The state in more detail. Ready: whether all is in place for the backups that the spec asks for; a backup
    /// that failed does not make it False. ScheduleReady: whether the CronJob is there and runs as the spec asks.
    /// ClusterReady: whether the AntflyCluster exists and is running.
    /// StatusComplete: there, and False, while the status leaves something out; see omitted.
    /// BackupRunHealthy: whether the last backup completed, none is overdue, and none is stuck so that it cannot
    /// end or later ones wait for it.
    /// SoleWriter, once another operator worked on the AntflyBackup, too: whether it has stopped.
    /// DefinitionMatches, False where the CustomResourceDefinition in the cluster is not this operator's, so that the API
    /// server drops fields of the status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The scheduled time, in UTC, of the backup that starts next. When it is in the past, that backup starts late: at once after an edit of the schedule or its time zone, or a resume, if the time passed within spec.startingDeadline, or as soon as an earlier backup has ended or nothing else keeps it from starting. Absent while the schedule is suspended or failed.
    #[serde(
        rename = "nextScheduledBackup",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub next_scheduled_backup: Option<Time>,
    /// The most recent scheduled time that was skipped: a backup was due, and was not started before a later one was, or within spec.startingDeadline. Those that passed unnoticed while no operator ran do not count.
    #[serde(
        rename = "lastSkippedTime",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub last_skipped_time: Option<Time>,
    /// How many scheduled times were skipped so far.
    #[serde(rename = "skippedCount", default, skip_serializing_if = "Option::is_none")]
    pub skipped_count: Option<i32>,
    /// Why Kubernetes cannot create the Job of the backup that is due by schedule, such as a quota or a policy. Absent once a backup has started.
    #[serde(rename = "startError", default, skip_serializing_if = "Option::is_none")]
    pub start_error: Option<String>,
    /// When startError was first seen.
    #[serde(rename = "startErrorTime", default, skip_serializing_if = "Option::is_none")]
    pub start_error_time: Option<Time>,
    /// Since when backups are due by the present schedule: from creation, the last edit of the schedule or its time zone, or the end of a suspension. Absent while suspended.
    #[serde(rename = "activeSince", default, skip_serializing_if = "Option::is_none")]
    pub active_since: Option<Time>,
    /// The schedule that activeSince speaks of.
    #[serde(
        rename = "observedSchedule",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub observed_schedule: Option<String>,
    /// The time zone of observedSchedule. When absent, UTC.
    #[serde(
        rename = "observedTimeZone",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub observed_time_zone: Option<String>,
    /// The CronJob's status.lastSuccessfulTime when the operator last looked. A later one is of a backup that ended since.
    #[serde(
        rename = "observedSuccessTime",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub observed_success_time: Option<Time>,
    /// What the status has no room for. It takes at most 512 KiB as JSON, or less where the API server refuses that. Absent if nothing was left out. What was left out of a record stays so: see omitted of that record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omitted: Option<Omitted>,
    /// Name of the CronJob that runs the backups.
    #[serde(rename = "cronJobName", default, skip_serializing_if = "Option::is_none")]
    pub cron_job_name: Option<String>,
    /// The AntflyCluster of another namespace that the backup is bound to, where its owner has to consent (run --cross-namespace-clusters=consent). Another one of that name is not backed up before the annotation antfly.io/accept-cluster-uid of the AntflyBackup has its UID.
    #[serde(rename = "pinnedCluster", default, skip_serializing_if = "Option::is_none")]
    pub pinned_cluster: Option<PinnedCluster>,
    /// What the API server made of the CronJob that the operator last asked for, where its mutating admission changed that. As long as the CronJob is the one that was answered, the operator does not ask again. Absent where nothing was changed.
    #[serde(rename = "appliedCronJob", default, skip_serializing_if = "Option::is_none")]
    pub applied_cron_job: Option<AppliedCronJob>,
    /// What another operator does to the objects of this AntflyBackup, such as Antfly's own. It is undone three times at once, and then at most once a minute. Absent ten minutes after it was undone last.
    #[serde(rename = "secondWriter", default, skip_serializing_if = "Option::is_none")]
    pub second_writer: Option<SecondWriter>,
    /// Digests of what a Pod of the CronJob does, as the API server answered to the operator: first that of the CronJob as it is now, then former ones while Jobs of theirs may exist. A Job that does something else counts neither as scheduled nor as verified (reason TemplateChanged).
    #[serde(rename = "appliedTemplates", default, skip_serializing_if = "Vec::is_empty")]
    pub applied_templates: Vec<AppliedTemplate>,
    /// Other field managers that changed the CronJob, or added something to its spec. It was changed back: to change what runs, edit the AntflyBackup. Each is told of in one event; after a day, if it does so again, in another one.
    #[serde(rename = "otherWriters", default, skip_serializing_if = "Vec::is_empty")]
    pub other_writers: Vec<OtherWriter>,
}

/// The defaults that the API server fills in.
pub mod defaults {
    /// Default of `spec.suspend`.
    pub fn spec_suspend() -> bool {
        false
    }
    /// Default of `spec.backupTimeout`.
    pub fn spec_backup_timeout() -> String {
        "1h".to_owned()
    }
    /// Default of `spec.successfulJobsHistoryLimit`.
    pub fn spec_successful_jobs_history_limit() -> i32 {
        3
    }
    /// Default of `spec.failedJobsHistoryLimit`.
    pub fn spec_failed_jobs_history_limit() -> i32 {
        1
    }
}
