//! What `spec.pod` and the administrator's defaults make of a backup's Pods.
//!
//! What the spec sets wins over a default, field by field, and over neither win the operator's own labels and policies.

use crate::{
    api::{AntflyBackupSpec, PodSettings, quantity},
    text::shortened,
};
use clap::ValueEnum;
use k8s_openapi::{
    api::core::v1::{
        LocalObjectReference, PodSecurityContext, ResourceRequirements, SELinuxOptions, SeccompProfile, Toleration,
    },
    apimachinery::pkg::api::resource::Quantity,
};
use serde_json::json;
use std::{cmp::Ordering, collections::BTreeMap};

/// Requests and limits of the container where nobody sets them.
const REQUESTS: [(&str, &str); 2] = [("cpu", "10m"), ("memory", "32Mi")];
const LIMITS: [(&str, &str); 1] = [("memory", "256Mi")];

/// The label by which a node runs Linux.
const OS: (&str, &str) = ("kubernetes.io/os", "linux");

/// Most characters of a value that a message quotes.
const LONGEST_VALUE: usize = 120;

/// A field of `spec.pod` that tenants may set only where the administrator allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PodField {
    /// The ServiceAccount, whose rights admission and workload identities give to the Pod.
    #[value(name = "serviceAccountName")]
    ServiceAccountName,
    /// The PriorityClass, by which other Pods are evicted.
    #[value(name = "priorityClassName")]
    PriorityClassName,
    /// Tolerations, by which the Pods run on nodes that are kept for others.
    #[value(name = "tolerations")]
    Tolerations,
}

/// What the administrator says of the backups' Pods.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodPolicy {
    /// The fields that tenants may set, of those that they may not by themselves.
    pub allowed: Vec<PodField>,
    /// What holds for all backups that do not set it.
    pub defaults: PodSettings,
}

impl PodPolicy {
    /// Returns the settings of a backup's Pods.
    ///
    /// # Errors
    /// The spec sets fields that the operator does not allow: which, with what value, and what to do.
    pub fn settings(&self, spec: &AntflyBackupSpec) -> Result<PodSettings, String> {
        let Some(pod) = &spec.pod else { return Ok(self.defaults.clone()) };
        self.check(pod)?;
        Ok(merged(&self.defaults, pod))
    }

    fn check(&self, pod: &PodSettings) -> Result<(), String> {
        let account = pod.service_account_name.as_ref().map(|name| (PodField::ServiceAccountName, json!(name)));
        let class = pod.priority_class_name.as_ref().map(|name| (PodField::PriorityClassName, json!(name)));
        let tolerations = (!pod.tolerations.is_empty()).then(|| (PodField::Tolerations, json!(pod.tolerations)));
        let set = [account, class, tolerations].into_iter().flatten();
        let refused: Vec<_> = set
            .filter(|(field, _)| !self.allowed.contains(field))
            .map(|(field, value)| {
                let (name, value) = (field.name(), shortened(&value.to_string(), LONGEST_VALUE));
                format!(
                    "spec.pod.{name}: {value} is not allowed, as the operator runs without --allow-pod-fields={name}; remove the \
                     field, or have the administrator allow it"
                )
            })
            .collect();
        if refused.is_empty() { Ok(()) } else { Err(refused.join("; ")) }
    }
}

