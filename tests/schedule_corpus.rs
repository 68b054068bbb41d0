//! Compares schedules with the results of Kubernetes' CronJob controller for 3,000 of them in UTC, and for 3,021 around changes of
//! the clock in 22 time zones (`schedule/README.md`).

use std::collections::{BTreeMap, BTreeSet};

use antfly_backup_operator::testing::api::{Schedule, time_zone};
use jiff::Timestamp;
use regex::Regex;

const CORPUS: &str = include_str!("schedule/cronjob-controller-corpus.tsv");

const ZONES: &str = include_str!("schedule/cronjob-controller-zones.tsv");

/// The CronJob controller's result for a schedule.
#[derive(Debug, PartialEq)]
enum Verdict {
    Refused,
    NeverFires,
    Runs(Vec<Timestamp>),
}

struct Line {
    schedule: String,
    from: Timestamp,
    verdict: Verdict,
}

fn corpus() -> Vec<Line> {
    let lines: Vec<Line> = CORPUS.lines().map(line).collect();
    assert_eq!(lines.len(), 3000);
    lines
}

fn line(text: &str) -> Line {
    let columns: Vec<&str> = text.split('\t').collect();
    let [schedule, from, verdict, runs] = columns[..] else {
        panic!("four columns: {text}");
    };
    Line {
        // The corpus has only the escapes of JSON.
        schedule: serde_json::from_str(schedule).expect("the schedule is quoted"),
        from: moment(from),
        verdict: match verdict {
            "refused" => Verdict::Refused,
            "never" => Verdict::NeverFires,
            "ok" => Verdict::Runs(runs.split(' ').map(moment).collect()),
            _ => panic!("verdict: {text}"),
        },
    }
}

fn moment(text: &str) -> Timestamp {
    text.parse().expect("moments are in RFC 3339")
}

/// What the CronJob controller's parser accepts beyond our dialect, each with the text that shows it.
const BEYOND_THE_DIALECT: [(&str, &str); 6] = [
    ("a time zone prefix", r"^(CRON_)?TZ="),
    ("@every", r"^@every "),
    ("leading or trailing white space", r"^\s|\s$"),
    ("a tab or a line break", r"[\t\n]"),
    ("an empty list item", r"(^|[ ,]),|,( |$)"),
    ("a sign", r"\+"),
];

#[test]
fn the_verdict_equals_the_controllers_except_beyond_the_dialect() {
    let signs = BEYOND_THE_DIALECT.map(|(reason, sign)| (reason, Regex::new(sign).unwrap()));
    let reason = |text: &str| {
        let sign = signs.iter().find(|(_, sign)| sign.is_match(text));
        sign.map(|(reason, _)| *reason)
    };
    let mut beyond = BTreeMap::<&str, usize>::new();
    let (mut accepted, mut refused) = (0, 0);
    for line in corpus() {
        let ours = Schedule::parse(&line.schedule);
        if line.verdict == Verdict::Refused {
            assert!(ours.is_err(), "accepted: {:?}", line.schedule);
            refused += 1;
        } else if let Some(reason) = reason(&line.schedule) {
            assert!(ours.is_err(), "{reason}, accepted: {:?}", line.schedule);
            *beyond.entry(reason).or_default() += 1;
        } else {
            assert!(ours.is_ok(), "{:?} refused: {ours:?}", line.schedule);
            accepted += 1;
        }
    }
    println!("accepted by both: {accepted}, refused by both: {refused}, beyond the dialect: {beyond:#?}");
    assert_eq!(beyond.len(), BEYOND_THE_DIALECT.len());
}

#[test]
fn the_scheduled_times_equal_the_controllers() {
    for line in corpus() {
        let Ok(schedule) = Schedule::parse(&line.schedule) else {
            continue;
        };
        let Verdict::Runs(runs) = line.verdict else {
            assert!(!schedule.fires(), "{:?}", line.schedule);
            assert_eq!(schedule.next_after(line.from), None, "{:?}", line.schedule);
            continue;
        };
        assert!(schedule.fires(), "{:?}", line.schedule);
        let ours: Vec<Timestamp> = schedule.upcoming(line.from).take(runs.len()).collect();
        assert_eq!(ours, runs, "{:?}", line.schedule);
    }
}

#[test]
fn the_scheduled_times_around_changes_of_the_clock_equal_the_controllers() {
    let mut zones = BTreeSet::new();
    for line in ZONES.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [zone, schedule, from, runs] = columns[..] else { panic!("four columns: {line}") };
        let schedule = Schedule::parse(&serde_json::from_str::<String>(schedule).unwrap()).unwrap();
        let schedule = schedule.in_time_zone(time_zone(zone).unwrap());
        let runs: Vec<Timestamp> = runs.split(' ').map(moment).collect();
        let ours: Vec<Timestamp> = schedule.upcoming(moment(from)).take(runs.len()).collect();
        assert_eq!(ours, runs, "{line}");
        zones.insert(zone);
    }
    assert_eq!((zones.len(), ZONES.lines().count()), (22, 3021));
}

#[test]
fn a_day_that_a_time_zone_left_out_is_stepped_over() {
    // Pacific/Apia went from 29 to 31 December 2011. The controller's search never ends there.
    let apia = |text: &str| Schedule::parse(text).unwrap().in_time_zone(time_zone("Pacific/Apia").unwrap());
    let from = moment("2011-12-29T00:00:00Z");
    let runs = |text: &str| apia(text).upcoming(from).take(2).collect::<Vec<_>>();
    assert_eq!(runs("0 12 * * *"), ["2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z"].map(moment));
    assert_eq!(runs("0 12 30 * *"), ["2012-01-29T22:00:00Z", "2012-03-29T22:00:00Z"].map(moment));
    assert_eq!(runs("0 12 31 * *"), ["2011-12-30T22:00:00Z", "2012-01-30T22:00:00Z"].map(moment));
}

#[test]
fn a_search_that_comes_back_to_its_start_goes_on() {
    // At 03:45 on 2 April 2017, the clock of Pacific/Chatham was set back to 02:45. From the second 02:49 on, the controller's
    // search begins at 02:00, which was before that, walks to 03:00 and to the second 02:49, and ends there.
    let schedule = Schedule::parse("49 3 * 4 *").unwrap().in_time_zone(time_zone("Pacific/Chatham").unwrap());
    let runs: Vec<_> = schedule.upcoming(moment("2017-03-31T14:04:00Z")).take(3).collect();
    assert_eq!(runs, ["2017-04-01T14:04:00Z", "2017-04-02T15:04:00Z", "2017-04-03T15:04:00Z"].map(moment));
}
