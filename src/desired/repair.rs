//! Decides which writes make an existing CronJob as planned again, whoever changed it.

use super::action::{Action, Apply, TakeBack};
use crate::{
    api::{AppliedTemplate, reason},
    cluster::{
        cache::Facts,
        views::{CronJobView, Digest, PodTemplate, Taken},
    },
    names::FIELD_MANAGER,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// Most fields that are named of one field manager.
const MOST_FIELDS: usize = crate::api::OtherWriter::FIELDS_MAX_ITEMS;

/// A field of a Pod and its former name. The API server fills each from the other, so both are emptied together.
const SERVICE_ACCOUNT: [&str; 2] = ["serviceAccountName", "serviceAccount"];

/// What others did to the CronJob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// Who changed or added what, as far as the API server knows.
    pub others: Vec<OtherWriter>,
    /// When it is put right, if it is not put right now: others change it again and again.
    pub until: Option<Timestamp>,
    /// Whether it was put right shortly before, too.
    pub is_repeated: bool,
}

/// A field manager, and fields that it changed or added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherWriter {
    /// Name of the field manager.
    pub manager: String,
    /// Paths of some of the fields.
    pub fields: Vec<String>,
}

/// Returns the writes that make a CronJob as its manifest asks, and what others did to it. No writes if it is as the manifest
/// asks, or as mutating admission answered to it, and has nothing that another field manager added.
///
/// What nobody owns may be of admission, or of somebody who cleared `managedFields`. So a CronJob whose Pods do what no answer said
/// is reset and applied again: what admission adds comes back, in an answer, and the rest does not.
pub fn repair(
    manifest: Value,
    requested: Digest,
    template: Option<&PodTemplate>,
    existing: &Arc<CronJobView>,
    facts: &Facts,
    now: Timestamp,
) -> (Vec<Action>, Option<Repair>) {
    let is_adopted = existing.is_adoptable();
    let is_as_asked = !is_adopted
        && does_what_was_answered(existing, template, facts)
        && (existing.applied == Some(requested) || facts.answer(existing, requested).is_some());
    let (changed, added): (Vec<_>, Vec<_>) =
        existing.others.taken.iter().partition(|taken| taken.path.find(&manifest).is_some());
    let added: Vec<_> = added.into_iter().filter(|taken| !taken.path.is_label_or_annotation()).collect();
    let has_additions = !added.is_empty() || existing.others.more_taken;
    if is_as_asked && !has_additions {
        return (Vec::new(), None);
    }
    let others = by_manager(changed.iter().chain(&added));
    let last = facts.last_apply.as_ref();
    let is_repeated = last.is_some_and(|last| last.repeated_by(requested, now) > 1);
    if let Some(until) = last.and_then(|last| last.due_after(requested, now)) {
        return (Vec::new(), Some(Repair { others, until: Some(until), is_repeated }));
    }
    let action = if is_as_asked && !existing.others.more_taken {
        Action::TakeBack(TakeBack { cron_job: existing.clone(), patch: without(existing, &added) })
    } else {
        let first = match existing.applied {
            None => Some(anew(existing, &manifest, is_adopted)),
            Some(_) if has_additions || (has_unowned(existing) && is_unheard_of(existing, facts)) => {
                Some(reset(existing, &manifest, is_adopted))
            }
            Some(_) => None,
        };
        let reason = if is_adopted { reason::CRON_JOB_ADOPTED } else { reason::CRON_JOB_UPDATED };
        Action::Apply(Apply { manifest, digest: requested, existing: Some(existing.clone()), first, reason })
    };
    let repair = (is_repeated || !others.is_empty()).then_some(Repair { others, until: None, is_repeated });
    (vec![action], repair)
}

/// Returns whether the Pods of a CronJob do what was asked for, or what the API server answered to that. While no answer is known,
/// they count as doing so: the status is of a version that did not note them.
fn does_what_was_answered(existing: &CronJobView, asked: Option<&PodTemplate>, facts: &Facts) -> bool {
    let (Some(asked), Some(template)) = (asked, &existing.template) else { return true };
    let requested = asked.digest().to_string();
    let is_answer = |it: &AppliedTemplate| it.requested == requested && template.is(it);
    facts.templates.is_empty() || asked == template || facts.templates.iter().any(is_answer)
}

/// Returns whether the Pods of a CronJob do what no answer said.
fn is_unheard_of(existing: &CronJobView, facts: &Facts) -> bool {
    let template = existing.template.as_ref();
    template.is_some_and(|template| !facts.templates.is_empty() && !facts.templates.iter().any(|it| template.is(it)))
}

