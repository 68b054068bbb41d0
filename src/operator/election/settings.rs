//! The settings of the election.

use crate::{
    names::FIELD_MANAGER,
    operator::{instance, options::RunOptions},
};
use anyhow::Context as _;
use fenced_leader_election::{Settings, Timing, unique_identity};

/// Returns the settings of the election; `None` without `--leader-election`.
///
/// # Errors
/// The namespace of the Lease is unknown.
pub fn settings(options: &RunOptions) -> anyhow::Result<Option<Settings>> {
    if !options.leader_election {
        return Ok(None);
    }
    let namespace = namespace(options.leader_election_namespace.as_deref(), instance::namespace())?;
    let timing = Timing::new(options.leader_election_lease_duration)?;
    let identity = unique_identity(&instance::name());
    let settings = Settings::new(namespace, &options.leader_election_name, identity, timing)
        .label("app.kubernetes.io/name", FIELD_MANAGER)
        .label("app.kubernetes.io/managed-by", FIELD_MANAGER)
        .field_manager(FIELD_MANAGER);
    Ok(Some(settings))
}

/// Returns the namespace of the Lease: the one of the options, else the Pod's.
fn namespace(asked: Option<&str>, of_pod: Option<String>) -> anyhow::Result<String> {
    let asked = asked.filter(|namespace| !namespace.is_empty()).map(str::to_owned);
    asked.or(of_pod).with_context(|| {
        format!(
            "leader election needs a namespace for its Lease: pass --leader-election-namespace, or set POD_NAMESPACE \
             ({} cannot be read, so this is no Pod)",
            instance::SERVICE_ACCOUNT_NAMESPACE
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_is_the_one_asked_for_else_the_pods() {
        let of_pod = || Some("pod".to_owned());
        assert_eq!(namespace(Some("asked"), of_pod()).unwrap(), "asked");
        assert_eq!(namespace(None, of_pod()).unwrap(), "pod");
        assert_eq!(namespace(Some(""), of_pod()).unwrap(), "pod");
        let error = namespace(None, None).unwrap_err().to_string();
        assert!(error.contains("--leader-election-namespace") && error.contains("POD_NAMESPACE"), "{error}");
    }
}
