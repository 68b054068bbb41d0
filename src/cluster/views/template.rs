//! What a Pod does, as far as it decides whether a run is what the operator applied.
//!
//! Compared are, of all containers, the name, image, command, args, environment and mounts; and the volumes, the ServiceAccount and
//! the host namespaces. Where and when a Pod runs is not: a queue such as Kueue changes its labels, node selector and tolerations.

use super::digest::{Digest, Part};
use crate::{api::AppliedTemplate, api::TemplatePart, names::CONTAINER};
use k8s_openapi::api::core::v1::{Container, PodSpec, Volume, VolumeProjection};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt;

/// The parts, each as its path in a Pod's spec. What follows the last dot decides whether the order of a list matters.
const PARTS: [&str; 15] = [
    "containers[backup].image",
    "containers[backup].command",
    "containers[backup].args",
    "containers[backup].env",
    "containers[backup].envFrom",
    "containers[backup].volumeMounts",
    "containers[backup].volumeDevices",
    // the names of all, and the others as a whole
    "containers",
    "initContainers",
    "ephemeralContainers",
    "volumes",
    "serviceAccountName",
    "hostNetwork",
    "hostPID",
    "hostIPC",
];

/// The fields of a container that count, besides its name.
const FIELDS: [&str; 7] = ["image", "command", "args", "env", "envFrom", "volumeMounts", "volumeDevices"];

/// Defaults of the API server. False and what is empty is left out, too.
const DEFAULTS: [(&str, &str); 5] = [
    ("apiVersion", "v1"),
    ("divisor", "0"),
    ("mountPropagation", "None"),
    ("recursiveReadOnly", "Disabled"),
    ("volumeMode", "Filesystem"),
];

/// Defaults that are numbers.
const DEFAULT_NUMBERS: [(&str, i64); 2] = [("defaultMode", 0o644), ("expirationSeconds", 3600)];

/// The ServiceAccount of a Pod that names none.
const DEFAULT_ACCOUNT: &str = "default";

/// Where the admission of the API server mounts the token of a Pod's ServiceAccount, and how it calls the volume
/// (`plugin/pkg/admission/serviceaccount` of Kubernetes).
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const TOKEN_VOLUME: &str = "kube-api-access-";

/// Digests of what a Pod does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodTemplate {
    digest: Digest,
    /// The beginning of the digest of each of [`PARTS`]; 0 if it is empty. They name what differs and decide nothing.
    parts: [u32; PARTS.len()],
}

/// The parts in which two templates differ. Shown as their paths, none of which is foreign text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Differences(u16);

impl Differences {
    /// Returns how many parts differ.
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<_> = (0..PARTS.len()).filter(|part| self.0 & (1 << part) != 0).map(|part| PARTS[part]).collect();
        formatter.write_str(if paths.is_empty() { "spec" } else { "" })?;
        formatter.write_str(&paths.join(", "))
    }
}

impl PodTemplate {
    /// Returns what Pods of a template do; `None` if it has no containers.
    pub fn of_template(spec: &PodSpec) -> Option<Self> {
        Self::of(spec, &[])
    }

    /// Returns what a Pod does; `None` if it has no containers. The volume with the token of its ServiceAccount, which the API server
    /// adds, does not count.
    pub fn of_pod(spec: &PodSpec) -> Option<Self> {
        let tokens = spec.volumes.iter().flatten().filter(|volume| has_token(volume));
        Self::of(spec, &tokens.map(|volume| volume.name.as_str()).collect::<Vec<_>>())
    }

    fn of(spec: &PodSpec, tokens: &[&str]) -> Option<Self> {
        if spec.containers.is_empty() {
            return None;
        }
        let does = |container: Value| does(container, tokens);
        let ours = spec.containers.iter().find(|container| container.name == CONTAINER);
        let mut ours = ours.map(|container| does(json!(container))).unwrap_or_default();
        let containers = spec.containers.iter().map(|container: &Container| match container.name.as_str() {
            CONTAINER => json!({"name": CONTAINER}),
            _ => does(json!(container)),
        });
        let account = spec.service_account_name.as_ref().or(spec.service_account.as_ref());
        let mut parts: Vec<Value> = FIELDS.iter().map(|field| ours[*field].take()).collect();
        parts.extend([
            containers.collect(),
            spec.init_containers.iter().flatten().map(|container| does(json!(container))).collect(),
            spec.ephemeral_containers.iter().flatten().map(|container| does(json!(container))).collect(),
            spec.volumes.iter().flatten().filter(|volume| !tokens.contains(&volume.name.as_str())).map(plain).collect(),
            json!(account.filter(|account| *account != DEFAULT_ACCOUNT)),
            json!(spec.host_network),
            json!(spec.host_pid),
            json!(spec.host_ipc),
        ]);
        let digests: Vec<_> = PARTS
            .iter()
            .zip(&parts)
            .map(|(path, part)| {
                let field = path.rsplit('.').next();
                (!is_default("", part)).then(|| Part::Whole(part).digest(field))
            })
            .collect();
        let of_parts: Map<String, Value> = PARTS
            .iter()
            .zip(&digests)
            .filter_map(|(path, digest)| Some(((*path).to_owned(), json!(digest.as_ref()?.to_string()))))
            .collect();
        let mut short = [0; PARTS.len()];
        for (short, digest) in short.iter_mut().zip(&digests) {
            *short = digest.map_or(0, Digest::beginning);
        }
        Some(PodTemplate { digest: Part::Whole(&Value::Object(of_parts)).digest(None), parts: short })
    }

