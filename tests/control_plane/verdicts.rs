//! Null and empty values of fields: whatever way an AntflyBackup is written, the verdict is the same, and so is the CronJob.
//!
//! The ways are `kubectl apply`, `kubectl apply --server-side` (Helm 4 writes like that, too), Helm 3's way, and
//! `antfly-backup-operator validate`. Each value is written into an AntflyBackup that is new, and into one that had another
//! value of that field.

mod helm;
mod value;

use crate::support::{ACTIVE, Room, attended, backup};
use antfly_backup_operator::testing::api::CRD;
use anyhow::Context as _;
use helm::Helm;
use kube::{ResourceExt, api::ListParams};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
};
use value::{Case, Verdict, cases};

/// How an AntflyBackup is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    ClientSide,
    ServerSide,
    Helm,
}

const WAYS: [(Way, &str); 3] = [(Way::ClientSide, "client"), (Way::ServerSide, "server"), (Way::Helm, "helm")];

/// Writes manifests; returns the names of those that were accepted, and what was said of the others.
struct Writer<'a> {
    room: &'a Room<'a>,
    directory: &'a Path,
}

impl Writer<'_> {
    /// Writes each `new` manifest over its `old` one, or makes it.
    async fn write(&self, way: Way, manifests: &[(Option<&Value>, Value)]) -> (BTreeSet<String>, String) {
        match way {
            Way::ClientSide => self.kubectl(&[], manifests),
            Way::ServerSide => self.kubectl(&["--server-side"], manifests),
            Way::Helm => {
                let helm = Helm::new(&self.room.client, &self.room.namespace);
                let (mut accepted, mut said) = (BTreeSet::new(), String::new());
                for (old, new) in manifests {
                    match helm.write(*old, new).await {
                        Ok(()) => _ = accepted.insert(name(new).to_owned()),
                        Err(refusal) => writeln!(said, "{refusal}").unwrap(),
                    }
                }
                (accepted, said)
            }
        }
    }

    /// The generation of each AntflyBackup.
    async fn generations(&self) -> BTreeMap<String, Option<i64>> {
        let backups = self.room.backups().list(&ListParams::default()).await.unwrap();
        backups.into_iter().map(|backup| (backup.name_any(), backup.metadata.generation)).collect()
    }

    fn kubectl(&self, options: &[&str], manifests: &[(Option<&Value>, Value)]) -> (BTreeSet<String>, String) {
        let file = self.directory.join("manifests.json");
        let documents: Vec<_> = manifests.iter().map(|(_, manifest)| manifest.to_string()).collect();
        fs::write(&file, documents.join("\n")).unwrap();
        let mut kubectl = self.room.kubectl_command();
        kubectl.args(["apply", "-o", "name", "-f"]).arg(&file).args(options);
        let ended = kubectl.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let written = text(ended.stdout);
        let names = written.lines().filter_map(|line| line.strip_prefix("antflybackup.antfly.io/"));
        (names.map(str::to_owned).collect(), text(ended.stderr))
    }
}

fn name(manifest: &Value) -> &str {
    manifest["metadata"]["name"].as_str().unwrap()
}

/// Returns whether `validate` accepts a manifest, and what it prints.
fn validated(directory: &Path, manifest: &Value) -> (bool, String) {
    let file = directory.join("backup.yaml");
    fs::write(&file, manifest.to_string()).unwrap();
    let mut validate = Command::new(env!("CARGO_BIN_EXE_antfly-backup-operator"));
    let ended = validate.args(["validate", "-f"]).arg(&file).output().unwrap();
    (ended.status.success(), String::from_utf8(ended.stdout).unwrap())
}

/// The manifests of a case: with the usual value of the field, and with the value of the case.
fn manifests(case: &Case, name: &str, namespace: &str) -> (Value, Value) {
    let of = |value: &Value| {
        let mut manifest = backup(name, json!({}));
        manifest["metadata"]["namespace"] = json!(namespace);
        manifest["spec"]["destination"].as_object_mut().unwrap().remove("credentialsSecret");
        case.set(&mut manifest, value);
        manifest
    };
    (of(&case.usual), of(&case.value))
}

/// Returns what the CronJob of a backup is, without the backup's name.
async fn cron_job(room: &Room<'_>, name: &str) -> Value {
    room.until(name, ACTIVE).await;
    let cron_job = room.cron_jobs().get(&format!("{name}-cron")).await.unwrap();
    let spec = serde_json::to_string(&cron_job.spec).unwrap();
    serde_json::from_str(&spec.replace(name, "NAME")).unwrap()
}

