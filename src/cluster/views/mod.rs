//! Partial views of the watched objects, with only the fields that the operator reads.

mod cluster;
mod cron_job;
mod job;
mod owned;
mod pod;
mod refusal;

pub use cluster::Cluster;
pub use cron_job::CronJobView;
pub use job::{JobOutcome, JobView, Origin};
pub use owned::{digest_of_live, digest_of_manifest};
pub use pod::{PodView, Terminated, Waiting};
pub use refusal::{JobRefusal, PodRefusal, REFUSED_JOB_SELECTOR, REFUSED_POD_SELECTOR};
