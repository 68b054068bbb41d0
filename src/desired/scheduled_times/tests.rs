use super::*;
use proptest::prelude::*;
use serde_json::json;

/// What Kubernetes' CronJob controller starts; see `tests/schedule/README.md`.
const CORPUS: &str = include_str!("../../../tests/schedule/cronjob-controller-due.tsv");

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Returns a CronJob that was last started for that time.
fn cron_job(last_schedule_time: Timestamp) -> CronJobView {
    let metadata = json!({"name": "nightly-cron", "namespace": "a", "uid": "of-nightly-cron"});
    let cron_job: CronJobView = serde_json::from_value(json!({"metadata": metadata})).unwrap();
    CronJobView { last_schedule_time: Some(last_schedule_time), ..cron_job }
}

fn times<'a>(schedule: &'a Schedule, cron_job: Option<&'a CronJobView>) -> ScheduledTimes<'a> {
    ScheduledTimes { schedule, starting_deadline: SignedDuration::from_hours(3), cron_job, runs: &[] }
}

#[test]
fn what_is_due_is_what_the_cron_job_controller_starts() {
    let mut due = 0;
    for line in CORPUS.lines() {
        let columns: Vec<_> = line.split('\t').collect();
        let [schedule, last, now, starts] = columns[..] else { panic!("four columns: {line}") };
        let schedule = Schedule::parse(&serde_json::from_str::<String>(schedule).unwrap()).unwrap();
        let cron_job = cron_job(moment(last));
        let scheduled_times = times(&schedule, Some(&cron_job));
        let expected = Some(starts).filter(|starts| *starts != "none").map(moment);
        assert_eq!(scheduled_times.due(moment(now)), expected, "{line}");
        due += usize::from(expected.is_some());
    }
    assert_eq!(due, 535);
}

#[test]
fn what_is_due_is_next_and_what_has_a_job_is_not_due() {
    let schedule = Schedule::parse("0 * * * *").unwrap();
    let mut cron_job = cron_job(moment("2026-11-23T09:00:00Z"));
    let now = moment("2026-11-23T11:20:00Z");
    let next = |cron_job: &CronJobView| times(&schedule, Some(cron_job)).next(now);
    assert_eq!(next(&cron_job), Some(moment("2026-11-23T11:00:00Z")));
    cron_job.active = vec![scheduled_job_name("nightly-cron", moment("2026-11-23T11:00:00Z"))];
    assert_eq!(next(&cron_job), Some(moment("2026-11-23T12:00:00Z")));
}

#[test]
fn nothing_is_due_of_before_the_creation_or_of_a_cron_job_that_is_about_to_be_made() {
    let schedule = Schedule::parse("0 * * * *").unwrap();
    let now = moment("2026-11-23T11:20:00Z");
    let mut cron_job = cron_job(now);
    cron_job.last_schedule_time = None;
    for (created, due) in [("2026-11-23T11:00:00Z", None), ("2026-11-23T10:59:59Z", Some("2026-11-23T11:00:00Z"))] {
        cron_job.metadata.creation_timestamp = serde_json::from_value(json!(created)).unwrap();
        assert_eq!(times(&schedule, Some(&cron_job)).due(now), due.map(moment));
    }
    let none = times(&schedule, None);
    assert_eq!((none.due(now), none.next(now)), (None, Some(moment("2026-11-23T12:00:00Z"))));
}

#[test]
fn after_a_last_scheduled_time_in_the_future_the_next_one_comes_after_it() {
    let schedule = Schedule::parse("0 * * * *").unwrap();
    let cron_job = cron_job(moment("2026-11-23T19:00:00Z"));
    let scheduled_times = times(&schedule, Some(&cron_job));
    assert_eq!(scheduled_times.next(moment("2026-11-23T11:20:00Z")), Some(moment("2026-11-23T20:00:00Z")));
}

proptest! {
    #[test]
    fn what_is_next_stays_until_the_moment_of_its_change(
        line in proptest::sample::select(CORPUS.lines().collect::<Vec<_>>()),
        share in 0.0..1.0,
    ) {
        let columns: Vec<_> = line.split('\t').collect();
        let schedule = Schedule::parse(&serde_json::from_str::<String>(columns[0]).unwrap()).unwrap();
        let cron_job = cron_job(moment(columns[1]));
        let scheduled_times = times(&schedule, Some(&cron_job));
        let now = moment(columns[2]);
        let change = scheduled_times.next_change(now).unwrap();
        prop_assert!(change > now);
        let between = ((change.as_second() - now.as_second() - 1) as f64 * share) as i64;
        let later = now + SignedDuration::from_secs(between);
        prop_assert_eq!(scheduled_times.next(later), scheduled_times.next(now), "{} at {}, change at {}", line, later, change);
    }
}
