//! A real Kubernetes control plane on loopback: etcd, kube-apiserver (RBAC on) and kube-controller-manager.
//!
//! There are no nodes, so Pods are made but never run. Each [`ControlPlane`] has its own directory, port and data, so any
//! number of them may run at the same time; they share the programs, which are built once (see [`Binaries`]).
//!
//! What comes in: the programs. What goes out: kubeconfigs, clients, and processes whose logs are in the run's directory.
//! Nothing here knows what is deployed on it.

mod binaries;
mod certificates;
mod components;
mod kubeconfig;
mod programs;
mod ready;
mod run_directory;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, Result, bail};
use kube::{
    Client,
    config::{KubeConfigOptions, Kubeconfig},
};
use parking_lot::Mutex;
use tokio::net::TcpSocket;

use certificates::Certificates;
use components::{Components, ETCD_DATA};
use kubeconfig::Credentials;
use run_directory::RunDirectory;

use crate::{cache, process::ManagedProcess};

pub use binaries::Binaries;
pub use programs::{KUBERNETES, node_programs};

/// A running control plane; dropping it kills its processes and removes its directory.
///
/// When this process ends in any other way, the kernel kills the components (on Linux), and the next start, of whatever
/// process, removes the directory.
#[derive(Debug)]
pub struct ControlPlane {
    // Fields are dropped in this order: clients before servers, the directory last.
    controller_manager: Mutex<Option<ManagedProcess>>,
    api_server: Mutex<Option<ManagedProcess>>,
    etcd: Mutex<ManagedProcess>,
    components: Components,
    admin_kubeconfig: PathBuf,
    server: String,
    token_files: AtomicUsize,
    etcd_copies: AtomicUsize,
    _port: TcpSocket,
    directory: RunDirectory,
}

impl ControlPlane {
    /// Starts a control plane and waits until it serves: `/readyz` is ok, the namespaces `default` and `kube-system`
    /// exist, and so does the service account `default` of `default`.
    ///
    /// Builds the programs first if need be, which takes minutes the first time.
    ///
    /// # Errors
    /// When the programs can't be had, or a component ends or does not serve in time; the message quotes its log.
    pub async fn start() -> Result<Self> {
        let binaries =
            tokio::task::spawn_blocking(Binaries::locate_or_build).await.context("find or build the programs")??;
        let runs = cache::directory(KUBERNETES.name)?.join("runs");
        let directory = tokio::task::spawn_blocking(move || RunDirectory::create(&runs))
            .await
            .context("make a run directory")??;

        let (port_holder, port) = reserve_port().context("reserve a loopback port for the API server")?;
        let server = format!("https://127.0.0.1:{port}");
        let certificates_directory = make_directory(directory.path(), "certificates")?;
        let certificates = Certificates::create(&certificates_directory)?;
        let write_kubeconfig = |name: &str, files| {
            let path = directory.path().join(format!("{name}.kubeconfig"));
            kubeconfig::write(&path, &server, &certificates.authority, &Credentials::Certificate(files))?;
            anyhow::Ok(path)
        };
        let admin_kubeconfig = write_kubeconfig("admin", &certificates.admin)?;
        let controller_manager_kubeconfig = write_kubeconfig("controller-manager", &certificates.controller_manager)?;
        make_directory(directory.path(), "home")?;

        let components = Components {
            binaries,
            certificates,
            controller_manager_kubeconfig,
            directory: directory.path().to_owned(),
            port,
        };
        let etcd = spawn_in(&directory, "etcd", components.etcd())?;
        let control_plane = Self {
            controller_manager: Mutex::new(None),
            api_server: Mutex::new(None),
            etcd: Mutex::new(etcd),
            components,
            admin_kubeconfig,
            server,
            token_files: AtomicUsize::new(0),
            etcd_copies: AtomicUsize::new(0),
            _port: port_holder,
            directory,
        };
        control_plane.start_api_server().await?;
        control_plane.start_controller_manager().await?;
        control_plane.wait_for("the first namespaces and service account", ready::has_first_objects).await?;
        Ok(control_plane)
    }

