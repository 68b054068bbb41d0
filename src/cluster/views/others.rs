//! Which fields of a CronJob's spec others own, and which nobody owns.
//!
//! Server-side apply records the owner of each field that somebody wrote. Fields that nobody owns are defaults, or were added by
//! mutating admission, which the API server attributes to nobody
//! (<https://kubernetes.io/docs/reference/using-api/server-side-apply/>).

use super::{
    field_path::{FieldPath, Items, Step},
    owned::{applied_fields, is_apply_of, is_leaf, is_of_main_resource},
};
use crate::{names::DOMAIN, text::one_line};
use serde_json::Value;
use std::collections::BTreeMap;

/// Most fields of others that are kept, and most that nobody owns.
const MOST: usize = 16;

/// Longest path that is kept, in bytes. One that is longer counts as not kept.
const LONGEST_PATH: usize = 512;

/// Defaults of Kubernetes for what the manifest leaves out: the path below `spec.jobTemplate.spec.template.spec`, and the values.
/// A test on a real API server holds this list against what it sets.
const DEFAULTS: [(&str, &[&str]); 5] = [
    (".containers[backup].imagePullPolicy", &["Always", "IfNotPresent"]),
    (".containers[backup].terminationMessagePath", &["/dev/termination-log"]),
    (".dnsPolicy", &["ClusterFirst"]),
    (".schedulerName", &["default-scheduler"]),
    (".terminationGracePeriodSeconds", &["30"]),
];

/// The Pod template's spec.
const POD: &str = "spec.jobTemplate.spec.template.spec";

/// What of a CronJob others own, and what nobody owns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// Fields of the spec, and labels and annotations of ours, that others own and this operator does not.
    pub taken: Vec<Taken>,
    /// Whether there are more of them.
    pub more_taken: bool,
    /// Paths of fields that nobody owns, and that are not known as defaults: mutating admission added them.
    pub unowned: Vec<String>,
    /// How many more of them there are.
    pub more_unowned: usize,
}

/// A field that others own. What is below it has no part that this operator owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The field managers that own it or a part of it, in their order.
    pub managers: Vec<String>,
    /// The field, or the item of a list.
    pub path: FieldPath,
    /// The same as a JSON pointer (RFC 6901), in this version of the object.
    pub pointer: Vec<String>,
}

/// Returns what others own in a CronJob to which `manager` applied its manifest, and what nobody owns.
pub(super) fn others(live: &Value, manager: &str) -> Others {
    let Some(ours) = applied_fields(live, manager) else { return Others::default() };
    let entries = live["metadata"]["managedFields"].as_array().into_iter().flatten();
    let theirs: Vec<_> = entries
        .filter(|entry| !is_apply_of(entry, manager) && is_of_main_resource(entry))
        .map(|entry| (entry["manager"].as_str().unwrap_or_default(), &entry["fieldsV1"]))
        .collect();
    let mut others = Others::default();
    let place = Place { path: FieldPath::default(), pointer: Vec::new() };
    for part in ["spec", "metadata"] {
        let key = format!("f:{part}");
        let owned: Vec<_> = theirs.iter().filter_map(|(name, fields)| Some((*name, fields.get(&key)?))).collect();
        others.find_taken(&live[part], ours.get(&key), &owned, &place.field(part));
    }
    let all: Vec<_> = theirs.iter().map(|(_, fields)| *fields).chain([ours]).collect();
    let below = |path: &[&str]| all.iter().filter_map(|fields| fields_below(fields, path)).collect::<Vec<_>>();
    others.find_unowned(&live["spec"], &below(&["spec"]), &place.path.field("spec"));
    for part in ["labels", "annotations", "finalizers"] {
        let path = place.path.field("metadata").field(part);
        others.find_unowned(&live["metadata"][part], &below(&["metadata", part]), &path);
    }
    others
}

/// Returns the part of a FieldsV1 that is about what is below a path of fields.
fn fields_below<'a>(fields: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(fields, |fields, name| fields.get(format!("f:{name}")))
}

/// Where a value is in the object.
struct Place {
    path: FieldPath,
    pointer: Vec<String>,
}

impl Place {
    fn field(&self, name: &str) -> Self {
        self.below(Step::Field(name.to_owned()), name.to_owned())
    }

