//! Names of what the operator makes, by which it finds that again.

use jiff::Timestamp;

/// Field manager of all that the operator writes, reporter of its events, and `app.kubernetes.io/managed-by`.
pub const FIELD_MANAGER: &str = "antfly-backup-operator";

/// Label with the name of the `AntflyBackup`, on CronJob, Jobs and Pods.
pub const BACKUP_LABEL: &str = "antfly.io/backup";

/// Label with the name of the `AntflyCluster`, on CronJob, Jobs and Pods.
pub const CLUSTER_LABEL: &str = "antfly.io/cluster";

/// Annotation of a Job with the namespace of the `AntflyCluster`.
pub const CLUSTER_NAMESPACE_ANNOTATION: &str = "antfly.io/cluster-namespace";

/// Annotation of a Job with the UID that the `AntflyCluster` has while the Job is made.
pub const CLUSTER_UID_ANNOTATION: &str = "antfly.io/cluster-uid";

/// Name of the container that asks for the backup: its word counts in a Pod.
pub const CONTAINER: &str = "backup";

/// Name of the CronJob of a backup. It has at most 52 characters, as Kubernetes asks, because the schema allows the
/// backup's 47.
pub fn cron_job_name(backup: &str) -> String {
    format!("{backup}-cron")
}

/// The name that the CronJob controller gives to the Job of a slot: it appends minutes since 1970.
pub fn job_of_slot(cron_job: &str, slot: Timestamp) -> String {
    format!("{cron_job}-{}", slot.as_second() / 60)
}
