//! Golden cases: real YAML in, the CronJob and the status out (`golden/README.md`).
#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

#[path = "support/golden.rs"]
mod support;

use antfly_backup_operator::validation::{apply_defaults, validate_status};
use insta::{Settings, assert_yaml_snapshot, glob};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};
use support::GoldenCase;

#[test]
fn cases_give_the_cron_job_and_the_status_of_their_snapshots() {
    glob!("golden/*/backup.yaml", |path| {
        let case = GoldenCase::read(path.parent().unwrap()).unwrap();
        let outcome = case.outcome().unwrap();

        let mut settings = Settings::clone_current();
        settings.set_snapshot_path(&case.directory);
        settings.set_prepend_module_to_snapshot(false);
        settings.remove_snapshot_suffix();
        settings.set_omit_expression(true);
        settings.set_description(case.description.as_str());
        settings.bind(|| {
            match &outcome.cron_job {
                Ok(cron_job) => assert_yaml_snapshot!("cronjob", cron_job),
                Err(blocked) => {
                    let why = json!({"noCronJob": {"reason": blocked.reason, "message": blocked.message}});
                    assert_yaml_snapshot!("cronjob", why);
                }
            }
            assert_yaml_snapshot!("status", outcome.status);
        });
        let violations = validate_status(&serde_json::to_value(&outcome.status).unwrap());
        assert!(violations.is_empty(), "the schema refuses the status: {violations:?}");
    });
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
