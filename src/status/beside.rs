//! The conditions about another operator beside this one: `SoleWriter`, and `DefinitionMatches`.

use crate::{
    api::{AntflyBackupStatus, RESOURCE, SecondWriter, reason},
    cluster::{second_writer::Contest, stored::StatusStanding},
    status::conditions::ConditionDraft,
    text::first_named,
};

/// Type of the condition about another operator that works on the same AntflyBackup.
pub const SOLE_WRITER: &str = "SoleWriter";

/// Type of the condition about the definition in the cluster.
const DEFINITION_MATCHES: &str = "DefinitionMatches";

/// Most dropped fields that are named.
const MOST_FIELDS: usize = 8;

/// Returns whether another operator works on the AntflyBackup; `None` where none ever did.
pub fn sole_writer(contest: Option<&Contest>, earlier: Option<&AntflyBackupStatus>) -> Option<ConditionDraft> {
    let kind = SOLE_WRITER;
    if let Some(writer) = contest.and_then(Contest::told) {
        let message = another_operator(writer);
        return Some(ConditionDraft { kind, status: "False", reason: reason::ANOTHER_OPERATOR, message });
    }
    let was_told = earlier.is_some_and(|status| status.conditions.iter().any(|it| it.type_ == kind));
    was_told.then(|| ConditionDraft {
        kind,
        status: "True",
        reason: reason::NO_OTHER_OPERATOR,
        message: "for ten minutes or longer no other operator has worked on this AntflyBackup".to_owned(),
    })
}

/// Returns who works on the AntflyBackup, too, what it does, and what to do, for people.
pub fn another_operator(writer: &SecondWriter) -> String {
    let names: Vec<_> = writer.managers.iter().map(|manager| format!("{manager:?}")).collect();
    let who = match names.as_slice() {
        [] => "another operator".to_owned(),
        [one] => format!("another operator, field manager {one},"),
        several => format!("another operator, field managers {},", several.join(" and ")),
    };
    let cron_job = writer
        .cron_job
        .as_ref()
        .map(|name| format!("makes or resumes CronJob {name}, which starts backups of its own"));
    let status = writer.writes_status.map(|_| "writes the status".to_owned());
    let does: Vec<_> = cron_job.into_iter().chain(status).collect();
    format!(
        "{who} works on this AntflyBackup, too: it {}. What it does is undone, at most once a minute. Keep it from AntflyBackups: \
         docs/antfly-operator.md says how, and deploy/overlays/beside-antfly-operator has the policy",
        does.join(" and ")
    )
}

/// Returns that the API server drops fields of the status; `None` where it keeps all.
pub fn definition_matches(standing: &StatusStanding) -> Option<ConditionDraft> {
    let StatusStanding::Pruned(fields) = standing else { return None };
    Some(ConditionDraft {
        kind: DEFINITION_MATCHES,
        status: "False",
        reason: reason::FIELDS_PRUNED,
        message: definition_is_another(fields),
    })
}

/// Returns what the matter is with a definition that drops these fields, and what to do, for people.
pub fn definition_is_another(fields: &[String]) -> String {
    let named = first_named(fields.iter(), MOST_FIELDS);
    format!(
        "the CustomResourceDefinition {RESOURCE} in the cluster is not this operator's: the API server drops {named}. \
         Apply this operator's again: antfly-backup-operator crd | kubectl apply --server-side --force-conflicts -f -; \
         docs/antfly-operator.md says how it stays"
    )
}
