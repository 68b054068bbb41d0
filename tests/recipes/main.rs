//! Every command of the pages runs, twice, in the order of the page: on a control plane, with a node that runs the Pods of the
//! operator and of its backups.
//!
//! A block of a page is one script. It runs again in the next second, as a recipe that is used again: names must not repeat, and
//! what is there already must not be an error. [`exceptions`] lists what is not run; a command that is neither listed nor
//! succeeds fails the test.
//!
//! Every YAML block of the pages is applied, too, by a dry run: [`blocks`] says what a block may claim to be.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests of the shell, helpers included")]

mod blocks;
mod exceptions;
mod markdown;
mod stage;
#[path = "../support/storage.rs"]
mod storage;
mod yaml;

use exceptions::{BEFORE, NOT_RUN, placeholders};
use markdown::{Recipe, recipes};
use stage::Stage;
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The pages with commands, in the order in which a reader needs them. The last one removes all. Those of `docs/decisions/` and
/// the changelog are of their time.
const PAGES: [&str; 17] = [
    "README.md",
    "CONTRIBUTING.md",
    "generated/api-reference.md",
    "docs/editors.md",
    "docs/api-changes.md",
    "docs/api-evolution.md",
    "docs/validate.md",
    "docs/operations.md",
    "docs/reliability.md",
    "docs/antfly-operator-manifests.md",
    "docs/mutants.md",
    "docs/performance.md",
    "docs/networks.md",
    "docs/program.md",
    "tests/validation/README.md",
    "docs/antfly-operator.md",
    "docs/install.md",
];

/// Heading of the recipe that must not succeed for a backup that failed.
const BEFORE_UPGRADE: (&str, &str) = ("docs/operations.md", "Back up before an upgrade");

fn in_repository(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    fs::read_to_string(in_repository(name)).unwrap()
}

/// Returns the text of the recipe's commands that are run, with what stands for their placeholders.
fn script(recipe: &Recipe, placeholders: &[(&str, String)]) -> Option<String> {
    let is_run = |command: &&String| !NOT_RUN.iter().any(|(listed, _)| command.starts_with(listed));
    let commands: Vec<_> = recipe.commands.iter().filter(is_run).cloned().collect();
    let script = placeholders.iter().fold(commands.join("\n"), |script, (said, meant)| script.replace(said, meant));
    (!script.is_empty()).then_some(script)
}

/// Waits until the clock shows another second than now.
fn until_next_second() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    sleep(Duration::from_secs(now.as_secs() + 1) - now);
}

/// Runs a recipe and returns what it printed to both outputs, or an error with that.
fn run(stage: &Stage, script: &str) -> Result<(), String> {
    let output = stage.run(script);
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let printed = format!("{}{}", text(&output.stdout), text(&output.stderr));
    if output.status.success() { Ok(()) } else { Err(format!("{}: {script}\n{printed}", output.status)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_pages_runs_twice() {
    let readme = page("README.md");
    let blocks = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let backup = blocks.into_iter().find(|block| block.contains("kind: AntflyBackup\n")).unwrap();
    let stage = Stage::start(backup).await;
    let placeholders = placeholders(&stage);
    let mut count = 0;
    for name in PAGES {
        let mut sections = BTreeSet::new();
        for recipe in recipes(&page(name)) {
            let is_first = sections.insert(recipe.heading.clone());
            let before =
                BEFORE.iter().filter(|(page, heading, ..)| is_first && (*page, *heading) == (name, &recipe.heading));
            for (.., commands, why) in before {
                run(&stage, commands).unwrap_or_else(|error| panic!("before {name}:{}, {why}: {error}", recipe.line));
            }
            let Some(script) = script(&recipe, &placeholders) else { continue };
            for time in ["first", "second"] {
                run(&stage, &script).unwrap_or_else(|error| panic!("{name}:{}, the {time} time: {error}", recipe.line));
                until_next_second();
                count += 1;
            }
        }
        if name == BEFORE_UPGRADE.0 {
            a_backup_before_an_upgrade_is_made_each_time(&stage);
            a_recipe_fails_with_its_backup(&stage);
        }
    }
    assert!(count > 50, "only {count} runs");
}

/// Each run of the recipe made a backup of its own.
fn a_backup_before_an_upgrade_is_made_each_time(stage: &Stage) {
    let records = stage.records();
    let of_recipe = records.iter().filter(|record| record["jobName"].as_str().unwrap().starts_with("before-upgrade-"));
    let ended: Vec<_> = of_recipe.map(|record| (&record["status"], &record["verified"])).collect();
    assert_eq!(ended, [(&"Completed".into(), &true.into()); 2], "{records:#?}");
    let asked = stage.antfly.requests().iter().filter(|request| request.path == "/db/v1/backup").count();
    assert!(asked >= 4, "Antfly was asked {asked} times: two first backups, and two before upgrades");
}

/// The recipe fails if its own backup fails, although earlier ones completed.
fn a_recipe_fails_with_its_backup(stage: &Stage) {
    let recipes = recipes(&page(BEFORE_UPGRADE.0));
    let recipe = recipes.iter().find(|recipe| recipe.heading == BEFORE_UPGRADE.1).unwrap();
    let tables = |tables: &str| {
        let patch =
            format!("kubectl patch antflybackup daily-backup -n production --type=merge -p '{{\"spec\":{tables}}}'");
        let generation = "-o jsonpath='{.metadata.generation}'";
        stage.read(&format!(
            "{patch}
generation=$(kubectl get antflybackup daily-backup -n production {generation})
kubectl wait --for=jsonpath='{{.status.observedGeneration}}'=$generation antflybackup/daily-backup -n production --timeout=3m"
        ));
    };
    tables("{\"tables\":[\"no-such-table\"]}");
    let error = run(stage, &script(recipe, &[]).unwrap()).unwrap_err();
    assert!(error.contains("timed out waiting for the condition"), "{error}");
    assert_eq!(stage.records()[0]["status"], "Failed");
    tables("{\"tables\":null}");
}

#[test]
fn every_page_with_commands_is_among_the_pages() {
    let suites = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).unwrap();
    let suites = suites.map(|entry| format!("tests/{}/", entry.unwrap().file_name().display()));
    let folders = ["", "docs/", "generated/", "examples/", "deploy/"].map(str::to_owned);
    let folders = folders.into_iter().chain(suites.filter(|folder| Path::new(&in_repository(folder)).is_dir()));
    for folder in folders {
        for entry in fs::read_dir(in_repository(&folder)).unwrap() {
            let name = format!("{folder}{}", entry.unwrap().file_name().display());
            if name.ends_with(".md") && name != "CHANGELOG.md" && !recipes(&page(&name)).is_empty() {
                assert!(PAGES.contains(&name.as_str()), "{name} has commands; add it to PAGES");
            }
        }
    }
}

#[test]
fn every_exception_is_needed() {
    let pages: Vec<_> = PAGES.iter().map(|name| (*name, recipes(&page(name)))).collect();
    let mut recipes = pages.iter().flat_map(|(_, recipes)| recipes);
    let commands: Vec<_> = recipes.by_ref().flat_map(|recipe| &recipe.commands).collect();
    for (listed, reason) in NOT_RUN {
        assert!(
            commands.iter().any(|command| command.starts_with(listed)),
            "no page has {listed:?} any more ({reason})"
        );
    }
    for (name, heading, _, why) in BEFORE {
        let (_, recipes) = pages.iter().find(|(page, _)| *page == name).unwrap();
        assert!(recipes.iter().any(|recipe| recipe.heading == heading), "{name} has no {heading:?} any more ({why})");
    }
}
