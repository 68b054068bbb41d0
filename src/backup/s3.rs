//! Reads a backup back from S3.
#![allow(clippy::disallowed_methods, reason = "the shell has a clock")]

use super::{
    credentials::StorageKeys,
    mask::Mask,
    read_back::{Destination, Finding, LARGEST_METADATA, Size},
};
use crate::proxy::Proxies;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreExt, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    client::{HttpClient, HttpConnector},
    path::Path,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{error::Error as _, sync::Arc, time::Duration};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// Timeout for reading a backup back.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Where AWS is, for the choice of a proxy.
const AWS: &str = "https://s3.amazonaws.com";

/// The default region of an object storage other than AWS.
const DEFAULT_REGION: &str = "us-east-1";

/// Number of tables that are read concurrently.
const AT_ONCE: usize = 8;

/// Memory for metadata, in bytes: one object of the largest size, or many of the usual size.
const ROOM: u64 = LARGEST_METADATA;

const CONNECT: Duration = Duration::from_secs(10);
const REQUEST: Duration = Duration::from_secs(20);

/// Reads the metadata of backup `id` and sums the sizes of its objects. The backup must contain all of `tables`, and each
/// of their shards a payload.
///
/// # Errors
/// Returns what is missing, or why the backup could not be read.
pub async fn read_back(
    destination: &Destination,
    keys: &StorageKeys,
    id: &str,
    tables: &[String],
    mask: &Mask,
) -> Result<Size, Finding> {
    let store = store(destination, keys, mask)?;
    let room = Semaphore::new(usize::try_from(ROOM).unwrap_or(Semaphore::MAX_PERMITS));
    let reader = Reader { store, destination, mask, room };
    match tokio::time::timeout(LIMIT, reader.size_of(id, tables)).await {
        Ok(read) => read,
        Err(_) => Err(Finding::Unreadable(format!("it took longer than {} s", LIMIT.as_secs()))),
    }
}

struct Reader<'a> {
    store: AmazonS3,
    destination: &'a Destination,
    mask: &'a Mask,
    /// Has a permit for each byte of [`ROOM`].
    room: Semaphore,
}

/// A metadata object. Holds its permits until it is dropped.
struct Metadata<'a> {
    bytes: Vec<u8>,
    _room: SemaphorePermit<'a>,
}

