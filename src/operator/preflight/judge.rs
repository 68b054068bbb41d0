//! What was read of a cluster, and what follows from it. Pure.

use crate::{
    api::{CRD, RESOURCE},
    cluster::{
        stored::{StatusStanding, StoredBackup},
        views::CronJobView,
    },
    names::cron_job_name,
    text::{first_named, one_line},
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::{
    admissionregistration::v1::{ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration},
    coordination::v1::Lease,
};
use serde_json::Value;
use std::fmt;

/// The oldest minor of Kubernetes 1 that is supported.
pub const OLDEST_MINOR: u32 = 32;

/// Name of the policy that bounds the operator's rights, in `deploy/`.
pub const POLICY: &str = "antfly-backup-operator";

/// Name of the policy that keeps Antfly's own operator from AntflyBackups, in `deploy/overlays/beside-antfly-operator/`.
pub const POLICY_BESIDE: &str = "antfly-operator-leaves-backups";

/// Most objects that a line names.
const MOST: usize = 5;

/// Something that was read, or why it could not be.
pub type Read<T> = Result<T, String>;

/// A right of the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// API group; empty for the core group.
    pub group: String,
    /// Resource, perhaps with a subresource.
    pub resource: String,
    /// Name of the one object that it is about.
    pub name: Option<String>,
    /// Namespace in which it is needed; `None`: in all.
    pub namespace: Option<String>,
    /// Verb.
    pub verb: String,
}

impl fmt::Display for Right {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(out, ".{}", self.group)?;
        }
        self.namespace.iter().try_for_each(|namespace| write!(out, " in namespace {namespace}"))
    }
}

/// What was read of a cluster.
pub struct Seen {
    /// Major and minor version of the API server.
    pub version: Read<(u32, u32)>,
    /// The definition of AntflyBackups; `None`: there is none.
    pub definition: Read<Option<Value>>,
    /// The user name of the operator's ServiceAccount.
    pub account: String,
    /// Its rights, and whether it has them.
    pub rights: Read<Vec<(Right, bool)>>,
    /// The Lease of the replicas.
    pub lease: Read<Option<Lease>>,
    /// The CronJobs.
    pub cron_jobs: Read<Vec<CronJobView>>,
    /// The AntflyBackups.
    pub backups: Read<Vec<StoredBackup>>,
    /// The bindings of policies; `None`: the API server does not know them.
    pub bindings: Read<Option<Vec<ValidatingAdmissionPolicyBinding>>>,
    /// The names of the policies.
    pub policies: Read<Option<Vec<String>>>,
    /// The webhooks.
    pub webhooks: Read<Vec<ValidatingWebhookConfiguration>>,
}

/// How a line of the report is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing to do.
    Ok,
    /// To be known.
    Note,
    /// It must be mended.
    Mend,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How it is to be taken.
    pub verdict: Verdict,
    /// What it is about, such as `definition`.
    pub about: &'static str,
    /// For people.
    pub text: String,
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Note => "note",
            Verdict::Mend => "mend",
        };
        write!(out, "{verdict:<5} {}: {}", self.about, one_line(&self.text))
    }
}

/// Returns the report. `now` decides whether somebody leads.
pub fn report(seen: &Seen, now: Timestamp) -> Vec<Line> {
    let judged = [
        ("Kubernetes", version(&seen.version)),
        ("definition", judge(&seen.definition, |it| definition(it.as_ref()))),
        ("rights", judge(&seen.rights, |it| rights(&seen.account, it))),
        ("lease", judge(&seen.lease, |it| lease(it.as_ref(), now))),
        ("second writer", second_writer(seen)),
        ("policy", policy(seen)),
        ("webhook", judge(&seen.webhooks, |it| webhooks(it))),
    ];
    judged.into_iter().map(|(about, (verdict, text))| Line { verdict, about, text }).collect()
}

type Judgement = (Verdict, String);

/// What could not be read is not known to be right.
fn judge<T>(read: &Read<T>, judge: impl Fn(&T) -> Judgement) -> Judgement {
    match read {
        Ok(read) => judge(read),
        Err(why) => (
            Verdict::Mend,
            format!("not known, since it cannot be read: {why}; run preflight as a cluster administrator"),
        ),
    }
}

