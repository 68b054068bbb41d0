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

macro_rules! watched {
    ($($kind:ty => $objects:ident),* $(,)?) => {$(
        impl Watched for $kind {
            fn cached<'a>(&self, cache: &'a ClusterCache) -> Option<&'a Arc<Self>> {
                cache.$objects.known(self)
            }
        }
    )*};
}

watched! {
    StoredBackup => backups,
    CronJobView => cron_jobs,
    JobView => jobs,
    PodView => pods,
    PodRefusal => refusals,
    JobRefusal => job_refusals,
    Cluster => clusters,
}
