//! Tests random AntflyBackups, generated from the schema alone, against a real API server. Whatever the schema allows becomes
//! a CronJob that the API server accepts, and nothing else becomes one.
//!
//! `RANDOM_SPECS_CASES` is the number of cases of each kind. The seed is printed; `PROPTEST_RNG_SEED` repeats its cases.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test against an API server, helpers included"
)]

mod hir;
mod place;
mod rules;
mod stage;
mod strategy;
mod text;

#[path = "../support/validation_judges.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod judges;
#[path = "../support/taken.rs"]
mod taken;

use antfly_backup_operator::testing::api::Schedule;
use place::Place;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngSeed, TestError, TestRunner},
};
use serde_json::{Map, Value, json};
use stage::Stage;
use std::{collections::BTreeMap, io::Write, sync::LazyLock};
use strategy::Kind;

/// Most values that the strategies may discard in all. Most texts that resemble a schedule are invalid.
const REJECTS: u32 = 100_000_000;

/// Most steps of shrinking a counterexample. Each asks the API server.
const SHRINKS: u32 = 400;

/// Least share of cases that must have a CronJob. The others' schedules never fire.
const SCHEDULED: f64 = 0.9;

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

fn cases() -> u32 {
    setting("RANDOM_SPECS_CASES").map_or(256, |cases| u32::try_from(cases).expect("RANDOM_SPECS_CASES is too large"))
}

/// Runs the cases. Shrinks and prints the first that fails.
fn try_all(what: &str, cases_of: &BoxedStrategy<Value>, check: impl Fn(&Value) -> anyhow::Result<()>) {
    let seed = setting("PROPTEST_RNG_SEED").unwrap_or_else(|| fastrand::u64(..));
    // not println!: the test harness hides its output
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{what}: {} cases, PROPTEST_RNG_SEED={seed}", cases()).unwrap();
    let config = Config {
        cases: cases(),
        max_local_rejects: REJECTS,
        max_global_rejects: REJECTS,
        max_shrink_iters: SHRINKS,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(cases_of, |case| check(&case).map_err(|error| TestCaseError::fail(format!("{error:#}"))));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, case)) => {
            let yaml = serde_saphyr::to_string(&case).unwrap();
            panic!("PROPTEST_RNG_SEED={seed}: {reason}\n{case}\n{yaml}");
        }
        Err(TestError::Abort(reason)) => panic!("PROPTEST_RNG_SEED={seed}: {reason}"),
    }
}

static SCHEMA: LazyLock<Value> = LazyLock::new(judges::schema);

/// The JSON Schema for editors, which must not refuse what the API server accepts.
static JSON_SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let text = include_str!(concat!(env!("OUT_DIR"), "/generated/antflybackup.schema.json"));
    jsonschema::draft7::new(&serde_json::from_str(text).unwrap()).unwrap()
});

/// Requires that the JSON Schema accepts what the API server accepts.
fn editors_accept(backup: &Value) -> anyhow::Result<()> {
    let complaints: Vec<_> = JSON_SCHEMA.iter_errors(backup).map(|error| error.to_string()).collect();
    anyhow::ensure!(complaints.is_empty(), "valid, and refused by the JSON Schema: {complaints:?}");
    Ok(())
}

/// Returns AntflyBackups with a spec, which the schema describes, and metadata, which it does not describe.
fn backups(kind: Kind) -> BoxedStrategy<Value> {
    let spec = strategy::values(&SCHEMA["properties"]["spec"], &Place::default().field("spec"), kind);
    // within the 47 characters that a rule allows
    let name = "[a-z0-9]([a-z0-9-]{0,21}[a-z0-9])?([.][a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?)?";
    (name, spec)
        .prop_map(|(name, spec)| {
            json!({
                "apiVersion": "antfly.io/v1",
                "kind": "AntflyBackup",
                "metadata": {"name": name, "namespace": stage::NAMESPACE},
                "spec": spec,
            })
        })
        .boxed()
}

