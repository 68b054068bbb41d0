//! What runs in a backup's Pod: asks Antfly for a backup over HTTP, judges the answer, reads it back at the destination.
//!
//! [`result`] is the contract with the operator: the container's termination message.
//!
//! Pure: [`address`] (which address to ask next), [`probe`] and [`wanted`] (which tables the backup must have), [`answer`]
//! (what came back), [`decide`] (what it amounts to), [`advice`] (what to correct), [`listing`] (Antfly's list of backups),
//! [`read_back`] (what the destination proves), [`credentials`], [`mask`] (keeps them out of messages) and [`story`] (the
//! lines of the log). The shell is in [`program`], which drives it all, `http`, `s3`, `message` and `log`.

pub mod address;
pub mod advice;
pub mod answer;
pub mod credentials;
pub mod decide;
mod http;
pub mod listing;
mod log;
pub mod mask;
mod message;
pub mod probe;
pub mod program;
pub mod read_back;
pub mod reason;
pub mod result;
mod s3;
pub mod story;
pub mod wanted;

pub use result::{BackupResult, FailedTable, Parsed, ResultStatus};

/// Environment variable with the name of the Job, a part of the backup's id.
pub const JOB_NAME_VARIABLE: &str = "BACKUP_JOB_NAME";

/// Environment variable with the UID of the Job, a part of the backup's id.
pub const JOB_UID_VARIABLE: &str = "BACKUP_JOB_UID";

/// Environment variable with the UID of the Pod, a part of the backup's id.
pub const POD_UID_VARIABLE: &str = "BACKUP_POD_UID";

/// Exit code of a try that failed and may succeed when it is repeated.
pub const EXIT_AGAIN: u8 = 1;

/// Exit code of a try that failed in a way that every other try would, too. The Job's `podFailurePolicy` names it.
pub const EXIT_FOR_GOOD: u8 = 3;

/// Exit code after SIGTERM.
pub const EXIT_STOPPED: u8 = 143;

/// How many hex digits of a UID stand in an id.
const UID_DIGITS: usize = 8;

/// Returns the id of the backup that one Pod asks for: `JOB-JJJJJJJJ-PPPPPPPP`.
///
/// `job` is the Job's name; Antfly's ids have no dots, so they become `-`. The UIDs are Kubernetes' own, of which the first
/// eight hex digits count. One Pod asks once, so no id is used twice.
pub fn backup_id(job: &str, job_uid: &str, pod_uid: &str) -> String {
    format!("{}-{}-{}", job.replace('.', "-"), digits(job_uid), digits(pod_uid))
}

/// Returns what the ids of all tries of a Job begin with.
pub fn backup_id_prefix(job: &str, job_uid: &str) -> String {
    format!("{}-{}-", job.replace('.', "-"), digits(job_uid))
}

fn digits(uid: &str) -> String {
    uid.chars().filter(|character| *character != '-').take(UID_DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_job_and_pod() {
        let (job, pod) = ("0b1c2d3e-aaaa-bbbb-cccc-000000000000", "f0e1d2c3-aaaa-bbbb-cccc-000000000000");
        let id = backup_id("a.b-cron-29394840", job, pod);
        assert_eq!(id, "a-b-cron-29394840-0b1c2d3e-f0e1d2c3");
        assert!(id.starts_with(&backup_id_prefix("a.b-cron-29394840", job)));
        assert_eq!(backup_id(&"x".repeat(63), job, pod).len(), 81);
    }
}
