//! The command line of `preflight`.

use clap::Args;

/// Options of `preflight`.
#[derive(Args, Clone, Debug)]
pub struct PreflightOptions {
    /// Namespace of the operator
    #[arg(short = 'n', long, value_name = "NAMESPACE", default_value = "antfly-backup-system")]
    pub namespace: String,

    /// ServiceAccount of the operator, in that namespace
    #[arg(long, value_name = "NAME", default_value = "antfly-backup-operator")]
    pub service_account: String,

    /// Name of the Lease of the replicas, in that namespace
    #[arg(long, value_name = "NAME", default_value = "antfly-backup-operator")]
    pub lease: String,

    /// Check the rights, CronJobs and AntflyBackups of this namespace only; repeat it (or separate with commas) for several [default: all
    /// namespaces]
    #[arg(long = "watched-namespace", value_name = "NAMESPACE", value_delimiter = ',')]
    pub watched: Vec<String>,
}
