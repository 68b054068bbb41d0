//! Compares the generated validation with independent judges over the corpus in `tests/validation/`.
#![allow(clippy::disallowed_types, clippy::unwrap_used, reason = "a test that asks an API server, helpers included")]

#[path = "support/validation_corpus.rs"]
mod corpus;
#[path = "support/validation_judges.rs"]
mod judges;

use std::io::Write;

use antfly_backup_operator::testing::api::{CRD, FieldPath, Schedule, UnknownFields, Violation, decode, validate};
use judges::{Libraries, Refusal};
use local_cluster::{ControlPlane, apply_yaml};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// Returns the control plane of all tests of this file. It accepts the definition only if the rules are within its budget.
async fn control_plane() -> &'static ControlPlane {
    static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();
    SHARED
        .get_or_init(async || {
            let control_plane = ControlPlane::start().await.unwrap();
            apply_yaml(&control_plane.client().await.unwrap(), CRD).await.unwrap();
            control_plane
        })
        .await
}

/// Documents that the libraries judge wrongly, by the prefix of their names, with the cause.
const BEYOND_THE_LIBRARIES: [(&str, &str); 7] = [
    ("invalid/pod.yaml: A Secret twice.", "JSON Schema cannot say that each item has another name"),
    ("invalid/metadata.yaml", "the schema does not describe metadata"),
    ("valid/metadata.yaml", "the schema does not describe metadata, and a generated name is made by the API server"),
    ("valid/backup-timeout.yaml: One second with the micro sign (U+00B5).", "the duration() of kube-cel has no µs"),
    (
        "valid/backup-timeout.yaml: One second with the Greek letter mu (U+03BC).",
        "the duration() of kube-cel has no μs",
    ),
    ("valid/starting-deadline.yaml: Ten seconds with the micro sign (U+00B5).", "the duration() of kube-cel has no µs"),
    (
        "valid/starting-deadline.yaml: Ten seconds with the Greek letter mu (U+03BC).",
        "the duration() of kube-cel has no μs",
    ),
];

#[tokio::test]
async fn three_judges_give_the_same_verdict() {
    let client = control_plane().await.client().await.unwrap();
    let libraries = Libraries::new();
    let messages = judges::rule_messages(&judges::schema());
    let mut faults = Vec::new();
    let mut disagreements = [0; BEYOND_THE_LIBRARIES.len()];
    let cases = corpus::cases();
    assert!(cases.len() >= 150, "{} manifests", cases.len());
    for case in &cases {
        let mut fault = |text: String| faults.push(format!("{}\n    {text}", case.name));
        let ours = validate(&case.manifest, UnknownFields::Refuse);
        let theirs = libraries.complaints(&case.manifest);
        let refusal = judges::api_server(&client, &case.manifest).await;

        if ours.is_empty() != case.is_valid {
            fault(format!("the generated validation says: {}", lines(&ours)));
        }
        match &refusal {
            Some(refusal) if case.is_valid => fault(format!("the API server says: {}", refusal.message)),
            None if !case.is_valid => fault("the API server accepts it".to_owned()),
            Some(refusal) => differences(&ours, refusal, &messages).into_iter().for_each(&mut fault),
            None => {}
        }
        let beyond = BEYOND_THE_LIBRARIES.iter().position(|(name, _)| case.name.starts_with(name));
        match beyond {
            _ if theirs.is_empty() == case.is_valid => {}
            None => fault(format!("jsonschema and kube-cel say: {theirs:?}")),
            Some(index) => disagreements[index] += 1,
        }
    }
    for ((name, reason), count) in BEYOND_THE_LIBRARIES.iter().zip(disagreements) {
        assert!(count > 0, "the libraries judge {name} rightly by now; drop it from the list ({reason})");
        // not println!: the test harness hides its output, and it would go unnoticed that a judge was not asked
        let written =
            writeln!(std::io::stderr(), "jsonschema and kube-cel were not asked about {count} of {name}: {reason}");
        written.unwrap();
    }
    assert!(faults.is_empty(), "{} of {} manifests:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

fn lines(violations: &[Violation]) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n    ")
}

/// Returns the differences between our violations and the API server's refusal.
fn differences(ours: &[Violation], refusal: &Refusal, rule_messages: &[String]) -> Vec<String> {
    let mut differences = Vec::new();
    let both = format!("ours:\n    {}\n    the API server's: {}", lines(ours), refusal.message);
    for violation in ours {
        let (field, message) = (violation.field.to_string(), &violation.message);
        let rule = rule_messages.iter().find(|rule| message.ends_with(rule.as_str()));
        let is_named = match rule {
            _ if message.starts_with("unknown field") => {
                !refusal.is_thorough && refusal.message.contains(&format!("\"{field}\""))
            }
            _ if !refusal.is_thorough => true,
            Some(rule) => !refusal.has_rules || refusal.message.contains(rule) && is_below(&field, &refusal.fields),
            None => is_below(&field, &refusal.fields),
        };
        if !is_named {
            differences.push(format!("the API server does not report {violation}\n    {both}"));
        }
    }
    for field in &refusal.fields {
        if !ours.iter().any(|violation| is_below(&violation.field.to_string(), std::slice::from_ref(field))) {
            differences.push(format!("only the API server refuses {field:?}\n    {both}"));
        }
    }
    let texts = ours.iter().map(|violation| &violation.message).chain([&refusal.message]);
    if texts.into_iter().any(|text| text.contains("self.matches") || text.contains("^[")) {
        differences.push(format!("a message has a bare regular expression\n    {both}"));
    }
    differences
}

/// Returns whether the field is one of `fields` or below one. The API server does not name the keys of metadata.
fn is_below(field: &str, fields: &[String]) -> bool {
    fields.iter().any(|outer| match field.strip_prefix(outer.as_str()) {
        Some(rest) if outer.is_empty() => rest.is_empty(),
        Some(rest) => rest.is_empty() || rest.starts_with(['.', '[']),
        None => false,
    })
}

#[tokio::test]
async fn another_kind_or_version_is_refused_by_both() {
    let client = control_plane().await.client().await.unwrap();
    for (field, value) in [
        ("apiVersion", json!("antfly.io/v1beta1")),
        ("apiVersion", json!("v1")),
        ("apiVersion", json!("")),
        ("apiVersion", json!(1)),
        ("apiVersion", json!(null)),
        ("kind", json!("AntflyCluster")),
        ("kind", json!("antflybackup")),
        ("kind", json!("")),
        ("kind", json!(["AntflyBackup"])),
        ("kind", json!(null)),
    ] {
        let mut manifest = with_schedule("0 2 * * *");
        manifest[field] = value.clone();
        let ours = validate(&manifest, UnknownFields::Refuse);
        assert!(
            ours.iter().any(|violation| violation.field == FieldPath::of(&[field])),
            "{field} {value}: {}",
            lines(&ours)
        );
        assert!(judges::api_server(&client, &manifest).await.is_some(), "{field} {value}");
    }
}

#[test]
fn every_valid_manifest_can_be_read() {
    for case in corpus::cases().into_iter().filter(|case| case.is_valid) {
        if let Err(violations) = decode(case.manifest, UnknownFields::Refuse) {
            panic!("{}: {}", case.name, lines(&violations));
        }
    }
}

fn with_schedule(schedule: &str) -> Value {
    json!({
        "apiVersion": "antfly.io/v1",
        "kind": "AntflyBackup",
        "metadata": { "name": "nightly" },
        "spec": {
            "clusterRef": { "name": "my-cluster" },
            "schedule": schedule,
            "destination": { "location": "s3://my-bucket" },
        },
    })
}

fn assert_rules_and_parser_agree(schedule: &str) {
    let violations = validate(&with_schedule(schedule), UnknownFields::Refuse);
    let parsed = Schedule::parse(schedule);
    assert_eq!(violations.is_empty(), parsed.is_ok(), "{schedule:?}: {parsed:?}, rules: {}", lines(&violations));
}

#[test]
fn the_rules_and_the_parser_agree_on_the_controllers_corpus() {
    let corpus = include_str!("schedule/cronjob-controller-corpus.tsv");
    for line in corpus.lines() {
        let quoted = line.split('\t').next().unwrap();
        // The corpus has only the escapes of JSON.
        assert_rules_and_parser_agree(&serde_json::from_str::<String>(quoted).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4096) })]

    #[test]
    fn the_rules_and_the_parser_agree_on_what_looks_like_a_schedule(
        schedule in "(TZ=|CRON_TZ=|@| )?[*?0-9a-zS,/@= -]{1,6}( [*?]| [0-9]{1,3}(-[0-9]{1,3})?(/[0-9]{1,5})?| (jan|DEC|sun|fri|7)(-(feb|Mon|3))?){3,5} ?"
    ) {
        assert_rules_and_parser_agree(&schedule);
    }
}

