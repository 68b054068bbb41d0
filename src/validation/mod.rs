//! The API server's verdict on an `AntflyBackup`, without an API server.
//!
//! The checks themselves are made by the build script from `schema/antflybackup.yaml` (`generated/validation.rs` is the copy
//! to review); here is what they lean on.

mod cel;
mod metadata;
mod path;
mod violations;

mod rules {
    #![allow(
        unused_parens,
        clippy::redundant_closure,
        reason = "the generator puts every logical operation in parentheses, and every step of a chain in a closure"
    )]
    include!(concat!(env!("OUT_DIR"), "/generated/validation.rs"));
}

pub use metadata::LONGEST_NAME;
pub use path::{FieldPath, Path, Step};
pub use violations::{Violation, Violations};

use crate::api::{API_VERSION, AntflyBackup, KIND};
use serde_json::Value;

/// Whether a field that the schema does not have is a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownFields {
    /// It is, as for `kubectl apply`.
    Refuse,
    /// It is not, as for an object read from the API server, which has dropped such fields already.
    Ignore,
}

/// Says all that is wrong with an `AntflyBackup`; nothing for a valid one. A status is not looked at, because the API server
/// drops it from what users write, except for fields that it does not know.
pub fn validate(object: &Value, unknown_fields: UnknownFields) -> Vec<Violation> {
    let mut out = Violations::new(unknown_fields);
    if object.is_object() {
        for (field, expected) in [("apiVersion", API_VERSION), ("kind", KIND)] {
            if object[field] != expected {
                out.push(&Path::ROOT.field(field), Some(&object[field]), format!("must be {expected}"));
            }
        }
    }
    rules::object(&metadata::with_generated_name(object), &Path::ROOT, &mut out);
    out.into_vec()
}

/// Says all that is wrong with a status.
pub fn validate_status(status: &Value) -> Vec<Violation> {
    let mut out = Violations::new(UnknownFields::Refuse);
    rules::status(status, &Path::ROOT.field("status"), &mut out);
    out.into_vec()
}

/// Most things that [`drop_what_is_invalid`] drops one by one.
const MOST_DROPPED: usize = 1000;

/// Drops from a status what the schema does not allow, and no more than that: an optional field, the record without a
/// required one, what a list has too much. Fields that the schema does not know stay. Who writes such a status again is
/// refused for good.
pub fn drop_what_is_invalid(status: &mut Value) {
    for _ in 0..MOST_DROPPED {
        let mut out = Violations::new(UnknownFields::Ignore);
        rules::status(status, &Path::ROOT, &mut out);
        let Some(violation) = out.into_vec().pop() else { return };
        drop_at(status, violation.field.steps());
    }
    *status = Value::Null;
}

fn drop_at(object: &mut Value, place: &[Step]) {
    if let Some(Value::Array(items)) = value_at(object, place)
        && items.pop().is_some()
    {
        return;
    }
    let Some((last, outer)) = place.split_last() else {
        *object = Value::Null;
        return;
    };
    let is_dropped = match (value_at(object, outer), last) {
        (Some(Value::Object(fields)), Step::Field(name)) => fields.remove(name).is_some(),
        (Some(Value::Array(items)), Step::Index(index)) if *index < items.len() => {
            items.remove(*index);
            true
        }
        _ => false,
    };
    if !is_dropped {
        // what is missing was required
        drop_at(object, outer);
    }
}

fn value_at<'a>(object: &'a mut Value, place: &[Step]) -> Option<&'a mut Value> {
    place.iter().try_fold(object, |value, step| match step {
        Step::Field(name) => value.get_mut(name),
        Step::Index(index) => value.get_mut(*index),
    })
}

/// Fills in the defaults of the schema and drops the nulls that stand for absent fields, as the API server does.
pub fn apply_defaults(object: &mut Value) {
    rules::apply_defaults(object);
}

/// Reads an `AntflyBackup`, with defaults filled in. A status that is not valid counts as absent.
///
/// # Errors
/// All that is wrong with it.
pub fn decode(mut object: Value, unknown_fields: UnknownFields) -> Result<AntflyBackup, Vec<Violation>> {
    let violations = validate(&object, unknown_fields);
    if !violations.is_empty() {
        return Err(violations);
    }
    apply_defaults(&mut object);
    metadata::fill_null_entries(&mut object);
    write_whole_numbers_without_point(&mut object);
    if let Some(fields) = object.as_object_mut()
        && fields.get("status").is_some_and(|status| !validate_status(status).is_empty())
    {
        fields.remove("status");
    }
    serde_json::from_value(object)
        .map_err(|error| vec![Violation::new(FieldPath::default(), format!("cannot be read: {error}"))])
}

/// Makes `3` of `3.0`, as the API server does when it stores an object.
fn write_whole_numbers_without_point(value: &mut Value) {
    match value {
        Value::Number(_) => {
            if let Some(number) = violations::whole_number(value) {
                *value = number.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(write_whole_numbers_without_point),
        Value::Object(fields) => fields.values_mut().for_each(write_whole_numbers_without_point),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