fn version(version: &Read<(u32, u32)>) -> Judgement {
    judge(version, |(major, minor)| match (*major, *minor) >= (1, OLDEST_MINOR) {
        true => (Verdict::Ok, format!("{major}.{minor}")),
        false => (Verdict::Mend, format!("{major}.{minor} is too old: the operator needs 1.{OLDEST_MINOR} or later")),
    })
}

fn definition(live: Option<&Value>) -> Judgement {
    const APPLY: &str = "antfly-backup-operator crd | kubectl apply --server-side --force-conflicts -f -";
    let Some(live) = live else {
        return (Verdict::Mend, format!("{RESOURCE} is not installed; install it: {APPLY}"));
    };
    let ours: Value = serde_saphyr::from_str(CRD).expect("the build holds the schema against its form");
    let schema = |definition: &Value| -> Value {
        let versions = definition["spec"]["versions"].as_array().into_iter().flatten();
        let served = versions.into_iter().find(|version| version["name"] == "v1" && version["served"] == true);
        served.map(|version| version["schema"]["openAPIV3Schema"].clone()).unwrap_or_default()
    };
    let mut lacks = Vec::new();
    find_missing(&schema(&ours), &schema(live), "", &mut lacks);
    let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten();
    let of_versions = entries.filter(|entry| entry.pointer("/fieldsV1/f:spec/f:versions").is_some());
    let managers: Vec<_> = of_versions.filter_map(|entry| entry["manager"].as_str()).collect();
    let who = if managers.is_empty() { "nobody known".to_owned() } else { managers.join(", ") };
    if lacks.is_empty() {
        return (Verdict::Ok, format!("{RESOURCE} has all that this operator writes (applied by {who})"));
    }
    let (count, named) = (lacks.len(), named(&lacks));
    (
        Verdict::Mend,
        format!(
            "{RESOURCE} is not this operator's: it was applied by {who} and lacks {count} fields, {named}; apply this operator's: {APPLY}"
        ),
    )
}

/// Collects the fields that a schema has and another lacks, the uppermost.
fn find_missing(ours: &Value, live: &Value, path: &str, missing: &mut Vec<String>) {
    if live["x-kubernetes-preserve-unknown-fields"] == true {
        return;
    }
    for (name, below) in ours["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match live["properties"].get(name) {
            Some(live) => find_missing(below, live, &path, missing),
            None => missing.push(path),
        }
    }
    if ours["items"].is_object() {
        find_missing(&ours["items"], &live["items"], &format!("{path}[]"), missing);
    }
}

fn rights(account: &str, rights: &[(Right, bool)]) -> Judgement {
    let missing: Vec<_> = rights.iter().filter(|(_, has)| !has).map(|(right, _)| right.to_string()).collect();
    if missing.is_empty() {
        return (Verdict::Ok, format!("{account} may do all that the operator does ({} rights)", rights.len()));
    }
    (Verdict::Mend, format!("{account} may not {}; apply deploy/, or the overlay that you use", missing.join(", ")))
}

fn lease(lease: Option<&Lease>, now: Timestamp) -> Judgement {
    let spec = lease.and_then(|lease| lease.spec.as_ref());
    let holder = spec.and_then(|spec| spec.holder_identity.as_deref()).filter(|holder| !holder.is_empty());
    let Some((spec, holder)) = spec.zip(holder) else {
        return (Verdict::Note, "no replica leads yet: start the operator".to_owned());
    };
    let seconds = spec.lease_duration_seconds.unwrap_or(15).max(0);
    let renewed = spec.renew_time.as_ref().map(|time| time.0);
    let until = renewed.and_then(|time| time.checked_add(SignedDuration::from_secs(seconds.into())).ok());
    match until {
        Some(until) if until >= now => (Verdict::Ok, format!("{holder} leads")),
        _ => (
            Verdict::Mend,
            format!(
                "nobody leads: {holder} renewed the Lease last at {}; see why its Pod does not run",
                renewed.map_or_else(|| "an unknown time".to_owned(), |time| time.to_string())
            ),
        ),
    }
}