impl Reader<'_> {
    async fn size_of(&self, id: &str, tables: &[String]) -> Result<Size, Finding> {
        let what = "the backup's metadata";
        let metadata = self.metadata(&self.destination.metadata_key(id), what).await?;
        let metadata = metadata.map_err(|error| self.unreadable(what, &error))?;
        let keys = self.destination.table_keys(&metadata.bytes, id, tables)?;
        // Return the permits, which the tables need.
        drop(metadata);
        let sizes = stream::iter(keys).map(|(table, key)| async move { self.size_of_table(table, &key).await });
        sizes.buffer_unordered(AT_ONCE).try_fold(Size::default(), |all, size| async move { Ok(all + size) }).await
    }

    async fn size_of_table(&self, table: &str, key: &str) -> Result<Size, Finding> {
        let what = format!("the metadata of table {table:?}");
        let metadata = match self.metadata(key, &what).await? {
            Ok(metadata) => metadata,
            Err(Error::NotFound { .. }) => return Err(Finding::no_metadata(table)),
            Err(error) => return Err(self.unreadable(&what, &error)),
        };
        let prefixes = self.destination.snapshot_prefixes(&metadata.bytes, table)?;
        // Return the permits, which other tables need.
        drop(metadata);
        let mut all = Size::default();
        for prefix in prefixes {
            let size = self.size_below(&prefix, &format!("the payload of table {table:?}")).await?;
            if size.objects == 0 {
                return Err(Finding::no_payload(table));
            }
            all = all + size;
        }
        Ok(all)
    }

    /// Returns the size of the objects below a path, or of the object with that path.
    async fn size_below(&self, prefix: &str, what: &str) -> Result<Size, Finding> {
        let path = parsed(prefix)?;
        let mut size = Size::default();
        let mut objects = self.store.list(Some(&path));
        while let Some(object) = objects.next().await {
            let object = object.map_err(|error| self.unreadable(what, &error))?;
            // Skip directory markers, which some tools create: they are no payload.
            if object.location != path {
                size = size + Size { objects: 1, bytes: object.size };
            }
        }
        if size.objects > 0 {
            return Ok(size);
        }
        match self.store.head(&path).await {
            Ok(object) if object.size > 0 => Ok(Size { objects: 1, bytes: object.size }),
            Ok(_) | Err(Error::NotFound { .. }) => Ok(size),
            Err(error) => Err(self.unreadable(what, &error)),
        }
    }

    /// Reads a metadata object. The inner error is that of the request.
    async fn metadata(&self, key: &str, what: &str) -> Result<Result<Metadata<'_>, Error>, Finding> {
        let too_large = || {
            let most = LARGEST_METADATA / 1024 / 1024;
            Finding::Unreadable(format!("{what} is larger than {most} MiB"))
        };
        let object = match self.store.get(&parsed(key)?).await {
            Ok(object) => object,
            Err(error) => return Ok(Err(error)),
        };
        let size = object.meta.size;
        if size > LARGEST_METADATA {
            return Err(too_large());
        }
        let closed = |_| Finding::Unreadable(format!("{what} can't be read: there is no room for it"));
        let room = self.room.acquire_many(u32::try_from(size).unwrap_or(u32::MAX)).await.map_err(closed)?;
        let mut chunks = object.into_stream();
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| self.unreadable(what, &error))?;
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > size {
                return Err(Finding::Unreadable(format!("{what} is larger than the storage says")));
            }
        }
        Ok(Ok(Metadata { bytes, _room: room }))
    }

    /// Returns why something cannot be read. The text is the same for every backup: it contains neither the backup's id,
    /// which is part of the keys, nor request-specific text of S3.
    fn unreadable(&self, what: &str, error: &Error) -> Finding {
        let bucket = &self.destination.bucket;
        let code = s3_code(&error.to_string()).map(|code| format!(" ({})", self.mask.foreign(&code)));
        let code = code.unwrap_or_default();
        Finding::Unreadable(match error {
            Error::NotFound { .. } => format!("{what} is not found in bucket {bucket:?}{code}"),
            Error::PermissionDenied { .. } => format!("reading {what} in bucket {bucket:?} is forbidden{code}"),
            Error::Unauthenticated { .. } => format!("the storage does not accept the keys{code}"),
            _ if !code.is_empty() => format!("the storage refuses to read {what} in bucket {bucket:?}{code}"),
            other => format!("the storage can't be read: {}", self.mask.foreign(&innermost(other))),
        })
    }
}

impl std::ops::Add for Size {
    type Output = Size;

    fn add(self, other: Size) -> Size {
        Size { objects: self.objects + other.objects, bytes: self.bytes.saturating_add(other.bytes) }
    }
}

/// Parses a key. Rejects a key that the client would normalize: Antfly does not write such keys.
fn parsed(key: &str) -> Result<Path, Finding> {
    Path::parse(key).map_err(|_| Finding::Unreadable(format!("the key {key:?} has a form that is not known")))
}

fn store(destination: &Destination, keys: &StorageKeys, mask: &Mask) -> Result<AmazonS3, Finding> {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(200),
        max_backoff: Duration::from_secs(5),
        ..Default::default()
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&destination.bucket)
        .with_region(keys.region.as_deref().unwrap_or(DEFAULT_REGION))
        .with_access_key_id(&keys.access_key_id)
        .with_secret_access_key(&keys.secret_access_key)
        .with_allow_http(true)
        .with_virtual_hosted_style_request(false)
        .with_retry(RetryConfig { backoff, max_retries: 3, retry_timeout: LIMIT / 2 })
        .with_http_connector(Connector {
            roots: authorities(keys.ca_bundle.as_deref())?,
            proxies: proxies(keys, mask)?,
        });
    if let Some(endpoint) = &keys.endpoint {
        builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
    }
    builder.build().map_err(|error| Finding::Unreadable(mask.foreign(&format!("the storage can't be read: {error}"))))
}

