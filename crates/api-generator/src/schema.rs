//! The CustomResourceDefinition as a tree of the few shapes that the generator honours.

use crate::{
    definition::{Column, Definition, Names, Schema},
    problems::Problems,
};
use indexmap::IndexMap;
use serde_json::{Map, Value};

/// The API, as the generator reads it.
pub struct Api {
    /// API group, such as `antfly.io`.
    pub group: String,
    /// The one version, such as `v1`.
    pub version: String,
    /// Kind, plural and short names.
    pub names: Names,
    /// `Namespaced` or `Cluster`.
    pub scope: String,
    /// Columns of `kubectl get`.
    pub columns: Vec<Column>,
    /// The schema of the whole object.
    pub root: Node,
}

/// A place in the schema.
pub struct Node {
    /// Where it is, such as `.spec.tables[]`; empty for the root.
    pub path: String,
    /// Name of the Rust type and of the table of the reference page.
    pub title: Option<String>,
    /// For people.
    pub description: String,
    /// The value that the API server fills in.
    pub default: Option<Value>,
    /// `nullable`: null may be stored, and means absent.
    pub is_nullable: bool,
    /// `x-kubernetes-validations`.
    pub rules: Vec<Rule>,
    /// The type with its own keywords.
    pub kind: Kind,
}

/// A CEL rule.
pub struct Rule {
    /// The CEL expression; true where the value is valid.
    pub expression: String,
    /// The message for a user where it is not.
    pub message: String,
}

/// Type of a value, with the keywords that go with it.
pub enum Kind {
    /// `type: object`; in the order of the file.
    Object { properties: Vec<(String, Node)>, required: Vec<String> },
    /// `type: object` with `additionalProperties`: a map.
    Map { values: Box<Node>, max_properties: Option<u64> },
    /// `x-kubernetes-int-or-string`: an amount.
    Quantity { max_length: Option<u64> },
    /// `type: array`.
    Array { items: Box<Node>, min_items: Option<u64>, max_items: Option<u64>, list_type: ListType },
    /// `type: string`.
    Text {
        min_length: Option<u64>,
        max_length: Option<u64>,
        pattern: Option<String>,
        values: Vec<String>,
        is_time: bool,
    },
    /// `type: integer`.
    Integer { is_int64: bool, minimum: Option<i64>, maximum: Option<i64> },
    /// `type: boolean`.
    Boolean,
}

/// `x-kubernetes-list-type`, with its keys.
#[derive(Clone, PartialEq)]
pub enum ListType {
    /// Replaced as a whole.
    Atomic,
    /// Each item once.
    Set,
    /// Each combination of the keys once.
    Map(Vec<String>),
}

impl Node {
    /// Returns the path of the Rust type of Kubernetes that a schema from its OpenAPI is of, such as
    /// `k8s_openapi::api::core::v1::Toleration`; `None` for one of our own.
    pub fn kubernetes_type(&self) -> Option<String> {
        Some(format!("k8s_openapi::{}", self.title.as_deref()?.strip_prefix("io.k8s.")?.replace('.', "::")))
    }

    /// Returns the title of a schema of our own, which names its Rust type.
    pub fn own_title(&self) -> Option<&str> {
        self.title.as_deref().filter(|_| self.kubernetes_type().is_none())
    }

    /// Visits this node and all below it.
    pub fn visit<'a>(&'a self, visitor: &mut impl FnMut(&'a Node)) {
        visitor(self);
        match &self.kind {
            Kind::Object { properties, .. } => properties.iter().for_each(|(_, node)| node.visit(visitor)),
            Kind::Array { items, .. } => items.visit(visitor),
            Kind::Map { values, .. } => values.visit(visitor),
            _ => {}
        }
    }

    /// Returns the properties of an object; none for other kinds.
    pub fn properties(&self) -> &[(String, Node)] {
        match &self.kind {
            Kind::Object { properties, .. } => properties,
            _ => &[],
        }
    }

    /// Returns the property of that name.
    pub fn property(&self, name: &str) -> Option<&Node> {
        self.properties().iter().find_map(|(key, node)| (key == name).then_some(node))
    }

    /// Returns whether the property is required.
    pub fn requires(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::Object { required, .. } if required.iter().any(|key| key == name))
    }
}

