//! Partial views of the watched objects, with only the fields that the operator reads.

mod changes;
mod cluster;
mod consent;
mod cron_job;
mod digest;
mod field_path;
mod job;
mod others;
mod owned;
mod pod;
mod refusal;
mod template;

pub use changes::changed_fields;
pub use cluster::Cluster;
pub use cron_job::{ControllerRef, CronJobView};
pub use digest::Digest;
pub use field_path::FieldPath;
pub use job::{JobOutcome, JobView, Origin, WholeJob};
pub use others::{Others, Taken};
pub use owned::{digest_of_live, digest_of_manifest};
pub use pod::{ContainerKind, PodView, Terminated, Unfinished, UnfinishedState, Waiting};
pub use refusal::{JobRefusal, PodRefusal, REFUSED_JOB_SELECTOR, REFUSED_POD_SELECTOR};
pub use template::{Differences, PodTemplate};
