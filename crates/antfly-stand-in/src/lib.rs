//! A stand-in for Antfly's backup API, for tests and the demo: an HTTP server that behaves like a server of June 2026 or of
//! today. It has no data; [`Table`] has the size of a backup's payload.
//!
//! [`StandIn::start`] runs it inside another program; the binary `antfly-stand-in` runs it from the command line.
//! [`Settings`] define the generation of servers ([`Profile`]), the tables, who may log in, where backups are written, and
//! what goes wrong ([`Fault`], [`TableFault`]).
//!
//! [`ANTFLY_CLUSTER_CRD`] and [`EXAMPLE_CLUSTERS`] stand in for what Antfly's cluster operator brings to Kubernetes.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a server that waits and has a clock; the wall is for the operator's pure core"
)]

mod answer;
mod backup;
mod cluster;
mod connection;
mod fault;
mod listing;
mod location;
mod login;
mod request;
mod server;
mod settings;
mod storage;
mod wire;

use std::{
    net::SocketAddr,
    sync::{Arc, mpsc},
};

use anyhow::{Context, Result, anyhow};
use tokio::{net::TcpListener, runtime::Runtime};

pub use cluster::{ANTFLY_CLUSTER_CRD, ANTFLY_CLUSTER_CRD_NAME, ANTFLY_RESTORE_CRD, EXAMPLE_CLUSTERS};
pub use fault::{Call, Cut, Fault, FaultRule, GARBAGE_BYTES, Refusal, TableError, TableFault};
pub use listing::ListedBackup;
pub use request::{Port, Request};
pub use settings::{Connection, Login, Profile, Role, S3Destination, Settings, Table};

use location::Location;
use server::Server;

/// A running stand-in with its own threads. Dropping it stops it and closes its connections.
#[derive(Debug)]
pub struct StandIn {
    server: Arc<Server>,
    address: SocketAddr,
    metadata_address: Option<SocketAddr>,
    runtime: Option<Runtime>,
}

impl StandIn {
    /// Starts a stand-in. It is listening when this returns.
    ///
    /// # Errors
    /// Returns an error if it cannot listen at an address.
    pub fn start(settings: Settings) -> Result<Self> {
        // Ignore the error: the program has chosen another provider, which is good enough.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .thread_name("antfly-stand-in")
            .build()
            .context("start the threads of the stand-in")?;
        let (listen, metadata_listen) = (settings.listen, settings.metadata_listen);
        let server = Arc::new(Server::new(settings));
        let bind = |address: SocketAddr, port: Port| -> Result<SocketAddr> {
            let listener = std::net::TcpListener::bind(address).with_context(|| format!("listen at {address}"))?;
            listener.set_nonblocking(true).context("make a listener non-blocking")?;
            let bound = listener.local_addr().context("ask for the address of a listener")?;
            let _inside = runtime.enter();
            let listener = TcpListener::from_std(listener).context("use a listener")?;
            runtime.spawn(Arc::clone(&server).serve(listener, port));
            Ok(bound)
        };
        let address = bind(listen, Port::Api)?;
        let metadata_address = metadata_listen.map(|listen| bind(listen, Port::Metadata)).transpose()?;
        Ok(Self { server, address, metadata_address, runtime: Some(runtime) })
    }

    /// Returns the address of the API.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of the API, such as `http://127.0.0.1:12380`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the address of the metadata port, if the settings have one.
    pub fn metadata_address(&self) -> Option<SocketAddr> {
        self.metadata_address
    }

    /// Returns all requests in the order of their arrival, including those that are not answered yet.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests.lock().clone()
    }

    /// Returns how many backups were given up because their client disconnected. Only today's servers do that.
    pub fn given_up(&self) -> usize {
        *self.server.given_up.lock()
    }

    /// Returns whether the server is running. A location `gs://` crashes a June server.
    pub fn is_running(&self) -> bool {
        !*self.server.has_ended.borrow()
    }

    /// Waits until the server has ended. Dropping it does not wait.
    pub async fn ended(&self) {
        // An error means that it has ended, too.
        let _ = self.server.has_ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Changes the settings for later requests. Addresses and storage stay as they are.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.server.settings.write());
    }

    /// Returns the backups at a location, as a server without faults lists them.
    ///
    /// Blocks.
    ///
    /// # Errors
    /// Returns an error if the location is invalid or the storage cannot be read.
    pub fn backups(&self, location: &str) -> Result<Vec<ListedBackup>> {
        let location = located(location)?;
        let server = Arc::clone(&self.server);
        self.wait_for(async move {
            let place = server.storage.place(&location, "")?;
            listing::list(Profile::Today, &location, &place).await.map_err(|refusal| anyhow!(refusal.body))
        })
    }

    /// Writes an object below a location, such as one that another program left there.
    ///
    /// Blocks.
    ///
    /// # Errors
    /// Returns an error if the location is invalid or the storage cannot be written.
    pub fn put_object(&self, location: &str, name: &str, content: Vec<u8>) -> Result<()> {
        let (location, name) = (located(location)?, name.to_owned());
        let server = Arc::clone(&self.server);
        self.wait_for(async move { server.storage.place(&location, "")?.put(&name, content.into()).await })
    }

    /// Returns an object below a location, or `None` if it does not exist.
    ///
    /// Blocks.
    ///
    /// # Errors
    /// Returns an error if the location is invalid or the storage cannot be read.
    pub fn object(&self, location: &str, name: &str) -> Result<Option<Vec<u8>>> {
        let (location, name) = (located(location)?, name.to_owned());
        let server = Arc::clone(&self.server);
        self.wait_for(async move {
            let content = server.storage.place(&location, "")?.get(&name).await?;
            Ok(content.map(|content| content.to_vec()))
        })
    }

    /// Runs a future in the stand-in's threads. Unlike `block_on`, it may be called from anywhere.
    fn wait_for<T: Send + 'static>(&self, future: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let runtime = self.runtime.as_ref().context("the stand-in has ended")?;
        let (sender, receiver) = mpsc::channel();
        runtime.spawn(async move {
            // Ignore the error: the caller no longer waits.
            let _ = sender.send(future.await);
        });
        receiver.recv().context("the stand-in has ended")?
    }
}

fn located(location: &str) -> Result<Location> {
    Location::parse(location).map_err(|refusal| anyhow!("{location}: {}", refusal.body))
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.server.has_ended.send_replace(true);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