    /// Returns the digest of all parts.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns in which parts another one differs, if it does.
    pub fn differences(&self, other: &PodTemplate) -> Option<Differences> {
        (self.digest != other.digest).then(|| differences(&self.parts, &other.parts))
    }

    /// Returns the form in which the status has it, as the answer to what has the digest `requested`.
    pub fn to_applied(&self, requested: Digest) -> AppliedTemplate {
        let parts = PARTS.iter().zip(self.parts).filter(|(_, part)| *part != 0);
        let part = |(path, part): (&&str, u32)| TemplatePart { path: (*path).to_owned(), digest: short_text(part) };
        AppliedTemplate {
            requested: requested.to_string(),
            answered: self.digest.to_string(),
            parts: parts.map(part).collect(),
            replaced_time: None,
        }
    }

    /// Returns whether the status has it as this one.
    pub fn is(&self, applied: &AppliedTemplate) -> bool {
        self.digest.to_string() == applied.answered
    }

    /// Returns in which parts one of the status differs, if it does.
    pub fn differences_from(&self, applied: &AppliedTemplate) -> Option<Differences> {
        let of_status = |path: &&str| applied.parts.iter().find(|part| part.path == **path);
        let is_other = |(path, part): (&&str, u32)| match of_status(path) {
            Some(applied) => applied.digest != short_text(part),
            None => part != 0,
        };
        let bits = PARTS.iter().zip(self.parts).map(is_other).enumerate();
        (!self.is(applied))
            .then(|| Differences(bits.fold(0, |bits, (part, differs)| bits | (u16::from(differs) << part))))
    }
}

fn differences(one: &[u32], other: &[u32]) -> Differences {
    let bits = one.iter().zip(other).enumerate();
    Differences(bits.fold(0, |bits, (part, (one, other))| bits | (u16::from(one != other) << part)))
}

fn short_text(part: u32) -> String {
    format!("{part:08x}")
}

/// Returns what a container does: its name and its [`FIELDS`], without the mounts of the token.
fn does(mut container: Value, tokens: &[&str]) -> Value {
    if let Some(mounts) = container["volumeMounts"].as_array_mut() {
        let is_token = |mount: &Value| {
            mount["mountPath"] == TOKEN_PATH && mount["name"].as_str().is_some_and(|name| tokens.contains(&name))
        };
        mounts.retain(|mount| !is_token(mount));
    }
    let fields = ["name"].iter().chain(&FIELDS).map(|field| ((*field).to_owned(), container[*field].take()));
    without_defaults(Value::Object(fields.collect()))
}

fn plain(value: &impl Serialize) -> Value {
    without_defaults(json!(value))
}

fn without_defaults(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, without_defaults(value)));
            Value::Object(fields.filter(|(name, value)| !is_default(name, value)).collect())
        }
        Value::Array(items) => items.into_iter().map(without_defaults).collect(),
        scalar => scalar,
    }
}

fn is_default(field: &str, value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || DEFAULTS.contains(&(field, text.as_str())),
        Value::Array(items) => items.is_empty(),
        Value::Number(number) => number.as_i64().is_some_and(|number| DEFAULT_NUMBERS.contains(&(field, number))),
        Value::Bool(true) | Value::Object(_) => false,
    }
}

