//! What all parts of a node share.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::Duration,
};

use anyhow::{Context, Result};
use kube::Client;
use parking_lot::{Mutex, MutexGuard};
use tokio::{
    net::TcpSocket,
    sync::{mpsc, watch},
};

use super::{
    environment::Variables, event::Event, images::Images, process::Process, services::Services, settings::Settings,
};

/// Settings and state of a node.
pub(super) struct Shared {
    pub(super) client: Client,
    /// Name of the Node object.
    pub(super) name: String,
    pub(super) directory: PathBuf,
    pub(super) images: Images,
    pub(super) services: Services,
    pub(super) back_off: Duration,
    /// The variables by which containers find the API server.
    pub(super) cluster_variables: Variables,
    pub(super) is_paused: watch::Sender<bool>,
    pub(super) refusing: Refusing,
    workers: Mutex<HashMap<String, Worker>>,
    processes: Mutex<Processes>,
}

/// How to reach the worker of a Pod.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) events: mpsc::UnboundedSender<Event>,
}

#[derive(Debug, Default)]
struct Processes {
    is_closed: bool,
    started: Vec<Weak<Process>>,
}

/// A loopback address that no process can listen on: its socket stays bound.
#[derive(Debug)]
pub(super) struct Refusing {
    _socket: TcpSocket,
    pub(super) address: SocketAddr,
}

impl Refusing {
    pub(super) fn reserve() -> Result<Self> {
        let reserve = || -> io::Result<Self> {
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
            let address = socket.local_addr()?;
            Ok(Self { _socket: socket, address })
        };
        reserve().context("reserve a loopback port on which no process listens")
    }
}

impl Shared {
    pub(super) fn new(client: Client, settings: Settings, cluster_variables: Variables, refusing: Refusing) -> Self {
        let Settings { name, directory, images, services, back_off, selector: _ } = settings;
        Self {
            client,
            name,
            directory,
            images,
            services,
            back_off,
            cluster_variables,
            is_paused: watch::Sender::new(false),
            refusing,
            workers: Mutex::default(),
            processes: Mutex::default(),
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        *self.is_paused.borrow()
    }

    /// Returns the directory of a container's logs.
    pub(super) fn container_directory(&self, pod: [&str; 3], container: &str) -> PathBuf {
        self.directory.join(pod.join("_")).join(container)
    }

    /// Returns the workers of the Pods, by their UIDs.
    pub(super) fn workers(&self) -> MutexGuard<'_, HashMap<String, Worker>> {
        self.workers.lock()
    }

    /// Starts a process, unless the node has ended.
    pub(super) fn start(
        &self,
        command: std::process::Command,
        log: &Path,
        on_end: impl FnOnce(i32) + Send + 'static,
    ) -> io::Result<Arc<Process>> {
        let mut processes = self.processes.lock();
        if processes.is_closed {
            return Err(io::Error::other("the node has ended"));
        }
        let process = Arc::new(Process::start(command, log, on_end)?);
        processes.started.retain(|process| process.strong_count() > 0);
        processes.started.push(Arc::downgrade(&process));
        Ok(process)
    }

    /// Kills all processes. No other starts afterwards.
    pub(super) fn close(&self) {
        let mut processes = self.processes.lock();
        processes.is_closed = true;
        for process in processes.started.drain(..).filter_map(|process| process.upgrade()) {
            process.kill();
        }
    }
}