    /// Returns the kubeconfig of a cluster administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.admin_kubeconfig
    }

    /// Returns the directory of this run: data, certificates, kubeconfigs, and a log `NAME.log` for each process.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the URL of the API server.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Returns the PEM file of the certificate authority that the API server's certificate is signed by.
    pub fn certificate_authority(&self) -> &Path {
        &self.components.certificates.authority
    }

    /// Returns a new client with an administrator's rights and connections of its own.
    ///
    /// # Errors
    /// When the kubeconfig can't be read.
    pub async fn client(&self) -> Result<Client> {
        client_for(&self.admin_kubeconfig).await
    }

    /// Writes a kubeconfig that presents `token`, such as one from a service account's `token` subresource. The file is
    /// in [`ControlPlane::directory`] and readable by its owner only.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn kubeconfig_for_token(&self, token: &str) -> Result<PathBuf> {
        let number = self.token_files.fetch_add(1, Ordering::Relaxed);
        let path = self.directory().join(format!("token-{number}.kubeconfig"));
        kubeconfig::write(&path, &self.server, self.certificate_authority(), &Credentials::Token(token))?;
        Ok(path)
    }

    /// Returns a command that runs kubectl as an administrator: see [`Binaries::kubectl`] for where it comes from and
    /// [`ControlPlane::command`] for its environment. Blocks if kubectl has to be built.
    ///
    /// # Errors
    /// When there is no kubectl and it can't be built.
    pub fn kubectl(&self) -> Result<Command> {
        Ok(self.command(&Binaries::kubectl()?))
    }

    /// `program` with `KUBECONFIG` set to an administrator's and `HOME` inside [`ControlPlane::directory`], so that it
    /// neither reads nor changes the user's own settings and caches.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("KUBECONFIG", &self.admin_kubeconfig).env("HOME", self.directory().join("home"));
        command
    }

    /// Starts `command` as a process that ends when this process does, its output in `NAME.log` of
    /// [`ControlPlane::directory`].
    ///
    /// # Errors
    /// When the program can't be started.
    pub fn spawn(&self, name: &str, command: Command) -> Result<ManagedProcess> {
        spawn_in(&self.directory, name, command)
    }

    /// Kills kube-controller-manager. Until it is started again, no CronJob or Job runs, and nothing is garbage-collected.
    ///
    /// # Errors
    /// When it isn't running, or can't be killed.
    pub async fn stop_controller_manager(&self) -> Result<()> {
        stop("kube-controller-manager", &self.controller_manager)
    }

    /// Starts kube-controller-manager. Its controllers begin to work some seconds after this returns.
    ///
    /// # Errors
    /// When it is running already, or can't be started.
    pub async fn start_controller_manager(&self) -> Result<()> {
        self.start_component(
            "kube-controller-manager",
            &self.controller_manager,
            self.components.kube_controller_manager(),
        )
    }

    /// Kills the API server. Open connections break, and new ones are refused until it is started again.
    ///
    /// # Errors
    /// When it isn't running, or can't be killed.
    pub async fn kill_api_server(&self) -> Result<()> {
        stop("kube-apiserver", &self.api_server)
    }

    /// Starts the API server on the same port and data as before, and waits until `/readyz` is ok.
    ///
    /// # Errors
    /// When it is running already, ends, or is not ready in time; the message quotes its log.
    pub async fn start_api_server(&self) -> Result<()> {
        self.start_component("kube-apiserver", &self.api_server, self.components.kube_apiserver())?;
        self.wait_for("the API server's /readyz to be ok", ready::is_ready).await
    }

    /// Freezes etcd: requests to the API server wait until [`ControlPlane::thaw_etcd`].
    ///
    /// # Errors
    /// When the operating system refuses the signal.
    pub fn freeze_etcd(&self) -> Result<()> {
        self.etcd.lock().freeze(true)
    }

    /// Lets etcd continue.
    ///
    /// # Errors
    /// When the operating system refuses the signal.
    pub fn thaw_etcd(&self) -> Result<()> {
        self.etcd.lock().freeze(false)
    }

    /// Copies etcd's data as it is now, as a backup of it would. Returns the copy, a directory in
    /// [`ControlPlane::directory`], for [`ControlPlane::restore_etcd`].
    ///
    /// # Errors
    /// When the operating system refuses a signal, or the data can't be copied.
    pub fn back_up_etcd(&self) -> Result<PathBuf> {
        let number = self.etcd_copies.fetch_add(1, Ordering::Relaxed);
        let copy = self.directory().join(format!("etcd-copy-{number}"));
        // what a killed etcd leaves is whole, so what a frozen one has is, too
        self.freeze_etcd()?;
        let copied = copy_directory(&self.directory().join(ETCD_DATA), &copy);
        self.thaw_etcd()?;
        copied.map(|()| copy)
    }

    /// Starts etcd anew on the data of a backup: all that was written since is lost, and versions count on from there. The API
    /// server must not run, since it would serve from its cache.
    ///
    /// # Errors
    /// When the API server runs, etcd can't be stopped or started, or the data can't be replaced.
    pub fn restore_etcd(&self, copy: &Path) -> Result<()> {
        if self.api_server.lock().is_some() {
            bail!("the API server runs; kill it before etcd is restored");
        }
        let mut etcd = self.etcd.lock();
        etcd.kill()?;
        let data = self.directory().join(ETCD_DATA);
        fs::remove_dir_all(&data).with_context(|| format!("remove {}", data.display()))?;
        copy_directory(copy, &data)?;
        *etcd = self.spawn("etcd", self.components.etcd())?;
        Ok(())
    }

    /// Kills everything and removes the directory.
    ///
    /// # Errors
    /// When something can't be killed or removed.
    pub async fn stop(self) -> Result<()> {
        let Self { controller_manager, api_server, etcd, directory, .. } = self;
        for process in [controller_manager, api_server].into_iter().filter_map(Mutex::into_inner) {
            kill(process)?;
        }
        kill(etcd.into_inner())?;
        directory.remove()
    }

    /// Fails when one of the components that were started has ended, quoting the end of its log.
    ///
    /// # Errors
    /// When a component has ended.
    pub fn ensure_running(&self) -> Result<()> {
        self.etcd.lock().ensure_running()?;
        for component in [&self.api_server, &self.controller_manager] {
            if let Some(process) = component.lock().as_mut() {
                process.ensure_running()?;
            }
        }
        Ok(())
    }

    /// Waits until `is_so` succeeds.
    async fn wait_for(&self, what: &str, is_so: impl AsyncFn(&Client) -> Result<()>) -> Result<()> {
        let client = self.client().await?;
        ready::until(what, async || is_so(&client).await, || self.ensure_running(), || self.log_tails()).await
    }

    /// Returns the end of the logs of the components that run, for messages about what didn't happen.
    fn log_tails(&self) -> String {
        let tails = [&self.api_server, &self.controller_manager]
            .map(|component| component.lock().as_ref().map(ManagedProcess::log_tail));
        tails.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }

    fn start_component(&self, name: &str, component: &Mutex<Option<ManagedProcess>>, command: Command) -> Result<()> {
        let mut component = component.lock();
        if component.is_some() {
            bail!("{name} is running already");
        }
        *component = Some(self.spawn(name, command)?);
        Ok(())
    }
}