/// Returns whether a CronJob has something that no field manager owns.
fn has_unowned(existing: &CronJobView) -> bool {
    existing.others.more_unowned > 0 || !existing.others.unowned.is_empty()
}

/// Returns the field managers, with the fields of each. This operator is none of them.
fn by_manager<'a>(taken: impl Iterator<Item = &'a &'a Taken>) -> Vec<OtherWriter> {
    let mut fields: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for taken in taken {
        for manager in taken.managers.iter().filter(|manager| *manager != FIELD_MANAGER) {
            let fields = fields.entry(manager).or_default();
            if fields.len() < MOST_FIELDS {
                fields.push(taken.path.to_string());
            }
        }
    }
    let writers = fields.into_iter().map(|(manager, fields)| OtherWriter { manager: manager.to_owned(), fields });
    writers.collect()
}

/// Returns the operation that makes a patch a conflict if the CronJob has changed meanwhile.
fn if_unchanged(existing: &CronJobView) -> Value {
    json!({"op": "replace", "path": "/metadata/resourceVersion", "value": existing.metadata.resource_version})
}

/// Returns a JSON Patch that removes fields and items of lists. None of them is in another.
fn without(existing: &CronJobView, added: &[&Taken]) -> Value {
    let mut pointers: Vec<_> = added.iter().map(|taken| &taken.pointer).collect();
    // the last item of a list first, so that the positions of the others stay
    pointers.sort_by_cached_key(|pointer| {
        let steps = pointer.iter().map(|step| (step.parse::<usize>().ok(), (*step).clone()));
        std::cmp::Reverse(steps.collect::<Vec<_>>())
    });
    let mut operations = vec![if_unchanged(existing)];
    for pointer in pointers {
        match pointer.split_last() {
            Some((last, above)) if SERVICE_ACCOUNT.contains(&last.as_str()) => {
                let emptied = SERVICE_ACCOUNT
                    .map(|name| json!({"op": "add", "path": format!("{}/{name}", json_pointer(above)), "value": ""}));
                operations.extend(emptied);
            }
            _ => operations.push(json!({"op": "remove", "path": json_pointer(pointer)})),
        }
    }
    operations.into()
}

