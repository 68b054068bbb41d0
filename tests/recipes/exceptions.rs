//! All that sets a command or a YAML block of the pages apart: those that are not run or applied, with the reason, what stands for a placeholder, and what
//! a reader has done before a section that the page itself does not say.

use crate::stage::Stage;

/// Commands that are not run: what they begin with, and why.
pub const NOT_RUN: [(&str, &str); 7] = [
    ("cargo ", "builds and tests this repository; .ci/run does"),
    ("FAULTS_FIRST=", "a test of this repository"),
    (".ci/run", "runs this very test"),
    ("export KIND_NODE_IMAGE=", "builds the image of a kind node; .ci/run does"),
    ("antfly-backup-operator run --leader-election", "goes on until it is stopped; the Pods of the Deployment run it"),
    ("kubectl apply --validate=strict", "names an option"),
    ("kubectl set image", "names a subcommand"),
];

/// YAML blocks that are not applied: page, first line of the block, and why.
pub const NOT_APPLIED: [(&str, &str, &str); 4] = [
    (
        "CONTRIBUTING.md",
        "purpose:",
        "a field of the schema; crates/api-generator/tests/contributing.rs makes code of it",
    ),
    ("docs/api-evolution.md", "exceptions:", "a file of this repository, which the gate reads"),
    ("docs/validate.md", "# .github/workflows/backups.yaml", "a file for GitHub"),
    ("docs/validate.md", "# .pre-commit-config.yaml", "a file for pre-commit"),
];

/// What a command says, and what it is run with.
pub fn placeholders(stage: &Stage) -> Vec<(&'static str, String)> {
    let last =
        "$(kubectl get antflybackup daily-backup -n production -o jsonpath='{.status.lastSuccessfulBackup.backupId}')";
    vec![
        ("AWS_ACCESS_KEY_ID=…", format!("AWS_ACCESS_KEY_ID={}", stage.storage.access_key())),
        // the endpoint is optional, and not that of this storage
        (
            "AWS_SECRET_ACCESS_KEY=…",
            format!(
                "AWS_SECRET_ACCESS_KEY={} --from-literal=AWS_ENDPOINT_URL={} --from-literal=AWS_REGION={}",
                stage.storage.secret_key(),
                stage.storage.endpoint(),
                stage.storage.region()
            ),
        ),
        ("--id ID", format!("--id \"{last}\"")),
        ("-f FILE", "-f backup.yaml".to_owned()),
    ]
}

/// What is done before the first recipe below a heading: page, heading, commands, and why.
pub const BEFORE: [(&str, &str, &str, &str); 4] = [
    (
        "README.md",
        "See it",
        "kubectl apply -f examples/04-cross-namespace.yaml",
        "the section shows the objects of the demo",
    ),
    (
        "docs/networks.md",
        "Namespaces that deny by default",
        "kubectl create namespace shop && kubectl create namespace search",
        "the reader has namespaces with AntflyBackups and an AntflyCluster",
    ),
    (
        "docs/install.md",
        "For a single namespace",
        "kubectl delete -k deploy/ -l app.kubernetes.io/component=operator",
        "only one operator may serve a namespace, as the section says",
    ),
    (
        "docs/install.md",
        "Upgrade",
        "kubectl delete -k deploy/overlays/single-namespace/ && kubectl delete -k deploy/overlays/single-namespace-policy/",
        "the section is about the operator for all namespaces again",
    ),
];
