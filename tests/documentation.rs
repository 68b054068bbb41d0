//! The documentation, held against itself and the code: links lead somewhere, every reason is explained, and CONTRIBUTING's map has
//! every folder.
#![allow(clippy::unwrap_used, reason = "tests, helpers included")]

use antfly_backup_operator::testing::preflight::OLDEST_MINOR;
use regex::Regex;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The pages that people read.
fn pages() -> Vec<PathBuf> {
    let files =
        |directory: &str| fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let mut pages: Vec<_> = [".", "docs", "docs/decisions"].into_iter().flat_map(files).collect();
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages
}

/// The anchor that a heading gets: GitHub's.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|character| character.is_alphanumeric() || [' ', '-', '_'].contains(character));
    kept.map(|character| if character == ' ' { '-' } else { character }).collect()
}

/// The anchors of a page. Lines of code blocks are no headings.
fn anchors(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let outside = text.split("```").step_by(2);
    let headings = outside.flat_map(str::lines).filter(|line| line.starts_with('#'));
    headings.map(|heading| anchor(heading.trim_start_matches('#').trim())).collect()
}

/// Returns what is wrong with a link of a page.
fn problem(page: &Path, link: &str) -> Option<String> {
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() { page.to_owned() } else { page.parent().unwrap().join(path) };
    if !target.exists() {
        return Some(format!("{}: {link} leads nowhere", page.display()));
    }
    let is_known = fragment.is_empty() || anchors(&target).contains(&fragment.to_owned());
    (!is_known).then(|| format!("{}: {link} names no heading", page.display()))
}

