//! Compares schedules with the results of Kubernetes' CronJob controller for 3,000 of them (`schedule/README.md`).

use std::collections::BTreeMap;

use antfly_backup_operator::testing::api::Schedule;
use jiff::Timestamp;
use regex::Regex;

const CORPUS: &str = include_str!("schedule/cronjob-controller-corpus.tsv");

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
