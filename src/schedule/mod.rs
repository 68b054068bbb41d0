//! Cron schedules, read and computed as Kubernetes' CronJob controller does.
//!
//! `dialect` reads the text into the values that each field allows; `calendar` finds the moments that those values name.
//! Both are pure: every moment is an argument.

mod calendar;
mod dialect;
mod error;
mod field;
mod grammar;

#[cfg(test)]
mod properties;

use std::str::FromStr;

use jiff::Timestamp;

use calendar::Calendar;

pub use error::ScheduleError;
pub use field::Field;
pub use grammar::GRAMMAR;

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
    /// Reads a schedule in the dialect that [`GRAMMAR`] spells out.
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

    /// The most recent run that is later than `not_before` and not later than `at`, if there is one.
    ///
    /// `not_before` itself is outside: with the last handled run there, the answer is a run that is still to be handled.
    #[must_use]
    pub fn last_at_or_before(&self, at: Timestamp, not_before: Timestamp) -> Option<Timestamp> {
        self.calendar.last_at_or_before(at).filter(|run| *run > not_before)
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}
