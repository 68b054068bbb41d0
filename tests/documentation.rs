//! The documentation, held against itself and the code: links lead somewhere, and every reason is explained.
#![allow(clippy::unwrap_used, reason = "tests, helpers included")]

use regex::Regex;
use std::{
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

/// The anchors of a page. What stands in a block of code is no heading.
fn anchors(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let outside = text.split("```").step_by(2);
    let headings = outside.flat_map(str::lines).filter(|line| line.starts_with('#'));
    headings.map(|heading| anchor(heading.trim_start_matches('#').trim())).collect()
}

/// What is wrong with a link of a page.
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
        let targets = links.captures_iter(&text).map(|found| found.get(1).unwrap().as_str().to_owned());
        for link in targets.filter(|link| !link.starts_with("https://")) {
            count += 1;
            problems.extend(problem(&page, &link));
        }
    }
    assert!(count > 20, "only {count} links were found");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_reason_that_the_program_gives_is_explained() {
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
