//! The command line of `run`.

use super::pod_defaults;
use crate::{
    api::duration,
    cluster::{access::CrossNamespaceClusters, cache::Scope},
    desired::{
        plan::FileLocations,
        pod::{PodField, PodPolicy},
    },
    names::FIELD_MANAGER,
};
use clap::{Args, ValueEnum};
use jiff::SignedDuration;
use std::{ffi::OsString, ops::RangeInclusive, path::Path, time::Duration};

/// Allowed lease durations. A shorter one leaves no time for a renewal.
const LEASE: RangeInclusive<Duration> = Duration::from_secs(3)..=Duration::from_secs(3600);

/// Options of `run`.
#[derive(Args, Clone, Debug)]
pub struct RunOptions {
    /// Watch this namespace only; repeat it (or separate with commas) for several [default: all namespaces]
    ///
    /// The operator then ignores AntflyClusters in other namespaces: a backup that names one reports ClusterNotFound.
    #[arg(
        long = "namespace",
        value_name = "NAMESPACE",
        value_delimiter = ',',
        env = "ANTFLY_BACKUP_OPERATOR_NAMESPACE"
    )]
    pub namespaces: Vec<String>,

    /// Only reconcile AntflyBackups with these labels, such as shard=1 or 'tier in (a,b)' [default: all]
    ///
    /// Lets several operators share the work. No operator reconciles a backup that matches no selector, and two operators
    /// write one that matches both of theirs. Each set of replicas needs a Lease with its own name.
    #[arg(long, value_name = "LABELS", env = "ANTFLY_BACKUP_OPERATOR_SELECTOR")]
    pub selector: Option<String>,

    /// Which AntflyClusters of other namespaces an AntflyBackup may use
    ///
    /// With consent, an AntflyBackup is also bound to the UID of its AntflyCluster. One that it may not use reads like one that
    /// does not exist.
    #[arg(
        long,
        value_name = "WHICH",
        value_enum,
        default_value_t,
        env = "ANTFLY_BACKUP_OPERATOR_CROSS_NAMESPACE_CLUSTERS"
    )]
    pub cross_namespace_clusters: CrossNamespaceClusters,

    /// Allow backups to file:// locations, which are folders of Antfly's own nodes
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value = "true",
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new(),
        action = clap::ArgAction::Set,
        env = "ANTFLY_BACKUP_OPERATOR_ALLOW_FILE_LOCATIONS"
    )]
    pub allow_file_locations: bool,

    /// Address for /healthz and /readyz, and without --metrics-address for /metrics; port 0 takes any free one
    ///
    /// [::] listens on IPv4, too, and is 0.0.0.0 on a host without IPv6.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "[::]:8080", env = "ANTFLY_BACKUP_OPERATOR_HTTP_ADDRESS")]
    pub http_address: String,

    /// Address for /metrics, so that a NetworkPolicy can say who may read them [default: that of --http-address]
    #[arg(long, value_name = "ADDRESS:PORT", env = "ANTFLY_BACKUP_OPERATOR_METRICS_ADDRESS")]
    pub metrics_address: Option<String>,

    /// How many AntflyBackups to reconcile at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=64), env = "ANTFLY_BACKUP_OPERATOR_CONCURRENCY")]
    pub concurrency: u16,

    /// Image of the Pods that request backups: one of this operator [default: the image of the operator's own Pod]
    ///
    /// Outside a Pod the default is the published image of this version.
    #[arg(long, value_name = "IMAGE", env = "ANTFLY_BACKUP_OPERATOR_JOB_IMAGE")]
    pub job_image: Option<String>,

    /// Secret for pulling that image, in the namespace of each AntflyBackup; repeatable
    #[arg(
        long = "job-image-pull-secret",
        value_name = "NAME",
        value_delimiter = ',',
        env = "ANTFLY_BACKUP_OPERATOR_JOB_IMAGE_PULL_SECRET"
    )]
    pub job_image_pull_secrets: Vec<String>,

    /// Which of serviceAccountName, priorityClassName and tolerations an AntflyBackup may set in spec.pod; repeatable [default: none]
    #[arg(
        long = "allow-pod-fields",
        value_name = "FIELD",
        value_parser = pod_field,
        value_delimiter = ',',
        env = "ANTFLY_BACKUP_OPERATOR_ALLOW_POD_FIELDS"
    )]
    pub allow_pod_fields: Vec<Option<PodField>>,

    /// File with defaults for spec.pod of all AntflyBackups, as YAML or JSON, such as that of a mounted ConfigMap
    ///
    /// What an AntflyBackup sets wins, field by field. The file is read once, at the start.
    #[arg(long, value_name = "FILE", env = "ANTFLY_BACKUP_OPERATOR_POD_DEFAULTS_FILE")]
    pub pod_defaults_file: Option<OsString>,

    /// How late a backup may start before it is overdue, such as 15m or 1h
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = grace, env = "ANTFLY_BACKUP_OPERATOR_OVERDUE_GRACE")]
    pub overdue_grace: SignedDuration,

    /// Apply this operator's CustomResourceDefinition again when another one has replaced it
    ///
    /// Needs permission to patch it: deploy/overlays/beside-antfly-operator has the rule.
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new(),
        env = "ANTFLY_BACKUP_OPERATOR_KEEP_DEFINITION"
    )]
    pub keep_definition: bool,

    /// Reconcile only while this process holds a Lease, so that several replicas may run
    ///
    /// Needs permission to get, list, watch, create and update Leases in the namespace of the Lease.
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        value_parser = clap::builder::BoolishValueParser::new(),
        env = "ANTFLY_BACKUP_OPERATOR_LEADER_ELECTION"
    )]
    pub leader_election: bool,

    /// Namespace of the Lease [default: the Pod's own]
    #[arg(long, value_name = "NAMESPACE", env = "ANTFLY_BACKUP_OPERATOR_LEADER_ELECTION_NAMESPACE")]
    pub leader_election_namespace: Option<String>,

    /// Name of the Lease: one for all replicas, and another one for each set of operators that share a namespace
    #[arg(long, value_name = "NAME", default_value = FIELD_MANAGER, env = "ANTFLY_BACKUP_OPERATOR_LEADER_ELECTION_NAME")]
    pub leader_election_name: String,

    /// How long after its last renewal another replica may take over, in whole seconds
    ///
    /// The leader renews the Lease every 2/15 of this time (2s), and stops writing 2/3 of it (10s) after its last renewal.
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = lease_duration, env = "ANTFLY_BACKUP_OPERATOR_LEADER_ELECTION_LEASE_DURATION")]
    pub leader_election_lease_duration: Duration,

    /// Form of the logs on standard error; RUST_LOG selects what is logged, such as RUST_LOG=debug
    #[arg(long, value_enum, default_value_t = LogFormat::Auto, env = "ANTFLY_BACKUP_OPERATOR_LOG_FORMAT")]
    pub log_format: LogFormat,
}

