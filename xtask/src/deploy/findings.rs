//! What kube-score finds.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;

/// Grade of a check that found nothing.
const ALL_OK: u8 = 10;

/// A finding of kube-score.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The object, as `KIND/NAME`.
    pub object: String,
    /// Id of the check, such as `container-resources`.
    pub check: String,
    /// The message, such as `CPU limit is not set`.
    pub summary: String,
}

#[derive(Deserialize)]
struct Scored {
    object_name: String,
    checks: Vec<Scoring>,
}

#[derive(Deserialize)]
struct Scoring {
    check: Check,
    grade: u8,
    skipped: bool,
    comments: Option<Vec<Comment>>,
}

#[derive(Deserialize)]
struct Check {
    id: String,
}

#[derive(Deserialize)]
struct Comment {
    summary: String,
}

/// Reads what `kube-score score --output-format json` prints: how many objects it checked, and its findings.
///
/// # Errors
/// When it is something else.
pub fn findings(json: &str) -> Result<(usize, BTreeSet<Finding>)> {
    let objects: Vec<Scored> =
        serde_json::from_str(json).with_context(|| format!("kube-score did not print its findings but {json:?}"))?;
    let mut findings = BTreeSet::new();
    for object in &objects {
        // GROUP/VERSION are in between, and the namespace if there is one.
        let (kind, rest) = object.object_name.split_once('/').unwrap_or((&object.object_name, ""));
        let name = rest.rsplit('/').next().unwrap_or_default();
        for scoring in object.checks.iter().filter(|scoring| !scoring.skipped && scoring.grade < ALL_OK) {
            let comments = scoring.comments.as_deref().unwrap_or_default();
            let summaries = comments.iter().map(|comment| comment.summary.as_str());
            // A bad grade without a comment counts, too.
            let summaries: Vec<_> = if comments.is_empty() { vec![""] } else { summaries.collect() };
            findings.extend(summaries.into_iter().map(|summary| Finding {
                object: format!("{kind}/{name}"),
                check: scoring.check.id.clone(),
                summary: summary.to_owned(),
            }));
        }
    }
    Ok((objects.len(), findings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_all_right_is_a_finding() {
        let check = |id: &str, grade: u8, skipped: bool, summaries: &[&str]| {
            let comments: Vec<_> = summaries.iter().map(|summary| json!({"path": "", "summary": summary})).collect();
            json!({"check": {"id": id}, "grade": grade, "skipped": skipped, "comments": comments})
        };
        let printed = json!([
            {"object_name": "Service/v1/some-namespace/web", "checks": [check("fine", 10, false, &["as it should"])]},
            {"object_name": "Deployment/apps/v1/web", "checks": [
                check("resources", 1, false, &["no limit", "no request"]),
                check("replicas", 5, false, &[]),
                check("later", 0, true, &["skipped"]),
            ]},
        ]);
        let (count, found) = findings(&printed.to_string()).unwrap();
        assert_eq!(count, 2);
        let found: Vec<_> =
            found.iter().map(|it| (it.object.as_str(), it.check.as_str(), it.summary.as_str())).collect();
        let object = "Deployment/web";
        assert_eq!(
            found,
            [(object, "replicas", ""), (object, "resources", "no limit"), (object, "resources", "no request")]
        );
    }
}
