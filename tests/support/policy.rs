//! Admission that refuses or changes something in one namespace.
#![allow(dead_code, reason = "shared with tests that need less of it")]

use kube::Client;
use local_cluster::apply_yaml;
use serde_json::{Value, json};

/// Label of namespaces in which the operator's own policy is not in force, as in a cluster without it: their CronJobs get containers
/// by admission.
pub const WITHOUT_POLICY: &str = "tests.antfly.io/without-policy";

/// Returns the merge patch of a ValidatingAdmissionPolicyBinding that leaves those namespaces out.
pub fn leave_them_out() -> Value {
    let without = json!({"key": WITHOUT_POLICY, "operator": "DoesNotExist"});
    json!({"spec": {"matchResources": {"namespaceSelector": {"matchExpressions": [without]}}}})
}

/// A MutatingAdmissionPolicy and its binding, both of one name.
pub struct Mutating<'a> {
    /// Name of both objects.
    pub name: &'a str,
    /// The namespace in which it is in force; all if there is none.
    pub namespace: Option<&'a str>,
    /// API group of what is changed; empty for the core group.
    pub group: &'a str,
    /// Plural name of what is changed.
    pub resource: &'a str,
    /// With which writes, for example `CREATE`.
    pub operations: &'a [&'a str],
    /// The changes: lists of `JSONPatch`, in CEL.
    pub expressions: &'a [&'a str],
}

impl Mutating<'_> {
    /// Installs the policy and its binding. They may be in force only a moment later.
    pub async fn install(&self, client: &Client) {
        for object in self.objects(&mutating_version(client).await) {
            apply_yaml(client, &object.to_string()).await.unwrap();
        }
    }

    fn objects(&self, api_version: &str) -> [Value; 2] {
        let metadata = json!({"name": self.name});
        let of_namespace = |namespace| json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
        let selector = self.namespace.map_or(json!({}), of_namespace);
        let patch = |expression| json!({"patchType": "JSONPatch", "jsonPatch": {"expression": expression}});
        let policy = json!({
            "apiVersion": api_version, "kind": "MutatingAdmissionPolicy", "metadata": metadata,
            "spec": {
                "matchConstraints": {
                    "namespaceSelector": selector,
                    "resourceRules": [{
                        "apiGroups": [self.group], "apiVersions": ["v1"], "resources": [self.resource], "operations": self.operations,
                    }],
                },
                "failurePolicy": "Fail", "reinvocationPolicy": "Never",
                "mutations": self.expressions.iter().map(patch).collect::<Vec<_>>(),
            },
        });
        let binding = json!({
            "apiVersion": api_version, "kind": "MutatingAdmissionPolicyBinding", "metadata": metadata,
            "spec": {"policyName": self.name},
        });
        [policy, binding]
    }
}

/// Returns the newest version in which the API server has such policies. It is v1 since Kubernetes 1.36; before, somebody had to turn
/// them on, as `.ci/minors` does.
async fn mutating_version(client: &Client) -> String {
    for version in ["v1", "v1beta1", "v1alpha1"] {
        let api_version = format!("admissionregistration.k8s.io/{version}");
        let served = client.list_api_group_resources(&api_version).await;
        if served.is_ok_and(|list| list.resources.iter().any(|kind| kind.name == "mutatingadmissionpolicies")) {
            return api_version;
        }
    }
    panic!("the API server has no MutatingAdmissionPolicy in any version");
}

/// A ValidatingAdmissionPolicy and its binding, both of one name.
pub struct Refusing<'a> {
    /// Name of both objects.
    pub name: &'a str,
    /// The namespace in which it is in force.
    pub namespace: &'a str,
    /// API group of what is refused; empty for the core group.
    pub group: &'a str,
    /// Plural name of what is refused.
    pub resource: &'a str,
    /// What must not be done, for example `DELETE`.
    pub operations: &'a [&'a str],
    /// What must hold nevertheless, in CEL.
    pub unless: &'a str,
    /// What the API server answers.
    pub message: &'a str,
}

impl Refusing<'_> {
    /// Returns the policy and its binding.
    pub fn objects(&self) -> [Value; 2] {
        let api_version = "admissionregistration.k8s.io/v1";
        let metadata = json!({"name": self.name});
        let policy = json!({
            "apiVersion": api_version, "kind": "ValidatingAdmissionPolicy", "metadata": metadata,
            "spec": {
                "matchConstraints": {"resourceRules": [{
                    "apiGroups": [self.group], "apiVersions": ["v1"], "resources": [self.resource], "operations": self.operations,
                }]},
                "validations": [{"expression": self.unless, "message": self.message}],
            },
        });
        let binding = json!({
            "apiVersion": api_version, "kind": "ValidatingAdmissionPolicyBinding", "metadata": metadata,
            "spec": {
                "policyName": self.name, "validationActions": ["Deny"],
                "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}}},
            },
        });
        [policy, binding]
    }
}
