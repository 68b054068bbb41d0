//! A kind node in a container, with what the tests run in it.

use crate::{antfly, room::policy::leave_them_out, storage};
use anyhow::{Context as _, Result, bail};
use kube::{Client, Config, config::Kubeconfig};
use local_cluster::Binaries;
use std::{
    collections::HashMap,
    env,
    os::unix::net::UnixStream,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};
use testcontainers::{
    ContainerAsync, GenericImage, ImageExt,
    bollard::models::PortBinding,
    core::{CgroupnsMode, CmdWaitFor, ExecCommand, IntoContainerPort, Mount, WaitFor},
    runners::AsyncRunner,
};
use tokio::sync::RwLock;
use xtask::{
    image::{self, OPERATOR_IMAGE, Platform},
    kind_node::DEFAULT_IMAGE,
};

/// Where the node keeps its administrator's configuration.
const ADMIN: &str = "/etc/kubernetes/admin.conf";

/// How long the API server may send nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// Whether a Docker daemon can be reached.
pub fn has_docker() -> bool {
    env::var_os("DOCKER_HOST").is_some() || UnixStream::connect("/var/run/docker.sock").is_ok()
}

/// The cluster of one node that all tests share.
pub struct Cluster {
    node: ContainerAsync<GenericImage>,
    files: tempfile::TempDir,
    /// An administrator's client.
    pub client: Client,
    /// Name of the operator's image.
    pub operator_image: String,
    /// Bytes of the files in the operator's image, and of its archive.
    pub operator_image_bytes: [u64; 2],
    /// Held for reading by each test, and for writing by one that disturbs the others.
    pub turns: RwLock<()>,
}

impl Cluster {
    /// Starts it, with the images in it and with what a user applies: `kubectl apply -k deploy/`.
    pub async fn start() -> Result<Self> {
        let begun = Instant::now();
        let progress = |what: &str| eprintln!("kind: {what} after {} s", begun.elapsed().as_secs());
        let files = tempfile::tempdir()?;
        let operator_image = format!("{OPERATOR_IMAGE}:{}", env!("CARGO_PKG_VERSION"));
        let archives = files.path().join("images");
        std::fs::create_dir(&archives)?;
        let to_write = archives.clone();
        let reference = operator_image.clone();
        let operator_image_bytes = tokio::task::spawn_blocking(move || write_images(&reference, &to_write)).await??;
        progress("images built");

        let node = start_node(&archives).await?;
        progress("node booted");
        exec(&node, "until systemctl -q is-active containerd; do sleep 0.1; done").await?;
        exec(&node, r#"sed -i "s/KUBERNETES_VERSION/$(cat /kind/version)/" /kind/kubeadm.conf"#).await?;
        exec(&node, "kubeadm init --config=/kind/kubeadm.conf --skip-token-print").await?;
        exec(&node, &format!("kubectl --kubeconfig={ADMIN} wait --for=condition=Ready node --all --timeout=120s"))
            .await?;
        // until then a Pod's packets to the address of a Service are lost
        let rollout = "-n kube-system rollout status daemonset/kube-proxy --timeout=120s";
        exec(&node, &format!("kubectl --kubeconfig={ADMIN} {rollout}")).await?;
        progress("node ready");
        exec(&node, "for image in /kind/images/*.tar; do ctr -n k8s.io images import $image; done").await?;
        progress("images loaded");

        let mut kubeconfig = Kubeconfig::from_yaml(&exec(&node, &format!("cat {ADMIN}")).await?)?;
        let port = node.get_host_port_ipv4(6443).await?;
        let cluster = kubeconfig.clusters[0].cluster.as_mut().context("the configuration has a cluster")?;
        cluster.server = Some(format!("https://127.0.0.1:{port}"));
        std::fs::write(files.path().join("kubeconfig"), serde_saphyr::to_string(&kubeconfig)?)?;
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
        // a connection that the node has silently lost is an error, and not a test that never ends
        config.read_timeout = Some(SILENCE);
        let client = Client::try_from(config)?;
        let cluster = Cluster { node, files, client, operator_image, operator_image_bytes, turns: RwLock::new(()) };
        local_cluster::apply_yaml(&cluster.client, antfly_stand_in::ANTFLY_CLUSTER_CRD).await?;
        cluster.kubectl(&["apply", "-k", "deploy/"])?;
        let bindings = cluster.kubectl(&["get", "validatingadmissionpolicybindings", "-o", "name"])?;
        let patch = leave_them_out().to_string();
        for binding in bindings.lines() {
            cluster.kubectl(&["patch", binding, "--type=merge", "-p", &patch])?;
        }
        cluster.until_operator_ready()?;
        progress("operator ready");
        cluster.kubectl(&["rollout", "status", "deployment/coredns", "-n", "kube-system", "--timeout=240s"])?;
        progress("DNS ready");
        Ok(cluster)
    }

    /// Waits until the operator's Deployment is rolled out.
    pub fn until_operator_ready(&self) -> Result<()> {
        let deployment = "deployment/antfly-backup-operator";
        self.kubectl(&["rollout", "status", deployment, "-n", "antfly-backup-system", "--timeout=240s"]).map(drop)
    }

    /// Runs kubectl in the repository; returns its output.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.run(Command::new(Binaries::pinned_kubectl()?).args(arguments))
    }

