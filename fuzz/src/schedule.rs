//! A schedule means the same to the parser, to the rules of the API and to a naive implementation.

use antfly_backup_operator::testing::api::{Schedule, UnknownFields, time_zone, validate};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Longest schedule that the API accepts, in characters (`maxLength` in the schema).
const LONGEST: usize = 400;

/// Longest message, in characters: it repeats 40 characters of the schedule, each escaped in up to ten.
const LONGEST_MESSAGE: usize = 700;

/// 2101-01-01T00:00:00Z in seconds since 1970, the end of the years with scheduled times.
const END: i64 = 4_133_980_800;

/// Time zones whose clocks are changed in different ways.
const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Havana",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Antarctica/Troll",
];

/// How many scheduled times in a row are checked.
const RUNS: usize = 4;

/// Longest time between two dates of a schedule, in days: from one 29 February to the next, as 2100 has none.
const RAREST: usize = 8 * 366;

/// Checks a text.
pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let parsed = Schedule::parse(text);

    let violations = validate(&super::backup_with("schedule", text), UnknownFields::Refuse);
    let is_taken = parsed.is_ok() && text.chars().count() <= LONGEST;
    assert_eq!(violations.is_empty(), is_taken, "the rules, {text:?}: {parsed:?}, {violations:?}");

    match parsed {
        Ok(schedule) => {
            other_spellings_are_equal(text, &schedule);
            let mut random = super::random(input);
            let any = Timestamp::from_second(random.i64(0..END)).expect("in jiff's calendar");
            let usual = "2026-11-23T12:00:00Z".parse().expect("a time");
            let reader = Reader::new(text);
            for start in [usual, any] {
                runs_follow(&schedule, &reader, start);
            }
            let zone = ZONES[random.usize(..ZONES.len())];
            let in_zone = schedule.in_time_zone(time_zone(zone).expect("a name of the data"));
            for start in [usual, any] {
                times_follow(&in_zone, start, zone);
            }
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.chars().count() <= LONGEST_MESSAGE && !message.contains(char::is_control), "{message}");
        }
    }
}

/// Asserts that case, number of spaces, order of a list and choice of wildcard do not matter.
fn other_spellings_are_equal(text: &str, schedule: &Schedule) {
    let fields: Vec<String> = text
        .split(' ')
        .filter(|field| !field.is_empty())
        .map(|field| field.rsplit(',').collect::<Vec<_>>().join(","))
        .collect();
    let lower = text.to_lowercase();
    for other in [fields.join("  "), text.replace('?', "*"), text.replace('*', "?"), lower] {
        assert_eq!(Schedule::parse(&other).as_ref(), Ok(schedule), "{text:?} and {other:?}");
    }
}

/// Asserts that the scheduled times in a time zone follow each other.
fn times_follow(schedule: &Schedule, start: Timestamp, zone: &str) {
    let mut before = start;
    for run in schedule.upcoming(start).take(RUNS) {
        assert!(run > before, "{run} after {before} in {zone}");
        before = run;
    }
}

fn runs_follow(schedule: &Schedule, reader: &Reader, start: Timestamp) {
    let mut before = start;
    for run in schedule.upcoming(start).take(RUNS) {
        assert!(run > before && run.as_second() % 60 == 0 && run.subsec_nanosecond() == 0, "{run} after {before}");
        assert_eq!(Some(run), reader.next_after(before), "after {before}");
        before = run;
    }
    assert!(before > start || reader.next_after(start).is_none(), "no run after {start}");
    let fires = schedule.next_after(Timestamp::UNIX_EPOCH).is_some();
    assert_eq!(schedule.fires(), fires);
}

/// A naive implementation, which tests one day after the other.
struct Reader {
    /// A bit for each value of minute, hour, day of month, month and day of week.
    fields: [u64; 5],
    /// Whether a day needs to match only one of the two day fields.
    either_day: bool,
}

/// Lowest and highest value of each field.
const BOUNDS: [(u64, u64); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];

impl Reader {
    /// Reads a valid schedule.
    fn new(text: &str) -> Self {
        let expanded = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            text => text,
        };
        let (mut fields, mut is_open) = ([0; 5], [false; 5]);
        for (at, field) in expanded.split_whitespace().enumerate() {
            for item in field.split(',') {
                let (span, step) = item.split_once('/').map_or((item, None), |(span, step)| (span, Some(step)));
                let step: u64 = step.map_or(1, |step| step.parse().expect("a step"));
                is_open[at] |= step == 1 && ["*", "?"].contains(&span);
                let (first, last) = match span.split_once('-') {
                    _ if ["*", "?"].contains(&span) => BOUNDS[at],
                    Some((first, last)) => (value(first), value(last)),
                    None if item.contains('/') => (value(span), BOUNDS[at].1),
                    None => (value(span), value(span)),
                };
                (first..=last).filter(|value| (value - first) % step == 0).for_each(|value| fields[at] |= 1 << value);
            }
        }
        Reader { fields, either_day: !is_open[2] && !is_open[4] }
    }

    fn has(&self, field: usize, value: i8) -> bool {
        self.fields[field] >> value & 1 == 1
    }

    fn matches(&self, date: Date) -> bool {
        let days = (self.has(2, date.day()), self.has(4, date.weekday().to_sunday_zero_offset()));
        let day = if self.either_day { days.0 || days.1 } else { days.0 && days.1 };
        day && self.has(3, date.month())
    }

    fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let first = TimeZone::UTC.to_datetime(moment).date();
        let dates = std::iter::successors(Some(first), |date| date.tomorrow().ok());
        let dates = dates.take(RAREST).take_while(|date| date.year() <= 2100).filter(|date| self.matches(*date));
        let times = (0..24).flat_map(|hour| (0..60).map(move |minute| (hour, minute)));
        let times: Vec<_> = times.filter(|(hour, minute)| self.has(1, *hour) && self.has(0, *minute)).collect();
        let moments = dates.flat_map(|date| times.iter().map(move |(hour, minute)| date.at(*hour, *minute, 0, 0)));
        moments
            .map(|moment| TimeZone::UTC.to_timestamp(moment).expect("in jiff's calendar"))
            .find(|candidate| *candidate > moment)
    }
}

/// Returns the value of a number, or of the name of a month or weekday.
fn value(text: &str) -> u64 {
    const NAMES: [(&str, u64); 19] = [
        ("jan", 1),
        ("feb", 2),
        ("mar", 3),
        ("apr", 4),
        ("may", 5),
        ("jun", 6),
        ("jul", 7),
        ("aug", 8),
        ("sep", 9),
        ("oct", 10),
        ("nov", 11),
        ("dec", 12),
        ("sun", 0),
        ("mon", 1),
        ("tue", 2),
        ("wed", 3),
        ("thu", 4),
        ("fri", 5),
        ("sat", 6),
    ];
    let named = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    named.map_or_else(|| text.parse().expect("a number or a name"), |(_, value)| *value)
}
