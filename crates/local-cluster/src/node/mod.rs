//! A node without a kubelet: runs the Pods of the local control plane as processes of this machine.
//!
//! It does what a scheduler and a kubelet do with the Pods that it selects: binds them, resolves their environment, starts
//! their containers in order, keeps their status, and ends and removes them. It has no container runtime: an image is an
//! executable that [`Images`] names, a container a process with a clean environment. Volumes, probes, resources, hooks and
//! security contexts have no effect.
//!
//! `kubectl logs` reads whole logs.
//!
//! Names of Services in arguments and variables become the loopback addresses that [`Services`] names.

mod containers;
mod environment;
mod event;
mod expand;
mod images;
mod lifecycle;
mod logs;
mod pods;
mod process;
mod registration;
mod services;
mod settings;
mod shared;
mod status;
mod termination_message;
mod worker;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, api::EvictParams};
use tokio::task::JoinSet;

pub use images::{Images, Program};
pub use services::{Absent, Services};
pub use settings::Settings;

use event::Event;
use logs::Endpoint;
use shared::{Refusing, Shared};

/// A running node. Dropping it kills all its processes, and leaves its objects as they are.
pub struct Node {
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl Node {
    /// Registers a node and begins to take Pods.
    ///
    /// # Errors
    /// When the directory can't be made, or the API server can't be reached or refuses.
    pub async fn start(client: Client, settings: Settings) -> Result<Self> {
        let directory = &settings.directory;
        fs::create_dir_all(directory).with_context(|| format!("make the directory {}", directory.display()))?;
        let endpoint = Endpoint::bind().await?;
        registration::register(&client, &settings.name, endpoint.port).await?;
        let variables = registration::cluster_variables(&client).await?;
        let selector = settings.selector.clone();
        let shared = Arc::new(Shared::new(client, settings, variables, Refusing::reserve()?));
        let mut tasks = JoinSet::new();
        tasks.spawn(registration::keep_alive(shared.clone()));
        tasks.spawn(pods::watch(shared.clone(), selector));
        tasks.spawn(endpoint.serve(shared.clone()));
        Ok(Self { shared, _tasks: tasks })
    }

    /// Returns the images that it knows, which may change while it runs.
    pub fn images(&self) -> &Images {
        &self.shared.images
    }

    /// Returns the addresses behind the names of Services, which may change while it runs.
    pub fn services(&self) -> &Services {
        &self.shared.services
    }

    /// Returns the directory of the logs: `NAMESPACE_POD_UID/CONTAINER/RESTARTS.log`.
    pub fn directory(&self) -> &Path {
        &self.shared.directory
    }

    /// Returns the path of the log of a container's latest start, of the latest Pod of that name.
    ///
    /// # Errors
    /// When there is none.
    pub fn log_path(&self, namespace: &str, pod: &str, container: &str) -> Result<PathBuf> {
        logs::log_path(self.directory(), namespace, pod, container)
    }

    /// Returns what [`Node::log_path`] holds, as `kubectl logs` would print it.
    ///
    /// # Errors
    /// When there is none, or it can't be read.
    pub fn log(&self, namespace: &str, pod: &str, container: &str) -> Result<String> {
        let path = self.log_path(namespace, pod, container)?;
        let log = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    /// Cuts the node off from the API server: it receives nothing, and writes no status, no Lease and no removal of a Pod. Its
    /// processes go on.
    pub fn pause(&self) {
        self.shared.is_paused.send_replace(true);
    }

    /// Ends [`Node::pause`]: what happened meanwhile is handled and reported.
    pub fn resume(&self) {
        self.shared.is_paused.send_replace(false);
    }

    /// Evicts a Pod because the node is out of memory, as a kubelet does: phase Failed, reason Evicted, and the condition
    /// DisruptionTarget.
    ///
    /// # Errors
    /// When the Pod is not on this node.
    pub fn evict(&self, namespace: &str, pod: &str) -> Result<()> {
        self.send(namespace, pod, Event::Evict)
    }

    /// Evicts a Pod through the API, as `kubectl drain` does: the condition DisruptionTarget, and deletion.
    ///
    /// # Errors
    /// When the API server can't be reached or refuses.
    pub async fn drain(&self, namespace: &str, pod: &str) -> Result<()> {
        let pods: Api<Pod> = Api::namespaced(self.shared.client.clone(), namespace);
        pods.evict(pod, &EvictParams::default()).await.with_context(|| format!("evict Pod {namespace}/{pod}"))?;
        Ok(())
    }

    /// Kills a container as the kernel does when it exceeds its memory limit.
    ///
    /// # Errors
    /// When the Pod is not on this node.
    pub fn kill_out_of_memory(&self, namespace: &str, pod: &str, container: &str) -> Result<()> {
        self.send(namespace, pod, Event::KillOutOfMemory { container: container.to_owned() })
    }

    fn send(&self, namespace: &str, pod: &str, event: Event) -> Result<()> {
        let workers = self.shared.workers();
        let worker = workers.values().find(|worker| worker.namespace == namespace && worker.name == pod);
        let worker = worker.with_context(|| format!("Pod {namespace}/{pod} is not on this node"))?;
        worker.events.send(event).ok().with_context(|| format!("Pod {namespace}/{pod} has just gone"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.shared.close();
    }
}
