//! The walk of a clock: finds the scheduled times where the clock of a time zone is changed.
//!
//! The rule is what `Next` of robfig/cron v3 does, by which Kubernetes' CronJob controller schedules. It walks the clock of the time
//! zone forward: to a month that is allowed, then to a day, an hour, a minute. A field that passes its end sends the walk back to the
//! month. Where the clock changes, that is not the same as "the next minute of which the clock shows an allowed time":
//!
//! - A time that the clock skips is skipped, and one that it shows twice is scheduled twice, be it `30 2 * * *` or `*/15 * * * *`.
//! - Hours are walked in steps of an hour. Where the clock changes by half an hour (Australia/Lord_Howe), the walk goes on at half past,
//!   and misses an allowed time in the first half of an hour.
//! - A day begins at midnight. Where the clock skips midnight, east of Greenwich (Africa/Cairo), the walk lands an hour before it, on
//!   the day before, and steps over the whole day if the schedule does not allow the day before.
//! - So the result can depend on where the walk starts.
//! - Two things stop the controller's walk for ever, and ours not: a day that a zone left out (Pacific/Apia, 30 December 2011), and
//!   a start to which it comes back, as the clock is set back to a quarter to three (Pacific/Chatham).
//!
//! Kubernetes starts backups by these times, odd or not, and the status must name the same.

use jiff::{Timestamp, ToSpan, civil, tz::Offset, tz::TimeZone};

use super::{
    calendar::END,
    field::{Allowed, Fields},
};

/// In how many years after that of its start the walk ends without a result.
const YEARS: i16 = 5;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// The values that a field allows: a bit for each.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Values(u64);

impl Values {
    fn new(allowed: &Allowed) -> Self {
        Values(allowed.values.iter().fold(0, |bits, value| bits | 1 << value))
    }

    /// Returns whether a value is allowed. Values of clocks and calendars are from 0 to 59.
    fn has(self, value: i8) -> bool {
        self.0 >> value & 1 == 1
    }
}

/// A schedule's values, and the time zone of its clock.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Walk {
    minutes: Values,
    hours: Values,
    days_of_month: Values,
    months: Values,
    days_of_week: Values,
    /// Whether a day needs to be allowed by only one of its two fields.
    is_either_day: bool,
    zone: TimeZone,
}

impl Walk {
    /// Returns the walk of a schedule in UTC.
    pub(super) fn new(fields: &Fields) -> Self {
        Self {
            minutes: Values::new(&fields.minute),
            hours: Values::new(&fields.hour),
            days_of_month: Values::new(&fields.day_of_month),
            months: Values::new(&fields.month),
            days_of_week: Values::new(&fields.day_of_week),
            is_either_day: !fields.day_of_month.open && !fields.day_of_week.open,
            zone: TimeZone::UTC,
        }
    }

