//! A path in an AntflyBackup, and the values that the generated validation accepts there.

use antfly_backup_operator::testing::api::{UnknownFields, validate, validate_status};
use serde_json::{Map, Value};
use std::fmt;

/// A path, such as `spec.tables[0]`.
#[derive(Clone, Debug, Default)]
pub struct Place(Vec<Step>);

#[derive(Clone, Debug)]
enum Step {
    Field(String),
    Item,
}

impl Place {
    /// Returns the path of a field.
    pub fn field(&self, name: &str) -> Self {
        Place(self.0.iter().cloned().chain([Step::Field(name.to_owned())]).collect())
    }

    /// Returns the path of a list's items.
    pub fn item(&self) -> Self {
        Place(self.0.iter().cloned().chain([Step::Item]).collect())
    }

    /// Returns whether `value` is valid at this path, whatever is invalid elsewhere.
    pub fn takes(&self, value: &Value) -> bool {
        let object = self.0.iter().rev().fold(value.clone(), |inner, step| match step {
            Step::Field(name) => Map::from_iter([(name.clone(), inner)]).into(),
            Step::Item => vec![inner].into(),
        });
        let violations = match &object["status"] {
            Value::Null => validate(&object, UnknownFields::Refuse),
            status => validate_status(status),
        };
        let place = self.to_string();
        // `name` is a prefix of `namespace`, too.
        let is_there = |field: &str| {
            field.strip_prefix(&place).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        !violations.iter().any(|violation| is_there(&violation.field.to_string()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if at == 0 => out.write_str(name)?,
                Step::Field(name) => write!(out, ".{name}")?,
                Step::Item => out.write_str("[0]")?,
            }
        }
        Ok(())
    }
}
