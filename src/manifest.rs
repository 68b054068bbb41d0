//! The CronJob that a valid backup of a known cluster asks for.

use crate::{FIELD_MANAGER, plan::Plan, runner};
use k8s_openapi::{
    api::{
        batch::v1::{CronJob, CronJobSpec, JobSpec, JobTemplateSpec},
        core::v1::{
            Capabilities, Container, EmptyDirVolumeSource, EnvVar, EnvVarSource, ObjectFieldSelector,
            PodSecurityContext, PodSpec, PodTemplateSpec, ResourceRequirements, SeccompProfile, SecretKeySelector,
            SecurityContext, Volume, VolumeMount,
        },
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{ObjectMeta, OwnerReference},
    },
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Label with the name of the `AntflyBackup`, on CronJob, Jobs and Pods.
pub const BACKUP_LABEL: &str = "antfly.io/backup";

/// Label with the name of the `AntflyCluster`, on CronJob, Jobs and Pods.
pub const CLUSTER_LABEL: &str = "antfly.io/cluster";

/// How late a backup may start, in seconds, when its slot was missed, such as while the control plane was down.
pub const STARTING_DEADLINE_SECONDS: i64 = 3 * 60 * 60;

/// How often a failed Pod is replaced within one backup.
const BACKOFF_LIMIT: i32 = 3;

/// User and group of antfly's image.
const ANTFLY_USER: i64 = 10001;

/// Name of the container that runs antfly.
pub const CONTAINER: &str = "backup";

/// The program in antfly's image.
const ANTFLY: &str = "/antfly";

/// Environment variable with the id of the backup.
const BACKUP_ID: &str = "ANTFLY_BACKUP_ID";

/// Keys that are taken from the Secret, and whether the backup can do without.
const SECRET_KEYS: [(&str, bool); 4] =
    [("AWS_ACCESS_KEY_ID", false), ("AWS_SECRET_ACCESS_KEY", false), ("AWS_REGION", true), ("AWS_ENDPOINT_URL", true)];

/// Name of the CronJob of a backup. It has at most 52 characters, as Kubernetes asks, because the schema allows the
/// backup's 47.
pub fn cron_job_name(backup: &str) -> String {
    format!("{backup}-cron")
}

/// Where the runner is put in the Pod.
const RUNNER_DIRECTORY: &str = "/runner";

/// The operator's binary in its own image.
const OPERATOR: &str = "/antfly-backup-operator";

/// Makes the CronJob.
pub fn cron_job(plan: &Plan) -> CronJob {
    let labels = labels(plan);
    let labelled =
        |labels: &BTreeMap<String, String>| ObjectMeta { labels: Some(labels.clone()), ..Default::default() };
    CronJob {
        metadata: ObjectMeta {
            name: Some(cron_job_name(&plan.name)),
            namespace: Some(plan.namespace.clone()),
            owner_references: plan.uid.as_ref().map(|uid| {
                vec![OwnerReference {
                    api_version: crate::api::API_VERSION.into(),
                    kind: crate::api::KIND.into(),
                    name: plan.name.clone(),
                    uid: uid.clone(),
                    controller: Some(true),
                    block_owner_deletion: None,
                }]
            }),
            ..labelled(&labels)
        },
        spec: CronJobSpec {
            schedule: plan.schedule.clone(),
            time_zone: Some("UTC".into()),
            suspend: Some(plan.suspend),
            concurrency_policy: Some("Forbid".into()),
            starting_deadline_seconds: Some(STARTING_DEADLINE_SECONDS),
            successful_jobs_history_limit: Some(plan.successful_jobs_history_limit),
            failed_jobs_history_limit: Some(plan.failed_jobs_history_limit),
            job_template: JobTemplateSpec {
                metadata: Some(labelled(&labels)),
                spec: Some(JobSpec {
                    backoff_limit: Some(BACKOFF_LIMIT),
                    active_deadline_seconds: Some(plan.timeout_seconds),
                    template: PodTemplateSpec { metadata: Some(labelled(&labels)), spec: Some(pod(plan)) },
                    ..Default::default()
                }),
            },
        },
        status: None,
    }
}

fn labels(plan: &Plan) -> BTreeMap<String, String> {
    [
        ("app.kubernetes.io/name", "antfly-backup"),
        ("app.kubernetes.io/instance", &plan.name),
        ("app.kubernetes.io/component", "backup"),
        ("app.kubernetes.io/managed-by", FIELD_MANAGER),
        (BACKUP_LABEL, &plan.name),
        (CLUSTER_LABEL, &plan.cluster_name),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// A manifest as the body of a server-side apply. That is read as YAML, which has no place for two characters that JSON takes
/// as they are (<https://yaml.org/spec/1.2.2/#51-character-set>): they are escaped.
///
/// # Errors
/// The object has no JSON form.
pub fn apply_body(manifest: &impl Serialize) -> serde_json::Result<Box<RawValue>> {
    let json = serde_json::to_string(manifest)?;
    RawValue::from_string(json.replace('\u{fffe}', r"\ufffe").replace('\u{ffff}', r"\uffff"))
}

/// A Pod that the *restricted* Pod Security Standard allows.
fn pod(plan: &Plan) -> PodSpec {
    PodSpec {
        restart_policy: Some("Never".into()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(ANTFLY_USER),
            run_as_group: Some(ANTFLY_USER),
            fs_group: Some(ANTFLY_USER),
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".into(), localhost_profile: None }),
            ..Default::default()
        }),
        init_containers: plan.runner_image.as_ref().map(|image| vec![runner_installer(image)]),
        containers: vec![Container {
            image: Some(plan.image.clone()),
            image_pull_policy: plan.image_pull_policy.clone(),
            command: Some(match &plan.runner_image {
                Some(_) => runner::execute_command(RUNNER_DIRECTORY, &[ANTFLY.to_owned()]),
                None => vec![ANTFLY.into()],
            }),
            args: Some(arguments(plan)),
            env: Some(environment(plan)),
            volume_mounts: Some(
                std::iter::once(mount("tmp", "/tmp", false))
                    .chain(plan.runner_image.as_ref().map(|_| mount("runner", RUNNER_DIRECTORY, true)))
                    .collect(),
            ),
            ..container(CONTAINER)
        }],
        volumes: Some(
            std::iter::once(scratch("tmp")).chain(plan.runner_image.as_ref().map(|_| scratch("runner"))).collect(),
        ),
        ..Default::default()
    }
}

/// What brings the runner into the Pod: antfly's own image does not have it.
fn runner_installer(image: &str) -> Container {
    Container {
        image: Some(image.to_owned()),
        command: Some(vec![OPERATOR.into()]),
        args: Some(runner::install_arguments(RUNNER_DIRECTORY)),
        volume_mounts: Some(vec![mount("runner", RUNNER_DIRECTORY, false)]),
        ..container("runner")
    }
}

/// What all containers have in common.
fn container(name: &str) -> Container {
    Container {
        name: name.to_owned(),
        resources: Some(ResourceRequirements {
            requests: Some(quantities([("cpu", "10m"), ("memory", "32Mi")])),
            ..Default::default()
        }),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), add: None }),
            ..Default::default()
        }),
        termination_message_policy: Some("FallbackToLogsOnError".into()),
        ..Default::default()
    }
}