/// Waits until the API server has published the schema, some time after it accepted the definition.
async fn wait_until_published(control_plane: &ControlPlane) {
    for _ in 0..600 {
        let output = control_plane.kubectl().unwrap().args(["explain", "antflybackup.spec"]).output().unwrap();
        if output.status.success() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("the API server has not published the schema within two minutes");
}

#[tokio::test]
async fn kubectl_explains_every_field_in_the_words_of_the_schema() {
    let control_plane = control_plane().await;
    wait_until_published(control_plane).await;
    for part in ["spec", "status"] {
        let mut fields = Vec::new();
        list_fields(&judges::schema()["properties"][part], &format!("antflybackup.{part}"), &mut fields);
        assert!(fields.len() > 7, "{fields:?}");
        for (field, words) in fields {
            let output = control_plane.kubectl().unwrap().args(["explain", &field]).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{field}: {}", String::from_utf8_lossy(&output.stderr));
            // below it are the values of an enumeration and the fields, each with a heading of its own
            let (_, description) = text.split_once("DESCRIPTION:\n").unwrap_or_default();
            let lines = description.lines().take_while(|line| line.is_empty() || line.starts_with(' '));
            assert_eq!(one_line(&lines.collect::<Vec<_>>().join(" ")), words, "kubectl explain {field}: {text}");
        }
    }
}

/// Each white space as one space: kubectl wraps lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lists the fields below a schema with what `kubectl explain` has to say of each: its description, and that of its items or values.
fn list_fields(schema: &Value, path: &str, fields: &mut Vec<(String, String)>) {
    for (name, child) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let (mut inner, mut words) = (child, Vec::new());
        loop {
            words.extend(inner["description"].as_str().map(one_line));
            match inner.get("items").or_else(|| inner.get("additionalProperties")) {
                Some(below) => inner = below,
                None => break,
            }
        }
        list_fields(inner, &path, fields);
        fields.push((path, words.join(" ")));
    }
}

#[tokio::test]
async fn the_samples_can_be_applied_as_they_are() {
    let control_plane = control_plane().await;
    for sample in ["sample-minimal.yaml", "sample-full.yaml"] {
        let file = format!("{}/generated/{sample}", env!("OUT_DIR"));
        for arguments in [&["--server-side"][..], &[]] {
            let apply = ["apply", "--dry-run=server", "--validate=strict", "-f", &file];
            let output = control_plane.kubectl().unwrap().args(apply).args(arguments).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && said.is_empty(), "{sample} {arguments:?}: {said}");
        }
    }
}
