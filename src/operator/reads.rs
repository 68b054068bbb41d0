//! Reads of single objects that no watch has.

use super::{write_error::WriteError, writes::within_limit};
use crate::cluster::{
    stored::{StoredBackup, WholeBackup},
    views::{JobView, WholeJob},
};
use futures::{StreamExt, TryStreamExt, stream};
use kube::{Api, Client, api::ListParams};
use std::collections::BTreeSet;

/// How many reads go on at a time.
const AT_A_TIME: usize = 4;

/// Returns those of the Jobs that exist. Each is a list of one name, which the permission for the watch includes.
///
/// # Errors
/// Returns an error if the API server does not answer one of them, or refuses it.
pub async fn jobs(client: &Client, namespace: &str, names: &BTreeSet<String>) -> Result<Vec<JobView>, WriteError> {
    let api = Api::<WholeJob>::namespaced(client.clone(), namespace);
    let reads = names.iter().map(async |name| {
        let of_name = ListParams::default().fields(&format!("metadata.name={name}"));
        let jobs = within_limit(api.list(&of_name)).await?.items;
        let mut jobs: Vec<_> = jobs.into_iter().map(|job| job.0).collect();
        jobs.retain(|job| job.name() == name);
        Ok(jobs)
    });
    stream::iter(reads).buffered(AT_A_TIME).try_concat().await
}

/// Returns a backup with all that is read of it, if it exists. It is a list of one name, too.
///
/// # Errors
/// Returns an error if the API server does not answer, or refuses it.
pub async fn backup(client: &Client, namespace: &str, name: &str) -> Result<Option<StoredBackup>, WriteError> {
    let of_name = ListParams::default().fields(&format!("metadata.name={name}"));
    let api = Api::<WholeBackup>::namespaced(client.clone(), namespace);
    let backups = within_limit(api.list(&of_name)).await?.items;
    Ok(backups.into_iter().map(|backup| backup.0).find(|backup| backup.name() == name))
}
