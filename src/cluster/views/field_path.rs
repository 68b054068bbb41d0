//! Paths of fields, as `metadata.managedFields` names them.

use crate::text::one_line;
use serde_json::{Map, Value};
use std::{collections::HashMap, fmt};

/// A path from the top of an object to a field or to an item of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldPath(Vec<Step>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A field of an object.
    Field(String),
    /// An item of a list, by the fields that identify it.
    Item(Map<String, Value>),
    /// An item of a list, by its value.
    Value(Value),
    /// An item of a list, by its position.
    Index(usize),
}

impl Step {
    /// Reads a key of a FieldsV1: `f:NAME` is a field, `k:{…}` an item by its keys, `v:…` an item by its value, `i:N` an item by
    /// its position. Returns `None` for `.`, the value itself.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        let (kind, selector) = key.split_once(':')?;
        match kind {
            "f" => Some(Step::Field(selector.to_owned())),
            "k" => serde_json::from_str(selector).ok().map(Step::Item),
            "v" => serde_json::from_str(selector).ok().map(Step::Value),
            "i" => selector.parse().ok().map(Step::Index),
            _ => None,
        }
    }

    fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        match self {
            Step::Field(name) => value.get(name),
            Step::Index(index) => value.get(*index),
            Step::Value(wanted) => value.as_array()?.iter().find(|item| *item == wanted),
            Step::Item(keys) => {
                let is_meant = |item: &&Value| keys.iter().all(|(name, value)| item.get(name) == Some(value));
                value.as_array()?.iter().find(is_meant)
            }
        }
    }
}

impl FieldPath {
    /// Returns the path that is one step longer.
    pub(super) fn with(&self, step: Step) -> Self {
        FieldPath(self.0.iter().cloned().chain([step]).collect())
    }

    /// Returns the path to a field of that name.
    pub(super) fn field(&self, name: &str) -> Self {
        self.with(Step::Field(name.to_owned()))
    }

    /// Returns the path to an item of a list, named by its field `name` if it has one.
    pub(super) fn item(&self, item: &Value, index: usize) -> Self {
        self.with(match item.get("name") {
            Some(name) => Step::Item(Map::from_iter([("name".to_owned(), name.clone())])),
            None => Step::Index(index),
        })
    }

    /// Returns whether the path leads to the labels or the annotations of an object or of a template.
    pub(super) fn is_of_labels_or_annotations(&self) -> bool {
        let is = |step: Option<&Step>, names: &[&str]| matches!(step, Some(Step::Field(field)) if names.contains(&field.as_str()));
        let mut last = self.0.iter().rev();
        is(last.next(), &["labels", "annotations"]) && is(last.next(), &["metadata"])
    }

    /// Returns whether the path leads to a label or an annotation.
    pub fn is_label_or_annotation(&self) -> bool {
        self.0.split_last().is_some_and(|(_, above)| FieldPath(above.to_vec()).is_of_labels_or_annotations())
    }

    /// Returns the value that the path leads to.
    pub fn find<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(object, |value, step| step.find(value))
    }

    /// Returns the number of steps.
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// Returns the size of its texts, in bytes, about.
    pub(super) fn size(&self) -> usize {
        let size = |step: &Step| match step {
            Step::Field(name) => name.len(),
            Step::Item(keys) => keys.iter().map(|(name, value)| name.len() + value.as_str().map_or(8, str::len)).sum(),
            Step::Value(value) => value.as_str().map_or_else(|| value.to_string().len(), str::len),
            Step::Index(_) => 8,
        };
        self.0.iter().map(size).sum()
    }
}

/// For people: `spec.containers[backup].env[PATH]`, on one line.
impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |value: &Value| one_line(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if name.contains(['.', '/']) => write!(formatter, "[{}]", one_line(name))?,
                Step::Field(name) if index == 0 => formatter.write_str(&one_line(name))?,
                Step::Field(name) => write!(formatter, ".{}", one_line(name))?,
                Step::Item(keys) => {
                    write!(formatter, "[{}]", keys.values().map(plain).collect::<Vec<_>>().join(","))?;
                }
                Step::Value(value) => write!(formatter, "[{}]", plain(value))?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Finds items of one list by steps, each in constant time however long the list is.
pub(super) struct Items<'a> {
    items: &'a [Value],
    by_keys: HashMap<Vec<String>, HashMap<String, usize>>,
    by_value: Option<HashMap<String, usize>>,
}

impl<'a> Items<'a> {
    pub(super) fn new(items: &'a [Value]) -> Self {
        Items { items, by_keys: HashMap::new(), by_value: None }
    }

    /// Returns the position of the item that a step means. Of several with the same keys, the first counts.
    pub(super) fn position(&mut self, step: &Step) -> Option<usize> {
        let items = self.items;
        match step {
            Step::Field(_) => None,
            Step::Index(index) => (*index < items.len()).then_some(*index),
            Step::Value(value) => {
                let positions =
                    || items.iter().enumerate().rev().map(|(index, item)| (item.to_string(), index)).collect();
                self.by_value.get_or_insert_with(positions).get(&value.to_string()).copied()
            }
            Step::Item(keys) => {
                let names: Vec<String> = keys.keys().cloned().collect();
                let text = |object: &Map<String, Value>| -> Option<String> {
                    let values = names.iter().map(|name| object.get(name).map(Value::to_string));
                    values.collect::<Option<Vec<_>>>().map(|values| values.join(","))
                };
                let wanted = text(keys)?;
                let positions = self.by_keys.entry(names.clone()).or_insert_with(|| {
                    let items = items.iter().enumerate().rev();
                    items.filter_map(|(index, item)| Some((text(item.as_object()?)?, index))).collect()
                });
                positions.get(&wanted).copied()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(keys: &[&str]) -> FieldPath {
        FieldPath(keys.iter().filter_map(|key| Step::of_key(key)).collect())
    }

    #[test]
    fn a_path_leads_to_a_value_and_reads_as_people_write_it() {
        let object = json!({"spec": {"containers": [{"name": "a"}, {"name": "b", "args": ["x", "y"]}]},
            "metadata": {"labels": {"example.com/x": "1"}}});
        let args = path(&["f:spec", "f:containers", r#"k:{"name":"b"}"#, "f:args"]);
        assert_eq!(args.find(&object), Some(&json!(["x", "y"])));
        assert_eq!(args.to_string(), "spec.containers[b].args");
        assert_eq!(args.with(Step::Index(1)).find(&object), Some(&json!("y")));
        assert_eq!(args.with(Step::Value(json!("y"))).find(&object), Some(&json!("y")));
        assert_eq!(args.with(Step::Value(json!("z"))).find(&object), None);
        let label = path(&["f:metadata", "f:labels", "f:example.com/x"]);
        assert_eq!(
            (label.to_string(), label.find(&object)),
            ("metadata.labels[example.com/x]".to_owned(), Some(&json!("1")))
        );
        assert_eq!(path(&["."]), FieldPath::default());
    }

    #[test]
    fn items_are_found_by_all_of_their_keys() {
        let items = [json!({"port": 1, "protocol": "TCP"}), json!({"port": 1, "protocol": "UDP"}), json!("x")];
        let mut found = Items::new(&items);
        let mut position = |key: &str| found.position(&Step::of_key(key).unwrap());
        assert_eq!(position(r#"k:{"port":1,"protocol":"UDP"}"#), Some(1));
        assert_eq!(position(r#"k:{"port":2,"protocol":"UDP"}"#), None);
        assert_eq!((position(r#"v:"x""#), position("i:0"), position("i:3")), (Some(2), Some(0), None));
    }
}