#[test]
fn links_lead_to_files_and_headings() {
    let links = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let mut problems = Vec::new();
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        // what stands in a code block is no link, such as part of a regular expression
        let outside = text.split("```").step_by(2).collect::<String>();
        let targets = links.captures_iter(&outside).map(|found| found.get(1).unwrap().as_str().to_owned());
        for link in targets.filter(|link| !link.starts_with("https://")) {
            count += 1;
            problems.extend(problem(&page, &link));
        }
    }
    assert!(count > 20, "only {count} links were found");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_reason_of_the_program_is_explained() {
    let page = fs::read_to_string("docs/operations.md").unwrap();
    let (_, section) = page.split_once("## Reasons").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let source = fs::read_to_string("src/backup/reason.rs").unwrap();
    let constants = Regex::new(r#"pub const [A-Z_]+: &str = "([A-Za-z]+)";"#).unwrap();
    let reasons: Vec<_> = constants.captures_iter(&source).map(|found| found[1].to_owned()).collect();
    assert_eq!(reasons.len(), source.matches("pub const ").count());
    for reason in reasons {
        assert!(section.contains(&format!("`{reason}`")), "docs/operations.md does not explain {reason}");
    }
}

#[test]
fn the_supported_versions_of_kubernetes_are_those_that_are_tried() {
    let page = fs::read_to_string("docs/install.md").unwrap();
    let oldest = Regex::new(r"`minKubeVersion` is 1\.([0-9]+)\.").unwrap().captures(&page).unwrap();
    let oldest: u32 = oldest[1].parse().unwrap();
    assert_eq!(oldest, OLDEST_MINOR, "preflight asks for another one");
    let chore = fs::read_to_string(".ci/minors").unwrap();
    let (_, versions) = chore.split_once("versions=${*:-").unwrap();
    let (versions, _) = versions.split_once('}').unwrap();
    let module = fs::read_to_string("crates/local-cluster/go-modules/control-plane/go.mod").unwrap();
    let pinned = Regex::new(r"k8s\.io/kubernetes (v1\.[0-9.]+)\n").unwrap().captures(&module).unwrap();
    let tried: Vec<_> = versions.split(' ').chain([pinned.get(1).unwrap().as_str()]).collect();
    let minors: Vec<u32> = tried.iter().map(|version| version.split('.').nth(1).unwrap().parse().unwrap()).collect();
    assert_eq!(minors, (oldest..oldest + 6).collect::<Vec<_>>(), "the last six minors are supported");

    for (version, minor) in tried.iter().zip(minors) {
        let row = format!("| 1.{minor} | {} |", version.trim_start_matches('v'));
        assert!(page.contains(&row), "docs/install.md has no row {row}");
    }
}

/// Folders at the top that are not source: builds, and the files of editors.
const NOT_SOURCE: [&str; 5] = [".git", "target", ".idea", ".vscode", "mutants.out"];

/// The entries of a folder, as the map writes them: folders end with `/`.
fn entries(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(if folder.is_empty() { "." } else { folder }).unwrap().map(Result::unwrap);
    let name = |entry: fs::DirEntry| {
        let slash = if entry.path().is_dir() { "/" } else { "" };
        format!("{folder}{}{slash}", entry.file_name().display())
    };
    entries.map(name).collect()
}

/// The places that need a row: folders, and the files of `src/` that are not the root of a module with a folder.
fn places() -> BTreeSet<String> {
    let is_source = |place: &String| !NOT_SOURCE.contains(&place.trim_end_matches('/'));
    let folders = ["", "src/", "crates/", "tests/"].into_iter().flat_map(entries);
    let folders = folders.filter(|place| place.ends_with('/')).filter(is_source);
    let files = entries("src/").into_iter().filter(|place| {
        let module = place.strip_suffix(".rs");
        module.is_some_and(|module| !Path::new(module).is_dir())
    });
    folders.chain(files).collect()
}

/// The paths in the first column of the map's tables.
fn mapped() -> BTreeSet<String> {
    let page = fs::read_to_string("CONTRIBUTING.md").unwrap();
    let (_, section) = page.split_once("## Where things live").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let code = Regex::new("`([^`]+)`").unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    cells.flat_map(|cell| code.captures_iter(cell).map(|found| found[1].to_owned()).collect::<Vec<_>>()).collect()
}

#[test]
fn the_map_has_every_folder_and_nothing_that_is_not_there() {
    let (places, mapped) = (places(), mapped());
    assert!(places.len() > 20, "only {places:?} were found");
    // `crates/` is the folder of its rows
    let lacks: Vec<_> =
        places.difference(&mapped).filter(|place| !["crates/", "tests/"].contains(&place.as_str())).collect();
    assert!(lacks.is_empty(), "CONTRIBUTING.md, \"Where things live\", has no row for {lacks:?}");
    let gone: Vec<_> = mapped.iter().filter(|place| !Path::new(place).exists()).collect();
    assert!(gone.is_empty(), "CONTRIBUTING.md, \"Where things live\", has rows for what is not there: {gone:?}");
}

#[test]
fn the_base_image_of_the_dockerfile_is_named_by_its_digest() {
    let dockerfile = fs::read_to_string("Dockerfile").unwrap();
    let images: Vec<_> = dockerfile.lines().filter_map(|line| line.strip_prefix("FROM ")).collect();
    let digest = Regex::new("@sha256:[0-9a-f]{64}( AS [a-z]+)?$").unwrap();
    assert!(images.len() > 1 && images.iter().all(|image| *image == "scratch" || digest.is_match(image)), "{images:?}");
}

#[test]
fn one_version_of_rust_is_named_everywhere() {
    let read = |file: &str| fs::read_to_string(file).unwrap();
    let version = |file: &str, pattern: &str| {
        let found = Regex::new(pattern).unwrap().captures(&read(file)).map(|found| found[1].to_owned());
        found.unwrap_or_else(|| panic!("{file} names no version by {pattern}"))
    };
    let toolchain = version("rust-toolchain.toml", r#"channel = "([0-9.]+)""#);
    assert_eq!(version("Dockerfile", "FROM rust:([0-9.]+)-"), toolchain, "Dockerfile and rust-toolchain.toml differ");
    let lowest = version("Cargo.toml", r#"rust-version = "([0-9.]+)""#);
    assert!(toolchain.starts_with(&format!("{lowest}.")), "Cargo.toml says {lowest}, rust-toolchain.toml {toolchain}");
    assert!(read("README.md").contains(&format!("Rust {lowest}")), "README.md names another version than {lowest}");
}

/// Returns the schema of a released version.
fn released(version: &str) -> Value {
    let text = fs::read_to_string(format!("schema/released/antflybackup-{version}.yaml")).unwrap();
    let definition: Value = serde_saphyr::from_str(&text).unwrap();
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

/// Returns the schema at a path such as `.spec.tables[]`. A record is any of the two that Antfly's definition has, too.
fn at<'a>(schema: &'a Value, path: &str) -> &'a Value {
    let pointer = path.replace("RECORD", "lastSuccessfulBackup").replace("[]", ".items").replace('.', "/properties/");
    let pointer = pointer.replace("/properties/items", "/items");
    schema.pointer(&pointer).unwrap_or_else(|| panic!("0.1.0 has no {path}"))
}

/// Calls `visit` with each path of a schema that Antfly's definition has, too: what is `added` is not among them.
fn visit<'a>(schema: &'a Value, path: &str, added: &[&str], visit_node: &mut impl FnMut(&str, &'a Value)) {
    if added.contains(&path) || path.starts_with(".status.recentBackups[]") {
        return;
    }
    visit_node(path, schema);
    for (name, child) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}").replace("lastSuccessfulBackup", "RECORD");
        visit(child, &path, added, visit_node);
    }
    if let Some(items) = schema.get("items") {
        visit(items, &format!("{path}[]"), added, visit_node);
    }
}

