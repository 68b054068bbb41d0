//! `cargo xtask mutants`: mutation testing of the pure core. `.cargo/mutants.toml` has the files and the tests.

use std::{
    fs,
    path::Path,
    process::{Command, ExitStatus},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use xtask::cargo::{cargo, repository};

/// The version of cargo-mutants. Other versions make other mutants, and name them differently.
const VERSION: &str = "27.1.0";

/// Lists survivors, each with the reason why it may live.
const PAGE: &str = "docs/mutants.md";

/// The output of cargo-mutants and the list of survivors, relative to the repository.
const OUTPUT: &str = "target/mutation-testing";

/// How many of a hundred mutants have to be caught.
const LEAST_PERCENT: usize = 90;

/// Options of `mutants`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  cargo xtask mutants --list                        the mutants, without trying them
  cargo xtask mutants --matching '^src/status/'   those of a folder
  cargo xtask mutants --shard 0/8                   an eighth of all")]
pub struct Options {
    /// Only mutants whose line of the list this matches, and those that leave a field out, which are not filtered; repeatable
    #[arg(long, value_name = "REGEX")]
    matching: Vec<String>,
    /// Only this part of all mutants, from 0/N to N-1/N
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
    /// How many mutants to try at a time
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    jobs: usize,
    /// Print the mutants instead of trying them
    #[arg(long)]
    list: bool,
}

/// The mutants by result, each as `FILE: WHAT`. A mutant that does not compile is in none of the lists.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    caught: Vec<String>,
    missed: Vec<String>,
    timeouts: Vec<String>,
}

/// Tries the mutants, prints how many were caught, and writes the survivors to `target/mutation-testing/survivors.txt`.
///
/// # Errors
/// When cargo-mutants cannot be had, the tests fail without a mutant, fewer than 90 % are caught, or a survivor is not explained
/// in `docs/mutants.md`.
pub fn run(options: &Options) -> Result<()> {
    install()?;
    let status = mutants(options).status().context("run cargo mutants")?;
    if options.list {
        return ensure_success(status);
    }
    // 2: some were missed, 3: some took too long
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        bail!("cargo mutants failed ({status}): see above");
    }
    let directory = repository().join(OUTPUT);
    let outcome = Outcome::read(&directory.join("mutants.out"))?;
    let survivors = directory.join("survivors.txt");
    fs::write(&survivors, lines(&outcome.missed)).with_context(|| format!("write {}", survivors.display()))?;
    println!("{}\nsurvivors: {}", outcome.summary(), survivors.display());
    let page = fs::read_to_string(repository().join(PAGE)).with_context(|| format!("read {PAGE}"))?;
    outcome.judge(&page)
}

/// Installs this version of cargo-mutants if it is missing.
fn install() -> Result<()> {
    let found = cargo().args(["mutants", "--version"]).output().context("run cargo")?;
    if String::from_utf8_lossy(&found.stdout).trim() == format!("cargo-mutants {VERSION}") {
        return Ok(());
    }
    let package = format!("cargo-mutants@{VERSION}");
    // It mostly waits for cargo.
    ensure_success(
        cargo().args(["install", "--quiet", "--locked", "--debug", &package]).status().context("run cargo install")?,
    )
}

fn mutants(options: &Options) -> Command {
    let mut command = cargo();
    command.current_dir(repository()).arg("mutants").args(["--package", "antfly-backup-operator"]);
    command.args(options.matching.iter().flat_map(|regex| ["--re", regex]));
    // Neighbouring mutants are in different parts, so that each part is representative.
    command.args(options.shard.iter().flat_map(|shard| ["--sharding", "round-robin", "--shard", shard]));
    if options.list {
        command.arg("--list");
    } else {
        command.args(["--output", OUTPUT, "--jobs", &options.jobs.to_string()]);
    }
    // A changed snapshot catches the mutant, and is not written. Each copy has its own target directory.
    command.env("INSTA_UPDATE", "no").env_remove("CARGO_TARGET_DIR");
    command
}

fn ensure_success(status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("cargo ended with {status}");
    }
    Ok(())
}

