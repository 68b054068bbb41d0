//! Stores the objects of backups: on an S3 server, in a directory, or in memory.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{
    ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig, aws::AmazonS3Builder, local::LocalFileSystem,
    memory::InMemory, path::Path,
};
use parking_lot::Mutex;

use crate::{
    location::{Location, Scheme},
    settings::S3Destination,
};

/// Timeout for a request to the storage, including retries.
const LIMIT: Duration = Duration::from_secs(30);

/// Hosts that no proxy is asked for: all, by name and by address.
const ALL_HOSTS: &str = "*,0.0.0.0/0,::/0";

/// All storage of a stand-in.
#[derive(Debug)]
pub(crate) struct Storage {
    memory: Arc<dyn ObjectStore>,
    /// For keys with `//`, which object_store does not support and Antfly never lists.
    unlisted: Arc<dyn ObjectStore>,
    s3: Option<S3Destination>,
    buckets: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
    directory: Option<PathBuf>,
}

/// The storage of one location.
#[derive(Debug)]
pub(crate) struct Place {
    store: Arc<dyn ObjectStore>,
    prefix: String,
}

impl Storage {
    pub(crate) fn new(s3: Option<S3Destination>, directory: Option<PathBuf>) -> Self {
        Self {
            memory: Arc::new(InMemory::new()),
            unlisted: Arc::new(InMemory::new()),
            s3,
            buckets: Mutex::default(),
            directory,
        }
    }

    /// Returns the place of a location. `root` is the directory of the connection, or empty.
    pub(crate) fn place(&self, location: &Location, root: &str) -> Result<Place> {
        let Location { scheme, bucket, path, .. } = location;
        let in_memory = || Place {
            store: Arc::clone(&self.memory),
            prefix: format!("{}/{bucket}/{root}/{path}", scheme.protocol()),
        };
        if location.is_unlisted() {
            return Ok(Place { store: Arc::clone(&self.unlisted), ..in_memory() });
        }
        Ok(match (scheme, &self.s3, &self.directory) {
            (Scheme::S3, Some(s3), _) => Place { store: self.bucket(s3, bucket)?, prefix: path.clone() },
            (Scheme::File, _, Some(directory)) => {
                let store = LocalFileSystem::new_with_prefix(directory)
                    .with_context(|| format!("use the directory {}", directory.display()))?;
                Place { store: Arc::new(store), prefix: format!("{root}/{path}") }
            }
            _ => in_memory(),
        })
    }

    fn bucket(&self, s3: &S3Destination, bucket: &str) -> Result<Arc<dyn ObjectStore>> {
        let mut buckets = self.buckets.lock();
        if let Some(store) = buckets.get(bucket) {
            return Ok(Arc::clone(store));
        }
        let store = AmazonS3Builder::new()
            // a proxy that is never asked keeps that of the environment from being asked
            .with_client_options(
                ClientOptions::new().with_proxy_url("http://proxy.invalid").with_proxy_excludes(ALL_HOSTS),
            )
            .with_endpoint(&s3.endpoint)
            .with_access_key_id(&s3.access_key)
            .with_secret_access_key(&s3.secret_key)
            .with_region(&s3.region)
            .with_bucket_name(bucket)
            .with_allow_http(true)
            .with_virtual_hosted_style_request(false)
            .with_retry(RetryConfig { max_retries: 0, retry_timeout: LIMIT, ..RetryConfig::default() })
            .build()
            .with_context(|| format!("make a client for the bucket {bucket}"))?;
        let store: Arc<dyn ObjectStore> = Arc::new(store);
        buckets.insert(bucket.to_owned(), Arc::clone(&store));
        Ok(store)
    }
}

impl Place {
    /// Writes an object. Replaces an existing one.
    pub(crate) async fn put(&self, name: &str, content: Bytes) -> Result<()> {
        let key = self.key(name)?;
        self.store.put(&key, content.into()).await.with_context(|| format!("write {key}"))?;
        Ok(())
    }

    /// Reads an object. Returns `None` if it does not exist.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Bytes>> {
        let key = self.key(name)?;
        match self.store.get(&key).await {
            Ok(found) => Ok(Some(found.bytes().await.with_context(|| format!("read {key}"))?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("read {key}")),
        }
    }

    /// Returns the names of all objects below the place, sorted.
    pub(crate) async fn names(&self) -> Result<Vec<String>> {
        let prefix = self.key("")?;
        let objects: Vec<_> = self.store.list(Some(&prefix)).try_collect().await.context("list objects")?;
        let mut names: Vec<String> = objects
            .iter()
            .filter_map(|object| object.location.as_ref().strip_prefix(prefix.as_ref()))
            .map(|name| name.trim_start_matches('/').to_owned())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Returns the key of a name. `..` can leave the place, but not the store.
    fn key(&self, name: &str) -> Result<Path> {
        let mut parts: Vec<&str> = Vec::new();
        for part in self.prefix.split('/').chain(name.split('/')) {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let key = parts.join("/");
        Path::parse(&key).with_context(|| format!("{key:?} is no key"))
    }
}