/// Reads the definition.
///
/// # Errors
/// One problem for each keyword that the generator does not handle or that has an unexpected value.
pub fn read(definition: &Definition) -> Result<Api, Problems> {
    let spec = &definition.spec;
    let [version] = spec.versions.as_slice() else {
        let count = spec.versions.len();
        return Err(format!("/spec/versions has {count} versions; the generator makes types of exactly one").into());
    };
    let mut reader = Reader { problems: Vec::new() };
    let root = reader.node(&version.schema.root, String::new());
    Problems::none_in(reader.problems)?;
    Ok(Api {
        group: spec.group.clone(),
        version: version.name.clone(),
        names: spec.names.clone(),
        scope: spec.scope.clone(),
        columns: version.additional_printer_columns.clone(),
        root,
    })
}

fn strings(value: Option<&Value>) -> Option<Vec<String>> {
    value?.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

struct Reader {
    problems: Vec<String>,
}

impl Reader {
    fn problem(&mut self, path: &str, problem: impl std::fmt::Display) {
        let path = if path.is_empty() { "the root" } else { path };
        self.problems.push(format!("{path}: {problem}"));
    }

    fn node(&mut self, schema: &Schema, path: String) -> Node {
        let mut keywords = Keywords {
            left: schema.keywords.clone(),
            properties: schema.properties.as_ref(),
            items: schema.items.as_deref(),
            path: path.clone(),
            reader: self,
        };
        let title = keywords.text("title");
        let description = keywords.text("description");
        let default = keywords.left.remove("default");
        // of the samples and the JSON Schema, which read the definition themselves
        keywords.left.remove("example");
        let is_nullable = keywords.flag("nullable");
        let rules = keywords.rules();
        let kind = match keywords.text("type").as_deref() {
            Some("object") => keywords.object(),
            Some("array") => keywords.array(),
            Some("string") => keywords.string(),
            Some("integer") => keywords.integer(),
            Some("boolean") => Kind::Boolean,
            None if keywords.left.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) => keywords.quantity(),
            other => {
                let problem = match other {
                    Some(name) => format!("type {name:?} is not handled by the generator"),
                    None => "has no type".to_owned(),
                };
                keywords.reader.problem(&path, problem);
                Kind::Boolean
            }
        };
        let subschemas = [("properties", keywords.properties.is_some()), ("items", keywords.items.is_some())];
        let subschemas = subschemas.into_iter().filter(|(_, is_left)| *is_left).map(|(name, _)| name.to_owned());
        let unknown: Vec<_> = keywords.left.keys().cloned().chain(subschemas).collect();
        for keyword in unknown {
            self.problem(&path, format!("keyword {keyword:?} is not handled by the generator"));
        }
        // the API server forbids to say anything of metadata
        if description.is_none() && path != ".metadata" {
            self.problem(&path, "has no description");
        }
        Node { path, title, description: description.unwrap_or_default(), default, is_nullable, rules, kind }
    }
}

/// The keywords of one node. Each is removed when it is read; those that are left are unknown.
struct Keywords<'a> {
    left: Map<String, Value>,
    properties: Option<&'a IndexMap<String, Schema>>,
    items: Option<&'a Schema>,
    path: String,
    reader: &'a mut Reader,
}

