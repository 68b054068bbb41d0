//! `render`: prints the CronJob of an AntflyBackup, without a cluster.

use super::{
    files::{Document, read_all, skip},
    find,
    output::print,
};
use crate::{
    api::{
        KIND,
        validation::{UnknownFields, validate},
    },
    cluster::{lookup::ClusterLookup, stored::StoredBackup, views::Cluster},
    desired::{
        manifest::cron_job,
        plan::{DEFAULT_IMAGE, FileLocations, JobImage, plan},
        pod::{PodField, PodPolicy},
    },
    operator::read_pod_defaults,
};
use clap::{Args, ValueEnum as _};
use serde_json::Value;
use std::{path::PathBuf, process::ExitCode, sync::Arc};

/// Options of `render`.
#[derive(Args, Clone, Debug)]
pub struct RenderOptions {
    /// File, folder or glob with AntflyBackups and the AntflyClusters they name, as YAML or JSON; repeatable
    #[arg(long_help = format!("File, folder or glob with AntflyBackups and the AntflyClusters they name, as YAML or JSON; repeatable\n\n{}", find::HELP))]
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    files: Vec<String>,

    /// Image of the Pods that run the backups
    #[arg(long, value_name = "IMAGE", default_value = DEFAULT_IMAGE)]
    job_image: String,

    /// Secret for pulling that image; repeatable
    #[arg(long = "job-image-pull-secret", value_name = "NAME")]
    job_image_pull_secrets: Vec<String>,

    /// File with defaults for spec.pod, as the operator reads it
    #[arg(long, value_name = "FILE")]
    pod_defaults_file: Option<PathBuf>,
}

/// Prints the CronJob of each AntflyBackup as a YAML document. Returns exit code 1 if an AntflyBackup has none.
pub fn render(options: &RenderOptions) -> anyhow::Result<ExitCode> {
    let (mut backups, mut clusters) = (Vec::new(), Vec::new());
    for document in read_all(&options.files)? {
        match document.value["kind"].as_str() {
            Some(KIND) => backups.push(document),
            Some("AntflyCluster") => clusters.push(in_namespace(document.value)),
            _ => skip(&document, "an AntflyBackup or AntflyCluster"),
        }
    }
    let image = JobImage {
        name: options.job_image.clone(),
        pull_policy: None,
        pull_secrets: options.job_image_pull_secrets.clone(),
    };
    let defaults = options.pod_defaults_file.as_deref().map(read_pod_defaults).transpose()?.unwrap_or_default();
    let pod = PodPolicy { allowed: PodField::value_variants().to_vec(), defaults };
    let mut code = ExitCode::SUCCESS;
    if backups.is_empty() {
        eprintln!("error: no AntflyBackup in {}", options.files.join(", "));
        code = ExitCode::FAILURE;
    }
    for (index, backup) in backups.into_iter().enumerate() {
        match manifest(&backup, &clusters, &image, &pod)? {
            Ok(yaml) => print(&format!("{}{yaml}", if index > 0 { "---\n" } else { "" }))?,
            Err(problems) => {
                eprint!("{problems}");
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

/// Sets kubectl's default namespace if the object has none.
fn in_namespace(mut object: Value) -> Value {
    if object["metadata"]["namespace"].as_str().is_none_or(str::is_empty) {
        object["metadata"]["namespace"] = "default".into();
    }
    object
}

fn manifest(
    document: &Document,
    clusters: &[Value],
    image: &JobImage,
    pod: &PodPolicy,
) -> anyhow::Result<Result<String, String>> {
    let file = &document.file;
    let found = validate(&document.value, UnknownFields::Refuse);
    if !found.is_empty() {
        return Ok(Err(found.iter().map(|violation| format!("{file}: {violation}\n")).collect()));
    }
    let backup = StoredBackup::from_value(in_namespace(document.value.clone()))?;
    let (namespace, name) = backup.cluster_key().unwrap_or_default();
    let is_wanted =
        |cluster: &&Value| cluster["metadata"]["name"] == *name && cluster["metadata"]["namespace"] == *namespace;
    let cluster = match clusters.iter().find(is_wanted) {
        Some(cluster) => Cluster::from_value(cluster)?,
        None => {
            eprintln!("{file}: AntflyCluster {namespace}/{name} is in none of the files; taking one with all defaults");
            let metadata = serde_json::json!({"metadata": {"name": name, "namespace": namespace}});
            Cluster::from_value(&metadata)?
        }
    };
    Ok(match plan(&backup, &ClusterLookup::Found(Arc::new(cluster)), None, image, FileLocations::Allowed, pod) {
        Ok(plan) => Ok(serde_saphyr::to_string(&cron_job(&plan))?.trim_end().to_owned() + "\n"),
        Err(blocked) => Err(format!("{file}: {}: {}\n", blocked.reason, blocked.message)),
    })
}
