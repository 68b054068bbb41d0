//! Validates an `AntflyBackup` as the API server does, without an API server.
//!
//! The build script generates the checks from `schema/antflybackup.yaml`; `generated/validation.rs` is a copy for review.
//! This module has the functions that the checks call.

mod cel;
mod metadata;
mod path;
mod remedy;
mod violations;

mod rules {
    #![allow(
        unused_parens,
        clippy::double_parens,
        clippy::redundant_closure,
        clippy::comparison_to_empty,
        reason = "the generator puts every logical operation in parentheses, and every step of a chain in a closure; it \
                  compares with what the rule says"
    )]
    include!(concat!(env!("OUT_DIR"), "/generated/validation.rs"));
}

pub use metadata::LONGEST_NAME;
pub use path::{FieldPath, Path, Step};
pub use violations::{Reason, UnknownFields, Violation, Violations};

use crate::api::{API_VERSION, AntflyBackup, KIND, PodSettings};
use serde::Deserialize as _;
use serde_json::{Value, json};

/// Returns all violations of an `AntflyBackup`; empty if it is valid. Checks the status only for unknown fields, because
/// the API server drops the status from what users write.
pub fn validate(object: &Value, unknown_fields: UnknownFields) -> Vec<Violation> {
    let mut out = Violations::new(unknown_fields);
    if object.is_object() {
        for (field, expected) in [("apiVersion", API_VERSION), ("kind", KIND)] {
            if object[field] != expected {
                out.push(
                    &Path::ROOT.field(field),
                    Some(&object[field]),
                    Reason::NotSupported,
                    format!("must be {expected}"),
                );
            }
        }
    }
    rules::object(&metadata::with_generated_name(object), &Path::ROOT, &mut out);
    out.into_vec()
}

/// Returns all violations of a status.
pub fn validate_status(status: &Value) -> Vec<Violation> {
    let mut out = Violations::new(UnknownFields::Refuse);
    rules::status(status, &Path::ROOT.field("status"), &mut out);
    out.into_vec()
}

/// Decodes what `spec.pod` takes, by itself. Null is no settings.
///
/// # Errors
/// Returns all violations, with their places below `spec.pod`.
pub fn decode_pod(pod: Value) -> Result<PodSettings, Vec<Violation>> {
    let mut object = json!({"spec": {"pod": pod}});
    let mut out = Violations::new(UnknownFields::Refuse);
    if !object["spec"]["pod"].is_null() {
        rules::spec_pod(&object["spec"]["pod"], &Path::ROOT, &mut out);
    }
    let violations = out.into_vec();
    if !violations.is_empty() {
        return Err(violations);
    }
    apply_defaults(&mut object);
    write_whole_numbers_without_point(&mut object);
    Option::deserialize(object["spec"]["pod"].take()).map(Option::unwrap_or_default).map_err(|error| {
        vec![Violation::new(FieldPath::default(), Reason::InvalidFormat, format!("cannot be read: {error}"))]
    })
}

/// Drops from a status only what the schema does not allow: an invalid optional field, a record that lacks a required
/// field, the surplus items of a list. Keeps unknown fields. Otherwise the API server would refuse every later write of
/// the status.
pub fn drop_what_is_invalid(status: &mut Value) {
    remedy::drop_nulls(status);
    let mut out = Violations::new(UnknownFields::Ignore);
    rules::status(status, &Path::ROOT, &mut out);
    remedy::apply(status, &out.into_vec());
}

/// Sets the schema's defaults and drops nulls that mean absent fields, like the API server.
pub fn apply_defaults(object: &mut Value) {
    rules::apply_defaults(object);
}

/// Decodes an `AntflyBackup` and sets its defaults. Drops an invalid status.
///
/// # Errors
/// Returns all violations of the object.
pub fn decode(mut object: Value, unknown_fields: UnknownFields) -> Result<AntflyBackup, Vec<Violation>> {
    decode_or_leave(&mut object, unknown_fields)
}

/// Takes an `AntflyBackup` out of `object`, like [`decode`].
///
/// # Errors
/// Returns all violations of the object. Then it has its defaults, and is as it was otherwise.
pub fn decode_or_leave(object: &mut Value, unknown_fields: UnknownFields) -> Result<AntflyBackup, Vec<Violation>> {
    let violations = validate(object, unknown_fields);
    apply_defaults(object);
    metadata::fill_null_entries(object);
    write_whole_numbers_without_point(object);
    if !violations.is_empty() {
        return Err(violations);
    }
    if let Some(fields) = object.as_object_mut()
        && fields.get("status").is_some_and(|status| !validate_status(status).is_empty())
    {
        fields.remove("status");
    }
    serde_json::from_value(object.take()).map_err(|error| {
        vec![Violation::new(FieldPath::default(), Reason::InvalidFormat, format!("cannot be read: {error}"))]
    })
}

/// Replaces `3.0` by `3`, as the API server does when it stores an object.
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