    /// Runs a line of a shell with `kubectl` on its path; returns its output.
    pub fn shell(&self, line: &str) -> Result<String> {
        let kubectl = Binaries::pinned_kubectl()?;
        let path = format!(
            "{}:{}",
            kubectl.parent().context("kubectl is in a directory")?.display(),
            env::var("PATH").unwrap_or_default()
        );
        self.run(Command::new("sh").args(["-c", line]).env("PATH", path))
    }

    fn run(&self, command: &mut Command) -> Result<String> {
        let output = command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("KUBECONFIG", self.files.path().join("kubeconfig"))
            .output()?;
        let [out, error] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
        if !output.status.success() {
            bail!("{command:?}: {}\n{out}{error}", output.status);
        }
        Ok(out)
    }

    /// Runs a line of a shell in the node; returns its output.
    pub async fn in_node(&self, line: &str) -> Result<String> {
        exec(&self.node, line).await
    }

    /// Returns what is printed when a test fails.
    pub fn describe(&self) -> String {
        let lines = [
            "kubectl get antflybackups,cronjobs,jobs,pods -A -o wide",
            "kubectl get events -A --sort-by=.lastTimestamp | tail -60",
            "kubectl logs -n antfly-backup-system deployment/antfly-backup-operator --tail=60",
        ];
        lines
            .map(|line| format!("$ {line}\n{}", self.shell(line).unwrap_or_else(|error| format!("{error:#}"))))
            .join("\n")
    }

    /// Stops and removes the node.
    pub async fn stop(self) -> Result<()> {
        Ok(self.node.rm().await?)
    }
}

/// Writes the archives of the operator, of the stand-in for Antfly and of the S3 server; returns the size of the first:
/// of its files, and of its archive.
fn write_images(operator_image: &str, directory: &Path) -> Result<[u64; 2]> {
    let platform = Platform::of_this_machine();
    let operator = image::operator(platform, operator_image)?;
    let archive = directory.join("operator.tar");
    operator.write(&archive)?;
    image::antfly_stand_in(platform, antfly::IMAGE)?.write(&directory.join("antfly.tar"))?;
    image::s3_server(storage::IMAGE)?.write(&directory.join("s3.tar"))?;
    let files: usize = operator.files.iter().map(|file| file.content.len()).sum();
    Ok([u64::try_from(files)?, std::fs::metadata(archive)?.len()])
}

async fn start_node(archives: &Path) -> Result<ContainerAsync<GenericImage>> {
    let name = env::var("KIND_NODE_IMAGE").unwrap_or_else(|_| DEFAULT_IMAGE.to_owned());
    let (image, tag) = name.rsplit_once(':').context("KIND_NODE_IMAGE is NAME:TAG")?;
    let mut request = GenericImage::new(image, tag)
        .with_exposed_port(6443.tcp())
        // without a terminal systemd prints no more than this
        .with_wait_for(WaitFor::message_on_stderr("starting init"))
        .with_privileged(true)
        .with_cgroupns_mode(CgroupnsMode::Private)
        .with_hostname("kind")
        .with_mount(Mount::tmpfs_mount("/tmp"))
        .with_mount(Mount::tmpfs_mount("/run"))
        .with_copy_to("/kind/kubeadm.conf", include_bytes!("../../xtask/kind-node/kubeadm.yaml").to_vec())
        // this machine's loopback only
        .with_host_config_modifier(|host| {
            let loopback = PortBinding { host_ip: Some("127.0.0.1".into()), host_port: None };
            host.publish_all_ports = Some(false);
            host.port_bindings = Some(HashMap::from([("6443/tcp".to_owned(), Some(vec![loopback]))]));
        });
    for entry in std::fs::read_dir(archives)? {
        let archive = entry?;
        let target = format!("/kind/images/{}", archive.file_name().to_string_lossy());
        request = request.with_copy_to(target, archive.path().as_path());
    }
    request.start().await.with_context(|| {
        format!("start {name}; where it cannot be pulled, build it: export KIND_NODE_IMAGE=$(cargo xtask kind-node)")
    })
}

async fn exec(node: &ContainerAsync<GenericImage>, line: &str) -> Result<String> {
    let command = ExecCommand::new(["sh", "-ec", line]).with_cmd_ready_condition(CmdWaitFor::exit());
    let mut ended = node.exec(command).await?;
    let out = String::from_utf8_lossy(&ended.stdout_to_vec().await?).into_owned();
    match ended.exit_code().await? {
        Some(0) => Ok(out),
        code => bail!("{line}: exit code {code:?}\n{out}{}", String::from_utf8_lossy(&ended.stderr_to_vec().await?)),
    }
}
