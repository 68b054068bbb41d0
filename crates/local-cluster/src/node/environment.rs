//! The environment of a container, resolved as the kubelet resolves it.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ConfigMap, Container, EnvVar, EnvVarSource, Pod, Secret};

use super::expand::expand;

/// Variables by name.
pub(super) type Variables = BTreeMap<String, String>;

/// The objects that a container's environment refers to, as far as they exist.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) secrets: BTreeMap<String, Secret>,
    pub(super) config_maps: BTreeMap<String, ConfigMap>,
}

/// Returns the names of the Secrets and of the ConfigMaps that a container's environment refers to.
pub(super) fn references(container: &Container) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let sources = || container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref());
    let secrets = sources().filter_map(|source| source.secret_key_ref.as_ref()).map(|key| key.name.as_str());
    let config_maps = sources().filter_map(|source| source.config_map_key_ref.as_ref()).map(|key| key.name.as_str());
    (secrets.collect(), config_maps.collect())
}

/// Resolves the environment of a container. Later variables may refer to earlier ones, and to those of `base`.
///
/// # Errors
/// The kubelet's message for what is missing, or the name of a field that this node does not know.
pub(super) fn resolve(
    pod: &Pod,
    container: &Container,
    base: Variables,
    sources: &Sources,
) -> Result<Variables, String> {
    if container.env_from.as_ref().is_some_and(|sources| !sources.is_empty()) {
        return Err("this node does not know envFrom".to_owned());
    }
    let mut variables = base;
    let mut own = Variables::new();
    for variable in container.env.iter().flatten() {
        if let Some(value) = value(pod, variable, &own, &variables, sources)? {
            variables.remove(&variable.name);
            own.insert(variable.name.clone(), value);
        }
    }
    variables.extend(own);
    Ok(variables)
}

/// Returns the value of a variable; `None` if it is optional and missing.
fn value(
    pod: &Pod,
    variable: &EnvVar,
    own: &Variables,
    base: &Variables,
    sources: &Sources,
) -> Result<Option<String>, String> {
    let Some(source) = &variable.value_from else {
        let mut known = base.clone();
        known.extend(own.clone());
        return Ok(Some(expand(variable.value.as_deref().unwrap_or_default(), &known)));
    };
    match source {
        EnvVarSource { field_ref: Some(field), .. } => field_value(pod, &field.field_path).map(Some),
        EnvVarSource { secret_key_ref: Some(key), .. } => {
            let secret = sources.secrets.get(&key.name);
            let data = secret.map(|secret| secret.data.as_ref().and_then(|data| data.get(&key.key)));
            let text = data.map(|data| data.map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned()));
            found(text, key.optional, "Secret", pod, &key.name, &key.key)
        }
        EnvVarSource { config_map_key_ref: Some(key), .. } => {
            let config_map = sources.config_maps.get(&key.name);
            let text = config_map.map(|map| map.data.as_ref().and_then(|data| data.get(&key.key).cloned()));
            found(text, key.optional, "ConfigMap", pod, &key.name, &key.key)
        }
        _ => Err(format!("this node does not know where {} comes from", variable.name)),
    }
}

/// Returns the value of a key: `text` is `None` without the object, and `Some(None)` without the key.
fn found(
    text: Option<Option<String>>,
    optional: Option<bool>,
    kind: &str,
    pod: &Pod,
    name: &str,
    key: &str,
) -> Result<Option<String>, String> {
    match text {
        Some(Some(text)) => Ok(Some(text)),
        _ if optional == Some(true) => Ok(None),
        None => Err(format!("{} \"{name}\" not found", kind.to_lowercase())),
        Some(None) => {
            let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
            Err(format!("couldn't find key {key} in {kind} {namespace}/{name}"))
        }
    }
}

/// Returns a field of the Pod, by the downward API.
fn field_value(pod: &Pod, path: &str) -> Result<String, String> {
    let (metadata, spec, status) = (&pod.metadata, pod.spec.as_ref(), pod.status.as_ref());
    let text = match path {
        "metadata.name" => metadata.name.clone(),
        "metadata.namespace" => metadata.namespace.clone(),
        "metadata.uid" => metadata.uid.clone(),
        "spec.nodeName" => spec.and_then(|spec| spec.node_name.clone()),
        "spec.serviceAccountName" => spec.and_then(|spec| spec.service_account_name.clone()),
        "status.podIP" => status.and_then(|status| status.pod_ip.clone()),
        "status.hostIP" => status.and_then(|status| status.host_ip.clone()),
        "status.podIPs" => status
            .and_then(|status| status.pod_ips.as_ref())
            .map(|ips| ips.iter().map(|ip| ip.ip.as_str()).collect::<Vec<_>>().join(",")),
        "status.hostIPs" => status
            .and_then(|status| status.host_ips.as_ref())
            .map(|ips| ips.iter().map(|ip| ip.ip.as_str()).collect::<Vec<_>>().join(",")),
        _ => {
            let (map, key) = subscript(path).ok_or_else(|| format!("this node does not know the field {path}"))?;
            let map = if map == "metadata.labels" { &metadata.labels } else { &metadata.annotations };
            map.as_ref().and_then(|map| map.get(key)).cloned()
        }
    };
    Ok(text.unwrap_or_default())
}

