//! Reasons of conditions and events, in CamelCase.

/// The CronJob is there and is what the spec requires.
pub const CRON_JOB_CREATED: &str = "CronJobCreated";
/// Backups start as scheduled.
pub const SCHEDULED: &str = "Scheduled";
/// No backup starts, as the spec requires.
pub const SUSPENDED: &str = "Suspended";
/// The CronJob was changed.
pub const CRON_JOB_UPDATED: &str = "CronJobUpdated";
/// A CronJob has the name that the CronJob of the backup had in an earlier version.
pub const FORMER_NAME: &str = "FormerName";
/// A CronJob under a former name was deleted.
pub const CRON_JOB_DELETED: &str = "CronJobDeleted";
/// A CronJob of that name belongs to someone else.
pub const CRON_JOB_CONFLICT: &str = "CronJobConflict";
/// The CronJob had lost its owner, and the backup is its owner now.
pub const CRON_JOB_ADOPTED: &str = "CronJobAdopted";
/// The CronJob is being deleted.
pub const CRON_JOB_DELETING: &str = "CronJobDeleting";
/// A CronJob under a former name cannot be deleted.
pub const CRON_JOB_LEFT_OVER: &str = "CronJobLeftOver";
/// The API server refuses the CronJob.
pub const CRON_JOB_REFUSED: &str = "CronJobRefused";
/// Other field managers changed the CronJob, or added something to it.
pub const CHANGED_BY_OTHERS: &str = "CronJobChangedByOthers";
/// Other field managers change the CronJob again and again.
pub const CRON_JOB_CONTESTED: &str = "CronJobContested";
/// Mutating admission changed when the CronJob runs.
pub const CHANGED_BY_ADMISSION: &str = "CronJobChangedByAdmission";
/// A write failed, and is tried again.
pub const WRITE_FAILED: &str = "WriteFailed";
/// The cluster does not exist.
pub const CLUSTER_NOT_FOUND: &str = "ClusterNotFound";
/// The cluster is another one than the one that was pinned.
pub const CLUSTER_REPLACED: &str = "ClusterReplaced";
/// An AntflyBackup names an AntflyCluster that does not let its namespace back it up.
pub const BACKUP_REFUSED: &str = "BackupRefused";
/// The destination is a folder of Antfly's own nodes, and the operator does not allow that.
pub const FILE_LOCATION_NOT_ALLOWED: &str = "FileLocationNotAllowed";
/// A field of `spec.pod` is set that the operator does not allow.
pub const POD_FIELD_NOT_ALLOWED: &str = "PodFieldNotAllowed";
/// The cluster exists and does not run.
pub const CLUSTER_NOT_READY: &str = "ClusterNotReady";
/// The cluster runs.
pub const CLUSTER_RUNNING: &str = "ClusterRunning";
/// The schedule is not valid, or never fires.
pub const INVALID_SCHEDULE: &str = "InvalidSchedule";
/// The destination is not valid.
pub const INVALID_DESTINATION: &str = "InvalidDestination";
/// The reference to the cluster is not valid.
pub const INVALID_CLUSTER_REF: &str = "InvalidClusterRef";
/// The last backup completed.
pub const BACKUP_JOB_SUCCEEDED: &str = "BackupJobSucceeded";
/// The last backup failed.
pub const BACKUP_JOB_FAILED: &str = "BackupJobFailed";
/// A backup that was due has not started.
pub const BACKUP_OVERDUE: &str = "BackupOverdue";
/// A scheduled time passed before backups were due, and its backup is started late.
pub const CATCH_UP: &str = "CatchUp";
/// No backup was started for a scheduled time.
pub const BACKUP_SKIPPED: &str = "BackupSkipped";
/// The Job of a backup cannot be created.
pub const JOB_REFUSED: &str = "JobRefused";
/// A clock is far ahead of another one.
pub const CLOCKS_DIFFER: &str = "ClocksDiffer";
/// No backup has ended.
pub const NO_RUN_YET: &str = "NoRunYet";
/// A backup has started.
pub const BACKUP_STARTED: &str = "BackupStarted";
/// A backup has completed.
pub const BACKUP_COMPLETED: &str = "BackupCompleted";
/// A backup has failed.
pub const BACKUP_FAILED: &str = "BackupFailed";
/// A backup has completed, and its Job failed after that.
pub const JOB_FAILED_AFTER_BACKUP: &str = "JobFailedAfterBackup";
/// The Job of a backup that runs has lost its label, or its CronJob.
pub const JOB_NOT_OURS: &str = "JobNotOurs";
/// A backup could not be read back at its destination.
pub const READ_BACK_FAILED: &str = "ReadBackFailed";
/// A backup makes no progress.
pub const BACKUP_STUCK: &str = "BackupStuck";
/// Something else in the resource is not valid.
pub const INVALID_SPEC: &str = "InvalidSpec";
/// Another operator works on the same AntflyBackup.
pub const ANOTHER_OPERATOR: &str = "AnotherOperator";
/// No other operator works on the AntflyBackup any more.
pub const NO_OTHER_OPERATOR: &str = "NoOtherOperator";
/// The API server dropped fields of the status: the definition in the cluster is not this operator's.
pub const FIELDS_PRUNED: &str = "FieldsPruned";
/// The status has no room for all that is known.
pub const NO_ROOM: &str = "NoRoom";
/// The API server refuses the status with all that is known.
pub const STATUS_TOO_LARGE: &str = "StatusTooLarge";