impl Keywords<'_> {
    fn take<T>(&mut self, keyword: &str, expected: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.left.remove(keyword)?;
        let result = read(&value);
        if result.is_none() {
            self.reader.problem(&self.path, format!("{keyword} is {value}; expected {expected}"));
        }
        result
    }

    fn text(&mut self, keyword: &str) -> Option<String> {
        self.take(keyword, "a string", |value| value.as_str().map(str::to_owned))
    }

    fn flag(&mut self, keyword: &str) -> bool {
        self.take(keyword, "true or false", Value::as_bool).unwrap_or_default()
    }

    fn count(&mut self, keyword: &str) -> Option<u64> {
        self.take(keyword, "a count", Value::as_u64)
    }

    fn number(&mut self, keyword: &str) -> Option<i64> {
        self.take(keyword, "a whole number", Value::as_i64)
    }

    fn list(&mut self, keyword: &str) -> Vec<String> {
        self.take(keyword, "a list of strings", |value| strings(Some(value))).unwrap_or_default()
    }

    fn rules(&mut self) -> Vec<Rule> {
        let rules =
            self.take("x-kubernetes-validations", "a list", |value| value.as_array().cloned()).unwrap_or_default();
        let mut read = Vec::new();
        for rule in rules {
            let text = |key: &str| rule[key].as_str().map(str::to_owned);
            let only_these =
                rule.as_object().is_some_and(|rule| rule.keys().all(|key| key == "rule" || key == "message"));
            match (text("rule"), text("message")) {
                (Some(expression), Some(message)) if only_these => read.push(Rule { expression, message }),
                _ => self
                    .reader
                    .problem(&self.path, format!("the rule {rule} must have rule and message, and nothing else")),
            }
        }
        read
    }

    fn object(&mut self) -> Kind {
        let required = self.list("required");
        // merging is the API server's work
        if let Some(other) =
            self.text("x-kubernetes-map-type").filter(|kind| !["atomic", "granular"].contains(&kind.as_str()))
        {
            self.reader.problem(&self.path, format!("x-kubernetes-map-type {other:?} is not handled by the generator"));
        }
        if self.properties.is_none()
            && let Some(values) = self
                .take("additionalProperties", "a schema", |value| serde_json::from_value::<Schema>(value.clone()).ok())
        {
            let max_properties = self.count("maxProperties");
            if max_properties.is_none() {
                self.reader
                    .problem(&self.path, "has no maxProperties; the API server derives the cost of a rule from it");
            }
            let values = self.reader.node(&values, format!("{}{{}}", self.path));
            return Kind::Map { values: Box::new(values), max_properties };
        }
        let properties: Vec<_> = self
            .properties
            .take()
            .into_iter()
            .flatten()
            .map(|(name, schema)| (name.clone(), self.reader.node(schema, format!("{}.{name}", self.path))))
            .collect();
        for name in &required {
            match properties.iter().find(|(key, _)| key == name) {
                None => {
                    self.reader.problem(&self.path, format!("requires {name:?}, which is not among its properties"))
                }
                Some((_, node)) if node.default.is_some() => {
                    self.reader.problem(&node.path, "has a default and is required, which contradict each other")
                }
                Some(_) => {}
            }
        }
        Kind::Object { properties, required }
    }

    fn array(&mut self) -> Kind {
        let min_items = self.count("minItems");
        let max_items = self.count("maxItems");
        let keys = self.list("x-kubernetes-list-map-keys");
        let list_type = match self.text("x-kubernetes-list-type").as_deref() {
            None | Some("atomic") => ListType::Atomic,
            Some("set") => ListType::Set,
            Some("map") => ListType::Map(keys.clone()),
            Some(other) => {
                self.reader
                    .problem(&self.path, format!("x-kubernetes-list-type {other:?} is not handled by the generator"));
                ListType::Atomic
            }
        };
        if !keys.is_empty() && !matches!(list_type, ListType::Map(_)) {
            self.reader.problem(&self.path, "x-kubernetes-list-map-keys goes with x-kubernetes-list-type: map");
        }
        if max_items.is_none() {
            self.reader.problem(&self.path, "has no maxItems; the API server derives the cost of a rule from it");
        }
        let path = format!("{}[]", self.path);
        let items = match self.items.take() {
            Some(items) => self.reader.node(items, path),
            None => self.reader.node(&Schema::default(), path),
        };
        Kind::Array { items: Box::new(items), min_items, max_items, list_type }
    }

    fn string(&mut self) -> Kind {
        let min_length = self.count("minLength");
        let max_length = self.count("maxLength");
        let pattern = self.text("pattern");
        let values = self.list("enum");
        let is_time = match self.text("format").as_deref() {
            None => false,
            Some("date-time") => true,
            Some(other) => {
                self.reader
                    .problem(&self.path, format!("format {other:?} of a string is not handled by the generator"));
                false
            }
        };
        let standard = [".apiVersion", ".kind"].contains(&self.path.as_str());
        if max_length.is_none() && values.is_empty() && !is_time && !standard {
            self.reader.problem(&self.path, "has no maxLength; the API server derives the cost of a rule from it");
        }
        Kind::Text { min_length, max_length, pattern, values, is_time }
    }

    fn quantity(&mut self) -> Kind {
        self.left.remove("x-kubernetes-int-or-string");
        let max_length = self.count("maxLength");
        if max_length.is_none() {
            self.reader.problem(&self.path, "has no maxLength; the API server derives the cost of a rule from it");
        }
        Kind::Quantity { max_length }
    }

    fn integer(&mut self) -> Kind {
        let is_int64 = match self.text("format").as_deref() {
            Some("int32") => false,
            Some("int64") => true,
            other => {
                self.reader.problem(
                    &self.path,
                    format!("format {other:?} of an integer is not handled; write int32 or int64"),
                );
                false
            }
        };
        let minimum = self.number("minimum");
        let maximum = self.number("maximum");
        if !is_int64 && maximum.is_none_or(|maximum| maximum > i64::from(i32::MAX)) {
            self.reader.problem(&self.path, "is an int32 without a maximum of at most 2147483647");
        }
        Kind::Integer { is_int64, minimum, maximum }
    }
}