fn json_pointer(steps: &[String]) -> String {
    steps.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

/// Returns a JSON Patch that replaces the whole spec. What is in the manifest and what others added may exclude each other, such
/// as `value` and `valueFrom` of a variable, so that one cannot be changed without the other.
fn reset(existing: &CronJobView, manifest: &Value, is_adopted: bool) -> Value {
    let spec = json!({"op": "replace", "path": "/spec", "value": manifest["spec"]});
    std::iter::once(if_unchanged(existing)).chain(adoption(existing, manifest, is_adopted)).chain([spec]).collect()
}

/// Returns the operation that gives a CronJob without a controller the one of the manifest; its other owners stay. The first write of an
/// adoption has it, because no other write of a CronJob without a controller is allowed (`deploy/policy/`).
fn adoption(existing: &CronJobView, manifest: &Value, is_adopted: bool) -> Option<Value> {
    let owners = manifest["metadata"].get("ownerReferences").filter(|_| is_adopted)?;
    let (path, value) = if existing.has_owners {
        ("/metadata/ownerReferences/-", &owners[0])
    } else {
        ("/metadata/ownerReferences", owners)
    };
    Some(json!({"op": "add", "path": path, "value": value}))
}

/// Returns a JSON Patch that replaces the whole spec and makes the operator the owner of a field in it, of a CronJob without a
/// recorded apply, such as after its `managedFields` were cleared. Otherwise the next apply would make a manager
/// `before-first-apply` the owner of all present fields; and what somebody added before nobody would own.
fn anew(existing: &CronJobView, manifest: &Value, is_adopted: bool) -> Value {
    let entry = json!({
        "manager": FIELD_MANAGER,
        "operation": "Apply",
        "apiVersion": "batch/v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:schedule": {}}},
    });
    let mut operations = reset(existing, manifest, is_adopted);
    let owner = json!({"op": "add", "path": "/metadata/managedFields", "value": [entry]});
    operations.as_array_mut().expect("a JSON Patch is a list").push(owner);
    operations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{
        cache::LastApply,
        lookup::ClusterLookup,
        stored::StoredBackup,
        views::{Others, digest_of_manifest},
    };
    use jiff::SignedDuration;

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn manifest() -> Value {
        json!({"metadata": {"name": "nightly-cron", "labels": {"a": "b"}}, "spec": {"suspend": false, "containers": [{"name": "backup"}]}})
    }

    fn facts(last_apply: Option<LastApply>) -> Facts {
        let backup = StoredBackup::from_value(json!({"metadata": {"name": "nightly"}})).unwrap();
        Facts {
            backup: Arc::new(backup),
            cron_job: None,
            former_cron_jobs: Vec::new(),
            runs: Vec::new(),
            cluster: ClusterLookup::NotFound,
            pinned_cluster: None,
            last_apply,
            templates: Vec::new(),
            job_refusal: None,
        }
    }

    /// A CronJob as the manifest asks, with `spec` besides, of which `them` owns the fields; the operator owns what it applied but
    /// for `lost`.
    fn existing(spec: Value, theirs: Value, lost: &str) -> Arc<CronJobView> {
        let mut live = json!({"metadata": {"name": "nightly-cron", "uid": "u", "resourceVersion": "7", "labels": {"a": "b"}},
            "spec": spec});
        let mut ours = json!({"f:suspend": {}, "f:containers": {r#"k:{"name":"backup"}"#: {".": {}, "f:name": {}}}});
        ours.as_object_mut().unwrap().remove(lost);
        live["metadata"]["managedFields"] = json!([
            {"manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": {"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": ours}},
            {"manager": "them", "operation": "Update", "fieldsV1": {"f:spec": theirs}},
        ]);
        Arc::new(CronJobView::from_value(live).unwrap())
    }

    fn repaired(existing: &Arc<CronJobView>, facts: &Facts) -> (Option<Action>, Option<Repair>) {
        let (mut actions, repair) = repair(manifest(), digest_of_manifest(&manifest()), None, existing, facts, now());
        assert!(actions.len() < 2);
        (actions.pop(), repair)
    }

    #[test]
    fn what_others_added_is_removed_from_the_last_position_on_if_the_cron_job_is_unchanged() {
        let item = |name: &str| json!({"name": name});
        let containers: Vec<_> =
            ["a", "backup"].into_iter().map(str::to_owned).chain((0..9).map(|i| format!("c{i}"))).collect();
        let keys = containers
            .iter()
            .filter(|name| *name != "backup")
            .map(|name| (format!(r#"k:{{"name":"{name}"}}"#), json!({".": {}})));
        let theirs = json!({"f:containers": keys.collect::<serde_json::Map<_, _>>(), "f:x/y": {}});
        let spec = json!({"suspend": false, "x/y": 1, "containers": containers.iter().map(|name| item(name)).collect::<Vec<_>>()});
        let (action, repair) = repaired(&existing(spec, theirs, ""), &facts(None));
        let Some(Action::TakeBack(taken)) = action else { panic!("{action:?}") };
        let operations = taken.patch.as_array().unwrap();
        assert_eq!(operations[0], json!({"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}));
        let removed: Vec<_> = operations[1..].iter().map(|operation| operation["path"].as_str().unwrap()).collect();
        let of_list: Vec<_> = removed.iter().filter(|path| path.starts_with("/spec/containers/")).copied().collect();
        let wanted =
            ["10", "9", "8", "7", "6", "5", "4", "3", "2", "0"].map(|index| format!("/spec/containers/{index}"));
        assert_eq!(of_list, wanted);
        assert!(removed.contains(&"/spec/x~1y") && removed.len() == 11, "{removed:?}");
        assert_eq!(repair.unwrap().others[0].fields.len(), MOST_FIELDS);
    }

    #[test]
    fn a_service_account_is_removed_under_both_names() {
        let spec = json!({"suspend": false, "containers": [{"name": "backup"}], "serviceAccountName": "x", "serviceAccount": "x"});
        let (action, _) = repaired(&existing(spec, json!({"f:serviceAccountName": {}}), ""), &facts(None));
        let Some(Action::TakeBack(taken)) = action else { panic!("{action:?}") };
        let paths: Vec<_> = taken.patch.as_array().unwrap().iter().map(|operation| operation["path"].clone()).collect();
        assert_eq!(paths, ["/metadata/resourceVersion", "/spec/serviceAccountName", "/spec/serviceAccount"]);
    }

    #[test]
    fn a_changed_field_is_applied_again_and_with_an_addition_the_spec_is_replaced_first() {
        let spec = json!({"suspend": true, "containers": [{"name": "backup"}]});
        let (action, repair) = repaired(&existing(spec.clone(), json!({"f:suspend": {}}), "f:suspend"), &facts(None));
        assert!(matches!(&action, Some(Action::Apply(apply)) if apply.first.is_none()), "{action:?}");
        let them = OtherWriter { manager: "them".to_owned(), fields: vec!["spec.suspend".to_owned()] };
        assert_eq!(repair, Some(Repair { others: vec![them], until: None, is_repeated: false }));

        let mut both = spec;
        both["hostNetwork"] = json!(true);
        let theirs = json!({"f:suspend": {}, "f:hostNetwork": {}});
        let (action, _) = repaired(&existing(both, theirs, "f:suspend"), &facts(None));
        let Some(Action::Apply(apply)) = action else { panic!("{action:?}") };
        assert_eq!(apply.first.unwrap()[1], json!({"op": "replace", "path": "/spec", "value": manifest()["spec"]}));
    }

    #[test]
    fn a_cron_job_without_a_recorded_apply_is_made_anew() {
        let live = json!({"metadata": {"name": "nightly-cron", "resourceVersion": "7"}, "spec": {"containers": [{"name": "spy"}]}});
        let (action, repair) = repaired(&Arc::new(CronJobView::from_value(live).unwrap()), &facts(None));
        let Some(Action::Apply(apply)) = action else { panic!("{action:?}") };
        let first = apply.first.unwrap();
        assert_eq!((&first[1]["path"], &first[2]["path"]), (&json!("/spec"), &json!("/metadata/managedFields")));
        assert_eq!(repair, None);
    }

    #[test]
    fn the_first_write_of_an_adoption_gives_the_controller() {
        let mut manifest = manifest();
        manifest["metadata"]["ownerReferences"] = json!([{"name": "nightly", "controller": true}]);
        let orphan = |owners: Value| {
            let labels = json!({"app.kubernetes.io/managed-by": FIELD_MANAGER, "antfly.io/backup": "nightly"});
            let live = json!({"metadata": {"name": "nightly-cron", "uid": "u", "resourceVersion": "7", "labels": labels,
                "annotations": {"antfly.io/made-by": FIELD_MANAGER}, "ownerReferences": owners}, "spec": {}});
            Arc::new(CronJobView::from_value(live).unwrap())
        };
        let first = |existing: &Arc<CronJobView>| {
            let (actions, _) =
                repair(manifest.clone(), digest_of_manifest(&manifest), None, existing, &facts(None), now());
            let [Action::Apply(apply)] = &actions[..] else { panic!("{actions:?}") };
            apply.first.clone().unwrap()[1].clone()
        };
        let owner = &manifest["metadata"]["ownerReferences"];
        let whole = json!({"op": "add", "path": "/metadata/ownerReferences", "value": owner});
        assert_eq!(first(&orphan(json!(null))), whole);
        let one_more = json!({"op": "add", "path": "/metadata/ownerReferences/-", "value": owner[0]});
        let other = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "note", "uid": "n"}]);
        assert_eq!(first(&orphan(other)), one_more);
    }

    #[test]
    fn what_admission_answered_is_not_applied_again_until_it_changes() {
        let requested = digest_of_manifest(&manifest());
        let mutated = existing(json!({"suspend": true, "containers": [{"name": "backup"}]}), json!({}), "");
        assert_eq!(mutated.others, Others::default());
        let answer = crate::api::AppliedCronJob {
            uid: "u".to_owned(),
            requested: requested.to_string(),
            answered: mutated.applied.unwrap().to_string(),
            changed_fields: Vec::new(),
        };
        let last = LastApply { requested, answer: Some(answer), repeated: 0, time: now() };
        assert!(repaired(&mutated, &facts(None)).0.is_some());
        assert!(repaired(&mutated, &facts(Some(last.clone()))).0.is_none());
        let renewed = CronJobView { metadata: kube::api::ObjectMeta::default(), ..CronJobView::clone(&mutated) };
        assert!(repaired(&Arc::new(renewed), &facts(Some(last.clone()))).0.is_some(), "it is another CronJob");
        let changed = existing(json!({"suspend": true, "containers": []}), json!({}), "");
        assert!(repaired(&changed, &facts(Some(last))).0.is_some(), "somebody changed it");
    }

    #[test]
    fn a_contest_is_waited_for() {
        let requested = digest_of_manifest(&manifest());
        let changed = existing(
            json!({"suspend": true, "containers": [{"name": "backup"}]}),
            json!({"f:suspend": {}}),
            "f:suspend",
        );
        let last = LastApply { requested, answer: None, repeated: 3, time: now() };
        let (action, repair) = repaired(&changed, &facts(Some(last)));
        assert!(action.is_none());
        assert_eq!(repair.unwrap().until, Some(now() + SignedDuration::from_secs(2)));
    }
}