fn second_writer(seen: &Seen) -> Judgement {
    let (cron_jobs, backups) = match (&seen.cron_jobs, &seen.backups) {
        (Ok(cron_jobs), Ok(backups)) => (cron_jobs, backups),
        (Err(why), _) | (_, Err(why)) => return judge(&Err::<(), _>(why.clone()), |()| (Verdict::Ok, String::new())),
    };
    let foreign = cron_jobs.iter().filter(|it| !it.suspended && !it.is_being_deleted()).filter_map(|it| {
        let owner = it.controller.as_ref().filter(|owner| owner.kind == crate::api::KIND)?;
        let namespace = it.metadata.namespace.as_deref().unwrap_or_default();
        let by = it.last_writer.as_deref().map(|manager| format!(" (field manager {manager:?})")).unwrap_or_default();
        (it.name() != cron_job_name(&owner.name)).then(|| format!("CronJob {namespace}/{}{by}", it.name()))
    });
    let overwritten = backups.iter().filter_map(|backup| match &backup.standing {
        StatusStanding::Overwritten { manager, .. } => Some(format!(
            "the status of AntflyBackup {}/{} (field manager {manager:?})",
            backup.namespace(),
            backup.name()
        )),
        _ => None,
    });
    let told = backups.iter().filter(|backup| backup.status.as_ref().is_some_and(|it| it.second_writer.is_some()));
    let told = told.map(|backup| format!("SoleWriter of AntflyBackup {}/{}", backup.namespace(), backup.name()));
    let found: Vec<_> = foreign.chain(overwritten).chain(told).collect();
    if found.is_empty() {
        return (Verdict::Ok, "no other operator works on AntflyBackups".to_owned());
    }
    let is_kept_off = has_policy(seen, POLICY_BESIDE);
    let advice = if is_kept_off {
        "its policy is in place: check the ServiceAccount in ConfigMap antfly-operator, or wait ten minutes after a change"
    } else {
        "keep it from AntflyBackups: docs/antfly-operator.md"
    };
    (Verdict::Mend, format!("another operator works on AntflyBackups: {}; {advice}", named(&found)))
}

/// Returns whether a policy of that name is there and in force.
fn has_policy(seen: &Seen, name: &str) -> bool {
    let is_there = matches!(&seen.policies, Ok(Some(policies)) if policies.iter().any(|policy| policy == name));
    let bindings = seen.bindings.as_ref().ok().and_then(Option::as_ref).into_iter().flatten();
    let mut specs = bindings.map(|binding| &binding.spec);
    is_there
        && specs.any(|spec| {
            let denies = spec.validation_actions.iter().any(|action| action == "Deny");
            spec.policy_name == name && denies
        })
}

fn policy(seen: &Seen) -> Judgement {
    match (&seen.policies, &seen.bindings) {
        (Err(why), _) | (_, Err(why)) => judge(&Err::<(), _>(why.clone()), |()| (Verdict::Ok, String::new())),
        (Ok(None), _) | (_, Ok(None)) => (
            Verdict::Note,
            "this API server has no ValidatingAdmissionPolicy: only RBAC bounds the operator's rights".to_owned(),
        ),
        _ if has_policy(seen, POLICY) => (Verdict::Ok, format!("{POLICY} bounds the operator's rights")),
        _ => (
            Verdict::Mend,
            format!(
                "ValidatingAdmissionPolicy {POLICY} is not there or not bound, so that only RBAC bounds the operator's rights; apply deploy/"
            ),
        ),
    }
}

fn webhooks(webhooks: &[ValidatingWebhookConfiguration]) -> Judgement {
    let mut found = Vec::new();
    for configuration in webhooks {
        for webhook in configuration.webhooks.iter().flatten() {
            let asks = webhook.rules.iter().flatten().any(|rule| {
                let has = |list: &Option<Vec<String>>, wanted: &str| {
                    list.iter().flatten().any(|item| item == wanted || item == "*")
                };
                has(&rule.api_groups, "antfly.io") && has(&rule.resources, "antflybackups")
            });
            if asks {
                let name = configuration.metadata.name.as_deref().unwrap_or_default();
                found.push(format!("{} of ValidatingWebhookConfiguration {name}", webhook.name));
            }
        }
    }
    if found.is_empty() {
        return (Verdict::Ok, "none judges AntflyBackups".to_owned());
    }
    (
        Verdict::Note,
        format!(
            "{} judges AntflyBackups. Antfly's own refuses new ones without destination.connection or with \
             destination.credentialsSecret: create yours without the Secret and add it by an edit, or take AntflyBackups out of its \
             rules (docs/antfly-operator.md, \"How a token gets in\")",
            named(&found)
        ),
    )
}

/// Returns the first of several, and how many more there are.
fn named(all: &[String]) -> String {
    first_named(all.iter(), MOST)
}