/// Antfly's definition is not in this repository. Of its difference to this one the test holds this side: what is new here is there, and
/// each rule and each bound of the length of a text that this definition has is listed, as Antfly's has them only in conditions.
#[test]
fn the_report_on_antflys_definition_is_that_of_0_1_0() {
    let page = fs::read_to_string("docs/api-evolution.md").unwrap();
    let (_, section) = page.split_once("## Antfly's own definition").unwrap();
    assert!(section.contains("to that of\n0.1.0,"));
    let schema = released("0.1.0");
    let code = Regex::new("`([^`]+)`").unwrap();
    let row = section.lines().find(|line| line.starts_with("| FieldAdded |")).unwrap();
    let added: Vec<_> = code.captures_iter(row).map(|found| found.get(1).unwrap().as_str()).collect();
    assert!(added.iter().all(|path| at(&schema, path).is_object()));

    let part = Regex::new(r"([A-Z][A-Za-z]+) \(([^)]+)\)").unwrap();
    let mut listed = BTreeSet::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let (path, rest) = line.trim_start_matches("| `").split_once("` | ").unwrap();
        let path = if path == "the object" { "" } else { path };
        for part in part.captures_iter(rest) {
            for keyword in part.get(2).unwrap().as_str().split(", ") {
                let name = match keyword {
                    "rules" => "x-kubernetes-validations",
                    "list type" => "x-kubernetes-list-type",
                    "map type" => "x-kubernetes-map-type",
                    other => other,
                };
                assert!(at(&schema, path).get(name).is_some(), "{path} of 0.1.0 has no {name}");
                listed.insert((path.to_owned(), name));
            }
        }
    }
    visit(&schema, "", &added, &mut |path, node| {
        for name in ["x-kubernetes-validations", "maxLength"] {
            let is_theirs = path.starts_with(".status.conditions[]");
            let is_listed = listed.contains(&(path.to_owned(), name));
            assert!(is_theirs || is_listed || node.get(name).is_none(), "the report does not list {name} of {path}");
        }
    });
    assert!(listed.len() > 30);
}

#[test]
fn what_is_deprecated_is_on_the_page() {
    let page = fs::read_to_string("docs/api-changes.md").unwrap();
    let (_, section) = page.split_once("## Deprecation").unwrap();
    let schema = fs::read_to_string("schema/antflybackup.yaml").unwrap();
    let claims_none = section.contains("Deprecated today: nothing.");
    assert_eq!(claims_none, !schema.contains("Deprecated"), "the page and the descriptions of the schema differ");
}

#[test]
fn the_conditions_that_users_may_rely_on_are_described() {
    let page = fs::read_to_string("docs/api-changes.md").unwrap();
    let row = page.lines().find(|line| line.starts_with("| `status.conditions` |")).unwrap();
    let always = ["Ready", "ScheduleReady", "ClusterReady", "BackupRunHealthy"];
    let schema = fs::read_to_string("schema/antflybackup.yaml").unwrap();
    for name in always {
        assert!(row.contains(&format!("`{name}`")), "the page does not name {name}");
        assert!(schema.contains(&format!("{name}: ")), "the schema does not describe {name}");
    }
}