#[tokio::test]
async fn every_way_of_writing_has_one_verdict_and_one_cron_job() {
    let room = attended().await.room("verdicts").await;
    room.apply_cluster("main", "Running").await;
    let directory = tempfile::tempdir().unwrap();
    let writer = Writer { room: &room, directory: directory.path() };
    let cases = cases();

    let mut faults = Vec::new();
    let mut accepted = BTreeMap::new();
    for (way, short) in WAYS {
        let named = |stage: &str, case: &Case| format!("{}-{short}-{stage}", case.name);
        let of = |stage| cases.iter().map(move |case| manifests(case, &named(stage, case), "verdicts"));
        let new: Vec<_> = of("new").map(|(_, manifest)| (None, manifest)).collect();
        let pairs: Vec<_> = of("over").collect();
        let before: Vec<_> = pairs.iter().map(|(usual, _)| (None, usual.clone())).collect();
        let over: Vec<_> = pairs.iter().map(|(usual, manifest)| (Some(usual), manifest.clone())).collect();

        let (written, said) = writer.write(way, &before).await;
        assert_eq!(written.len(), cases.len(), "{way:?}: {said}");
        for (stage, manifests) in [("new", new), ("over", over)] {
            let (written, said) = writer.write(way, &manifests).await;
            for case in &cases {
                let name = named(stage, case);
                let is_accepted = written.contains(&name);
                if is_accepted != (case.verdict == Verdict::AsAbsent) {
                    let said: Vec<_> = said.lines().filter(|line| line.contains(&name)).collect();
                    faults.push(format!("{way:?}, {stage}: {case} is {}: {said:?}", word(is_accepted)));
                }
                if is_accepted {
                    accepted.insert(name, (way, stage, case));
                }
            }
            changed_by_the_same(&writer, way, &cases, manifests, &mut faults).await;
        }
    }
    for case in &cases {
        let (_, manifest) = manifests(case, "nightly", "verdicts");
        let (is_accepted, said) = validated(directory.path(), &manifest);
        if is_accepted != (case.verdict == Verdict::AsAbsent) {
            faults.push(format!("validate: {case} is {}: {said}", word(is_accepted)));
        }
    }
    assert!(faults.is_empty(), "{} verdicts differ:\n{}", faults.len(), faults.join("\n"));

    let mut plain = backup("plain", json!({}));
    plain["spec"]["destination"].as_object_mut().unwrap().remove("credentialsSecret");
    plain["metadata"]["namespace"] = json!("verdicts");
    Helm::new(&room.client, "verdicts").write(None, &plain).await.unwrap();
    let wanted = cron_job(&room, "plain").await;
    for (name, (way, stage, case)) in accepted {
        let made = cron_job(&room, &name).await;
        assert_eq!(made, wanted, "{way:?}, {stage}: {case} has another CronJob than the field's absence");
    }
}

/// Writes the accepted manifests again, and adds a fault for each AntflyBackup that changes each time.
async fn changed_by_the_same(
    writer: &Writer<'_>,
    way: Way,
    cases: &[Case],
    manifests: Vec<(Option<&Value>, Value)>,
    faults: &mut Vec<String>,
) {
    let pairs = cases.iter().zip(manifests).filter(|(case, _)| case.verdict == Verdict::AsAbsent);
    let (cases, manifests): (Vec<_>, Vec<_>) = pairs.map(|(case, (_, manifest))| (case, manifest)).unzip();
    let again: Vec<_> = manifests.iter().map(|manifest| (Some(manifest), manifest.clone())).collect();
    // a server-side apply that takes the last item from a list removes the list, and only the next one writes the empty list
    writer.write(way, &again).await;
    let before = writer.generations().await;
    writer.write(way, &again).await;
    let after = writer.generations().await;
    for (case, manifest) in cases.iter().zip(&manifests) {
        if before.get(name(manifest)) != after.get(name(manifest)) {
            faults.push(format!("{way:?}: {case}, written again, changes {} each time", name(manifest)));
        }
    }
}

fn word(is_accepted: bool) -> &'static str {
    if is_accepted { "accepted" } else { "refused" }
}

/// Returns the JSON pointers of the fields below an object, and whether each may be absent.
fn fields(schema: &Value, path: &str) -> Vec<(String, bool)> {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let below = properties.flat_map(|(name, property)| {
        let path = format!("{path}/{name}");
        let own = (path.clone(), !required.contains(&json!(name)));
        std::iter::once(own).chain(fields(property, &path))
    });
    below.collect()
}

/// A field that has another required one beside it, so that nothing with its null means the same as the absence of all; and one of the
/// same shape, of which the absence has a meaning of its own.
const OF_ONE_SHAPE: (&str, &str) = (
    "/spec/pod/securityContext/appArmorProfile/localhostProfile",
    "/spec/pod/securityContext/seccompProfile/localhostProfile",
);

#[test]
fn every_field_of_the_spec_is_among_the_cases() {
    let definition: Value = serde_saphyr::from_str(CRD).unwrap();
    let spec = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let (cases, fields) = (cases(), fields(spec, "/spec"));
    assert!(fields.len() > 9, "{fields:?}");
    for (mut path, may_be_absent) in fields {
        if path == OF_ONE_SHAPE.0 {
            OF_ONE_SHAPE.1.clone_into(&mut path);
        }
        let verdict = if may_be_absent { Verdict::AsAbsent } else { Verdict::Refused };
        let is_null = |case: &&Case| {
            let within = path.strip_prefix(case.field).filter(|within| within.is_empty() || within.starts_with('/'));
            within.and_then(|within| case.value.pointer(within)) == Some(&Value::Null)
        };
        let null = cases.iter().find(is_null).unwrap_or_else(|| panic!("no case has null for {path}"));
        assert_eq!(null.verdict, verdict, "{null}");
    }
}

/// The API server stores an empty value as it was written, and the status speaks of it.
#[tokio::test]
async fn what_is_stored_reads_back_as_it_was_written() {
    let room = attended().await.room("stored-empties").await;
    room.apply_cluster("main", "Running").await;
    let changes = json!({"tables": [], "backupTimeout": "", "clusterRef": {"name": "main", "namespace": ""}});
    room.create_backup("nightly", changes).await;
    let stored = room.until("nightly", ACTIVE).await;
    let spec = &stored.data["spec"];
    let field = |pointer: &str| spec.pointer(pointer).context(pointer.to_owned()).unwrap().clone();
    assert_eq!(
        (field("/tables"), field("/backupTimeout"), field("/clusterRef/namespace")),
        (json!([]), json!(""), json!(""))
    );
    assert_eq!(stored.data["status"]["observedGeneration"], json!(1));
}
