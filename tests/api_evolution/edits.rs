//! The table of edits, and the definitions that they make.

use std::sync::LazyLock;

use antfly_backup_operator::testing::api::CRD;
use crd_compatibility::{Rule, Verdict};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A single edit of the definition.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// What it shows; unique.
    #[serde(rename = "edit")]
    pub name: String,
    #[serde(default)]
    before: Vec<Step>,
    change: Vec<Step>,
    #[serde(default)]
    rule: Rules,
    /// The text that must be reported as refused from now on.
    pub counterexample: Option<String>,
    /// For a breaking edit: what shows it.
    pub witness: Option<Witness>,
    /// For a compatible edit: what the object needs to be accepted only afterwards.
    pub gains: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Rules {
    One(Rule),
    Several(Vec<Rule>),
    #[default]
    None,
}

/// What shows that an edit breaks users.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Witness {
    /// The API server refuses the definition itself: `definition`.
    Definition(DefinitionRefused),
    /// A request that fails or is answered differently afterwards.
    Probe(Box<Probe>),
}

/// The word `definition`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DefinitionRefused {
    /// The only value.
    Definition,
}

/// A request; one of the fields says which. Objects are merged into the one that all have in common.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Probe {
    /// A new object is written, then its status.
    pub write: Option<Value>,
    /// A new object is written with its status in one request.
    pub create: Option<Value>,
    /// A new object is written that was refused before: readers who know the old definition meet what it forbids.
    pub newly: Option<Value>,
    /// An object that was written before the edit is read.
    pub read: Option<Value>,
    /// Beside `read`: the object is written back with these changes.
    pub rewrite: Option<Value>,
    /// Two writers apply these to one new object.
    pub apply: Option<[Value; 2]>,
    /// A path below the group is read.
    pub get: Option<String>,
    /// A path below the group is read as a table, as kubectl does.
    pub table: Option<String>,
    /// An object that was written before the edit is read and written back in this version, and read in v1.
    pub through: Option<String>,
    /// Beside `through`: the object.
    pub object: Option<Value>,
    /// Beside `write`: the field that is null. (A merge would remove it.)
    pub nulled: Option<String>,
}

/// A step of a change.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    at: Option<String>,
    #[serde(default)]
    set: Map<String, Value>,
    #[serde(default)]
    remove: Vec<String>,
    append: Option<Value>,
    drop: Option<usize>,
    /// Adds a version that is like the first one, and not stored.
    copy_version: Option<String>,
}

impl Edit {
    /// Returns the rules that the comparison must report, in its order.
    pub fn rules(&self) -> Vec<Rule> {
        match &self.rule {
            Rules::None => Vec::new(),
            Rules::One(rule) => vec![*rule],
            Rules::Several(rules) => rules.clone(),
        }
    }

    /// Returns the verdict: a breaking edit has a witness.
    pub fn verdict(&self) -> Verdict {
        if self.witness.is_some() { Verdict::Breaking } else { Verdict::Compatible }
    }

    /// Returns the definitions before and after the edit.
    pub fn definitions(&self) -> (Value, Value) {
        static DEFINITION: LazyLock<Value> = LazyLock::new(|| serde_saphyr::from_str(CRD).unwrap());
        let mut old = DEFINITION.clone();
        self.before.iter().for_each(|step| step.apply(&mut old, &self.name));
        let mut new = old.clone();
        self.change.iter().for_each(|step| step.apply(&mut new, &self.name));
        assert_ne!(old, new, "{}: the edit changes nothing", self.name);
        (old, new)
    }
}

impl Step {
    fn apply(&self, definition: &mut Value, edit: &str) {
        if let Some(name) = &self.copy_version {
            let mut copy = definition["spec"]["versions"][0].clone();
            copy["name"] = json!(name);
            copy["storage"] = json!(false);
            definition["spec"]["versions"].as_array_mut().unwrap().push(copy);
            return;
        }
        let pointer = pointer(self.at.as_deref().unwrap_or_else(|| panic!("{edit}: a step needs a place")));
        let target = definition.pointer_mut(&pointer).unwrap_or_else(|| panic!("{edit}: there is no {pointer}"));
        match target {
            Value::Object(keys) => {
                for key in &self.remove {
                    assert!(keys.remove(key).is_some(), "{edit}: {pointer} has no {key}");
                }
                keys.extend(self.set.clone());
            }
            Value::Array(entries) => {
                if let Some(index) = self.drop {
                    entries.remove(index);
                }
                entries.extend(self.append.clone());
            }
            other => panic!("{edit}: {pointer} is {other}"),
        }
    }
}

/// Returns the JSON pointer of a place: a pointer, or a field such as `.spec.tables[]`, with a pointer below it if need be.
fn pointer(place: &str) -> String {
    if place.starts_with('/') {
        return place.to_owned();
    }
    let (field, below) =
        place.split_once('/').map_or((place, String::new()), |(field, below)| (field, format!("/{below}")));
    let segments = field.split('.').skip(1).map(|segment| match segment.strip_suffix("[]") {
        Some(list) => format!("/properties/{list}/items"),
        None => format!("/properties/{segment}"),
    });
    format!("/spec/versions/0/schema/openAPIV3Schema{}{below}", segments.collect::<String>())
}

/// Returns the table.
pub fn edits() -> Vec<Edit> {
    serde_saphyr::from_str(include_str!("edits.yaml")).unwrap()
}