impl PodField {
    /// Returns the name of the field.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Returns the defaults with what a spec sets in their place: of maps each key, of `resources` each resource, of
/// `securityContext` each field, and Secrets besides those of the defaults.
fn merged(defaults: &PodSettings, pod: &PodSettings) -> PodSettings {
    let PodSettings {
        labels,
        annotations,
        resources,
        node_selector,
        tolerations,
        priority_class_name,
        service_account_name,
        image_pull_secrets,
        security_context,
    } = pod.clone();
    PodSettings {
        labels: merged_maps(defaults.labels.as_ref(), labels),
        annotations: merged_maps(defaults.annotations.as_ref(), annotations),
        resources: match (&defaults.resources, resources) {
            (Some(defaults), Some(own)) => Some(ResourceRequirements {
                claims: None,
                limits: merged_maps(defaults.limits.as_ref(), own.limits),
                requests: merged_maps(defaults.requests.as_ref(), own.requests),
            }),
            (default, own) => own.or_else(|| default.clone()),
        },
        node_selector: merged_maps(defaults.node_selector.as_ref(), node_selector),
        tolerations: if tolerations.is_empty() { defaults.tolerations.clone() } else { tolerations },
        priority_class_name: priority_class_name.or_else(|| defaults.priority_class_name.clone()),
        service_account_name: service_account_name.or_else(|| defaults.service_account_name.clone()),
        image_pull_secrets: without_doubles(defaults.image_pull_secrets.iter().chain(&image_pull_secrets).cloned()),
        security_context: match (&defaults.security_context, security_context) {
            (Some(defaults), Some(own)) => Some(PodSecurityContext {
                app_armor_profile: own.app_armor_profile.or_else(|| defaults.app_armor_profile.clone()),
                fs_group_change_policy: own.fs_group_change_policy.or_else(|| defaults.fs_group_change_policy.clone()),
                run_as_non_root: own.run_as_non_root.or(defaults.run_as_non_root),
                se_linux_change_policy: own.se_linux_change_policy.or_else(|| defaults.se_linux_change_policy.clone()),
                se_linux_options: own.se_linux_options.or_else(|| defaults.se_linux_options.clone()),
                seccomp_profile: own.seccomp_profile.or_else(|| defaults.seccomp_profile.clone()),
                supplemental_groups: own.supplemental_groups.or_else(|| defaults.supplemental_groups.clone()),
                supplemental_groups_policy: own
                    .supplemental_groups_policy
                    .or_else(|| defaults.supplemental_groups_policy.clone()),
                sysctls: own.sysctls.or_else(|| defaults.sysctls.clone()),
                ..PodSecurityContext::default()
            }),
            (default, own) => own.or_else(|| default.clone()),
        },
    }
}

fn merged_maps<T: Clone>(
    defaults: Option<&BTreeMap<String, T>>,
    own: Option<BTreeMap<String, T>>,
) -> Option<BTreeMap<String, T>> {
    let mut all = defaults.cloned().unwrap_or_default();
    all.extend(own.unwrap_or_default());
    Some(all).filter(|all| !all.is_empty())
}

fn without_doubles(secrets: impl Iterator<Item = LocalObjectReference>) -> Vec<LocalObjectReference> {
    let mut kept: Vec<LocalObjectReference> = Vec::new();
    for secret in secrets {
        if !kept.contains(&secret) {
            kept.push(secret);
        }
    }
    kept
}

/// Returns the labels of the Pods: those of the operator, and others besides.
pub fn labels(settings: &PodSettings, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut all = settings.labels.clone().unwrap_or_default();
    all.extend(own.clone());
    all
}

/// Returns the annotations of the Pods.
pub fn annotations(settings: &PodSettings) -> Option<BTreeMap<String, String>> {
    settings.annotations.clone().filter(|all| !all.is_empty())
}

/// Returns the labels that a node has to have.
pub fn node_selector(settings: &PodSettings) -> BTreeMap<String, String> {
    let mut all = settings.node_selector.clone().unwrap_or_default();
    all.insert(OS.0.to_owned(), OS.1.to_owned());
    all
}

/// Returns the Secrets for pulling the image: those of the operator's options first, each once.
pub fn pull_secrets(settings: &PodSettings, of_image: &[String]) -> Option<Vec<LocalObjectReference>> {
    let of_image = of_image.iter().map(|name| LocalObjectReference { name: name.clone() });
    let all = without_doubles(of_image.chain(settings.image_pull_secrets.iter().cloned()));
    Some(all).filter(|all| !all.is_empty())
}

/// Returns the tolerations as the API server stores them: it drops empty texts.
pub fn tolerations(settings: &PodSettings) -> Option<Vec<Toleration>> {
    let stored = settings.tolerations.iter().map(|toleration| {
        let Toleration { effect, key, operator, toleration_seconds, value } = toleration.clone();
        let [effect, key, operator, value] = [effect, key, operator, value].map(not_empty);
        Toleration { effect, key, operator, toleration_seconds, value }
    });
    Some(stored.collect()).filter(|all: &Vec<_>| !all.is_empty())
}

fn not_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Returns the requests and limits of the container, as the API server stores them. A default request that is above a limit is
/// lowered to it, and a default limit below a request is raised to it.
pub fn resources(settings: &PodSettings) -> ResourceRequirements {
    let set = settings.resources.clone().unwrap_or_default();
    let stored = |map: Option<BTreeMap<String, Quantity>>| -> BTreeMap<String, Quantity> {
        let all = map.into_iter().flatten();
        all.map(|(name, amount)| (name, Quantity(quantity::as_stored(&amount.0)))).collect()
    };
    let (set_requests, set_limits) = (stored(set.requests), stored(set.limits));
    let (mut requests, mut limits) = (set_requests.clone(), set_limits.clone());
    add_defaults(&mut requests, &REQUESTS, &set_limits, Ordering::Less);
    add_defaults(&mut limits, &LIMITS, &set_requests, Ordering::Greater);
    ResourceRequirements { claims: None, limits: Some(limits), requests: Some(requests) }
}

/// Adds defaults of amounts that are not set. The bound of the same name stands in for one from which it differs in the direction of `order`.
fn add_defaults(
    amounts: &mut BTreeMap<String, Quantity>,
    defaults: &[(&str, &str)],
    bounds: &BTreeMap<String, Quantity>,
    order: Ordering,
) {
    for (name, default) in defaults {
        let bound = bounds.get(*name).filter(|bound| quantity::compare(&bound.0, default) == order);
        let amount = bound.cloned().unwrap_or_else(|| Quantity((*default).to_owned()));
        amounts.entry((*name).to_owned()).or_insert(amount);
    }
}

/// Returns the security of the Pods: within the *restricted* Pod Security Standard, whoever set what. User and groups are those of the
/// image or of the platform.
pub fn security_context(settings: &PodSettings) -> PodSecurityContext {
    let set = settings.security_context.clone().unwrap_or_default();
    PodSecurityContext {
        run_as_non_root: Some(true),
        seccomp_profile: Some(
            set.seccomp_profile.unwrap_or(SeccompProfile { type_: "RuntimeDefault".into(), localhost_profile: None }),
        ),
        app_armor_profile: set.app_armor_profile,
        fs_group_change_policy: set.fs_group_change_policy,
        se_linux_change_policy: set.se_linux_change_policy,
        se_linux_options: set
            .se_linux_options
            .map(|options| SELinuxOptions {
                level: not_empty(options.level),
                type_: not_empty(options.type_),
                role: None,
                user: None,
            })
            .filter(|options| *options != SELinuxOptions::default()),
        supplemental_groups: set.supplemental_groups.filter(|groups| !groups.is_empty()),
        supplemental_groups_policy: set.supplemental_groups_policy,
        sysctls: set.sysctls.filter(|sysctls| !sysctls.is_empty()),
        ..PodSecurityContext::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pod: serde_json::Value) -> PodSettings {
        serde_json::from_value(pod).unwrap()
    }

    #[test]
    fn a_default_gives_way_where_it_contradicts_what_is_set() {
        for (set, requests, limits) in [
            (json!({}), json!({"cpu": "10m", "memory": "32Mi"}), json!({"memory": "256Mi"})),
            (
                json!({"limits": {"memory": "16Mi", "cpu": "5m"}}),
                json!({"cpu": "5m", "memory": "16Mi"}),
                json!({"cpu": "5m", "memory": "16Mi"}),
            ),
            (json!({"limits": {"memory": "1Gi"}}), json!({"cpu": "10m", "memory": "32Mi"}), json!({"memory": "1Gi"})),
            (
                json!({"requests": {"memory": "512Mi"}}),
                json!({"cpu": "10m", "memory": "512Mi"}),
                json!({"memory": "512Mi"}),
            ),
            (
                json!({"requests": {"cpu": 1, "memory": "1024Mi"}, "limits": {"memory": "2048Mi", "example.com/gpu": 1}}),
                json!({"cpu": "1", "memory": "1Gi"}),
                json!({"example.com/gpu": "1", "memory": "2Gi"}),
            ),
        ] {
            let resources = json!(resources(&settings(json!({"resources": set}))));
            assert_eq!((&resources["requests"], &resources["limits"]), (&requests, &limits), "{set}");
        }
    }

    #[test]
    fn what_the_spec_sets_wins_over_a_default_field_by_field() {
        let defaults = settings(json!({
            "labels": {"team": "a", "tier": "x"}, "resources": {"limits": {"memory": "1Gi", "cpu": "1"}},
            "nodeSelector": {"pool": "backup"}, "tolerations": [{"operator": "Exists"}], "priorityClassName": "low",
            "imagePullSecrets": [{"name": "mirror"}], "securityContext": {"supplementalGroups": [7], "sysctls": []},
        }));
        let pod = settings(json!({
            "labels": {"team": "b"}, "resources": {"limits": {"memory": "2Gi"}}, "nodeSelector": {"zone": "z"},
            "imagePullSecrets": [{"name": "own"}, {"name": "mirror"}], "securityContext": {"supplementalGroups": [8]},
        }));
        let expected = json!({
            "labels": {"team": "b", "tier": "x"}, "resources": {"limits": {"memory": "2Gi", "cpu": "1"}},
            "nodeSelector": {"pool": "backup", "zone": "z"}, "tolerations": [{"operator": "Exists"}],
            "priorityClassName": "low", "imagePullSecrets": [{"name": "mirror"}, {"name": "own"}],
            "securityContext": {"supplementalGroups": [8], "sysctls": []},
        });
        assert_eq!(json!(merged(&defaults, &pod)), expected);
    }
}
