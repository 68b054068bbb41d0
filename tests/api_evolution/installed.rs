//! A definition in the API server, in a group of its own, and requests for its objects.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use kube::Client;
use serde_json::{Value, json};

use crate::{edits::Edit, group, merged};

/// How long the API server may take until it serves a definition: far beyond the usual second.
const LIMIT: Duration = Duration::from_secs(240);

/// How often it is asked.
const INTERVAL: Duration = Duration::from_millis(250);

/// The definition before an edit, served.
pub struct Installed {
    client: Client,
    /// The group.
    pub group: String,
    new: Value,
}

/// An answer: the body, or the refusal.
pub type Answer = Result<Value, String>;

/// What begins the text of an error that is no refusal.
pub const NO_ANSWER: &str = "no answer";

impl Installed {
    /// Installs the definition before the edit, and waits until it is served.
    pub async fn install(client: Client, index: usize, edit: &Edit) -> Result<Self> {
        let group = group(index);
        let (mut old, mut new) = edit.definitions();
        let is_same_group = old["spec"]["group"] == new["spec"]["group"];
        for definition in [&mut old, &mut new] {
            definition["metadata"]["name"] = json!(format!("antflybackups.{group}"));
        }
        old["spec"]["group"] = json!(group);
        if is_same_group {
            new["spec"]["group"] = json!(group);
        }
        let installed = Installed { client, group, new };
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        installed.send("POST", path, &old, "application/json").await.map_err(|error| anyhow!("install: {error}"))?;
        installed
            .wait("the definition is served", async || {
                let answer = installed.get("v1/antflybackups").await;
                answer.is_ok_and(|list| list["kind"] == "AntflyBackupList")
            })
            .await?;
        Ok(installed)
    }

    /// Puts the definition after the edit into the API server. Returns its refusal, if it refuses.
    pub async fn update(&self) -> Answer {
        self.put(&self.new).await
    }

    /// The same with one more printer column, and waits until the API server serves it: it takes columns and schema at once.
    pub async fn update_and_wait(&self) -> Result<()> {
        const MARKER: &str = "Served";
        let mut new = self.new.clone();
        let column = json!({"name": MARKER, "type": "string", "jsonPath": ".metadata.name"});
        new["spec"]["versions"][0]["additionalPrinterColumns"].as_array_mut().context("columns")?.push(column);
        self.put(&new).await.map_err(|error| anyhow!("the new definition is refused: {error}"))?;
        self.wait("the new definition is served", async || {
            let table = self.table("v1/antflybackups").await;
            let columns = table.map(|table| table["columnDefinitions"].clone()).unwrap_or_default();
            columns.as_array().is_some_and(|columns| columns.iter().any(|column| column["name"] == MARKER))
        })
        .await
    }

    async fn put(&self, definition: &Value) -> Answer {
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/antflybackups.{}", self.group);
        loop {
            let current = self.send("GET", &path, &Value::Null, "application/json").await?;
            let mut body = definition.clone();
            body["metadata"]["resourceVersion"] = current["metadata"]["resourceVersion"].clone();
            match self.send("PUT", &path, &body, "application/json").await {
                Err(error) if error.contains("the object has been modified") => {}
                answer => return answer,
            }
        }
    }

    /// Waits until something is so.
    pub async fn wait(&self, what: &str, is_so: impl AsyncFn() -> bool) -> Result<()> {
        let begun = std::time::Instant::now();
        while begun.elapsed() < LIMIT {
            if is_so().await {
                return Ok(());
            }
            tokio::time::sleep(INTERVAL).await;
        }
        bail!("not within {LIMIT:?}: {what}")
    }

    /// Returns the versions that are served after the edit.
    pub fn served(&self) -> Vec<String> {
        let versions = self.new["spec"]["versions"].as_array().into_iter().flatten();
        let served = versions.filter(|version| version["served"] == true);
        served.filter_map(|version| version["name"].as_str()).map(str::to_owned).collect()
    }

    /// Returns the object that all have in common, with changes.
    pub fn object(&self, name: &str, changes: &Value) -> Value {
        let object = json!({
            "apiVersion": format!("{}/v1", self.group),
            "kind": "AntflyBackup",
            "metadata": { "name": name, "namespace": "default" },
            "spec": {
                "clusterRef": { "name": "my-cluster" },
                "schedule": "0 2 * * *",
                "destination": { "location": "s3://my-bucket" },
            },
        });
        merged(object, changes)
    }

    /// Reads a path below the group.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", &self.path(path), &Value::Null, "application/json").await
    }

    /// Reads a path below the group as kubectl does.
    pub async fn table(&self, path: &str) -> Answer {
        self.send("GET", &self.path(path), &Value::Null, "as-a-table").await
    }

    /// Creates an object; `query` begins with `?` if there is one.
    pub async fn create(&self, object: &Value, query: &str) -> Answer {
        self.send("POST", &self.path(&format!("{OBJECTS}{query}")), object, "application/json").await
    }

    /// Replaces an object, or with `/status` its status, in a version.
    pub async fn replace(&self, version: &str, object: &Value, subresource: &str) -> Answer {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let path = self.path(&format!("{version}/namespaces/default/antflybackups/{name}{subresource}"));
        self.send("PUT", &path, object, "application/json").await
    }

    /// Applies an object by server-side apply.
    pub async fn apply(&self, object: &Value, manager: &str) -> Answer {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let path = self.path(&format!("{OBJECTS}/{name}?fieldManager={manager}&force=true"));
        self.send("PATCH", &path, object, "application/apply-patch+yaml").await
    }

    fn path(&self, path: &str) -> String {
        format!("/apis/{}/{path}", self.group)
    }

    async fn send(&self, method: &str, path: &str, body: &Value, content: &str) -> Answer {
        let (content, accept) = match content {
            "as-a-table" => ("application/json", "application/json;as=Table;v=v1;g=meta.k8s.io"),
            other => (other, "application/json"),
        };
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request =
            http::Request::builder().method(method).uri(path).header("Content-Type", content).header("Accept", accept);
        let request = request.body(body).map_err(|error| error.to_string())?;
        match self.client.request_text(request).await {
            Ok(text) => serde_json::from_str(&text).map_err(|error| format!("{path}: {error}: {text}")),
            Err(kube::Error::Api(refusal)) => Err(refusal.message),
            Err(error) => Err(format!("{NO_ANSWER}: {error}")),
        }
    }
}

/// The objects of v1, below the group.
const OBJECTS: &str = "v1/namespaces/default/antflybackups";
