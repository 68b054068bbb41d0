//! The API server's own count of its requests.

use anyhow::Result;
use axum::http::Request;
use kube::Client;
use std::collections::BTreeMap;

/// The resources to count.
const RESOURCES: [&str; 6] = ["antflybackups", "cronjobs", "jobs", "pods", "events", "antflyclusters"];

/// The verbs that write.
const WRITES: [&str; 6] = ["POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"];

/// Numbers of requests, by resource and verb.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests(BTreeMap<(String, String), u64>);

impl Requests {
    /// Returns the requests since the API server started.
    ///
    /// # Errors
    /// Returns an error if the API server has no such metrics.
    pub async fn so_far(client: &Client) -> Result<Self> {
        let text = client.request_text(Request::get("/metrics").body(Vec::new())?).await?;
        let mut requests = BTreeMap::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("apiserver_request_total{")) {
            let Some((labels, count)) = line.split_once("} ") else { continue };
            let label = |name: &str| {
                let value = labels.split(',').find_map(|label| label.strip_prefix(name)?.strip_prefix("=\""));
                value.and_then(|value| value.strip_suffix('"')).unwrap_or_default().to_owned()
            };
            let (resource, subresource) = (label("resource"), label("subresource"));
            if !RESOURCES.contains(&resource.as_str()) {
                continue;
            }
            let what = if subresource.is_empty() { resource } else { format!("{resource}/{subresource}") };
            *requests.entry((what, label("verb"))).or_default() += count.parse::<f64>()? as u64;
        }
        Ok(Requests(requests))
    }

    /// Returns the requests since `earlier`.
    pub fn since(&self, earlier: &Requests) -> Self {
        let differences = self.0.iter().map(|(key, count)| (key.clone(), count - earlier.0.get(key).unwrap_or(&0)));
        Requests(differences.filter(|(_, count)| *count > 0).collect())
    }

    /// Returns the number of writes, without Events.
    pub fn writes(&self) -> u64 {
        self.sum(|what, verb| what != "events" && WRITES.contains(&verb))
    }

    /// Returns the number of written Events.
    pub fn events(&self) -> u64 {
        self.sum(|what, verb| what == "events" && WRITES.contains(&verb))
    }

    /// Returns the number of writes of an AntflyBackup's status.
    pub fn status_writes(&self) -> u64 {
        self.sum(|what, _| what == "antflybackups/status")
    }

    fn sum(&self, counts: impl Fn(&str, &str) -> bool) -> u64 {
        self.0.iter().filter(|((what, verb), _)| counts(what, verb)).map(|(_, count)| count).sum()
    }

    /// Returns resource, verb and count.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.0.iter().map(|((what, verb), count)| (what.as_str(), verb.as_str(), *count))
    }
}
