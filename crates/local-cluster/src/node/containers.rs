//! Starts the containers of a Pod as processes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    fs,
    path::PathBuf,
    process::Command,
    sync::Arc,
};

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, Container, Pod, Secret},
};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use super::{
    environment::{self, Sources, Variables},
    expand::expand,
    images::Program,
    process::Process,
    shared::Shared,
};

/// The variable with the path of the termination message, since `/dev/termination-log` cannot be written here.
pub(super) const TERMINATION_MESSAGE_VARIABLE: &str = "ANTFLY_BACKUP_OPERATOR_TERMINATION_MESSAGE";

/// The files of a container.
#[derive(Debug)]
pub(super) struct Files {
    /// The log of one start.
    pub(super) log: PathBuf,
    /// The termination message.
    pub(super) message: PathBuf,
}

/// Returns the files of a container's start; `restarts` is how often it was started before.
pub(super) fn files(shared: &Shared, pod: &Pod, container: &str, restarts: u32) -> Files {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (namespace, name, uid) = (text(&pod.metadata.namespace), text(&pod.metadata.name), text(&pod.metadata.uid));
    let directory = shared.container_directory([&namespace, &name, &uid], container);
    Files { log: directory.join(format!("{restarts}.log")), message: directory.join("termination-message") }
}

/// Reads what a container's environment needs, and resolves it.
///
/// # Errors
/// The message of a `CreateContainerConfigError`.
pub(super) async fn variables(shared: &Shared, pod: &Pod, container: &Container) -> Result<Variables, String> {
    let (secrets, config_maps) = environment::references(container);
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let sources = Sources {
        secrets: existing::<Secret>(&shared.client, namespace, secrets).await?,
        config_maps: existing::<ConfigMap>(&shared.client, namespace, config_maps).await?,
    };
    environment::resolve(pod, container, shared.cluster_variables.clone(), &sources)
}

async fn existing<K>(client: &Client, namespace: &str, names: BTreeSet<&str>) -> Result<BTreeMap<String, K>, String>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    let mut objects = BTreeMap::new();
    for name in names {
        let object = api.get_opt(name).await.map_err(|error| error.to_string())?;
        objects.extend(object.map(|object| (name.to_owned(), object)));
    }
    Ok(objects)
}

/// Starts a container as a process. Its environment is `variables`, what every container has, and our PATH.
///
/// # Errors
/// Why a container runtime could not run it.
pub(super) fn start(
    shared: &Shared,
    pod: &Pod,
    container: &Container,
    program: &Program,
    variables: &Variables,
    files: &Files,
    on_end: impl FnOnce(i32) + Send + 'static,
) -> Result<Arc<Process>, String> {
    let placed = |text: &str| shared.services.rewrite(text, shared.refusing.address);
    let expanded = |texts: &Option<Vec<String>>| -> Vec<String> {
        texts.iter().flatten().map(|text| placed(&expand(text, variables))).collect()
    };
    let (executable, arguments) = program.command_line(&expanded(&container.command), &expanded(&container.args))?;
    let mut command = Command::new(executable);
    command.args(arguments).env_clear().current_dir("/");
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOSTNAME", pod.metadata.name.as_deref().unwrap_or_default());
    command.envs(variables.iter().map(|(name, value)| (name, placed(value))));
    command.env(TERMINATION_MESSAGE_VARIABLE, &files.message);
    let prepared = files.log.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&files.message, ""));
    prepared.and_then(|()| shared.start(command, &files.log, on_end)).map_err(|error| {
        format!("failed to start container \"{}\": exec: \"{}\": {error}", container.name, executable.display())
    })
}
