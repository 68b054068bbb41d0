//! Cron schedules, read and computed as Kubernetes' CronJob controller does.
//!
//! `dialect` reads the text into the values that each field allows; `calendar` finds the moments that those values name.
//! Both are pure: every moment is an argument.

mod calendar;
mod dialect;
mod error;
mod field;

#[cfg(test)]
mod properties;

use jiff::Timestamp;

use calendar::Calendar;

pub use error::ScheduleError;
pub use field::Field;

/// A cron schedule in UTC, with the meaning that Kubernetes' CronJob controller gives it.
///
/// The runs of a schedule are whole minutes from 1970 to 2100, the years that the `cron` crate's calendar knows.
///
/// Two schedules are equal when their fields allow the same values and restrict the days in the same way, however they
/// are written: `@daily` equals `0 0 * * *`.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    calendar: Calendar,
}

impl Schedule {
    /// Reads a schedule in this dialect, which is also that of the rules in the CustomResourceDefinition:
    ///
    /// - Five fields with one or more plain spaces between them, or one of seven macros, in lower case.
    /// - A field is a list, separated by commas, of `*`, `?` (the same), a value, or a range of two values; each with an
    ///   optional step after a slash. A step after a single value counts from there to the end of the field.
    /// - Minutes are 0 to 59, hours 0 to 23, days of the month 1 to 31, months 1 to 12, weekdays 0 (Sunday) to 6, steps 1
    ///   to 9999. Numbers may have any number of leading zeros.
    /// - Months and weekdays also have English names of three letters, in upper or lower case. The ends of a range are two
    ///   numbers or two names, and the second one is not lower than the first.
    ///
    /// A schedule that can be read may still name no date at all; ask [`Schedule::fires`].
    ///
    /// # Errors
    /// The first thing that the dialect refuses, with the field and the value at fault and what to write instead.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let fields = dialect::parse(text)?;
        Ok(Self { calendar: Calendar::new(&fields) })
    }

    /// Whether the schedule has any run: `false` for dates that no year has, such as `0 0 30 2 *`.
    #[must_use]
    pub fn fires(&self) -> bool {
        self.calendar.fires()
    }

    /// The first run that is later than `after`; for a moment before 1970, the first run of 1970 or later.
    ///
    /// `None` when the schedule never fires, and when no run is left before the end of 2100. The CronJob controller
    /// gives up five years on; in these years the rarest date, 29 February, is never more than four years away.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.calendar.next_after(after)
    }

    /// All runs later than `after`, in order; empty for a schedule that never fires.
    pub fn upcoming(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next_after(after), |run| self.next_after(*run))
    }
}