    fn below(&self, step: Step, token: String) -> Self {
        Place { path: self.path.with(step), pointer: self.pointer.iter().cloned().chain([token]).collect() }
    }
}

impl Others {
    /// Collects what is in `theirs` and has no part in `ours`: the highest such fields, but items of lists one by one.
    fn find_taken(&mut self, live: &Value, ours: Option<&Value>, theirs: &[(&str, &Value)], place: &Place) {
        // what is owned as a whole has no parts of others
        if ours.is_some_and(is_leaf) {
            return;
        }
        let mut by_key: BTreeMap<&str, Vec<(&str, &Value)>> = BTreeMap::new();
        for (manager, fields) in theirs {
            for (key, below) in fields.as_object().into_iter().flatten() {
                by_key.entry(key).or_default().push((manager, below));
            }
        }
        let mut items = live.as_array().map(|items| Items::new(items));
        let is_theirs_alone = place.path.is_of_labels_or_annotations();
        for (key, owners) in by_key {
            let Some(step) = Step::of_key(key) else { continue };
            let (value, token) = match (&step, &mut items) {
                (Step::Field(name), None) => (live.get(name), name.clone()),
                (step, Some(items)) => match items.position(step) {
                    Some(position) => (live.get(position), position.to_string()),
                    None => continue,
                },
                _ => continue,
            };
            let Some(value) = value.filter(|value| !value.is_null()) else { continue };
            if is_theirs_alone && !is_ours_by_name(&step) || is_beside_the_spec(&place.path, &step) {
                continue;
            }
            let (below, ours) = (place.below(step, token), ours.and_then(|ours| ours.get(key)));
            let has_items = value.is_array() && owners.iter().any(|(_, fields)| !is_leaf(fields));
            if ours.is_some() || has_items || below.path.is_of_labels_or_annotations() {
                self.find_taken(value, ours, &owners, &below);
            } else {
                self.take(below, &owners);
            }
        }
    }

    fn take(&mut self, place: Place, owners: &[(&str, &Value)]) {
        if self.taken.len() == MOST || place.path.size() > LONGEST_PATH {
            self.more_taken = true;
            return;
        }
        let mut managers: Vec<_> = owners.iter().take(MOST).map(|(manager, _)| one_line(manager)).collect();
        managers.sort();
        managers.dedup();
        self.taken.push(Taken { managers, path: place.path, pointer: place.pointer });
    }

    /// Collects what is in no part of `owned`: the highest such fields, but labels and annotations one by one.
    fn find_unowned(&mut self, live: &Value, owned: &[&Value], path: &FieldPath) {
        if owned.iter().any(|fields| is_leaf(fields)) {
            return;
        }
        let below = |keys: &[&str]| -> Vec<&Value> {
            owned.iter().flat_map(|fields| keys.iter().filter_map(|key| fields.get(*key))).collect()
        };
        match live {
            Value::Object(fields) => {
                for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                    let (owned, path) = (below(&[&format!("f:{name}")]), path.field(name));
                    if !owned.is_empty() || path.is_of_labels_or_annotations() {
                        self.find_unowned(value, &owned, &path);
                    } else if !is_default(&path, value) && !is_empty(value) {
                        self.unowned(&path);
                    }
                }
            }
            Value::Array(values) => {
                let mut items = Items::new(values);
                let mut by_position: BTreeMap<usize, Vec<&Value>> = BTreeMap::new();
                for (key, below) in owned.iter().filter_map(|fields| fields.as_object()).flatten() {
                    if let Some(position) = Step::of_key(key).and_then(|step| items.position(&step)) {
                        by_position.entry(position).or_default().push(below);
                    }
                }
                for (index, value) in values.iter().enumerate() {
                    let path = path.item(value, index);
                    match by_position.get(&index) {
                        Some(owned) => self.find_unowned(value, owned, &path),
                        None => self.unowned(&path),
                    }
                }
            }
            _ => {}
        }
    }

    fn unowned(&mut self, path: &FieldPath) {
        if self.unowned.len() == MOST || path.size() > LONGEST_PATH {
            self.more_unowned += 1;
        } else {
            self.unowned.push(path.to_string());
        }
    }
}

