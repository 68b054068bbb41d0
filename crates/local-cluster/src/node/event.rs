//! Events of a Pod, for its worker.

use k8s_openapi::api::core::v1::Pod;

/// An event of a Pod.
#[derive(Debug)]
pub(super) enum Event {
    /// The Pod was changed.
    Changed(Box<Pod>),
    /// The Pod is not in the API any more.
    Gone,
    /// A container's process has ended.
    Ended { index: usize, exit_code: i32 },
    /// The node is out of memory: evict the Pod.
    Evict,
    /// A container is out of memory: kill it.
    KillOutOfMemory { container: String },
}