/// Returns the authorities that the storage's certificate may be of: the bundled ones, because the image has none, and those
/// of `spec.destination.caBundle`.
fn authorities(ca_bundle: Option<&str>) -> Result<RootCertStore, Finding> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(TLS_SERVER_ROOT_CERTS.iter().cloned());
    let Some(bundle) = ca_bundle else { return Ok(roots) };
    let unusable = |why: String| Finding::Unreadable(format!("spec.destination.caBundle: {why}"));
    let mut number = 0;
    for certificate in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
        number += 1;
        let certificate = certificate.map_err(|error| unusable(format!("its PEM cannot be read: {error}")))?;
        roots.add(certificate).map_err(|error| unusable(format!("certificate {number} cannot be used: {error}")))?;
    }
    if number == 0 {
        return Err(unusable("the key of the ConfigMap has no certificate in PEM form (BEGIN CERTIFICATE)".to_owned()));
    }
    Ok(roots)
}

/// Creates the HTTP client.
#[derive(Debug)]
struct Connector {
    roots: RootCertStore,
    proxies: Proxies,
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let generic = |error: Box<dyn std::error::Error + Send + Sync>| Error::Generic { store: "S3", source: error };
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| generic(error.into()))?
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        let proxies = self.proxies.clone();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .no_proxy()
            .proxy(reqwest::Proxy::custom(move |url| proxies.proxy_for(url).ok().flatten()))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(REQUEST)
            .user_agent(concat!("antfly-backup-operator/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| generic(error.into()))?;
        Ok(HttpClient::new(client))
    }
}

/// Returns the proxies of the environment, as the operator reads them.
fn proxies(keys: &StorageKeys, mask: &Mask) -> Result<Proxies, Finding> {
    let proxies = Proxies::from_environment(|name| std::env::var(name).ok());
    let server = Url::parse(keys.endpoint.as_deref().unwrap_or(AWS));
    let tried = server.map(|server| proxies.proxy_for(&server));
    match tried {
        Ok(Err(error)) => Err(Finding::Unreadable(mask.foreign(&format!("the storage can't be read: {error}")))),
        // the client says what is wrong with the endpoint
        Ok(Ok(_)) | Err(_) => Ok(proxies),
    }
}

/// Returns the code of an XML error of S3. The client offers it only as part of the text.
fn s3_code(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    Some(code.to_owned())
}

/// Returns the text of an error's innermost source.
fn innermost(error: &Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let outer = error.source().map(ToString::to_string).unwrap_or_default();
    let text = innermost.to_string();
    if text.is_empty() { outer } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bundle: &str) -> String {
        match authorities(Some(bundle)) {
            Err(Finding::Unreadable(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bundle_without_a_usable_certificate_is_refused() {
        let none =
            "spec.destination.caBundle: the key of the ConfigMap has no certificate in PEM form (BEGIN CERTIFICATE)";
        assert_eq!(refusal(""), none);
        assert_eq!(refusal("a word"), none);
        assert_eq!(refusal("-----BEGIN PRIVATE KEY-----\nYQ==\n-----END PRIVATE KEY-----\n"), none);
        let broken = refusal("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n");
        assert!(broken.starts_with("spec.destination.caBundle: its PEM cannot be read: "), "{broken}");
        let cut = refusal("-----BEGIN CERTIFICATE-----\nYQ==\n");
        assert!(cut.starts_with("spec.destination.caBundle: its PEM cannot be read: "), "{cut}");
        let other = refusal("-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n");
        assert!(other.starts_with("spec.destination.caBundle: certificate 1 cannot be used: "), "{other}");
    }

    #[test]
    fn the_code_of_an_error_is_found() {
        let text = "Client error: <?xml?><Error><Code>AccessDenied</Code><RequestId>1</RequestId></Error>";
        assert_eq!(s3_code(text), Some("AccessDenied".to_owned()));
        assert_eq!(s3_code("refused"), None);
    }
}