/// Returns whether a label or an annotation is one that the operator sets.
fn is_ours_by_name(step: &Step) -> bool {
    let Step::Field(name) = step else { return false };
    let domain = name.split('/').next().unwrap_or_default();
    domain == DOMAIN || domain == "app.kubernetes.io"
}

/// Returns whether a field directly in the object's metadata is none of its labels and annotations.
fn is_beside_the_spec(path: &FieldPath, step: &Step) -> bool {
    let is_metadata = *path == FieldPath::default().field("metadata");
    is_metadata && !matches!(step, Step::Field(name) if name == "labels" || name == "annotations")
}

fn is_default(path: &FieldPath, value: &Value) -> bool {
    let path = path.to_string();
    let Some(path) = path.strip_prefix(POD) else { return false };
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    DEFAULTS.iter().any(|(name, values)| *name == path && values.contains(&text.as_str()))
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OURS: &str = "operator";

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({"manager": manager, "operation": operation, "fieldsV1": fields})
    }

    /// A CronJob of this operator with a Pod of that spec, and managed fields of others: of the CronJob as a whole.
    fn cron_job(pod: Value, theirs: Vec<Value>) -> Value {
        let below = |fields: Value| json!({"f:jobTemplate": {"f:spec": {"f:template": {"f:spec": fields}}}});
        let ours = json!({"f:containers": {r#"k:{"name":"backup"}"#: {".": {}, "f:name": {}, "f:image": {},
            "f:env": {r#"k:{"name":"A"}"#: {".": {}, "f:name": {}, "f:value": {}}}}}});
        let mut spec = below(ours);
        spec["f:schedule"] = json!({});
        spec["f:jobTemplate"]["f:metadata"] = json!({"f:labels": {"f:antfly.io/backup": {}}});
        let ours =
            entry(OURS, "Apply", json!({"f:metadata": {"f:labels": {"f:antfly.io/backup": {}}}, "f:spec": spec}));
        let entries: Vec<_> = [ours].into_iter().chain(theirs).collect();
        json!({
            "metadata": {"labels": {"antfly.io/backup": "x"}, "managedFields": entries},
            "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": pod}}}},
        })
    }

    fn of_pod(manager: &str, fields: Value) -> Value {
        entry(manager, "Update", json!({"f:spec": {"f:jobTemplate": {"f:spec": {"f:template": {"f:spec": fields}}}}}))
    }

    fn pod() -> Value {
        json!({"containers": [{"name": "backup", "image": "i", "env": [{"name": "A", "value": "1"}]}]})
    }

    fn found(live: &Value) -> (Vec<String>, Vec<String>) {
        let others = others(live, OURS);
        let taken = others.taken.iter().map(|taken| {
            let path = taken.path.to_string();
            format!("{} {} /{}", taken.managers.join("+"), path.replace(POD, ""), taken.pointer[1..].join("/"))
        });
        (taken.collect(), others.unowned.iter().map(|path| path.replace(POD, "")).collect())
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn what_the_operator_applied_is_nobody_elses_even_if_others_own_it_too() {
        let theirs = json!({"f:containers": {r#"k:{"name":"backup"}"#: {".": {}, "f:name": {}, "f:image": {}}}});
        let (taken, unowned) = found(&cron_job(pod(), vec![of_pod("them", theirs)]));
        assert_eq!(
            (taken.as_slice(), unowned.as_slice()),
            (NONE.map(str::to_owned).as_slice(), NONE.map(str::to_owned).as_slice())
        );
    }

    #[test]
    fn the_highest_field_that_others_alone_own_counts_but_items_of_lists_do_one_by_one() {
        let mut pod = pod();
        pod["containers"][0]["env"] = json!([{"name": "PROXY", "value": "p"}, {"name": "A", "value": "1"}]);
        pod["containers"].as_array_mut().unwrap().push(json!({"name": "spy", "image": "s"}));
        pod["dnsConfig"] = json!({"nameservers": ["1.1.1.1"]});
        pod["volumes"] = json!([{"name": "admission"}, {"name": "v"}]);
        let theirs = json!({
            "f:containers": {
                r#"k:{"name":"backup"}"#: {"f:env": {r#"k:{"name":"PROXY"}"#: {".": {}, "f:name": {}, "f:value": {}}}},
                r#"k:{"name":"spy"}"#: {".": {}, "f:name": {}, "f:image": {}},
            },
            "f:dnsConfig": {".": {}, "f:nameservers": {}},
            "f:volumes": {r#"k:{"name":"v"}"#: {".": {}, "f:name": {}}},
        });
        let (taken, unowned) = found(&cron_job(pod, vec![of_pod("them", theirs)]));
        let pointer = "/jobTemplate/spec/template/spec";
        assert_eq!(
            taken,
            [
                format!("them .containers[backup].env[PROXY] {pointer}/containers/0/env/0"),
                format!("them .containers[spy] {pointer}/containers/1"),
                format!("them .dnsConfig {pointer}/dnsConfig"),
                format!("them .volumes[v] {pointer}/volumes/1"),
            ]
        );
        assert_eq!(unowned, [".volumes[admission]"]);
    }

    #[test]
    fn labels_and_annotations_of_others_are_theirs_unless_they_have_a_name_of_ours() {
        let mut live = cron_job(
            pod(),
            vec![entry(
                "them",
                "Update",
                json!({
                    "f:metadata": {"f:labels": {"f:antfly.io/cluster": {}, "f:team": {}}, "f:annotations": {"f:x": {}}, "f:finalizers": {".": {}, "v:\"f\"": {}}},
                    "f:spec": {"f:jobTemplate": {"f:metadata": {"f:annotations": {".": {}, "f:y": {}}, "f:labels": {"f:app.kubernetes.io/name": {}}, "f:generateName": {}}}},
                }),
            )],
        );
        live["metadata"]["labels"] = json!({"antfly.io/backup": "x", "antfly.io/cluster": "y", "team": "z"});
        live["metadata"]["annotations"] = json!({"x": "1", "by-admission": "2"});
        live["metadata"]["finalizers"] = json!(["f"]);
        live["spec"]["jobTemplate"]["metadata"] =
            json!({"annotations": {"y": "1"}, "labels": {"app.kubernetes.io/name": "q"}, "generateName": "g"});
        let others = others(&live, OURS);
        let taken: Vec<_> = others.taken.iter().map(|taken| taken.path.to_string()).collect();
        assert_eq!(
            taken,
            [
                "spec.jobTemplate.metadata.generateName",
                "spec.jobTemplate.metadata.labels[app.kubernetes.io/name]",
                "metadata.labels[antfly.io/cluster]",
            ]
        );
        assert_eq!(others.unowned, ["metadata.annotations.by-admission"]);
        assert!(others.taken[1].path.is_label_or_annotation() && !others.taken[0].path.is_label_or_annotation());
    }

    #[test]
    fn an_update_in_the_name_of_the_operator_is_no_apply_and_a_status_is_not_looked_at() {
        let mut pod = pod();
        pod["hostNetwork"] = json!(true);
        let mut of_status = of_pod("controller", json!({"f:hostNetwork": {}}));
        of_status["subresource"] = json!("status");
        let (taken, _) = found(&cron_job(pod, vec![of_status, of_pod(OURS, json!({"f:hostNetwork": {}}))]));
        assert_eq!(taken, ["operator .hostNetwork /jobTemplate/spec/template/spec/hostNetwork"]);
    }

    #[test]
    fn defaults_are_not_told_and_what_is_kept_is_bounded() {
        let mut pod = pod();
        pod["dnsPolicy"] = json!("ClusterFirst");
        pod["terminationGracePeriodSeconds"] = json!(30);
        pod["schedulerName"] = json!("other");
        for index in 0..20 {
            pod["containers"].as_array_mut().unwrap().push(json!({"name": format!("c{index:02}")}));
        }
        let live = cron_job(pod.clone(), Vec::new());
        let all = others(&live, OURS);
        assert_eq!((all.unowned.len(), all.more_unowned), (MOST, 5));
        assert!(!all.unowned.iter().any(|path| path.contains("dnsPolicy") || path.contains("termination")));
        let keys: Vec<_> = (0..20).map(|index| format!(r#"k:{{"name":"c{index:02}"}}"#)).collect();
        let fields: serde_json::Map<_, _> = keys.into_iter().map(|key| (key, json!({".": {}}))).collect();
        let taken = others(&cron_job(pod, vec![of_pod("them", json!({ "f:containers": fields }))]), OURS);
        assert_eq!((taken.taken.len(), taken.more_taken), (MOST, true));
    }
}