impl Outcome {
    fn read(directory: &Path) -> Result<Self> {
        let list = |name: &str| {
            let file = directory.join(name);
            let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
            anyhow::Ok(text.lines().map(without_place).collect())
        };
        Ok(Self { caught: list("caught.txt")?, missed: list("missed.txt")?, timeouts: list("timeout.txt")? })
    }

    /// Returns how many mutants were tried. One that timed out counts as caught.
    fn tried(&self) -> usize {
        self.caught.len() + self.timeouts.len() + self.missed.len()
    }

    fn summary(&self) -> String {
        let (tried, missed) = (self.tried(), self.missed.len());
        let percent = 100.0 * (tried - missed) as f64 / tried.max(1) as f64;
        format!(
            "{tried} mutants: {} caught, {} took too long, {missed} missed; {percent:.1} % noticed",
            self.caught.len(),
            self.timeouts.len()
        )
    }

    /// Fails if too many mutants survive, or one survives that the page does not explain.
    fn judge(&self, page: &str) -> Result<()> {
        let unexplained: Vec<_> = self.missed.iter().filter(|mutant| !page.contains(*mutant)).cloned().collect();
        if (self.tried() - self.missed.len()) * 100 < self.tried() * LEAST_PERCENT {
            bail!("fewer than {LEAST_PERCENT} % of the mutants were noticed");
        }
        if !unexplained.is_empty() {
            bail!(
                "write a test that notices these, or say in {PAGE} why they may live:\n{}",
                lines(&unexplained).trim_end()
            );
        }
        Ok(())
    }
}

/// Returns a mutant without line and column, which move: `src/a.rs:3:9: replace …` is `src/a.rs: replace …`.
fn without_place(mutant: &str) -> String {
    let mut parts = mutant.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(_line), Some(_column), Some(what)) => format!("{file}:{what}"),
        _ => mutant.to_owned(),
    }
}

fn lines(mutants: &[String]) -> String {
    mutants.iter().map(|mutant| format!("{mutant}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(caught: usize, missed: &[&str]) -> Outcome {
        let missed = missed.iter().map(|mutant| (*mutant).to_owned()).collect();
        Outcome { caught: vec!["src/a.rs: replace + with -".to_owned(); caught], missed, timeouts: Vec::new() }
    }

    #[test]
    fn a_mutant_is_named_without_its_place() {
        assert_eq!(without_place("src/a.rs:3:19: replace == with != in f"), "src/a.rs: replace == with != in f");
        assert_eq!(without_place("src/a.rs:3:1: replace A::b -> c::D with d"), "src/a.rs: replace A::b -> c::D with d");
    }

    #[test]
    fn a_survivor_needs_a_reason() {
        let outcome = outcome(19, &["src/b.rs: replace f with ()"]);
        assert_eq!(outcome.summary(), "20 mutants: 19 caught, 0 took too long, 1 missed; 95.0 % noticed");
        let error = outcome.judge("| nothing |").unwrap_err().to_string();
        assert!(error.ends_with("may live:\nsrc/b.rs: replace f with ()"), "{error}");
        outcome.judge("| `src/b.rs: replace f with ()` | it only saves time |").unwrap();
    }

    #[test]
    fn nine_of_ten_have_to_be_noticed() {
        let explained = "src/b.rs: x";
        outcome(9, &[explained]).judge(explained).unwrap();
        assert!(outcome(8, &[explained]).judge(explained).unwrap_err().to_string().contains("90 %"));
    }

    #[test]
    fn the_lists_of_cargo_mutants_are_read() {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in
            [("caught.txt", "a.rs:1:2: x\n"), ("missed.txt", ""), ("timeout.txt", "b.rs:1:2: y\nb.rs:2:2: z\n")]
        {
            fs::write(directory.path().join(name), text).unwrap();
        }
        let outcome = Outcome::read(directory.path()).unwrap();
        let list = |mutants: &[&str]| mutants.iter().map(|mutant| (*mutant).to_owned()).collect::<Vec<_>>();
        let expected =
            Outcome { caught: list(&["a.rs: x"]), missed: Vec::new(), timeouts: list(&["b.rs: y", "b.rs: z"]) };
        assert_eq!(outcome, expected);
    }
}
