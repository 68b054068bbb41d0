//! Size and cost of the API, of each version.
//!
//! What comes in: the definition and its released copies. What goes out: a table. The cost is the API server's own estimate.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context, Result};
use local_cluster::schema_cost;
use semver::Version;
use serde_json::Value;

use crate::schema::{DEFINITION, RELEASED};

/// How many bytes of annotations an object may have. Client-side apply keeps a copy of the definition, as JSON, in one of them.
const LARGEST_ANNOTATIONS: usize = 256 * 1024;

/// Returns the table, as Markdown: the released versions, oldest first, and the present one.
///
/// # Errors
/// A file cannot be read, or the program that estimates the cost cannot be built or refuses a definition.
pub fn table(repository: &Path) -> Result<String> {
    let folder = repository.join(RELEASED);
    let mut released = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry.with_context(|| format!("list {}", folder.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let version = name.strip_prefix("antflybackup-").and_then(|name| name.strip_suffix(".yaml"));
        if let Some(version) = version.and_then(|version| Version::parse(version).ok()) {
            released.push((version, path));
        }
    }
    released.sort();
    let mut table = format!(
        "| Version | YAML, bytes | JSON, bytes (of {LARGEST_ANNOTATIONS}) | Rules | Cost of the costliest rule | Cost of all rules |\n\
         |---|---|---|---|---|---|\n"
    );
    let versions = released.into_iter().map(|(version, path)| (version.to_string(), path));
    for (version, path) in versions.chain([("now".to_owned(), repository.join(DEFINITION))]) {
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let row = row(&text).with_context(|| path.display().to_string())?;
        writeln!(table, "| {version} | {row} |").context("write the table")?;
    }
    Ok(table)
}

fn row(definition: &str) -> Result<String> {
    let json: Value = serde_saphyr::from_str(definition).context("it is YAML")?;
    let json = serde_json::to_string(&json).context("it has a JSON form")?.len();
    let cost: Value = serde_json::from_str(&schema_cost(definition)?).context("read the costs")?;
    let rules = cost["rules"].as_array().context("there are costs of rules")?;
    let highest = rules.iter().filter_map(|rule| rule["cost"].as_u64()).max().unwrap_or_default();
    Ok(format!(
        "{} | {json} | {} | {highest} (of {}) | {} (of {})",
        definition.len(),
        rules.len(),
        cost["ruleLimit"],
        cost["total"],
        cost["limit"]
    ))
}
