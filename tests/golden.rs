//! Golden cases: real YAML in; CronJob, status and events out (`golden/README.md`).
#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

#[path = "support/validation_corpus.rs"]
mod corpus;
#[path = "support/released.rs"]
mod released;
#[path = "support/golden.rs"]
mod support;

use antfly_backup_operator::testing::api::{apply_defaults, validate_status};
use insta::{Settings, assert_yaml_snapshot, glob};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};
use support::{DEFAULT, GoldenCase};

#[test]
fn cases_have_the_cron_job_the_status_and_the_events_of_their_snapshots() {
    let default = default_case().outcome().unwrap();
    let default_cron_job = serde_json::to_value(default.cron_job.unwrap()).unwrap();
    let mut superfluous = Vec::new();
    glob!("golden/*", |path| {
        if !path.is_dir() {
            return;
        }
        let case = GoldenCase::read(path).unwrap();
        let is_default = case.name() == DEFAULT;
        let outcome = case.outcome().unwrap();
        let cron_job = match &outcome.cron_job {
            Ok(cron_job) if is_default => Some(serde_json::to_value(cron_job).unwrap()),
            Ok(cron_job) => {
                let changes = json_patch::diff(&default_cron_job, &serde_json::to_value(cron_job).unwrap());
                (!changes.is_empty()).then(|| json!({"changesOfMinimal": changes}))
            }
            Err(blocked) => Some(json!({"noCronJob": {"reason": blocked.reason, "message": blocked.message}})),
        };
        let status = (is_default || outcome.status != default.status).then_some(&outcome.status);

        let is_usual = (&outcome.actions, &outcome.events) == (&case.usual(&outcome).0, &case.usual(&outcome).1);
        let events = (is_default || !is_usual).then(|| json!({"actions": outcome.actions, "events": outcome.events}));

        let mut settings = Settings::clone_current();
        settings.set_snapshot_path(&case.directory);
        settings.set_prepend_module_to_snapshot(false);
        settings.remove_snapshot_suffix();
        settings.remove_input_file();
        settings.set_omit_expression(true);
        settings.set_description(case.description.as_str());
        settings.bind(|| {
            match cron_job {
                Some(cron_job) => assert_yaml_snapshot!("cronjob", cron_job),
                None => superfluous.push(path.join("cronjob.snap")),
            }
            match status {
                Some(status) => assert_yaml_snapshot!("status", status),
                None => superfluous.push(path.join("status.snap")),
            }
            match events {
                Some(events) => assert_yaml_snapshot!("events", events),
                None => superfluous.push(path.join("events.snap")),
            }
        });
        let violations = validate_status(&serde_json::to_value(&outcome.status).unwrap());
        assert!(violations.is_empty(), "the schema refuses the status: {violations:?}");
    });
    superfluous.retain(|snapshot| snapshot.exists());
    assert!(superfluous.is_empty(), "the outcome is that of {DEFAULT}, or the usual one: delete {superfluous:?}");
}

#[test]
fn a_case_leaves_out_the_files_that_are_those_of_the_default_case() {
    let default = default_case();
    for case in support::all().unwrap().iter().filter(|case| case.name() != DEFAULT) {
        for file in ["backup.yaml", "cluster.yaml"] {
            let own = fs::read_to_string(case.directory.join(file)).ok();
            let of_default = fs::read_to_string(default.directory.join(file)).unwrap();
            assert!(
                own.is_none_or(|own| own != of_default),
                "{}: delete {file}, which is that of {DEFAULT}",
                case.name()
            );
        }
    }
}

#[test]
fn the_list_of_what_the_cases_cover_has_one_line_for_each() {
    let listed: Vec<String> = support::covers().unwrap().into_iter().map(|(name, _)| name).collect();
    let cases: Vec<String> = support::all().unwrap().iter().map(GoldenCase::name).collect();
    assert_eq!(listed, cases, "COVERS.md lists other cases than there are, or in another order");
}

#[test]
fn a_cluster_that_does_not_consent_reads_like_one_that_does_not_exist() {
    let outcome = |name: &str| GoldenCase::read(&support::directory().join(name)).unwrap().outcome().unwrap();
    let (refused, missing) = (outcome("consent-of-another-namespace"), outcome("consent-cluster-missing"));
    assert_eq!(refused.status, missing.status);
    assert_eq!(refused.cron_job.unwrap_err(), missing.cron_job.unwrap_err());
    assert_eq!(refused.actions, missing.actions);
    let on_backup = |events: &[String]| -> Vec<String> {
        events.iter().filter(|event| !event.starts_with("on AntflyCluster ")).cloned().collect()
    };
    assert_eq!((on_backup(&refused.events), refused.events.len()), (missing.events.clone(), missing.events.len() + 1));
}

/// Returns the case whose files and outcome stand in for those that other cases leave out.
fn default_case() -> GoldenCase {
    GoldenCase::read(&support::directory().join(DEFAULT)).unwrap()
}

#[test]
fn each_example_of_the_documentation_is_a_case() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        let documents: Vec<Value> = serde_saphyr::from_multiple(&fs::read_to_string(&path).unwrap()).unwrap();
        let mut example = documents.into_iter().find(|document| document["kind"] == "AntflyBackup").unwrap();
        apply_defaults(&mut example);

        let name = format!("example-{}", path.file_stem().unwrap().to_str().unwrap());
        let case = GoldenCase::read(&support::directory().join(&name)).unwrap();
        assert_eq!(case.backup["spec"], example["spec"], "{name}");
        for field in ["name", "namespace"] {
            assert_eq!(case.backup["metadata"][field], example["metadata"][field], "{name}");
        }
        names.insert(name);
    }
    let cases = support::all().unwrap().into_iter().map(|case| case.name()).filter(|name| name.starts_with("example-"));
    assert_eq!(cases.collect::<BTreeSet<_>>(), names, "a case whose example is gone");
    assert_eq!(names.len(), 5);
}

/// The variable with the version to keep fixtures of, for a release.
const NEW_FIXTURES: &str = "RELEASED_FIXTURES";

#[test]
fn what_a_released_version_accepted_gives_the_manifest_that_it_made_byte_for_byte() {
    if let Ok(version) = std::env::var(NEW_FIXTURES) {
        let file = released::file_of(&version);
        assert!(!file.exists(), "{} is there, and never changes", file.display());
        let lines =
            released::made_now(&version).iter().map(|it| serde_json::to_string(it).unwrap() + "\n").collect::<String>();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, lines).unwrap();
    }
    let versions = released::versions();
    assert!(versions.iter().any(|version| version == "0.1.0"), "{versions:?}");
    let mut changed = Vec::new();
    for version in versions {
        let fixtures = released::read(&version);
        assert!(fixtures.len() >= 100, "{version} has {} fixtures", fixtures.len());
        for it in fixtures {
            let now = released::manifest_now(&it.backup, &it.cluster, &version);
            if now.as_ref() != Ok(&it.manifest) {
                changed.push(format!("{version}, {}: it was\n{}\nand is\n{now:?}", it.name, it.manifest));
            }
        }
    }
    assert!(changed.is_empty(), "an object of a release gives another manifest:\n{}", changed.join("\n\n"));
}
