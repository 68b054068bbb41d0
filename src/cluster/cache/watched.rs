//! The kinds that the cache has.

use super::{Cached, ClusterCache};
use crate::cluster::{
    stored::StoredBackup,
    views::{Cluster, CronJobView, JobRefusal, JobView, PodRefusal, PodView},
};
use std::sync::Arc;

/// An object of a kind that is watched.
pub trait Watched: Cached {
    /// Returns the cached object of the same namespace and name.
    fn cached<'a>(&self, cache: &'a ClusterCache) -> Option<&'a Arc<Self>>;
}

impl Watched for StoredBackup {
    fn cached<'a>(&self, cache: &'a ClusterCache) -> Option<&'a Arc<Self>> {
        cache.backups.known(self)
    }
}

impl Watched for CronJobView {
    fn cached<'a>(&self, cache: &'a ClusterCache) -> Option<&'a Arc<Self>> {
        cache.cron_jobs.known(self)
    }
}

impl Watched for JobView {
    fn cached<'a>(&self, cache: &'a ClusterCache) -> Option<&'a Arc<Self>> {
        cache.jobs.known(self)
    }
}

impl Watched for PodView {
    fn cached<'a>(&self, cache: &'a ClusterCache) -> Option<&'a Arc<Self>> {
        cache.pods.known(self)
    }
}

impl Watched for PodRefusal {
    fn cached<'a>(&self, cache: &'a ClusterCache) -> Option<&'a Arc<Self>> {
        cache.refusals.known(self)
    }
}

impl Watched for JobRefusal {
    fn cached<'a>(&self, cache: &'a ClusterCache) -> Option<&'a Arc<Self>> {
        cache.job_refusals.known(self)
    }
}

impl Watched for Cluster {
    fn cached<'a>(&self, cache: &'a ClusterCache) -> Option<&'a Arc<Self>> {
        cache.clusters.known(self)
    }
}
