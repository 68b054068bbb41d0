//! Builds the CronJob of a planned backup.

use crate::{
    backup::{
        CA_BUNDLE_VARIABLE, EXIT_FOR_GOOD, JOB_NAME_VARIABLE, JOB_UID_VARIABLE, POD_UID_VARIABLE, arguments::JobRequest,
    },
    desired::{plan::Plan, pod},
    names::{
        BACKUP_LABEL, CLUSTER_LABEL, CLUSTER_NAMESPACE_ANNOTATION, CLUSTER_UID_ANNOTATION, CONTAINER, FIELD_MANAGER,
        MADE_BY_ANNOTATION, MANAGED_BY_LABEL, cron_job_name,
    },
};
use k8s_openapi::{
    api::{
        batch::v1::{
            CronJob, CronJobSpec, JobSpec, JobTemplateSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
            PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
        },
        core::v1::{
            Capabilities, ConfigMapKeySelector, Container, EnvVar, EnvVarSource, ObjectFieldSelector, PodSpec,
            PodTemplateSpec, SecretKeySelector, SecurityContext,
        },
    },
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Keys of the Secret for reading the backup back, and whether each is optional if the backup needs the Secret.
const STORAGE_KEYS: [(&str, bool); 4] =
    [("AWS_ACCESS_KEY_ID", false), ("AWS_SECRET_ACCESS_KEY", false), ("AWS_REGION", true), ("AWS_ENDPOINT_URL", true)];

/// Keys of the Secret to log in to Antfly. The program reports which are missing if Antfly requires a login.
const LOGIN_KEYS: [&str; 3] = ["ANTFLY_TOKEN", "ANTFLY_USERNAME", "ANTFLY_PASSWORD"];

/// Builds the CronJob.
pub fn cron_job(plan: &Plan) -> CronJob {
    let labels = labels(plan);
    let labelled =
        |labels: &BTreeMap<String, String>| ObjectMeta { labels: Some(labels.clone()), ..Default::default() };
    CronJob {
        metadata: ObjectMeta {
            name: Some(cron_job_name(&plan.name)),
            namespace: Some(plan.namespace.clone()),
            annotations: Some([(MADE_BY_ANNOTATION.to_owned(), FIELD_MANAGER.to_owned())].into()),
            owner_references: plan.uid.as_ref().map(|uid| vec![owner_reference(&plan.name, uid)]),
            ..labelled(&labels)
        },
        spec: CronJobSpec {
            schedule: plan.schedule.clone(),
            time_zone: Some("UTC".into()),
            suspend: Some(plan.suspend),
            concurrency_policy: Some("Forbid".into()),
            starting_deadline_seconds: Some(plan.starting_deadline.as_secs()),
            successful_jobs_history_limit: Some(plan.successful_jobs_history_limit),
            failed_jobs_history_limit: Some(plan.failed_jobs_history_limit),
            job_template: JobTemplateSpec {
                metadata: Some(ObjectMeta { annotations: Some(annotations(plan)), ..labelled(&labels) }),
                spec: Some(JobSpec {
                    backoff_limit: Some(plan.retries),
                    active_deadline_seconds: Some(plan.timeout_seconds),
                    pod_replacement_policy: Some("Failed".into()),
                    pod_failure_policy: Some(pod_failure_policy()),
                    template: PodTemplateSpec {
                        metadata: Some(pod_metadata(plan, &labels)),
                        spec: Some(pod_spec(plan)),
                    },
                    ..Default::default()
                }),
            },
        },
        status: None,
    }
}

/// Returns the reference to the AntflyBackup of that name and UID as the controller of its CronJob.
pub fn owner_reference(backup: &str, uid: &str) -> OwnerReference {
    OwnerReference {
        api_version: crate::api::API_VERSION.into(),
        kind: crate::api::KIND.into(),
        name: backup.to_owned(),
        uid: uid.to_owned(),
        controller: Some(true),
        block_owner_deletion: None,
    }
}

/// Returns labels and annotations of the Pods. The operator's own labels win.
fn pod_metadata(plan: &Plan, labels: &BTreeMap<String, String>) -> ObjectMeta {
    ObjectMeta {
        labels: Some(pod::labels(&plan.pod, labels)),
        annotations: pod::annotations(&plan.pod),
        ..ObjectMeta::default()
    }
}

fn labels(plan: &Plan) -> BTreeMap<String, String> {
    [
        ("app.kubernetes.io/name", "antfly-backup"),
        ("app.kubernetes.io/instance", &plan.name),
        ("app.kubernetes.io/component", "backup"),
        (MANAGED_BY_LABEL, FIELD_MANAGER),
        (BACKUP_LABEL, &plan.name),
        (CLUSTER_LABEL, &plan.cluster_name),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// Returns the annotations that name the cluster for a run's record, since the spec may name another one by then.
fn annotations(plan: &Plan) -> BTreeMap<String, String> {
    let namespace = (CLUSTER_NAMESPACE_ANNOTATION.to_owned(), plan.cluster_namespace.clone());
    let uid = plan.cluster_uid.clone().map(|uid| (CLUSTER_UID_ANNOTATION.to_owned(), uid));
    std::iter::once(namespace).chain(uid).collect()
}

/// Returns a policy by which disruptions do not count as attempts, and a failure that every attempt would repeat ends the Job.
///
/// Defaults are spelled out, because server-side apply owns the list as a whole.
fn pod_failure_policy() -> PodFailurePolicy {
    let disrupted =
        PodFailurePolicyOnPodConditionsPattern { type_: "DisruptionTarget".into(), status: Some("True".into()) };
    let for_good = PodFailurePolicyOnExitCodesRequirement {
        container_name: Some(CONTAINER.into()),
        operator: "In".into(),
        values: vec![EXIT_FOR_GOOD.into()],
    };
    PodFailurePolicy {
        rules: vec![
            PodFailurePolicyRule {
                action: "Ignore".into(),
                on_pod_conditions: Some(vec![disrupted]),
                ..Default::default()
            },
            PodFailurePolicyRule { action: "FailJob".into(), on_exit_codes: Some(for_good), ..Default::default() },
        ],
    }
}

/// Returns a manifest as the body of a server-side apply. The API server parses it as YAML, which refuses some characters that
/// JSON allows, and drops spaces around those that it treats as line breaks, such as U+2028
/// (<https://yaml.org/spec/1.2.2/#51-character-set>, <https://yaml.org/spec/1.1/#id871136>). So characters outside ASCII are
/// escaped, except those that need two `\u` in JSON: YAML has no such pairs, and allows these characters unescaped.
///
/// # Errors
/// Returns an error if the object has no JSON form.
pub fn apply_body(manifest: &impl Serialize) -> serde_json::Result<Box<RawValue>> {
    let json = serde_json::to_string(manifest)?;
    let mut body = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            ' '..='~' | '\u{10000}'.. => body.push(character),
            // Characters outside ASCII are only in strings.
            _ => body.push_str(&format!("\\u{:04x}", u32::from(character))),
        }
    }
    RawValue::from_string(body)
}

/// Returns a Pod that the *restricted* Pod Security Standard allows. Its user is that of the image or of the platform. The token of a
/// ServiceAccount is never mounted.
fn pod_spec(plan: &Plan) -> PodSpec {
    let settings = &plan.pod;
    PodSpec {
        restart_policy: Some("Never".into()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        node_selector: Some(pod::node_selector(settings)),
        security_context: Some(pod::security_context(settings)),
        image_pull_secrets: pod::pull_secrets(settings, &plan.image.pull_secrets),
        tolerations: pod::tolerations(settings),
        priority_class_name: settings.priority_class_name.clone(),
        // The API server fills each from the other, so both are applied, and both are removed.
        service_account_name: settings.service_account_name.clone(),
        service_account: settings.service_account_name.clone(),
        containers: vec![Container {
            name: CONTAINER.into(),
            image: Some(plan.image.name.clone()),
            image_pull_policy: plan.image.pull_policy.clone(),
            args: Some(request(plan).arguments(&plan.servers, plan.credentials_secret.as_deref())),
            env: Some(environment(plan)),
            resources: Some(pod::resources(settings)),
            security_context: Some(SecurityContext {
                allow_privilege_escalation: Some(false),
                read_only_root_filesystem: Some(true),
                capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), add: None }),
                ..Default::default()
            }),
            termination_message_policy: Some("FallbackToLogsOnError".into()),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn request(plan: &Plan) -> JobRequest {
    JobRequest { location: plan.location.clone(), connection: plan.connection.clone(), tables: plan.tables.clone() }
}

fn environment(plan: &Plan) -> Vec<EnvVar> {
    let parts_of_the_id = [
        (JOB_NAME_VARIABLE, "metadata.labels['batch.kubernetes.io/job-name']"),
        (JOB_UID_VARIABLE, "metadata.labels['batch.kubernetes.io/controller-uid']"),
        (POD_UID_VARIABLE, "metadata.uid"),
    ];
    let mut variables: Vec<_> = parts_of_the_id.into_iter().map(|(name, path)| from_field(name, path)).collect();
    if let Some(secret) = &plan.credentials_secret {
        // With a connection, or on Antfly's own disks, the backup itself needs none of them.
        let is_required = plan.location.starts_with("s3://") && plan.connection.is_none();
        variables.extend(STORAGE_KEYS.map(|(key, optional)| from_secret(secret, key, optional || !is_required)));
        variables.extend(LOGIN_KEYS.map(|key| from_secret(secret, key, true)));
    }
    variables.extend(plan.ca_bundle.as_ref().map(|(name, key)| from_config_map(CA_BUNDLE_VARIABLE, name, key)));
    variables
}

fn from_field(name: &str, path: &str) -> EnvVar {
    // The default version is spelled out, because server-side apply owns this struct as a whole.
    let field = ObjectFieldSelector { api_version: Some("v1".into()), field_path: path.to_owned() };
    let source = EnvVarSource { field_ref: Some(field), ..Default::default() };
    EnvVar { name: name.to_owned(), value_from: Some(source), ..Default::default() }
}

fn from_secret(secret: &str, key: &str, optional: bool) -> EnvVar {
    let key_of = SecretKeySelector { name: secret.to_owned(), key: key.to_owned(), optional: optional.then_some(true) };
    let source = EnvVarSource { secret_key_ref: Some(key_of), ..Default::default() };
    EnvVar { name: key.to_owned(), value_from: Some(source), ..Default::default() }
}

fn from_config_map(variable: &str, config_map: &str, key: &str) -> EnvVar {
    let key_of = ConfigMapKeySelector { name: config_map.to_owned(), key: key.to_owned(), optional: None };
    let source = EnvVarSource { config_map_key_ref: Some(key_of), ..Default::default() };
    EnvVar { name: variable.to_owned(), value_from: Some(source), ..Default::default() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_body_of_an_apply_means_the_same_in_yaml() {
        let text = "a \u{2028} \u{85}\u{fffe}\u{10ffff}\u{7f}\n\"\\é$";
        let body = super::apply_body(&text).unwrap();
        assert!(body.get().chars().all(|character| matches!(character, ' '..='~' | '\u{10000}'..)), "{body}");
        assert_eq!(serde_json::from_str::<String>(body.get()).unwrap(), text);
    }
}
