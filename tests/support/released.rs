//! What released versions made of AntflyBackups: `tests/released/VERSION.jsonl`, which never changes.
//!
//! A line is a fixture: an AntflyBackup that the version accepted, an AntflyCluster, and the body of the apply that it sent.

use super::{corpus, support};
use antfly_backup_operator::testing::{
    cluster::{Cluster, ClusterLookup, StoredBackup},
    desired::{FileLocations, JobImage, PodPolicy, apply_body, cron_job, plan},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// One AntflyBackup with what became of it.
#[derive(Deserialize, Serialize)]
pub struct Fixture {
    /// Where it is from: a golden case, or a document of the corpus of the validation.
    pub name: String,
    /// The AntflyBackup, without a status.
    pub backup: Value,
    /// The AntflyCluster that it names.
    pub cluster: Value,
    /// The body of the apply, byte for byte.
    pub manifest: String,
}

/// Returns the file with the fixtures of a version.
pub fn file_of(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/released/{version}.jsonl"))
}

/// Returns the released versions: those of which the API is kept.
pub fn versions() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/released");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let version = |name: String| {
        name.strip_prefix("antflybackup-").and_then(|name| name.strip_suffix(".yaml")).map(str::to_owned)
    };
    names.filter_map(version).collect()
}

/// Reads the fixtures of a version.
pub fn read(version: &str) -> Vec<Fixture> {
    let file = file_of(version);
    let text = fs::read_to_string(&file).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; for a new release run RELEASED_FIXTURES={version} cargo test --test golden",
            file.display()
        )
    });
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns what is planned now for an AntflyBackup and its cluster, with the image of a version: the body of the apply, or why
/// there is none.
pub fn manifest_now(backup: &Value, cluster: &Value, version: &str) -> Result<String, String> {
    let backup = StoredBackup::from_value(backup.clone()).map_err(|error| error.to_string())?;
    let cluster: Cluster = serde_json::from_value(cluster.clone()).map_err(|error| error.to_string())?;
    let name = format!("ghcr.io/antflydb/antfly-backup-operator:{version}");
    let image = JobImage { name, ..JobImage::default() };
    let plan = plan(
        &backup,
        &ClusterLookup::Found(Arc::new(cluster)),
        None,
        &image,
        FileLocations::Allowed,
        &PodPolicy::default(),
    )
    .map_err(|cause| cause.message)?;
    Ok(apply_body(&cron_job(&plan)).unwrap().get().to_owned())
}

/// Returns the fixtures of a version that is released now: of the golden cases and of the valid documents, one for each manifest.
pub fn made_now(version: &str) -> Vec<Fixture> {
    let cases = support::all().unwrap().into_iter();
    let of_cases = cases.filter_map(|case| Some((case.name(), case.backup.clone(), case.cluster.clone()?)));
    let default = support::GoldenCase::read(&support::directory().join(support::DEFAULT)).unwrap();
    let documents =
        corpus::cases().into_iter().filter(|case| case.is_valid && case.manifest["metadata"]["name"].is_string());
    let of_documents = documents.map(|case| {
        let mut backup = case.manifest;
        backup["metadata"]["namespace"] = json!("databases");
        backup["metadata"]["uid"] = json!("6f2b1c9e-0d4a-4f4e-9d58-0a3b6c7d8e9f");
        (case.name, backup, default.cluster.clone().unwrap())
    });
    let mut seen = HashSet::new();
    let all = of_cases.chain(of_documents).filter_map(|(name, mut backup, mut cluster)| {
        let metadata = backup["metadata"].as_object_mut()?;
        metadata.retain(|field, _| ["name", "namespace", "uid"].contains(&field.as_str()));
        backup.as_object_mut()?.remove("status");
        cluster["metadata"].as_object_mut()?.remove("managedFields");
        let manifest = manifest_now(&backup, &cluster, version).ok()?;
        seen.insert(manifest.clone()).then_some(Fixture { name, backup, cluster, manifest })
    });
    all.collect()
}
