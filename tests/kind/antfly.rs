//! Antfly's stand-in in the cluster: a Pod, and the Services that Antfly's own operator would make for it.

use crate::{
    node::Cluster,
    room::{Nightly, eventually},
};
use anyhow::ensure;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::LogParams};
use local_cluster::apply_yaml;
use serde_json::{Value, json};

/// The image of the stand-in.
pub const IMAGE: &str = "example.com/antfly-stand-in:v1";

/// Port of the API on data nodes.
const DATA_PORT: u16 = 12380;

/// Port of the API on metadata nodes.
const METADATA_PORT: u16 = 12377;

/// Port of the API in the mode Swarm.
const SWARM_PORT: u16 = 8080;

/// How an Antfly is deployed, which decides the names of its Services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Metadata nodes and data nodes.
    Clustered,
    /// The same, with the public API.
    PublicApi,
    /// One process for everything.
    Swarm,
}

/// An Antfly to be put into a namespace.
#[derive(Clone, Debug)]
pub struct Antfly {
    mode: Mode,
    arguments: Vec<String>,
}

impl Antfly {
    /// Returns a server of September 2026 with the tables `users` and `orders`, which takes backups by its connection
    /// `backups`.
    pub fn today(mode: Mode) -> Self {
        Self::new(mode, "today")
    }

    /// Returns a server of June 2026 with those tables.
    pub fn june(mode: Mode) -> Self {
        Self::new(mode, "june")
    }

    fn new(mode: Mode, profile: &str) -> Self {
        Antfly { mode, arguments: Vec::new() }.with([
            &format!("--profile={profile}"),
            "--table=users",
            "--table=orders",
        ])
    }

    /// Returns one that has further arguments of the stand-in.
    pub fn with<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        // the kubelet expands $(VAR)
        self.arguments.extend(arguments.into_iter().map(|argument| argument.replace('$', "$$")));
        self
    }

    /// Returns the spec of the AntflyCluster that describes it.
    pub fn cluster_spec(&self) -> Value {
        match self.mode {
            Mode::Clustered => json!({}),
            Mode::PublicApi => json!({"publicAPI": {"enabled": true}}),
            Mode::Swarm => json!({"mode": "Swarm"}),
        }
    }

    /// Applies Pod and Services in a namespace, and waits until it answers.
    pub async fn deploy(&self, cluster: &Cluster, namespace: &str, name: &str) {
        let services: &[(&str, u16, u16)] = match self.mode {
            Mode::Clustered => &[("metadata", METADATA_PORT, METADATA_PORT), ("data", DATA_PORT, DATA_PORT)],
            Mode::PublicApi => &[
                ("metadata", METADATA_PORT, METADATA_PORT),
                ("data", DATA_PORT, DATA_PORT),
                ("public-api", 80, DATA_PORT),
            ],
            Mode::Swarm => &[("swarm", SWARM_PORT, SWARM_PORT)],
        };
        let mut arguments = self.arguments.clone();
        let port = if self.mode == Mode::Swarm {
            SWARM_PORT
        } else {
            arguments.push(format!("--metadata-listen=0.0.0.0:{METADATA_PORT}"));
            DATA_PORT
        };
        arguments.push(format!("--listen=0.0.0.0:{port}"));
        let labels = json!({"example.com/antfly": name});
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": restricted_pod(json!({
                "name": "antfly", "image": IMAGE, "args": arguments,
                "readinessProbe": {"httpGet": {"path": "/healthz", "port": port}, "periodSeconds": 1},
            })),
        });
        apply_yaml(&cluster.client, &pod.to_string()).await.unwrap();
        for (suffix, port, target) in services {
            let mut spec = json!({"selector": labels, "ports": [{"port": port, "targetPort": target}]});
            if *suffix != "public-api" {
                spec["clusterIP"] = json!("None");
            }
            let service = json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": format!("{name}-{suffix}"), "namespace": namespace}, "spec": spec,
            });
            apply_yaml(&cluster.client, &service.to_string()).await.unwrap();
        }
        until_ready(cluster, namespace, name).await;
    }
}

/// Returns the spec of a Pod of one container that the *restricted* Pod Security Standard allows.
pub fn restricted_pod(mut container: Value) -> Value {
    container["securityContext"] = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
    json!({
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": false,
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    })
}

/// Waits until a Pod is ready.
pub async fn until_ready(cluster: &Cluster, namespace: &str, pod: &str) {
    let pods = Api::<Pod>::namespaced(cluster.client.clone(), namespace);
    eventually(&format!("the Pod {pod} of {namespace} to be ready"), async || {
        let status = pods.get(pod).await?.status.unwrap_or_default();
        let mut conditions = status.conditions.iter().flatten();
        ensure!(conditions.any(|it| it.type_ == "Ready" && it.status == "True"), "it is {status:?}");
        Ok(())
    })
    .await;
}

/// The bodies of the requests for a backup that the Antfly `main` has received, oldest first.
pub async fn requests(nightly: &Nightly) -> Vec<Value> {
    let log = nightly.all::<Pod>().logs("main", &LogParams::default()).await.unwrap();
    // a line is: POST PATH "QUERY" "BODY"
    let bodies = log.lines().filter_map(|line| line.strip_prefix("POST /db/v1/backup \"\" "));
    bodies.map(|body| serde_json::from_str(&serde_json::from_str::<String>(body).unwrap()).unwrap()).collect()
}
