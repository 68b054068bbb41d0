//! The five fields of a schedule: their bounds, their names, and the allowed values.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;

/// A field of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Minute of the hour, 0 to 59.
    Minute,
    /// Hour of the day, 0 to 23.
    Hour,
    /// Day of the month, 1 to 31.
    DayOfMonth,
    /// Month of the year, 1 to 12, or by name.
    Month,
    /// Day of the week, 0 (Sunday) to 6, or by name.
    DayOfWeek,
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Field {
    /// Returns the lowest and highest value of this field.
    pub(super) fn bounds(self) -> RangeInclusive<u8> {
        match self {
            Self::Minute => 0..=59,
            Self::Hour => 0..=23,
            Self::DayOfMonth => 1..=31,
            Self::Month => 1..=12,
            Self::DayOfWeek => 0..=6,
        }
    }

    /// Returns the value of a name in this field. Ignores case.
    pub(super) fn value_of_name(self, name: &str) -> Option<u8> {
        let names: &[&str] = match self {
            Self::Month => &MONTHS,
            Self::DayOfWeek => &WEEKDAYS,
            Self::Minute | Self::Hour | Self::DayOfMonth => &[],
        };
        self.bounds().zip(names).find_map(|(value, known)| known.eq_ignore_ascii_case(name).then_some(value))
    }

    /// Returns what to write in this field, as the end of a sentence that starts with "write".
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Minute => "0 to 59",
            Self::Hour => "0 to 23",
            Self::DayOfMonth => "1 to 31",
            Self::Month => "1 to 12 or jan to dec",
            Self::DayOfWeek => "0 to 6 (0 is Sunday) or sun to sat",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of month",
            Self::Month => "month",
            Self::DayOfWeek => "day of week",
        })
    }
}

/// The values that one field of a schedule allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    /// The values that match; never empty.
    pub(super) values: BTreeSet<u8>,
    /// Whether an item of the field is `*` or `?` with step one. Such a day field leaves the day to the other day field. A
    /// field that lists all its values, such as `1-31`, restricts the day.
    pub(super) open: bool,
}

/// The values that each field of a schedule allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) minute: Allowed,
    pub(super) hour: Allowed,
    pub(super) day_of_month: Allowed,
    pub(super) month: Allowed,
    pub(super) day_of_week: Allowed,
}
