//! Leaves out of an object what is invalid, and nothing else.

use super::{
    path::Step,
    violations::{Remedy, Violation},
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What to leave out of a value.
#[derive(Default)]
struct LeftOut {
    is_whole: bool,
    /// Most items to keep, of those that are not left out.
    most_items: Option<usize>,
    below: BTreeMap<Step, LeftOut>,
}

/// Leaves out of an object what its violations name.
pub(super) fn apply(object: &mut Value, violations: &[Violation]) {
    let mut all = LeftOut::default();
    for violation in violations {
        let steps = violation.field.steps();
        let (steps, most_items) = match violation.remedy {
            Remedy::LeaveOut { steps: count } => (&steps[..count.min(steps.len())], None),
            Remedy::KeepItems(most) => (steps, Some(most)),
        };
        let part = steps.iter().fold(&mut all, |part, step| part.below.entry(step.clone()).or_default());
        match most_items {
            None => part.is_whole = true,
            Some(_) => part.most_items = most_items,
        }
    }
    if all.is_whole {
        *object = Value::Null;
    } else {
        leave_out(object, &all);
    }
}

fn leave_out(value: &mut Value, parts: &LeftOut) {
    match value {
        Value::Object(fields) => {
            for (step, part) in &parts.below {
                let Step::Field(name) = step else { continue };
                if part.is_whole {
                    fields.remove(name);
                } else if let Some(value) = fields.get_mut(name) {
                    leave_out(value, part);
                }
            }
        }
        Value::Array(items) => {
            let mut index = 0;
            items.retain_mut(|item| {
                let part = parts.below.get(&Step::Index(index));
                index += 1;
                match part {
                    Some(part) if part.is_whole => false,
                    Some(part) => {
                        leave_out(item, part);
                        true
                    }
                    None => true,
                }
            });
            items.truncate(parts.most_items.unwrap_or(usize::MAX));
        }
        _ => {}
    }
}

/// Drops the fields that are null, which means that they are absent.
pub(super) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            Map::retain(fields, |_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
