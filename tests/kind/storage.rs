//! An S3 server in the cluster: versitygw with one bucket.

use crate::{
    antfly::{restricted_pod, until_ready},
    node::Cluster,
};
use local_cluster::apply_yaml;
use serde_json::json;

/// The image of the server.
pub const IMAGE: &str = "example.com/s3-server:v1";

/// The only bucket.
pub const BUCKET: &str = "harbour";

const ACCESS_KEY: &str = "key-of-the-osprey";
const SECRET_KEY: &str = "secret-of-the-osprey";
const REGION: &str = "us-east-1";
const PORT: u16 = 7070;
const NAME: &str = "storage";

/// An S3 server.
pub struct Storage {
    endpoint: String,
}

impl Storage {
    /// Starts it in a namespace of its own, and waits until it answers.
    pub async fn deploy(cluster: &Cluster, namespace: &str) -> Self {
        let made = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        apply_yaml(&cluster.client, &made.to_string()).await.unwrap();
        let labels = json!({"example.com/storage": NAME});
        let mut spec = restricted_pod(json!({
            "name": NAME, "image": IMAGE,
            "args": [
                format!("--port=:{PORT}"), format!("--region={REGION}"), "--health=/health",
                "posix", "--sidecar=/metadata", "/objects",
            ],
            "env": [
                {"name": "ROOT_ACCESS_KEY", "value": ACCESS_KEY}, {"name": "ROOT_SECRET_KEY", "value": SECRET_KEY},
            ],
            "readinessProbe": {"httpGet": {"path": "/health", "port": PORT}, "periodSeconds": 1},
            // a directory below the root is a bucket
            "volumeMounts": [
                {"name": "metadata", "mountPath": "/metadata"},
                {"name": "objects", "mountPath": "/objects"},
                {"name": "bucket", "mountPath": format!("/objects/{BUCKET}")},
            ],
        }));
        spec["securityContext"]["fsGroup"] = json!(10001);
        let volume = |name: &str| json!({"name": name, "emptyDir": {}});
        spec["volumes"] = json!(["metadata", "objects", "bucket"].map(volume));
        let metadata = json!({"name": NAME, "namespace": namespace, "labels": labels});
        let service = json!({"selector": labels, "ports": [{"port": PORT}]});
        for (kind, spec) in [("Pod", spec), ("Service", service)] {
            let object = json!({"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec});
            apply_yaml(&cluster.client, &object.to_string()).await.unwrap();
        }
        until_ready(cluster, namespace, NAME).await;
        Storage { endpoint: format!("http://{NAME}.{namespace}.svc:{PORT}") }
    }

    /// Arguments that have the stand-in for Antfly write to it.
    pub fn arguments(&self) -> [String; 3] {
        [
            format!("--s3-endpoint={}", self.endpoint),
            format!("--s3-access-key={ACCESS_KEY}"),
            format!("--s3-secret-key={SECRET_KEY}"),
        ]
    }

    /// The keys of a Secret for it.
    pub fn credentials(&self) -> [(&'static str, &str); 4] {
        [
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ("AWS_REGION", REGION),
            ("AWS_ENDPOINT_URL", &self.endpoint),
        ]
    }
}
