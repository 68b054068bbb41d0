//! Partial views of the watched objects, with only the fields that the operator reads.

mod cluster;
mod cron_job;
mod job;
mod owned;
mod pod;
mod refusal;

pub use cluster::Cluster;
pub use cron_job::{ControllerRef, CronJobView};
pub use job::{JobOutcome, JobView, Origin};
pub use owned::{digest_of_live, digest_of_manifest};
pub use pod::{PodView, Terminated, Waiting};
pub use refusal::{PodRefusal, REFUSED_POD_SELECTOR};

/// Implements [`kube::Resource`] for a partial view of a Kubernetes type, with the `metadata` field of the view.
macro_rules! view_of {
    ($view:ty, $kind:ty) => {
        impl kube::Resource for $view {
            type DynamicType = ();
            type Scope = <$kind as kube::Resource>::Scope;

            fn kind(_: &()) -> std::borrow::Cow<'_, str> {
                <$kind as kube::Resource>::kind(&())
            }
            fn group(_: &()) -> std::borrow::Cow<'_, str> {
                <$kind as kube::Resource>::group(&())
            }
            fn version(_: &()) -> std::borrow::Cow<'_, str> {
                <$kind as kube::Resource>::version(&())
            }
            fn plural(_: &()) -> std::borrow::Cow<'_, str> {
                <$kind as kube::Resource>::plural(&())
            }
            fn meta(&self) -> &kube::api::ObjectMeta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut kube::api::ObjectMeta {
                &mut self.metadata
            }
        }
    };
}
pub(crate) use view_of;