    /// Returns the same walk by the clock of another time zone.
    pub(super) fn in_time_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// Returns the time zone.
    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Returns the first scheduled time after `after`, from 1970 to 2100. The schedule must name an existing date.
    pub(super) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        // From 1970 on, dropping the fraction rounds down.
        let after = if after < Timestamp::UNIX_EPOCH { -1 } else { after.as_second().min(END) };
        let found = self.found_from(Position::start(&self.zone, after + 1))?;
        if found <= after {
            // without going back to the beginning of an hour or a day, it only goes forward
            let position = Position { has_left: true, ..Position::start(&self.zone, after + 1) };
            return self.found_from(position).map(timestamp);
        }
        Some(timestamp(found))
    }

    /// Returns the first scheduled time that a walk finds, in seconds since 1970.
    fn found_from(&self, mut at: Position<'_>) -> Option<i64> {
        let last_year = at.shows.year() + YEARS;
        while at.second < END && at.shows.year() <= last_year {
            if self.arrives(&mut at) {
                return (at.second < END).then_some(at.second);
            }
        }
        None
    }

    /// Walks to a time whose fields are all allowed. Returns whether it has arrived; if not, a field has passed its end, and those
    /// above it must be looked at anew.
    fn arrives(&self, at: &mut Position<'_>) -> bool {
        while !self.months.has(at.shows.month()) {
            at.leave(|shows| shows.date().first_of_month().at(0, 0, 0, 0));
            at.step_date(1, 0);
            if at.shows.month() == 1 {
                return false;
            }
        }
        while !self.allows_day(at.shows.date()) {
            at.leave(|shows| shows.date().at(0, 0, 0, 0));
            at.step_date(0, 1);
            at.step_to_midnight();
            if at.shows.day() == 1 {
                return false;
            }
        }
        while !self.hours.has(at.shows.hour()) {
            at.leave(|shows| shows.date().at(shows.hour(), 0, 0, 0));
            at.by(HOUR);
            if at.shows.hour() == 0 {
                return false;
            }
        }
        while !self.minutes.has(at.shows.minute()) {
            at.leave_within_minute();
            at.by(MINUTE);
            if at.shows.minute() == 0 {
                return false;
            }
        }
        let seconds = i64::from(at.shows.second());
        if seconds != 0 {
            at.has_left = true;
            at.by(MINUTE - seconds);
        }
        seconds == 0
    }

    fn allows_day(&self, date: civil::Date) -> bool {
        let by_month = self.days_of_month.has(date.day());
        let by_week = self.days_of_week.has(date.weekday().to_sunday_zero_offset());
        if self.is_either_day { by_month || by_week } else { by_month && by_week }
    }
}

/// Where a walk is.
struct Position<'a> {
    zone: &'a TimeZone,
    /// Where it is, in seconds since 1970.
    second: i64,
    /// What the clock shows then.
    shows: civil::DateTime,
    /// Whether it has left its start. Only then is it at the beginning of the field that it walks by.
    has_left: bool,
}

impl<'a> Position<'a> {
    fn start(zone: &'a TimeZone, second: i64) -> Self {
        Position { zone, second, shows: zone.to_datetime(timestamp(second)), has_left: false }
    }

    fn to(&mut self, second: i64) {
        self.second = second;
        self.shows = self.zone.to_datetime(timestamp(second));
    }

    fn by(&mut self, seconds: i64) {
        self.to(self.second + seconds);
    }

    /// Leaves the start for the beginning of the field that is walked by, unless it was left before.
    fn leave(&mut self, beginning: impl Fn(civil::DateTime) -> civil::DateTime) {
        if !self.has_left {
            self.has_left = true;
            self.to(moment(self.zone, beginning(self.shows)));
        }
    }

    /// The same for the beginning of the minute, which no change of the clock moves.
    fn leave_within_minute(&mut self) {
        if !self.has_left {
            self.has_left = true;
            self.by(-self.second.rem_euclid(MINUTE));
        }
    }

    /// Goes to the same time of another date. A day beyond the end of its month is one of the next.
    fn step_date(&mut self, months: i32, days: i32) {
        let first = self.shows.date().first_of_month();
        let date =
            first.saturating_add(months.months()).saturating_add((i32::from(self.shows.day()) - 1 + days).days());
        let there = moment(self.zone, date.to_datetime(self.shows.time()));
        // the zone may have left the date out
        self.to(if there > self.second { there } else { self.second + 24 * HOUR });
    }

    /// Goes to the closest midnight in steps of an hour, where a change of the clock has led away from it.
    fn step_to_midnight(&mut self) {
        match i64::from(self.shows.hour()) {
            0 => {}
            hour @ 1..=12 => self.by(-hour * HOUR),
            hour => self.by((24 - hour) * HOUR),
        }
    }
}

/// Returns the moment at which a clock shows a time, as Go's `time.Date` does. Of two, it is that at which the clock has the
/// offset that it has when it is that time in UTC. If there is none, the clock shows the time that is as far from it as the clock is
/// changed.
fn moment(zone: &TimeZone, shows: civil::DateTime) -> i64 {
    let as_utc = Offset::UTC.to_timestamp(shows).map_or(END, Timestamp::as_second);
    let offset = |second: i64| i64::from(zone.to_offset(timestamp(second)).seconds());
    as_utc - offset(as_utc - offset(as_utc))
}

fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}
