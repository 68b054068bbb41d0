//! The program in a backup's Pod: requests a backup from Antfly over HTTP, judges the response, and reads the backup back
//! from its destination.
//!
//! The contract with the operator: [`arguments`], and [`result`], the container's termination message.
//!
//! Pure: [`address`] (which address to ask next), [`probe`] and [`wanted`] (which tables the backup must contain),
//! [`answer`] (Antfly's responses), [`decide`] (the result of a response), [`advice`] (what to correct), [`listing`]
//! (Antfly's list of backups), [`read_back`] (what the destination must contain), [`credentials`], [`mask`] (hides them in
//! messages) and [`story`] (the lines of the log). With side effects: [`program`], which runs an attempt with all of them,
//! and `http`, `s3`, `message` and `log`.

pub mod address;
pub mod advice;
pub mod answer;
pub mod arguments;
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

/// Environment variable for the name of the Job, a part of the backup's id.
pub const JOB_NAME_VARIABLE: &str = "BACKUP_JOB_NAME";

/// Environment variable for the UID of the Job, a part of the backup's id.
pub const JOB_UID_VARIABLE: &str = "BACKUP_JOB_UID";

/// Environment variable for the UID of the Pod, a part of the backup's id.
pub const POD_UID_VARIABLE: &str = "BACKUP_POD_UID";

/// Environment variable for certificates of authorities, in PEM form, that are trusted besides the bundled ones.
pub const CA_BUNDLE_VARIABLE: &str = "BACKUP_CA_BUNDLE";

/// Exit code of an attempt that failed, when another attempt may succeed.
pub const EXIT_AGAIN: u8 = 1;

/// Exit code of an attempt that failed, when every other attempt would fail, too. The Job's `podFailurePolicy` names it.
pub const EXIT_FOR_GOOD: u8 = 3;

/// Exit code after SIGTERM.
pub const EXIT_STOPPED: u8 = 143;

/// Number of a UID's hex digits in a backup's id.
const UID_DIGITS: usize = 8;

/// Returns the id of the backup that a Pod requests: `JOB-JJJJJJJJ-PPPPPPPP`.
///
/// `job` is the Job's name; its dots become `-`, because Antfly's ids have no dots. `job_uid` and `pod_uid` are the UIDs
/// that Kubernetes assigned; the id has the first eight hex digits of each. A Pod sends one request, so ids are unique.
pub fn backup_id(job: &str, job_uid: &str, pod_uid: &str) -> String {
    format!("{}-{}-{}", job.replace('.', "-"), digits(job_uid), digits(pod_uid))
}

/// Returns the common prefix of the ids of all attempts of a Job.
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
