//! The surroundings of the demo's backups: a node without a kubelet, stand-ins for Antfly, and an S3 server.

use std::path::Path;

use antfly_stand_in::{Profile, S3Destination, Settings as StandInSettings, StandIn, Table};
use anyhow::{Context, Result};
use kube::Client;
use local_cluster::{
    ControlPlane, S3Server, apply_yaml,
    node::{Node, Program, Settings},
};
use serde_json::{Value, json};

/// The operator's image, which the node knows as the operator that was built.
pub const IMAGE: &str = "antfly-backup-operator:demo";
/// Path of the operator inside of its image.
const PATH_IN_IMAGE: &str = "/antfly-backup-operator";

/// The table that a server of June never backs up: it has several shards.
pub const SHARDED_TABLE: &str = "events";

/// The buckets that the examples name.
const BUCKETS: [&str; 3] = ["my-bucket", "my-gcs-bucket", "backup-bucket"];
/// The Secrets that the examples name, with their namespaces.
const SECRETS: [(&str, &str); 3] = [
    ("production", "backup-credentials"),
    ("production", "gcs-hmac-credentials"),
    ("backup-jobs", "backup-credentials"),
];

/// The parts that run until they are dropped.
pub struct Surroundings {
    /// The node.
    pub node: Node,
    _stand_ins: [StandIn; 2],
}

impl Surroundings {
    /// Starts the stand-ins and the node. The stand-ins write to `s3`, the node runs `operator`.
    ///
    /// # Errors
    /// When a part can't be started.
    pub async fn start(control_plane: &ControlPlane, client: &Client, s3: &S3Server, operator: &Path) -> Result<Self> {
        for bucket in BUCKETS {
            s3.create_bucket(bucket)?;
        }
        let my_cluster = StandIn::start(antfly(s3, &["users", "orders", "transactions", "audit_log"]))?;
        let mut settings = antfly(s3, &["users", "orders"]);
        settings.tables.push(Table { shards: 3, ..Table::new(SHARDED_TABLE) });
        settings.metadata_listen = Some(settings.listen);
        let production_cluster = StandIn::start(settings)?;

        let settings = Settings::new(control_plane.directory().join("pods"));
        settings.images.set(IMAGE, Program::new(operator, PATH_IN_IMAGE));
        let services = &settings.services;
        services.set("my-cluster-swarm.production", my_cluster.address());
        let metadata = production_cluster.metadata_address().context("the stand-in has no metadata port")?;
        services.set("production-cluster-metadata.production", metadata);
        services.set("production-cluster-data.production", production_cluster.address());
        let node = Node::start(client.clone(), settings).await?;
        Ok(Self { node, _stand_ins: [my_cluster, production_cluster] })
    }
}

/// Returns a server of June that can write to S3.
fn antfly(s3: &S3Server, tables: &[&str]) -> StandInSettings {
    let mut settings = StandInSettings::new(Profile::June, tables);
    settings.s3 = Some(S3Destination {
        endpoint: s3.endpoint(),
        access_key: s3.access_key().to_owned(),
        secret_key: s3.secret_key().to_owned(),
        region: s3.region().to_owned(),
        is_june_mended: true,
    });
    settings
}

/// Makes the Secrets that the examples name, with the keys of `s3`; a placeholder of an example is replaced.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn apply_secrets(client: &Client, s3: &S3Server) -> Result<()> {
    for (namespace, name) in SECRETS {
        let secret = secret(namespace, name, s3).to_string();
        apply_yaml(client, &secret).await.with_context(|| format!("apply Secret {namespace}/{name}"))?;
    }
    Ok(())
}

fn secret(namespace: &str, name: &str, s3: &S3Server) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "namespace": namespace, "name": name },
        "stringData": {
            "AWS_ACCESS_KEY_ID": s3.access_key(),
            "AWS_SECRET_ACCESS_KEY": s3.secret_key(),
            "AWS_ENDPOINT_URL": s3.endpoint(),
            "AWS_REGION": s3.region(),
        },
    })
}
