//! The content of the manifests.

use crate::{base, documents, name_of, only, repository, single_namespace};
use antfly_backup_operator::testing::{api::CRD, desired::DEFAULT_IMAGE};
use serde_json::{Value, json};
use similar::TextDiff;
use std::{collections::BTreeSet, fs};
use xtask::deploy::{INSTALL, install, render};

/// The image, without its tag.
const IMAGE: &str = "ghcr.io/antflydb/antfly-backup-operator";

/// Kinds that belong to no namespace.
const CLUSTER_WIDE: [&str; 6] = [
    "Namespace",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
];

/// Whether an object is one of `deploy/people/`: it goes with the definition.
fn is_for_people(object: &Value) -> bool {
    object["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-edit"] == "true"
}

#[test]
fn install_yaml_is_what_deploy_renders_to() {
    let committed = fs::read_to_string(repository().join(INSTALL)).unwrap_or_default();
    let rendered = install(repository()).unwrap();
    let diff = TextDiff::from_lines(&committed, &rendered);
    let diff = diff.unified_diff().context_radius(2).to_string();
    assert!(diff.is_empty(), "{INSTALL} is out of date. Run `cargo xtask generate` and commit the result.\n{diff}");
}

#[test]
fn the_definition_is_applied_as_it_is_in_the_schema() {
    let schema: Value = serde_saphyr::from_str(CRD).unwrap();
    assert_eq!(only(&documents(base()), "CustomResourceDefinition"), schema);
}

/// The operator reads the image of the backups' Pods from its own Pod, which it knows by two variables.
#[test]
fn the_image_is_named_once_and_the_operator_knows_its_own_pod() {
    for rendered in [base(), single_namespace()] {
        let container = container(rendered);
        assert_eq!(container["name"], "operator");
        assert_eq!(container["image"], DEFAULT_IMAGE);
        assert_eq!(rendered.matches(IMAGE).count(), 1, "{IMAGE} in\n{rendered}");
        for (name, field) in [("POD_NAME", "metadata.name"), ("POD_NAMESPACE", "metadata.namespace")] {
            assert_eq!(variable(&container, name)["valueFrom"]["fieldRef"]["fieldPath"], field);
        }
    }
}

/// As in docs/install.md.
#[test]
fn a_kustomization_of_ones_own_that_changes_the_image_is_enough() {
    let page = fs::read_to_string(repository().join("docs/install.md")).unwrap();
    let (_, text) = page.split_once("```yaml\n# kustomization.yaml\n").unwrap();
    let (kustomization, _) = text.split_once("```").unwrap();
    for (path, rendered) in [("deploy", base()), ("deploy/overlays/single-namespace", single_namespace())] {
        let directory = tempfile::tempdir().unwrap();
        // kustomize takes relative paths only
        let to_root = "../".repeat(directory.path().canonicalize().unwrap().components().count() - 1);
        let deploy = format!("{to_root}{}", repository().join(path).display().to_string().trim_start_matches('/'));
        fs::write(directory.path().join("kustomization.yaml"), kustomization.replace("path/to/deploy", &deploy))
            .unwrap();
        let mirrored = render(directory.path()).unwrap();
        assert_eq!(mirrored, rendered.replace(IMAGE, "registry.example.com/mirror/antfly-backup-operator"));
    }
}

/// OpenShift assigns users to each namespace; elsewhere the image's own counts.
#[test]
fn no_user_is_fixed() {
    for rendered in [base(), single_namespace()] {
        let pod = &only(&documents(rendered), "Deployment")["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        for field in ["runAsUser", "runAsGroup", "fsGroup"] {
            // the policy refuses one
            let objects =
                documents(rendered).into_iter().filter(|object| object["kind"] != "ValidatingAdmissionPolicy");
            for object in objects {
                let key = format!("\"{field}\":");
                assert!(!object.to_string().contains(&key), "{field} in {}", name_of(&object));
            }
        }
    }
}