#[test]
fn every_valid_spec_becomes_a_cron_job_that_the_api_server_accepts() {
    let stage = Stage::start();
    let scheduled = std::cell::Cell::new(0_u32);
    try_all("valid specs", &backups(Kind::Valid), |backup| {
        let fires = Schedule::parse(backup["spec"]["schedule"].as_str().unwrap())?.fires();
        scheduled.set(scheduled.get() + u32::from(fires));
        editors_accept(backup)?;
        stage.becomes_a_cron_job(backup, fires)
    });
    assert!(f64::from(scheduled.get()) >= SCHEDULED * f64::from(cases()), "{} of {}", scheduled.get(), cases());
    stage.stop();
}

#[test]
fn what_the_api_server_refuses_becomes_no_cron_job() {
    let stage = Stage::start();
    let refused = std::cell::Cell::new(0_u32);
    try_all("doubtful specs", &backups(Kind::Doubtful), |backup| {
        let is_valid = stage.verdicts_agree(backup)?;
        refused.set(refused.get() + u32::from(!is_valid));
        if is_valid { editors_accept(backup) } else { Ok(()) }
    });
    assert!(refused.get() > cases() / 4, "{} of {} were refused", refused.get(), cases());
    stage.stop();
}

/// Counts each property, and each value of an enum.
fn count(value: &Value, schema: &Value, path: &str, counts: &mut BTreeMap<String, usize>) {
    if !value.is_null() {
        *counts.entry(path.to_owned()).or_default() += 1;
    }
    if schema["enum"].is_array() {
        *counts.entry(format!("{path} = {value}")).or_default() += 1;
    }
    for (name, field) in value.as_object().into_iter().flatten() {
        count(field, &schema["properties"][name], &format!("{path}.{name}"), counts);
    }
    for item in value.as_array().into_iter().flatten() {
        count(item, &schema["items"], &format!("{path}[]"), counts);
    }
}

/// Lists what [`count`] must find.
fn expected(schema: &Value, path: &str, paths: &mut Vec<String>) {
    paths.push(path.to_owned());
    let values = schema["enum"].as_array().into_iter().flatten();
    paths.extend(values.map(|value| format!("{path} = {value}")));
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        expected(schema, &format!("{path}.{name}"), paths);
    }
    if let Some(items) = schema.get("items") {
        expected(items, &format!("{path}[]"), paths);
    }
}

#[test]
fn the_strategy_reaches_every_property_of_the_schema() {
    let mut runner =
        TestRunner::new(Config { max_local_rejects: REJECTS, failure_persistence: None, ..Config::default() });
    for part in ["spec", "status"] {
        let schema = &SCHEMA["properties"][part];
        let place = Place::default().field(part);
        let values = strategy::values(schema, &place, Kind::Valid);
        let (mut counts, mut paths) = (BTreeMap::new(), Vec::new());
        for _ in 0..300 {
            let value = values.new_tree(&mut runner).unwrap().current();
            assert!(place.takes(&value), "{part} is not valid: {value}");
            count(&value, schema, part, &mut counts);
        }
        expected(schema, part, &mut paths);
        let missing: Vec<_> = paths.iter().filter(|path| counts.get(*path).is_none_or(|count| *count < 3)).collect();
        assert!(missing.is_empty(), "never or hardly ever made: {missing:?}");
        assert!(paths.len() > 8, "{paths:?}");
    }
}

#[test]
fn a_keyword_that_is_not_known_is_named_with_its_place() {
    let schema: Map<String, Value> =
        [("type".to_owned(), json!("integer")), ("multipleOf".to_owned(), json!(2))].into_iter().collect();
    let schema = json!({"type": "object", "properties": {"even": schema}});
    let place = Place::default().field("spec");
    let failure = std::panic::catch_unwind(|| strategy::values(&schema, &place, Kind::Valid)).unwrap_err();
    let message = failure.downcast_ref::<String>().unwrap();
    assert!(message.contains("spec.even: the keyword multipleOf"), "{message}");
}
