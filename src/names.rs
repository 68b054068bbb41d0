//! Names of the objects that the operator creates, and of their labels and annotations.

use jiff::Timestamp;

/// Field manager of all writes, reporting controller of all events, and value of `app.kubernetes.io/managed-by`.
pub const FIELD_MANAGER: &str = "antfly-backup-operator";

/// Domain of the operator's own labels and annotations.
pub const DOMAIN: &str = "antfly.io";

/// Label with the name of the `AntflyBackup`, on CronJob, Jobs and Pods.
pub const BACKUP_LABEL: &str = "antfly.io/backup";

/// Label with the name of the `AntflyCluster`, on CronJob, Jobs and Pods.
pub const CLUSTER_LABEL: &str = "antfly.io/cluster";

/// Annotation of a CronJob that the operator made; its value is [`FIELD_MANAGER`]. Unlike the owner reference, it survives a
/// restore of the CronJob from a backup, and the deletion of its AntflyBackup alone (`--cascade=orphan`).
pub const MADE_BY_ANNOTATION: &str = "antfly.io/made-by";

/// Label with the program that manages an object: [`FIELD_MANAGER`].
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";

/// Annotation of a Job with the namespace of the `AntflyCluster`.
pub const CLUSTER_NAMESPACE_ANNOTATION: &str = "antfly.io/cluster-namespace";

/// Annotation of a Job with the UID that the `AntflyCluster` has when the Job is created.
pub const CLUSTER_UID_ANNOTATION: &str = "antfly.io/cluster-uid";

/// Annotation of an `AntflyCluster` with the other namespaces whose AntflyBackups may use it, where its owner has to consent.
pub const CONSENT_ANNOTATION: &str = "antfly.io/backup-from-namespaces";

/// Annotation of an `AntflyBackup` with the UID of an `AntflyCluster` that took the place of the pinned one, and that its owner
/// accepts.
pub const ACCEPT_CLUSTER_ANNOTATION: &str = "antfly.io/accept-cluster-uid";

/// Annotation of a CronJob with a passed scheduled time. The operator writes it so that the CronJob controller looks at the
/// CronJob at once.
pub const CATCH_UP_ANNOTATION: &str = "antfly.io/catch-up";

/// Name of the container that makes the backup. Its result counts, whatever other containers of the Pod do.
pub const CONTAINER: &str = "backup";

const CRON_JOB_SUFFIX: &str = "-cron";

/// Returns the name of a backup's CronJob. Kubernetes allows it 52 characters, so the schema allows the backup's name 47.
pub fn cron_job_name(backup: &str) -> String {
    format!("{backup}{CRON_JOB_SUFFIX}")
}

/// Returns the name of the backup whose CronJob has this name; `None` if no backup's can.
pub fn backup_of_cron_job_name(cron_job: &str) -> Option<&str> {
    cron_job.strip_suffix(CRON_JOB_SUFFIX)
}

/// Returns the name of the Job for a scheduled time. The CronJob controller appends the minutes since 1970.
pub fn scheduled_job_name(cron_job: &str, scheduled: Timestamp) -> String {
    format!("{cron_job}-{}", scheduled.as_second() / 60)
}
