//! The calendar: finds the scheduled times by a clock that is not changed, from the values that each field allows.
//!
//! The `cron` crate does the arithmetic. Its dialect starts with seconds, counts weekdays from 1 (Sunday), and requires
//! both day fields to match. So it gets plain lists of values, and two schedules if either day field may match.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use jiff::Timestamp;

use super::field::{Allowed, Field, Fields};

/// 2101-01-01T00:00:00Z in seconds since 1970. The years of the `cron` crate are 1970 to 2100, so there are no scheduled times from
/// then on.
pub(super) const END: i64 = 4_133_980_800;

/// The most days that each month can have, from January on.
const LONGEST_MONTHS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A schedule as one or two schedules of the `cron` crate: it fires when any of them fires.
///
/// Empty if the schedule names no existing date: the `cron` crate would search every year for one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Calendar {
    alternatives: Vec<cron::Schedule>,
}

impl Calendar {
    pub(super) fn new(fields: &Fields) -> Self {
        let days = (&fields.day_of_month, &fields.day_of_week);
        let every_day = Allowed { values: Field::DayOfMonth.bounds().collect(), open: true };
        let every_weekday = Allowed { values: Field::DayOfWeek.bounds().collect(), open: true };
        let days =
            if days.0.open || days.1.open { vec![days] } else { vec![(days.0, &every_weekday), (&every_day, days.1)] };
        Self {
            alternatives: days
                .into_iter()
                .filter(|(day, _)| has_date(&fields.month.values, &day.values))
                .map(|(day, weekday)| translate(fields, day, weekday))
                .collect(),
        }
    }

    /// Returns whether the schedule ever fires.
    pub(super) fn fires(&self) -> bool {
        !self.alternatives.is_empty()
    }

    /// Returns the first scheduled time after `after`, from 1970 to 2100, by a clock that shows UTC.
    pub(super) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        // Times before 1970 would become huge years. From 1970 on, dropping the fraction rounds down.
        let after = if after < Timestamp::UNIX_EPOCH { -1 } else { after.as_second() };
        let after = date_time(after.min(END));
        self.alternatives.iter().filter_map(|schedule| schedule.after(&after).next()).min().map(timestamp)
    }
}

/// Returns whether any of the months has any of the days.
fn has_date(months: &BTreeSet<u8>, days: &BTreeSet<u8>) -> bool {
    let first_day = days.first();
    (1..)
        .zip(LONGEST_MONTHS)
        .any(|(month, longest)| months.contains(&month) && first_day.is_some_and(|day| *day <= longest))
}

/// Translates a schedule into the `cron` crate's dialect.
fn translate(fields: &Fields, day: &Allowed, weekday: &Allowed) -> cron::Schedule {
    let text = [
        "0".to_owned(),
        list(Field::Minute, &fields.minute, 0),
        list(Field::Hour, &fields.hour, 0),
        list(Field::DayOfMonth, day, 0),
        list(Field::Month, &fields.month, 0),
        list(Field::DayOfWeek, weekday, 1),
    ]
    .join(" ");
    text.parse().expect("lists of values within each field's bounds are in the cron crate's dialect")
}

/// Returns a field in the `cron` crate's dialect, whose values are `shift` higher than ours.
fn list(field: Field, allowed: &Allowed, shift: u8) -> String {
    if field.bounds().all(|value| allowed.values.contains(&value)) {
        return "*".to_owned();
    }
    let values: Vec<String> = allowed.values.iter().map(|value| (value + shift).to_string()).collect();
    values.join(",")
}

/// Converts seconds since 1970 to the `cron` crate's type.
fn date_time(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).expect("chrono's calendar holds 1969 to 2101")
}

fn timestamp(run: DateTime<Utc>) -> Timestamp {
    Timestamp::from_second(run.timestamp()).expect("jiff's calendar holds 1970 to 2100")
}
