//! kube-score and kubeconform.

use crate::{base, repository, single_namespace};
use antfly_backup_operator::testing::api::CRD;
use local_cluster::{ControlPlane, apply_yaml, progress};
use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};
use xtask::deploy::{Finding, findings, kube_score, kubeconform, write_schemas};

/// What kube-score would have otherwise, and why it is as it is: check, its message, reason. All about the Deployment.
const EXCEPTIONS: [(&str, &str, &str); 4] = [
    (
        "container-resources",
        "CPU limit is not set",
        "a limit throttles a busy operator while the CPU is idle; its request is what protects others",
    ),
    (
        "container-image-pull-policy",
        "ImagePullPolicy is not set to Always",
        "the tag is a release, which does not change; Always would keep the operator down while the registry is",
    ),
    (
        "container-security-context-user-group-id",
        "The container is running with a low user ID",
        "the user is the image's own, 65532, or the one that the platform gives",
    ),
    (
        "container-security-context-user-group-id",
        "The container running with a low group ID",
        "the group is the image's own, 65532, or the one that the platform gives",
    ),
];

/// Runs a tool with `input` on its standard input.
fn run(program: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn kube_score_finds_nothing_but_the_exceptions() {
    let program = kube_score().unwrap();
    let expected: BTreeSet<_> = EXCEPTIONS
        .iter()
        .map(|(check, summary, _)| Finding {
            object: "Deployment/antfly-backup-operator".to_owned(),
            check: (*check).to_owned(),
            summary: (*summary).to_owned(),
        })
        .collect();
    for (name, rendered) in [("deploy/", base()), ("deploy/overlays/single-namespace/", single_namespace())] {
        let arguments = [
            "score",
            "--output-format=json",
            "--kubernetes-version=v1.37",
            "--enable-optional-test=container-seccomp-profile",
            "--enable-optional-test=container-ports-check",
            "-",
        ];
        let output = run(&program, &arguments, rendered);
        let (objects, found) = findings(&text(&output.stdout)).unwrap();
        let new: Vec<_> = found.difference(&expected).collect();
        let obsolete: Vec<_> = expected.difference(&found).collect();
        assert!(new.is_empty(), "{name}: correct it, or write an exception with its reason: {new:#?}");
        assert!(obsolete.is_empty(), "{name}: these exceptions are needed no more: {obsolete:#?}");
        progress("kube-score", &format!("{name}: {objects} objects, {} exceptions", found.len()));
    }
}

/// The schemas are the API server's own, so nothing is fetched, and they are those of the version that tests run on.
#[tokio::test]
async fn kubeconform_finds_every_manifest_and_example_as_the_api_server_wants_it() {
    let program = kubeconform().unwrap();
    let control_plane = ControlPlane::start().await.unwrap();
    let client = control_plane.client().await.unwrap();
    apply_yaml(&client, CRD).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let schemas = published_schemas(&client, directory.path()).await;
    let check = |input: &str| {
        let location = schemas.location.as_str();
        run(&program, &["-strict", "-summary", "-output=text", "-schema-location", location], input)
    };

    let mut examples: Vec<_> =
        fs::read_dir(repository().join("examples")).unwrap().map(|it| it.unwrap().path()).collect();
    examples.sort();
    let examples: Vec<_> = examples.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for (name, manifests) in [
        ("deploy/", base()),
        ("deploy/overlays/single-namespace/", single_namespace()),
        ("examples/", &examples.join("\n---\n")),
    ] {
        let output = check(manifests);
        let (printed, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success() && errors.is_empty(), "{name}: {printed}{errors}");
        let count = crate::documents(manifests).len();
        assert!(printed.contains(&format!("Summary: {count} resource")), "{name} has {count}: {printed}");
        assert!(printed.contains(&format!("Valid: {count}, Invalid: 0, Errors: 0, Skipped: 0")), "{name}: {printed}");
        progress("kubeconform", &format!("{name} against schemas of {} kinds: {}", schemas.kinds, printed.trim()));
    }

    // and it does notice
    for (right, wrong) in
        [("terminationGracePeriodSeconds:", "terminationGracePeriod:"), ("replicas: ", "replicas: many")]
    {
        let broken = base().replacen(right, wrong, 1);
        assert_ne!(broken, base());
        let output = check(&broken);
        assert!(!output.status.success() && text(&output.stdout).contains("Invalid: 1"), "{}", text(&output.stdout));
    }
    control_plane.stop().await.unwrap();
}

/// The schemas, once the API server has published that of the AntflyBackup, a moment after its definition.
async fn published_schemas(client: &kube::Client, directory: &Path) -> xtask::deploy::Schemas {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(180);
    loop {
        let schemas = write_schemas(client, directory).await.unwrap();
        if directory.join("antfly.io/v1/antflybackup.json").exists() {
            return schemas;
        }
        assert!(tokio::time::Instant::now() < deadline, "the API server has not published the definition's schema");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}