/// Returns a client for the current context of the kubeconfig at `path`, such as one of
/// [`ControlPlane::kubeconfig_for_token`].
///
/// # Errors
/// When the file can't be read or is not a kubeconfig.
pub async fn client_for(path: &Path) -> Result<Client> {
    let what = || format!("use the kubeconfig {}", path.display());
    let kubeconfig = Kubeconfig::read_from(path).with_context(what)?;
    let mut config =
        kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.with_context(what)?;
    // on loopback; kube takes the proxy of the environment all the same
    config.proxy_url = None;
    Client::try_from(config).with_context(what)
}

/// Takes a free loopback port and keeps it for as long as the socket lives.
///
/// The socket is bound but never listens, and shares its port with other sockets of this user that set the same option, as
/// the API server does. So the server can stop and start, and no other process gets the port meanwhile.
fn reserve_port() -> Result<(TcpSocket, u16)> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let port = socket.local_addr()?.port();
    Ok((socket, port))
}

/// Copies the files of a directory and of those in it, also while they change.
fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    let what = || format!("copy {} to {}", from.display(), to.display());
    fs::create_dir(to).with_context(what)?;
    for entry in fs::read_dir(from).with_context(what)? {
        let entry = entry.with_context(what)?;
        let target = to.join(entry.file_name());
        if entry.file_type().with_context(what)?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).with_context(what)?;
        }
    }
    Ok(())
}

fn make_directory(parent: &Path, name: &str) -> Result<PathBuf> {
    let path = parent.join(name);
    fs::create_dir(&path).with_context(|| format!("make the directory {}", path.display()))?;
    Ok(path)
}

fn spawn_in(directory: &RunDirectory, name: &str, command: Command) -> Result<ManagedProcess> {
    let process = ManagedProcess::spawn(name, command, directory.path().join(format!("{name}.log")))?;
    directory.record(process.id())?;
    Ok(process)
}

fn stop(name: &str, component: &Mutex<Option<ManagedProcess>>) -> Result<()> {
    let process = component.lock().take();
    kill(process.with_context(|| format!("{name} is not running"))?)
}

fn kill(mut process: ManagedProcess) -> Result<()> {
    process.kill()
}
