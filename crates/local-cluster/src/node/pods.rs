//! Binds the Pods that no node has, and starts a worker for each Pod of this node.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::PostParams,
    runtime::{WatchStreamExt, watcher},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    event::Event,
    shared::{self, Shared},
    worker::Worker,
};
use crate::progress::progress;

/// How often a binding that failed is tried again.
const BINDING_TRIES: u32 = 30;

/// Watches the Pods that `selector` selects, until it is dropped, and their workers with it.
pub(super) async fn watch(shared: Arc<Shared>, selector: String) {
    let pods: Api<Pod> = Api::all(shared.client.clone());
    let config = watcher::Config::default().labels(&selector);
    let mut events = watcher(pods, config).default_backoff().boxed();
    let mut paused = shared.is_paused.subscribe();
    let mut tasks = JoinSet::new();
    let mut listed = HashSet::new();
    loop {
        // A lost node receives no changes of its Pods until it is back.
        if paused.wait_for(|is_paused| !is_paused).await.is_err() {
            return;
        }
        let event = tokio::select! {
            event = events.next() => event,
            _ = paused.changed() => continue,
            Some(ended) = tasks.join_next() => {
                report(ended);
                continue;
            }
        };
        match event {
            None => return,
            Some(Err(error)) => progress("node", &format!("the Pods are not watched: {error}")),
            Some(Ok(watcher::Event::Apply(pod))) => take(&shared, &mut tasks, pod),
            Some(Ok(watcher::Event::Delete(pod))) => send(&shared, &pod.uid().unwrap_or_default(), Event::Gone),
            Some(Ok(watcher::Event::Init)) => listed.clear(),
            Some(Ok(watcher::Event::InitApply(pod))) => {
                listed.extend(pod.uid());
                take(&shared, &mut tasks, pod);
            }
            Some(Ok(watcher::Event::InitDone)) => {
                let known: Vec<_> = shared.workers().keys().cloned().collect();
                known.iter().filter(|uid| !listed.contains(*uid)).for_each(|uid| send(&shared, uid, Event::Gone));
            }
        }
    }
}

/// Handles a new state of a Pod.
fn take(shared: &Arc<Shared>, tasks: &mut JoinSet<()>, pod: Pod) {
    let Some(uid) = pod.uid() else { return };
    let spec = pod.spec.as_ref();
    match spec.and_then(|spec| spec.node_name.as_deref()) {
        None if is_schedulable(&pod) => {
            tasks.spawn(bind(shared.client.clone(), shared.name.clone(), pod));
        }
        Some(node) if node == shared.name => {
            let is_known = shared.workers().contains_key(&uid);
            if is_known {
                send(shared, &uid, Event::Changed(Box::new(pod)));
            } else if !has_ended(&pod) {
                let (name, namespace) = (pod.name_any(), pod.namespace().unwrap_or_default());
                let (worker, events) = Worker::new(shared.clone(), pod);
                shared.workers().insert(uid.clone(), shared::Worker { namespace, name, events });
                let shared = shared.clone();
                tasks.spawn(async move {
                    worker.run().await;
                    shared.workers().remove(&uid);
                });
            }
        }
        _ => {}
    }
}

fn send(shared: &Shared, uid: &str, event: Event) {
    if let Some(worker) = shared.workers().get(uid) {
        // A worker that has just ended needs no event.
        let _ = worker.events.send(event);
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        progress("node", &format!("a Pod's worker has failed: {error}"));
    }
}

/// Returns whether a scheduler would assign the Pod to this node.
fn is_schedulable(pod: &Pod) -> bool {
    let spec = pod.spec.as_ref();
    let is_gated = spec.and_then(|spec| spec.scheduling_gates.as_ref()).is_some_and(|gates| !gates.is_empty());
    pod.meta().deletion_timestamp.is_none() && !is_gated && !has_ended(pod)
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// Gives a Pod to this node, as a scheduler does.
async fn bind(client: Client, node: String, pod: Pod) {
    let (name, namespace) = (pod.name_any(), pod.namespace().unwrap_or_default());
    let pods: Api<Pod> = Api::namespaced(client, &namespace);
    let binding = json!({
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": { "name": name, "uid": pod.uid() },
        "target": { "apiVersion": "v1", "kind": "Node", "name": node },
    });
    for _ in 0..BINDING_TRIES {
        match pods.create_subresource::<Value, Value>("binding", &name, &PostParams::default(), &binding).await {
            Ok(_) => return,
            // It is gone, or has a node.
            Err(kube::Error::Api(refusal)) if matches!(refusal.code, 404 | 409) => return,
            Err(error) => progress("node", &format!("Pod {namespace}/{name} is not bound: {error}")),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
