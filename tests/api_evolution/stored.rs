//! Compatible edits: what was accepted is, and what is stored reads and writes back unchanged.

use anyhow::{Context, Result, anyhow, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use crate::{
    corpus::Case,
    edits::Edit,
    installed::{Answer, Installed},
    merged,
};

/// How many requests are under way for one edit.
const AT_A_TIME: usize = 4;

/// What begins the names of the stored objects.
const STORED: &str = "stored-";

/// Proves that an edit breaks nothing.
pub async fn is_compatible(installed: Installed, edit: &Edit, corpus: &[Case]) -> Result<()> {
    let valid: Vec<_> = corpus.iter().filter(|case| case.is_valid).collect();
    store(&installed, &valid).await?;
    let before = objects(&installed, "v1").await?;
    ensure!(before.len() == valid.len(), "{} of {} objects are stored", before.len(), valid.len());
    if let Some(gains) = &edit.gains {
        ensure!(gain(&installed, "gains-before", gains).await.is_err(), "what it should gain is accepted before");
    }

    installed.update_and_wait().await?;

    for version in installed.served() {
        let after = objects(&installed, &version).await?;
        ensure!(after.len() == before.len(), "{version} has {} of {} objects", after.len(), before.len());
        for (before, after) in before.iter().zip(&after) {
            let before = merged(before.clone(), &json!({ "apiVersion": after["apiVersion"] }));
            ensure!(before == *after, "a stored object reads differently in {version}:\n{before}\n{after}");
        }
    }
    let written = before.iter().map(|object| write_back(&installed, object));
    stream::iter(written).buffer_unordered(AT_A_TIME).try_collect::<()>().await?;
    let accepted = valid.iter().map(|case| is_accepted(&installed, case));
    stream::iter(accepted).buffer_unordered(AT_A_TIME).try_collect::<()>().await?;
    if let Some(gains) = &edit.gains {
        gain(&installed, "gains-after", gains)
            .await
            .map_err(|error| anyhow!("what it should gain is refused: {error}"))?;
    }
    Ok(())
}

/// Stores the valid manifests of the corpus, under names of their own.
async fn store(installed: &Installed, valid: &[&Case]) -> Result<()> {
    let stored = valid.iter().enumerate().map(async |(index, case)| -> Result<bool> {
        let mut object = of_the_group(installed, &case.manifest);
        let labels = object["metadata"]["labels"].clone();
        object["metadata"] = json!({"name": format!("{STORED}{index:03}"), "namespace": "default", "labels": labels});
        let created = installed.create(&object, "").await.map_err(|error| anyhow!("{}: {error}", case.name))?;
        if let Some(status) = object.get("status").filter(|status| status.is_object()) {
            // some have a status that nobody may write, which the API server drops from what users write
            let with_status = merged(created, &json!({ "status": status }));
            return Ok(installed.replace("v1", &with_status, "/status").await.is_ok());
        }
        Ok(false)
    });
    let has_status: Vec<bool> = stream::iter(stored).buffer_unordered(AT_A_TIME).try_collect().await?;
    ensure!(has_status.contains(&true), "no object with a status is stored");
    Ok(())
}

/// Returns all objects, in the order of their names, without who wrote what.
async fn objects(installed: &Installed, version: &str) -> Result<Vec<Value>> {
    let list = installed.get(&format!("{version}/namespaces/default/antflybackups")).await;
    let mut list = list.map_err(|error| anyhow!("list {version}: {error}"))?;
    let items = list["items"].as_array_mut().context("a list")?.iter_mut().map(Value::take);
    let stored =
        items.filter(|object| object["metadata"]["name"].as_str().is_some_and(|name| name.starts_with(STORED)));
    Ok(stored.map(without_managers).collect())
}

/// An object that is written as it was read is what it was.
async fn write_back(installed: &Installed, object: &Value) -> Result<()> {
    let written = installed.replace("v1", object, "").await;
    let written = written.map_err(|error| anyhow!("an object cannot be written back: {error}\n{object}"))?;
    // where another version is stored, writing moves the object to it
    let resource_version = json!({"metadata": {"resourceVersion": null}});
    let (before, after) =
        (merged(object.clone(), &resource_version), merged(without_managers(written), &resource_version));
    ensure!(before == after, "an object is another after it was written back:\n{before}\n{after}");
    Ok(())
}

/// A manifest that was accepted is accepted, by a request that refuses unknown fields.
async fn is_accepted(installed: &Installed, case: &Case) -> Result<()> {
    let object = of_the_group(installed, &case.manifest);
    let answer = installed.create(&object, "?dryRun=All&fieldValidation=Strict").await;
    answer.map(|_| ()).map_err(|error| anyhow!("{} is refused: {error}", case.name))
}

async fn gain(installed: &Installed, name: &str, changes: &Value) -> Answer {
    let object = installed.object(name, changes);
    let created = installed.create(&object, "?fieldValidation=Strict").await?;
    match object.get("status") {
        None => Ok(created),
        Some(status) => installed.replace("v1", &merged(created, &json!({ "status": status })), "/status").await,
    }
}

fn of_the_group(installed: &Installed, manifest: &Value) -> Value {
    merged(manifest.clone(), &json!({ "apiVersion": format!("{}/v1", installed.group) }))
}

fn without_managers(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    object
}