/// Splits `metadata.labels['KEY']` or `metadata.annotations['KEY']`.
fn subscript(path: &str) -> Option<(&str, &str)> {
    let (map, rest) = path.split_once("['")?;
    let key = rest.strip_suffix("']")?;
    matches!(map, "metadata.labels" | "metadata.annotations").then_some((map, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod() -> Pod {
        serde_json::from_value(json!({
            "metadata": {
                "name": "run-1", "namespace": "prod", "uid": "u-1",
                "labels": {"batch.kubernetes.io/job-name": "run"}, "annotations": {"note": "a"},
            },
            "spec": {"nodeName": "node-1", "serviceAccountName": "default", "containers": []},
            "status": {"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}, {"ip": "::1"}]},
        }))
        .unwrap()
    }

    fn resolve(env: Value) -> Result<Variables, String> {
        let container: Container = serde_json::from_value(json!({"name": "main", "env": env})).unwrap();
        let secret = serde_json::from_value(json!({"data": {"KEY": "c2VjcmV0"}})).unwrap();
        let config_map = serde_json::from_value(json!({"data": {"KEY": "config"}})).unwrap();
        let sources = Sources {
            secrets: BTreeMap::from([("s".to_owned(), secret)]),
            config_maps: BTreeMap::from([("c".to_owned(), config_map)]),
        };
        let base = Variables::from([("HOST".to_owned(), "10.0.0.1".to_owned()), ("OWN".to_owned(), "base".to_owned())]);
        super::resolve(&pod(), &container, base, &sources)
    }

    fn value(env: Value) -> String {
        resolve(json!([env])).unwrap()["V"].clone()
    }

    #[test]
    fn values_refer_to_earlier_variables_and_to_those_of_the_cluster() {
        let variables = resolve(json!([
            {"name": "B", "value": "$(A)"},
            {"name": "A", "value": "1"},
            {"name": "C", "value": "$(A) $$(A) $(HOST) $(OWN) $(NOBODY)"},
            {"name": "OWN", "value": "own"},
            {"name": "D", "value": "$(OWN)"},
            {"name": "E"},
        ]))
        .unwrap();
        let expected = [
            ("A", "1"),
            ("B", "$(A)"),
            ("C", "1 $(A) 10.0.0.1 base $(NOBODY)"),
            ("D", "own"),
            ("E", ""),
            ("HOST", "10.0.0.1"),
            ("OWN", "own"),
        ];
        assert_eq!(variables, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn fields_of_the_pod_are_known() {
        for (path, expected) in [
            ("metadata.name", "run-1"),
            ("metadata.namespace", "prod"),
            ("metadata.uid", "u-1"),
            ("metadata.labels['batch.kubernetes.io/job-name']", "run"),
            ("metadata.labels['none']", ""),
            ("metadata.annotations['note']", "a"),
            ("spec.nodeName", "node-1"),
            ("spec.serviceAccountName", "default"),
            ("status.podIP", "127.0.0.1"),
            ("status.podIPs", "127.0.0.1,::1"),
        ] {
            assert_eq!(value(json!({"name": "V", "valueFrom": {"fieldRef": {"fieldPath": path}}})), expected, "{path}");
        }
        assert!(resolve(json!([{"name": "V", "valueFrom": {"fieldRef": {"fieldPath": "spec.x"}}}])).is_err());
    }

    #[test]
    fn secrets_and_config_maps_are_read_and_what_is_missing_is_reported_as_the_kubelet_does() {
        let of = |kind: &str, name: &str, key: &str, optional: bool| json!([{"name": "V", "valueFrom": {kind: {"name": name, "key": key, "optional": optional}}}]);
        let resolve = |env| resolve(env).map(|variables| variables.get("V").cloned());
        assert_eq!(resolve(of("secretKeyRef", "s", "KEY", false)), Ok(Some("secret".to_owned())));
        assert_eq!(resolve(of("configMapKeyRef", "c", "KEY", false)), Ok(Some("config".to_owned())));
        for (kind, name, key, error) in [
            ("secretKeyRef", "x", "KEY", "secret \"x\" not found"),
            ("secretKeyRef", "s", "X", "couldn't find key X in Secret prod/s"),
            ("configMapKeyRef", "x", "KEY", "configmap \"x\" not found"),
            ("configMapKeyRef", "c", "X", "couldn't find key X in ConfigMap prod/c"),
        ] {
            assert_eq!(resolve(of(kind, name, key, false)), Err(error.to_owned()));
            assert_eq!(resolve(of(kind, name, key, true)), Ok(None));
        }
    }

    #[test]
    fn the_objects_that_are_needed_are_named() {
        let container: Container = serde_json::from_value(json!({"name": "main", "env": [
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "a"}}},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "b"}}},
            {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "c"}}},
        ]}))
        .unwrap();
        assert_eq!(references(&container), (BTreeSet::from(["s"]), BTreeSet::from(["c"])));
    }
}