/// Reads a field of `spec.pod`; empty counts as absent, as where an environment variable is set to nothing.
fn pod_field(text: &str) -> Result<Option<PodField>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let known = || PodField::value_variants().iter().map(|field| field.name()).collect::<Vec<_>>().join(", ");
    PodField::from_str(text, false).map(Some).map_err(|_| format!("must be one of {}", known()))
}

fn grace(text: &str) -> Result<SignedDuration, String> {
    let duration = duration::parse(text).and_then(|duration| SignedDuration::try_from(duration).ok());
    duration.ok_or_else(|| "write a duration such as 15m or 1h".to_owned())
}

fn lease_duration(text: &str) -> Result<Duration, String> {
    let duration = duration::parse(text).filter(|duration| duration.subsec_nanos() == 0 && LEASE.contains(duration));
    duration.ok_or_else(|| "write a duration of whole seconds from 3s to 1h, such as 15s".to_owned())
}

impl RunOptions {
    /// Returns the address of `/metrics` if it is not that of the probes.
    pub fn metrics_address(&self) -> Option<&str> {
        let own = self.metrics_address.as_deref().filter(|address| !address.is_empty());
        own.filter(|own| *own != self.http_address || own.ends_with(":0"))
    }

    /// Returns the image of `--job-image`; empty counts as absent.
    pub fn job_image(&self) -> Option<&str> {
        self.job_image.as_deref().filter(|image| !image.is_empty())
    }

    /// Returns the Secrets for pulling it.
    pub fn job_image_pull_secrets(&self) -> Vec<String> {
        self.job_image_pull_secrets.iter().filter(|name| !name.is_empty()).cloned().collect()
    }

    /// Returns whether backups may be written to folders of Antfly's own nodes.
    pub fn file_locations(&self) -> FileLocations {
        if self.allow_file_locations { FileLocations::Allowed } else { FileLocations::NotAllowed }
    }

    /// Returns what holds for the backups' Pods: the fields that tenants may set, and the defaults of the file.
    ///
    /// # Errors
    /// The file cannot be read, or a field in it is not valid.
    pub fn pod_policy(&self) -> anyhow::Result<PodPolicy> {
        let file = self.pod_defaults_file.as_deref().filter(|file| !file.is_empty()).map(Path::new);
        let defaults = file.map(pod_defaults::read).transpose()?.unwrap_or_default();
        Ok(PodPolicy { allowed: self.allow_pod_fields.iter().copied().flatten().collect(), defaults })
    }

    /// Returns the labels of the AntflyBackups to reconcile; `None`: all.
    pub fn selector(&self) -> Option<&str> {
        self.selector.as_deref().filter(|selector| !selector.trim().is_empty())
    }

    /// Returns the scopes of the watches.
    pub fn scopes(&self) -> Vec<Scope> {
        let mut namespaces = self.namespaces.clone();
        namespaces.sort();
        namespaces.dedup();
        if namespaces.is_empty() { vec![Scope::All] } else { namespaces.into_iter().map(Scope::Namespace).collect() }
    }
}

/// Form of the logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
