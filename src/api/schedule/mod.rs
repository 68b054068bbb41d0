//! Cron schedules with the semantics of Kubernetes' CronJob controller.
//!
//! `dialect` parses the text into the values that each field allows; `calendar` finds the scheduled times by a clock that is not
//! changed, and `walk` those around a change of the clock. All are pure: times are arguments.

mod calendar;
mod dialect;
mod error;
mod field;
mod walk;

#[cfg(test)]
mod properties;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use calendar::{Calendar, END};
use walk::Walk;

pub use error::ScheduleError;

/// A cron schedule in a time zone, with the semantics of Kubernetes' CronJob controller.
///
/// Scheduled times are whole minutes from 1970 to 2100.
///
/// Two schedules are equal if their fields allow the same values and restrict the days in the same way, regardless of how
/// they are written, in the same time zone: `@daily` equals `0 0 * * *`.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    calendar: Calendar,
    walk: Walk,
}

/// How long before the start of a search a change of the clock matters: the walk goes back to the beginning of the month.
const MONTH: SignedDuration = SignedDuration::from_hours(32 * 24);

/// How long after a scheduled time a change of the clock matters.
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Schedule {
    /// Reads a schedule in UTC, in this dialect, which is also that of the rules in the CustomResourceDefinition:
    ///
    /// - Five fields with one or more plain spaces between them, or one of seven macros, in lower case.
    /// - A field is a list, separated by commas, of `*`, `?` (the same), a value, or a range of two values; each with an
    ///   optional step after a slash. A step after a single value counts from there to the end of the field.
    /// - Minutes are 0 to 59, hours 0 to 23, days of the month 1 to 31, months 1 to 12, weekdays 0 (Sunday) to 6, steps 1
    ///   to 9999. Numbers may have any number of leading zeros.
    /// - Months and weekdays also have English names of three letters, in upper or lower case. The ends of a range are two
    ///   numbers or two names, and the second one is not lower than the first.
    ///
    /// A valid schedule may name no existing date; [`Schedule::fires`] returns `false` then.
    ///
    /// # Errors
    /// Returns the first violation of the dialect, with its field, its value and what to write instead.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let fields = dialect::parse(text)?;
        Ok(Self { calendar: Calendar::new(&fields), walk: Walk::new(&fields) })
    }

    /// Returns the schedule with the same fields in another time zone.
    #[must_use]
    pub fn in_time_zone(self, zone: TimeZone) -> Self {
        Self { walk: self.walk.in_time_zone(zone), ..self }
    }

    /// Returns when the clock of the time zone is changed next; `None` if it is not changed any more.
    #[must_use]
    pub fn next_change_of_clock(&self, after: Timestamp) -> Option<Timestamp> {
        self.walk.zone().following(after).next().map(|change| change.timestamp())
    }

    /// Returns whether the schedule ever fires. Returns `false` for dates that no year has, such as `0 0 30 2 *`.
    #[must_use]
    pub fn fires(&self) -> bool {
        self.calendar.fires()
    }

    /// Returns the first scheduled time after `after`, or the first one of all if `after` is before 1970.
    ///
    /// Returns `None` if the schedule never fires, or has no scheduled time left until the end of 2100, or none within the next
    /// five years, as the CronJob controller searches no further. That is enough: even 29 February is at most four years away.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        if !self.fires() {
            return None;
        }
        self.next_between_changes(after).or_else(|| self.walk.next_after(after))
    }

    /// Returns the first scheduled time after `after` where the clock is not changed around it, as it never is in UTC.
    fn next_between_changes(&self, after: Timestamp) -> Option<Timestamp> {
        let offset = SignedDuration::from_secs(self.walk.zone().to_offset(after).seconds().into());
        let next = self.calendar.next_after(after.checked_add(offset).ok()?)?.checked_sub(offset).ok()?;
        let change = self.next_change_of_clock(after.checked_sub(MONTH).ok()?);
        let is_changed = change.is_some_and(|change| change.duration_since(next) <= DAY);
        (!is_changed && next > after && (0..END).contains(&next.as_second())).then_some(next)
    }

    /// Returns all scheduled times after `after`, in order; empty for a schedule that never fires.
    pub fn upcoming(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next_after(after), |run| self.next_after(*run))
    }
}