fn mount(volume: &str, path: &str, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        read_only: read_only.then_some(true),
        ..Default::default()
    }
}

fn scratch(name: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource { size_limit: Some(Quantity("64Mi".into())), ..Default::default() }),
        ..Default::default()
    }
}

fn quantities<const N: usize>(values: [(&str, &str); N]) -> BTreeMap<String, Quantity> {
    values.map(|(name, value)| (name.to_owned(), Quantity(value.to_owned()))).into()
}

fn arguments(plan: &Plan) -> Vec<String> {
    let mut arguments = vec![
        "backup".to_owned(),
        "--backup-id".to_owned(),
        format!("$({BACKUP_ID})"),
        LOCATION_FLAG.to_owned(),
        literal(&plan.location),
    ];
    if !plan.tables.is_empty() {
        arguments.push(TABLES_FLAG.to_owned());
        arguments.push(literal(&plan.tables.join(",")));
    }
    arguments
}

const TABLES_FLAG: &str = "--tables";
const LOCATION_FLAG: &str = "--location";

/// The kubelet expands `$(VAR)` in arguments and takes `$$` for a `$`
/// (<https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/>).
fn literal(argument: &str) -> String {
    argument.replace('$', "$$")
}

/// The tables in the arguments of a Job that [`cron_job`] made; empty when they name none.
pub fn tables_of_command(arguments: &[String]) -> Vec<String> {
    value_of(TABLES_FLAG, arguments).map(|tables| tables.split(',').map(str::to_owned).collect()).unwrap_or_default()
}

/// The location in the arguments of a Job that [`cron_job`] made.
pub fn location_of_command(arguments: &[String]) -> Option<String> {
    value_of(LOCATION_FLAG, arguments)
}

fn value_of(flag: &str, arguments: &[String]) -> Option<String> {
    arguments.iter().skip_while(|argument| *argument != flag).nth(1).map(|value| value.replace("$$", "$"))
}

fn environment(plan: &Plan) -> Vec<EnvVar> {
    let mut variables = vec![
        EnvVar {
            name: BACKUP_ID.into(),
            value_from: Some(EnvVarSource {
                field_ref: Some(ObjectFieldSelector {
                    // the default, spelled out: server-side apply owns this struct as a whole
                    api_version: Some("v1".into()),
                    field_path: "metadata.labels['batch.kubernetes.io/job-name']".into(),
                }),
                ..Default::default()
            }),
            ..Default::default()
        },
        // an address in the environment, not as a flag: one antfly CLI ignores --url, another dies of it
        EnvVar { name: "ANTFLY_URL".into(), value: Some(plan.api_url.clone()), ..Default::default() },
    ];
    if let Some(secret) = &plan.credentials_secret {
        variables.extend(SECRET_KEYS.map(|(key, optional)| EnvVar {
            name: key.into(),
            value_from: Some(EnvVarSource {
                secret_key_ref: Some(SecretKeySelector {
                    name: secret.clone(),
                    key: key.into(),
                    optional: optional.then_some(true),
                }),
                ..Default::default()
            }),
            ..Default::default()
        }));
    }
    variables
}