/// Returns whether a volume of a Pod is the one with the token of its ServiceAccount, and has nothing else.
fn has_token(volume: &Volume) -> bool {
    let is_usual = |source: &VolumeProjection| {
        let token = source.service_account_token.as_ref().map(|it| it.audience.is_none() && it.path == "token");
        let authority = source.config_map.as_ref().map(|it| it.name == "kube-root-ca.crt");
        let namespace = source.downward_api.as_ref().map(|it| {
            it.items.iter().flatten().all(|file| file.path == "namespace" && file.resource_field_ref.is_none())
        });
        let others = source.secret.is_some() || source.cluster_trust_bundle.is_some();
        let known = [token, authority, namespace];
        !others && known.iter().flatten().count() == 1 && known.iter().flatten().all(|is_usual| *is_usual)
    };
    let sources = volume.projected.as_ref().and_then(|projected| projected.sources.as_ref());
    volume.name.starts_with(TOKEN_VOLUME) && sources.is_some_and(|sources| sources.iter().all(is_usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(spec: &Value) -> PodTemplate {
        PodTemplate::of_template(&serde_json::from_value(spec.clone()).unwrap()).unwrap()
    }

    fn of_pod(spec: &Value) -> PodTemplate {
        PodTemplate::of_pod(&serde_json::from_value(spec.clone()).unwrap()).unwrap()
    }

    fn spec() -> Value {
        json!({"containers": [{"name": "backup", "image": "i", "args": ["backup"], "env": [
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "a"}}},
            {"name": "P", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}]}]})
    }

    fn changed(pointer: &str, value: Value) -> String {
        let mut other = spec();
        let (above, last) = pointer.rsplit_once('/').unwrap();
        other.pointer_mut(above).unwrap()[last] = value;
        let differences = of(&spec()).differences(&of(&other));
        let of_status = of(&other).differences_from(&of(&spec()).to_applied(of(&spec()).digest()));
        assert_eq!(differences, of_status);
        differences.map_or_else(String::new, |it| it.to_string())
    }

    #[test]
    fn a_digest_is_what_it_was_in_earlier_versions() {
        assert_eq!(of(&spec()).digest().to_string(), "4d264207feffa4c8954e339298eb1bcf");
    }

    #[test]
    fn what_a_pod_does_counts_and_is_named() {
        let c = "/containers/0";
        let of_container = |field: &str, value: Value| changed(&format!("{c}/{field}"), value);
        for (field, value) in [
            ("image", json!("j")),
            ("command", json!(["sh"])),
            ("args", json!(["backup", "--location=x"])),
            ("env", json!([{"name": "A", "value": "1"}])),
            ("envFrom", json!([{"secretRef": {"name": "s"}}])),
            ("volumeMounts", json!([{"name": "v", "mountPath": "/v"}])),
            ("volumeDevices", json!([{"name": "v", "devicePath": "/v"}])),
        ] {
            assert_eq!(of_container(field, value), format!("containers[backup].{field}"));
        }
        let more = json!({"name": "more", "image": "i"});
        assert_eq!(changed("/initContainers", json!([more])), "initContainers");
        assert_eq!(changed("/ephemeralContainers", json!([more])), "ephemeralContainers");
        assert_eq!(changed("/volumes", json!([{"name": "v", "emptyDir": {}}])), "volumes");
        assert_eq!(changed("/serviceAccountName", json!("admin")), "serviceAccountName");
        assert_eq!(changed("/serviceAccount", json!("admin")), "serviceAccountName");
        for host in ["hostNetwork", "hostPID", "hostIPC"] {
            assert_eq!(changed(&format!("/{host}"), json!(true)), host);
        }
        let mut two = spec();
        two["containers"].as_array_mut().unwrap().push(more);
        assert_eq!(of(&spec()).differences(&of(&two)).unwrap().to_string(), "containers");
        let mut other = two.clone();
        other["containers"][1]["image"] = json!("j");
        assert_eq!(of(&two).differences(&of(&other)).unwrap().to_string(), "containers");
    }

    #[test]
    fn defaults_and_where_a_pod_runs_do_not_count() {
        let mut other = spec();
        other["nodeSelector"] = json!({"queue": "a"});
        other["tolerations"] = json!([{"operator": "Exists"}]);
        other["schedulingGates"] = json!([{"name": "kueue.x-k8s.io/admission"}]);
        other["serviceAccountName"] = json!("default");
        other["serviceAccount"] = json!("default");
        other["hostNetwork"] = json!(false);
        let container = &mut other["containers"][0];
        container["resources"] = json!({"limits": {"cpu": "1"}});
        container["terminationMessagePath"] = json!("/dev/termination-log");
        container["imagePullPolicy"] = json!("Always");
        container["command"] = json!([]);
        container["env"][0]["valueFrom"]["secretKeyRef"]["optional"] = json!(false);
        container["env"][1]["valueFrom"]["fieldRef"]["apiVersion"] = json!("v1");
        assert_eq!(of(&spec()).differences(&of(&other)), None);
    }

    #[test]
    fn the_token_that_the_api_server_adds_to_a_pod_does_not_count_and_another_volume_in_its_name_does() {
        let mut pod = spec();
        let sources = json!([
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
        ]);
        pod["volumes"] =
            json!([{"name": "kube-api-access-x7k2p", "projected": {"defaultMode": 420, "sources": sources}}]);
        let mount = json!({"name": "kube-api-access-x7k2p", "readOnly": true, "mountPath": TOKEN_PATH});
        pod["containers"][0]["volumeMounts"] = json!([mount]);
        assert_eq!(of(&spec()).differences(&of_pod(&pod)), None);
        assert!(of(&spec()).differences(&of(&pod)).is_some(), "in a Job it is no token of the API server's");
        let mut elsewhere = pod.clone();
        elsewhere["containers"][0]["volumeMounts"][0]["mountPath"] = json!("/etc");
        assert!(of(&spec()).differences(&of_pod(&elsewhere)).is_some());
        pod["volumes"][0]["projected"]["sources"][1] = json!({"secret": {"name": "theirs"}});
        assert!(of(&spec()).differences(&of_pod(&pod)).is_some());
    }

    #[test]
    fn what_has_no_containers_is_no_template() {
        assert_eq!(PodTemplate::of_template(&PodSpec::default()), None);
    }
}
