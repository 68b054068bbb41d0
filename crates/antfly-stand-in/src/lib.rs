//! A stand-in for Antfly's backup API: an HTTP server that answers as a server of June 2026 or of today does, for tests and
//! for the demo. It has no data; a backup's payload is as many bytes as [`Table`] says.
//!
//! [`StandIn::start`] runs it inside of another program; the binary `antfly-stand-in` is the same with a command line.
//! [`Settings`] say whom it imitates ([`Profile`]), which tables there are, who may log in, where backups are written, and
//! what goes wrong ([`Fault`], [`TableFault`]).
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a server that waits and tells the time; the wall is for the operator's pure core"
)]

mod answer;
mod backup;
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

pub use fault::{Call, Cut, Fault, FaultRule, GARBAGE_BYTES, Refusal, TableError, TableFault};
pub use listing::ListedBackup;
pub use request::{Port, Request};
pub use settings::{Connection, Login, Profile, Role, S3Destination, Settings, Table};

use location::Location;
use server::Server;

/// A stand-in that runs, in threads of its own. Dropping it ends it, with all its connections.
#[derive(Debug)]
pub struct StandIn {
    server: Arc<Server>,
    address: SocketAddr,
    metadata_address: Option<SocketAddr>,
    runtime: Option<Runtime>,
}

impl StandIn {
    /// Starts a stand-in, which listens when this returns.
    ///
    /// # Errors
    /// When an address can't be listened at.
    pub fn start(settings: Settings) -> Result<Self> {
        // fails if the program has chosen its provider already, which serves as well
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

    /// Address of the API.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// URL of the API, such as `http://127.0.0.1:12380`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Address of the metadata port, if the settings ask for one.
    pub fn metadata_address(&self) -> Option<SocketAddr> {
        self.metadata_address
    }

    /// The requests that came, in their order, also those that are not answered yet.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests.lock().clone()
    }

    /// How many backups were given up because their client went away, which only today's servers do.
    pub fn given_up(&self) -> usize {
        *self.server.given_up.lock()
    }

    /// Whether the server is still there: a location `gs://` ends one of June.
    pub fn is_running(&self) -> bool {
        !*self.server.has_ended.borrow()
    }

    /// Waits until the server has ended, which dropping it does not wait for.
    pub async fn ended(&self) {
        // an error is the end as well
        let _ = self.server.has_ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Changes the settings for the requests that come. Addresses and storage stay as they are.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.server.settings.write());
    }

    /// Returns the backups at a location, as a server that has no faults lists them.
    ///
    /// Blocks.
    ///
    /// # Errors
    /// When the location is none, or the storage can't be read.
    pub fn backups(&self, location: &str) -> Result<Vec<ListedBackup>> {
        let location = located(location)?;
        let server = Arc::clone(&self.server);
        self.wait_for(async move {
            let place = server.storage.place(&location, "")?;
            listing::list(Profile::Today, &location, &place).await.map_err(|refusal| anyhow!(refusal.body))
        })
    }

    /// Writes an object below a location, such as one that somebody else left there.
    ///
    /// Blocks.
    ///
    /// # Errors
    /// When the location is none, or the storage can't be written.
    pub fn put_object(&self, location: &str, name: &str, content: Vec<u8>) -> Result<()> {
        let (location, name) = (located(location)?, name.to_owned());
        let server = Arc::clone(&self.server);
        self.wait_for(async move { server.storage.place(&location, "")?.put(&name, content.into()).await })
    }

    /// Returns an object below a location; `None` if it is not there.
    ///
    /// Blocks.
    ///
    /// # Errors
    /// When the location is none, or the storage can't be read.
    pub fn object(&self, location: &str, name: &str) -> Result<Option<Vec<u8>>> {
        let (location, name) = (located(location)?, name.to_owned());
        let server = Arc::clone(&self.server);
        self.wait_for(async move {
            let content = server.storage.place(&location, "")?.get(&name).await?;
            Ok(content.map(|content| content.to_vec()))
        })
    }

    /// Runs a future in the stand-in's threads; unlike `block_on` it may be called from anywhere.
    fn wait_for<T: Send + 'static>(&self, future: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let runtime = self.runtime.as_ref().context("the stand-in has ended")?;
        let (sender, receiver) = mpsc::channel();
        runtime.spawn(async move {
            // nobody waits any more if this fails
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