#[test]
fn the_overlay_has_the_same_but_for_what_is_cluster_wide() {
    let (base, overlay) = (documents(base()), documents(single_namespace()));
    let expected: BTreeSet<_> = base
        .iter()
        .filter(|object| {
            let kind = object["kind"].as_str().unwrap();
            let is_left = ["Namespace", "CustomResourceDefinition"].contains(&kind);
            !is_left && !kind.starts_with("ValidatingAdmissionPolicy") && !is_for_people(object)
        })
        .map(|object| name_of(object).replace("ClusterRole", "Role"))
        .collect();
    assert_eq!(overlay.iter().map(name_of).collect::<BTreeSet<_>>(), expected);
    for object in &overlay {
        assert!(!CLUSTER_WIDE.contains(&object["kind"].as_str().unwrap()), "{}", name_of(object));
        assert_eq!(object["metadata"]["namespace"], "production", "{}", name_of(object));
        for subject in object["subjects"].as_array().into_iter().flatten() {
            assert_eq!(subject["namespace"], "production", "{}", name_of(object));
        }
        assert_ne!(object["roleRef"]["kind"], "ClusterRole", "{}", name_of(object));
    }
    let watched = variable(&container(single_namespace()), "ANTFLY_BACKUP_OPERATOR_NAMESPACE");
    assert_eq!(watched["valueFrom"]["fieldRef"]["fieldPath"], "metadata.namespace");
}

/// One label selects all that is deleted to remove the operator, and not the definition with all AntflyBackups, nor what people may
/// do with them.
#[test]
fn all_but_the_definition_is_labelled_as_the_operator() {
    for object in documents(base()) {
        let labels = &object["metadata"]["labels"];
        let is_of_api = object["kind"] == "CustomResourceDefinition" || is_for_people(&object);
        let component = if is_of_api { "api" } else { "operator" };
        assert_eq!(labels["app.kubernetes.io/component"], component, "{}", name_of(&object));
        assert_eq!(labels["app.kubernetes.io/name"], "antfly-backup-operator", "{}", name_of(&object));
    }
}

#[test]
fn service_policy_and_budget_are_about_the_pods_of_the_deployment() {
    let objects = documents(base());
    let pods = &only(&objects, "Deployment")["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&only(&objects, "Service")["spec"]["selector"], pods);
    assert_eq!(&only(&objects, "NetworkPolicy")["spec"]["podSelector"], &json!({"matchLabels": pods}));
    assert_eq!(&only(&objects, "PodDisruptionBudget")["spec"]["selector"], &json!({"matchLabels": pods}));
    let ports = &container(base())["ports"];
    let expected =
        [json!({"name": "metrics", "containerPort": 8080}), json!({"name": "probes", "containerPort": 8081})];
    assert_eq!(*ports, json!(expected));
    assert_eq!(
        only(&objects, "Service")["spec"]["ports"],
        json!([{"name": "metrics", "port": 8080, "targetPort": "metrics"}])
    );
    let ingress = &only(&objects, "NetworkPolicy")["spec"]["ingress"];
    assert_eq!(ingress.as_array().unwrap().len(), 1);
    assert_eq!(ingress[0]["ports"], json!([{"port": "metrics", "protocol": "TCP"}]));
    assert!(!ingress[0]["from"].as_array().unwrap().is_empty(), "the metrics are for nobody else");
}

/// The addresses that the operator listens on are those of the ports, and the probes ask the port that serves them.
#[test]
fn probes_and_metrics_have_a_port_each() {
    let container = container(base());
    let address = |name: &str| variable(&container, name)["value"].clone();
    assert_eq!(address("ANTFLY_BACKUP_OPERATOR_METRICS_ADDRESS"), "[::]:8080");
    assert_eq!(address("ANTFLY_BACKUP_OPERATOR_HTTP_ADDRESS"), "[::]:8081");
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["port"], "probes", "{probe}");
    }
}

fn container(rendered: &str) -> Value {
    only(&documents(rendered), "Deployment")["spec"]["template"]["spec"]["containers"][0].clone()
}

fn variable(container: &Value, name: &str) -> Value {
    let variables = container["env"].as_array().unwrap();
    variables.iter().find(|variable| variable["name"] == name).unwrap_or_else(|| panic!("{name} is not set")).clone()
}
