//! `cargo xtask reliability`: the trials with faults, and the table of their results.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use xtask::cargo::{cargo, repository};

/// Where the table goes, between two comments.
const PAGE: &str = "docs/reliability.md";
const BEGIN: &str = "<!-- begin: cargo xtask reliability -->\n";
const END: &str = "<!-- end: cargo xtask reliability -->";

/// Options of `reliability`.
#[derive(Args, Debug)]
pub struct Options {
    /// How many random schedules to try
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    seeds: u64,
    /// The first seed; the others follow it
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    first: u64,
    /// Begin no new schedule after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    seconds: u64,
}

/// The results of the trials with one kind of fault.
#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Figures {
    faults: String,
    trials: u64,
    converged: u64,
    writes: u64,
    lost: u64,
    doubled: u64,
}

/// Runs all trials, prints the table and writes it to the page. Fails, and leaves the page alone, when a trial failed.
pub fn run(options: &Options) -> Result<()> {
    let directory = tempfile::tempdir().context("make a directory for the figures")?;
    let file = directory.path().join("figures");
    let status = cargo()
        .args(["test", "--package", "antfly-backup-operator", "--test", "faults", "--", "--nocapture"])
        .current_dir(repository())
        .env("RELIABILITY_FIGURES", &file)
        .env("FAULTS_SEEDS", options.seeds.to_string())
        .env("FAULTS_FIRST", options.first.to_string())
        .env("FAULTS_SECONDS", options.seconds.to_string())
        .status()
        .context("run cargo test")?;
    let table = table(&read(&file)?);
    println!("{table}");
    if !status.success() {
        bail!("a trial failed; its seed is above ({status})");
    }
    let page = repository().join(PAGE);
    let text = fs::read_to_string(&page).with_context(|| format!("read {PAGE}"))?;
    let (first, last) = (options.first, options.first + options.seeds - 1);
    let made =
        format!("{table}\nMade by `cargo xtask reliability --seeds {}` (seeds {first} to {last}).\n", options.seeds);
    fs::write(&page, with_table(&text, &made)?).with_context(|| format!("write {PAGE}"))
}

fn read(file: &Path) -> Result<Vec<Figures>> {
    let text = fs::read_to_string(file).context("read the figures: no trial ended")?;
    let mut all: BTreeMap<String, Figures> = BTreeMap::new();
    for line in text.lines() {
        let figures: Figures = serde_json::from_str(line).with_context(|| format!("read the figures {line}"))?;
        all.insert(figures.faults.clone(), figures);
    }
    Ok(all.into_values().collect())
}

fn table(all: &[Figures]) -> String {
    let mut table =
        "| Faults | Trials | Converged | Writes after | Records lost | Runs doubled |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for Figures { faults, trials, converged, writes, lost, doubled } in all {
        let _ = writeln!(table, "| {faults} | {trials} | {converged} | {writes} | {lost} | {doubled} |");
    }
    table
}

/// Returns the page with new text between its two comments.
fn with_table(page: &str, table: &str) -> Result<String> {
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.with_context(|| format!("{PAGE} lacks the comments {} and {END}", BEGIN.trim()))?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_takes_the_place_of_the_former_one() {
        let figures = Figures { faults: "crash".into(), trials: 3, converged: 3, writes: 0, lost: 0, doubled: 0 };
        let page = format!("before\n{BEGIN}old\n{END}\nafter\n");
        let page = with_table(&page, &table(&[figures])).unwrap();
        assert!(page.starts_with("before\n") && page.ends_with("\nafter\n") && !page.contains("old"), "{page}");
        assert!(page.contains("| crash | 3 | 3 | 0 | 0 | 0 |"), "{page}");
        assert!(with_table("no comments", "").is_err());
    }
}
