//! Breaking edits: what worked is refused, or is answered differently.

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};

use crate::{
    edits::{Edit, Probe, Witness},
    installed::{Answer, Installed, NO_ANSWER},
    merged,
};

/// Proves that an edit breaks what its witness says.
pub async fn breaks(installed: Installed, edit: &Edit) -> Result<()> {
    let probe = match edit.witness.as_ref().context("a witness")? {
        Witness::Definition(_) => {
            return match installed.update().await {
                Err(_) => Ok(()),
                Ok(_) => Err(anyhow!("the API server accepts the definition")),
            };
        }
        Witness::Probe(probe) => probe,
    };
    let stored = probe.read.as_ref().or(probe.object.as_ref()).cloned().unwrap_or_else(|| json!({}));
    let stored = installed.object("stored", &stored);
    write(&installed, &stored).await.map_err(|error| anyhow!("the object to be read: {error}"))?;

    let before = ask(&installed, probe, "before", false).await;
    let before = match (before, probe.newly.is_some()) {
        (Ok(before), false) => Some(before),
        (Err(_), true) => None,
        (Ok(_), true) => return Err(anyhow!("what should be refused before is accepted")),
        (Err(error), false) => return Err(anyhow!("it does not work before: {error}")),
    };
    installed.update().await.map_err(|error| anyhow!("the new definition is refused: {error}"))?;
    let attempts = std::sync::atomic::AtomicUsize::new(0);
    installed
        .wait("what worked is refused or different", async || {
            let attempt = attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let after = ask(&installed, probe, &format!("after-{attempt}"), true).await;
            match (&before, after) {
                (Some(before), Ok(after)) => *before != after,
                (Some(_), Err(error)) => !error.starts_with(NO_ANSWER),
                (None, after) => after.is_ok(),
            }
        })
        .await?;
    ensure!(!edit.rules().is_empty(), "a breaking edit has a rule");
    Ok(())
}

/// Sends the request of a probe. Returns what of the answer users notice.
async fn ask(installed: &Installed, probe: &Probe, name: &str, is_after: bool) -> Answer {
    if let Some(changes) = probe.write.as_ref().or(probe.newly.as_ref()) {
        let mut object = installed.object(name, changes);
        if let Some(pointer) = &probe.nulled {
            let (parent, key) = pointer.rsplit_once('/').ok_or("a pointer")?;
            object.pointer_mut(parent).ok_or("a parent")?[key] = Value::Null;
        }
        return write(installed, &object).await.map(content);
    }
    if let Some(changes) = &probe.create {
        return installed.create(&installed.object(name, changes), "").await.map(content);
    }
    if let Some([first, second]) = &probe.apply {
        installed.apply(&installed.object(name, first), "first").await?;
        let types = json!({"spec": {"clusterRef": null, "schedule": null, "destination": null}});
        let second = merged(merged(installed.object(name, &json!({})), &types), second);
        return installed.apply(&second, "second").await.map(content);
    }
    if let Some(path) = &probe.table {
        return installed.table(path).await.map(|table| printed(&table));
    }
    if let Some(path) = &probe.get {
        return installed.get(path).await.map(content);
    }
    let stored = "v1/namespaces/default/antflybackups/stored";
    if let Some(changes) = probe.rewrite.as_ref().filter(|_| is_after) {
        let object = merged(installed.get(stored).await?, changes);
        installed.replace("v1", &object, "").await?;
    }
    if let Some(version) = probe.through.as_ref().filter(|_| is_after) {
        let object = installed.get(&stored.replacen("v1", version, 1)).await?;
        installed.replace(version, &merged(object, &json!({"metadata": {"labels": {"a": "b"}}})), "").await?;
    }
    installed.get(stored).await.map(content)
}

/// Writes an object, and then its status if it has one.
async fn write(installed: &Installed, object: &Value) -> Answer {
    let created = installed.create(object, "").await?;
    match object.get("status") {
        None => Ok(created),
        Some(status) => installed.replace("v1", &merged(created, &json!({ "status": status })), "/status").await,
    }
}

/// Returns the columns of a table and what is in them, but for ages, which change by themselves.
fn printed(table: &Value) -> Value {
    let columns = table["columnDefinitions"].as_array().cloned().unwrap_or_default();
    let rows = table["rows"].as_array().into_iter().flatten();
    let cells = rows.map(|row| {
        let cells = columns.iter().zip(row["cells"].as_array().into_iter().flatten());
        cells.filter(|(column, _)| column["type"] != "date").map(|(_, cell)| cell.clone()).collect::<Vec<_>>()
    });
    let cells: Vec<_> = cells.collect();
    json!({ "columns": columns, "cells": cells })
}

/// Returns an answer without what differs from one object to the next.
fn content(mut answer: Value) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("metadata");
        fields.remove("items");
    }
    answer
}
