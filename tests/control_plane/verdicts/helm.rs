//! Helm 3's way of writing custom resources (`pkg/kube/client.go` of Helm): a POST for a new one; else a JSON merge patch, the
//! difference between the former release's manifest and that of the new one, whatever the cluster holds.

use http::{Method, Request};
use kube::Client;
use serde_json::{Map, Value};

/// Writes AntflyBackups as Helm does.
pub struct Helm<'a> {
    client: &'a Client,
    path: String,
}

impl<'a> Helm<'a> {
    /// For a release in that namespace.
    pub fn new(client: &'a Client, namespace: &str) -> Self {
        Helm { client, path: format!("/apis/antfly.io/v1/namespaces/{namespace}/antflybackups") }
    }

    /// Writes a manifest, `old` being that of the former release.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn write(&self, old: Option<&Value>, new: &Value) -> Result<(), String> {
        let (method, path, kind, body) = match old {
            None => (Method::POST, self.path.clone(), "application/json", new.clone()),
            Some(old) => {
                let name = new["metadata"]["name"].as_str().unwrap();
                (Method::PATCH, format!("{}/{name}", self.path), "application/merge-patch+json", merge_patch(old, new))
            }
        };
        let request = Request::builder().method(method).uri(format!("{path}?fieldManager=helm"));
        let request = request.header("Content-Type", kind).body(body.to_string().into_bytes()).unwrap();
        match self.client.request::<Value>(request).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if [400, 422].contains(&status.code) => Err(status.message),
            Err(error) => panic!("the API server gave no verdict on {}: {error}", new["metadata"]["name"]),
        }
    }
}

/// Returns the merge patch (RFC 7386) that makes `new` of `old`, as `jsonpatch.CreateMergePatch` does: a null of `new` stays
/// one, and so removes the field.
fn merge_patch(old: &Value, new: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (old, new) else { return new.clone() };
    let mut patch = Map::new();
    for (field, value) in after {
        match before.get(field) {
            Some(same) if same == value => {}
            Some(other @ Value::Object(_)) if value.is_object() => {
                _ = patch.insert(field.clone(), merge_patch(other, value))
            }
            _ => _ = patch.insert(field.clone(), value.clone()),
        }
    }
    for field in before.keys().filter(|field| !after.contains_key(*field)) {
        patch.insert(field.clone(), Value::Null);
    }
    Value::Object(patch)
}
