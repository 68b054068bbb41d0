//! The dialect: from the text of a schedule to the values that each field allows.
//!
//! It is a subset of what Kubernetes' CronJob controller reads (`ParseStandard` of robfig/cron v3), with the same
//! meaning. Left out is what has a field of its own (`TZ=`, `CRON_TZ=`) or depends on a starting moment (`@every`), what that parser
//! overlooks rather than means (empty list items, `*-5`, a sign before a number), and what one regular expression can't
//! decide (a range from a name to a number, steps above 9999). [`Schedule::parse`](super::Schedule::parse) states it as
//! a whole.

use std::collections::BTreeSet;

use super::error::{ScheduleError, quote};
use super::field::{Allowed, Field, Fields};

/// Most digits of a step, without leading zeros.
const LONGEST_STEP: usize = 4;

/// Parses a schedule.
///
/// # Errors
/// Returns the first violation of the dialect.
pub(super) fn parse(text: &str) -> Result<Fields, ScheduleError> {
    refuse_time_zone(text)?;
    refuse_white_space(text)?;
    parse_fields(expand_macro(text)?)
}

fn refuse_time_zone(text: &str) -> Result<(), ScheduleError> {
    match ["TZ=", "CRON_TZ="].into_iter().find(|prefix| text.starts_with(prefix)) {
        Some(prefix) => Err(ScheduleError::TimeZone { prefix }),
        None => Ok(()),
    }
}

/// Allows only plain spaces between fields, so that the rest can be split at spaces.
fn refuse_white_space(text: &str) -> Result<(), ScheduleError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(ScheduleError::Empty);
    }
    if trimmed.len() != text.len() {
        return Err(ScheduleError::SurroundingSpace);
    }
    match text.chars().find(|c| c.is_whitespace() && *c != ' ') {
        Some(found) => Err(ScheduleError::WhiteSpace { found }),
        None => Ok(()),
    }
}

/// Returns the five fields of a macro. Returns a text without `@` unchanged.
fn expand_macro(text: &str) -> Result<&str, ScheduleError> {
    match text {
        "@yearly" | "@annually" => Ok("0 0 1 1 *"),
        "@monthly" => Ok("0 0 1 * *"),
        "@weekly" => Ok("0 0 * * 0"),
        "@daily" | "@midnight" => Ok("0 0 * * *"),
        "@hourly" => Ok("0 * * * *"),
        _ if text.starts_with("@every") => Err(ScheduleError::Every),
        _ if text.starts_with('@') => Err(ScheduleError::UnknownMacro { value: quote(text) }),
        _ => Ok(text),
    }
}

fn parse_fields(text: &str) -> Result<Fields, ScheduleError> {
    let fields: Vec<&str> = text.split(' ').filter(|field| !field.is_empty()).collect();
    let [minute, hour, day_of_month, month, day_of_week] = fields[..] else {
        return Err(ScheduleError::FieldCount { found: fields.len() });
    };
    Ok(Fields {
        minute: parse_list(Field::Minute, minute)?,
        hour: parse_list(Field::Hour, hour)?,
        day_of_month: parse_list(Field::DayOfMonth, day_of_month)?,
        month: parse_list(Field::Month, month)?,
        day_of_week: parse_list(Field::DayOfWeek, day_of_week)?,
    })
}

fn parse_list(field: Field, text: &str) -> Result<Allowed, ScheduleError> {
    let mut allowed = Allowed { values: BTreeSet::new(), open: false };
    for item in text.split(',') {
        if item.is_empty() {
            return Err(ScheduleError::EmptyItem { field, value: quote(text) });
        }
        let item = parse_item(field, item)?;
        allowed.values.extend(item.values);
        allowed.open |= item.open;
    }
    Ok(allowed)
}

fn parse_item(field: Field, item: &str) -> Result<Allowed, ScheduleError> {
    let (span, step) = match item.split_once('/') {
        Some((span, step)) => {
            let step = parse_step(step).ok_or_else(|| ScheduleError::Step { field, value: quote(item) })?;
            (span, Some(step))
        }
        None => (item, None),
    };
    let any = matches!(span, "*" | "?");
    let (first, last) = if any {
        field.bounds().into_inner()
    } else if span.contains('-') {
        parse_range(field, span)?
    } else {
        let value = parse_value(field, span)?.number;
        // A step after a single value runs from that value to the end of the field.
        let last = step.map_or(value, |_| *field.bounds().end());
        (value, last)
    };
    let step = step.unwrap_or(1);
    Ok(Allowed { values: (first..=last).step_by(step).collect(), open: any && step == 1 })
}

/// Returns a step without leading zeros, or `None` if it is not a number from 1 to 9999.
fn parse_step(text: &str) -> Option<usize> {
    let digits = significant_digits(text)?;
    if digits.len() > LONGEST_STEP {
        return None;
    }
    digits.parse().ok().filter(|step| *step > 0)
}

fn parse_range(field: Field, text: &str) -> Result<(u8, u8), ScheduleError> {
    let not_a_range = || ScheduleError::NotARange { field, value: quote(text) };
    let (first, last) = text.split_once('-').ok_or_else(not_a_range)?;
    if last.contains('-') || [first, last].iter().any(|end| matches!(*end, "*" | "?" | "")) {
        return Err(not_a_range());
    }
    let first = parse_value(field, first)?;
    let last = parse_value(field, last)?;
    if first.named != last.named {
        return Err(ScheduleError::MixedRange { field, value: quote(text) });
    }
    let (first, last) = (first.number, last.number);
    if first > last {
        let (lowest, highest) = field.bounds().into_inner();
        return Err(ScheduleError::FallingRange {
            field,
            value: quote(text),
            instead: format!("{first}-{highest},{lowest}-{last}"),
        });
    }
    Ok((first, last))
}

/// A single value, and whether it is a name.
struct Value {
    number: u8,
    named: bool,
}

fn parse_value(field: Field, text: &str) -> Result<Value, ScheduleError> {
    if let Some(number) = field.value_of_name(text) {
        return Ok(Value { number, named: true });
    }
    let digits = significant_digits(text).ok_or_else(|| ScheduleError::NotAValue { field, value: quote(text) })?;
    // A number that does not fit the type is out of range, too.
    let number = digits.parse().ok().filter(|number| field.bounds().contains(number));
    match number {
        Some(number) => Ok(Value { number, named: false }),
        None => Err(ScheduleError::OutOfRange { field, value: quote(text) }),
    }
}

/// Returns the digits of an unsigned number without leading zeros (at least one digit). Returns `None` if `text` is none.
fn significant_digits(text: &str) -> Option<&str> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = text.trim_start_matches('0');
    Some(if digits.is_empty() { "0" } else { digits })
}

#[cfg(test)]
mod tests;
