//! Why a text is not a schedule.

use super::field::Field;
use crate::text::shortened;

/// Longest part of a schedule that a message quotes, in characters, with the ellipsis.
const LONGEST_QUOTE: usize = 41;

/// Why a text is not a schedule. Long values are shortened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The text is empty or blank.
    #[error("the schedule is empty; write five fields: minute hour day-of-month month day-of-week")]
    Empty,
    /// The text begins with `TZ=` or `CRON_TZ=`.
    #[error("{prefix} prefix: write the schedule without it, and name the time zone in spec.timeZone")]
    TimeZone {
        /// The prefix.
        prefix: &'static str,
    },
    /// White space around the schedule.
    #[error("found white space around the schedule; write it without leading and trailing space")]
    SurroundingSpace,
    /// Fields are separated by a tab, a line break or other white space.
    #[error("found {found:?} between the fields; separate them with plain spaces")]
    WhiteSpace {
        /// The character.
        found: char,
    },
    /// `@every` counts from a start time, which a CronJob does not keep.
    #[error("@every is not supported; write a step such as */15 * * * * (every 15 minutes)")]
    Every,
    /// The macro does not exist. Macros are in lower case.
    #[error(
        "{value:?} is not a macro; write @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly or five fields"
    )]
    UnknownMacro {
        /// The macro.
        value: String,
    },
    /// There are not exactly five fields.
    #[error("found {}; write five: minute hour day-of-month month day-of-week", counted(.found))]
    FieldCount {
        /// The number of fields.
        found: usize,
    },
    /// A list has nothing between two commas, or at one of its ends.
    #[error("{field}: {value:?} has an empty list item; write one value or range between commas")]
    EmptyItem {
        /// The field.
        field: Field,
        /// The whole field.
        value: String,
    },
    /// A value is neither a number nor a name of this field.
    #[error("{field}: {value:?} is not a value; write {}", .field.expected())]
    NotAValue {
        /// The field.
        field: Field,
        /// The value.
        value: String,
    },
    /// A number is outside the field's bounds.
    #[error("{field}: {value:?} is out of range; write {}", .field.expected())]
    OutOfRange {
        /// The field.
        field: Field,
        /// The number.
        value: String,
    },
    /// A range mixes a name and a number.
    #[error("{field}: {value:?} mixes a name and a number; write both as numbers or both as names")]
    MixedRange {
        /// The field.
        field: Field,
        /// The range.
        value: String,
    },
    /// A range ends before it starts.
    #[error("{field}: {value:?} is a falling range; write the lower end first, or two ranges such as {instead}")]
    FallingRange {
        /// The field.
        field: Field,
        /// The range.
        value: String,
        /// Two ranges that wrap around the end of the field.
        instead: String,
    },
    /// A range has `*` or `?` at an end, or more than two ends.
    #[error("{field}: {value:?} is not a range; write two values such as {}-{}", .field.bounds().start(), .field.bounds().end())]
    NotARange {
        /// The field.
        field: Field,
        /// The range.
        value: String,
    },
    /// A step is not a number from 1 to 9999.
    #[error("{field}: {value:?} has no valid step; write a number from 1 to 9999 after a single slash")]
    Step {
        /// The field.
        field: Field,
        /// The list item with its step.
        value: String,
    },
}

/// Returns `text` for a message, shortened if it is long.
pub(super) fn quote(text: &str) -> String {
    shortened(text, LONGEST_QUOTE)
}

fn counted(fields: &usize) -> String {
    match fields {
        1 => "1 field".to_owned(),
        _ => format!("{fields} fields"),
    }
}
