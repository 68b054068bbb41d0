use super::*;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const BACK_OFF: Duration = Duration::from_secs(10);

fn pod(spec: Value) -> Vec<Record> {
    records(&serde_json::from_value(spec).unwrap())
}

fn full() -> Vec<Record> {
    pod(json!({
        "initContainers": [{"name": "init"}, {"name": "sidecar", "restartPolicy": "Always"}, {"name": "second"}],
        "containers": [{"name": "a"}, {"name": "b"}],
    }))
}

fn run(record: &mut Record) {
    record.begin();
    record.state = State::Running { since: NOW };
}

fn end(record: &mut Record, exit_code: i32, policy: RestartPolicy) {
    let ended = Ended { exit_code, reason: "Error".into(), message: String::new(), started: None, finished: Some(NOW) };
    record.end(ended, policy, NOW, BACK_OFF, "pod");
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

#[test]
fn containers_start_in_order() {
    let mut records = full();
    let never = RestartPolicy::Never;
    let start = |records: &[Record]| next(records, NOW).start;
    assert_eq!((start(&records), phase(&records)), (vec![0], "Pending"));
    run(&mut records[0]);
    assert!(start(&records).is_empty());
    end(&mut records[0], 0, never);
    assert_eq!(start(&records), [1]);
    run(&mut records[1]);
    assert_eq!((start(&records), phase(&records)), (vec![2], "Pending"));
    run(&mut records[2]);
    end(&mut records[2], 0, never);
    assert_eq!((start(&records), is_initialized(&records)), (vec![3, 4], true));
    run(&mut records[3]);
    assert_eq!((start(&records), phase(&records)), (vec![4], "Pending"));
    run(&mut records[4]);
    assert_eq!((start(&records), phase(&records)), (vec![], "Running"));
    end(&mut records[3], 0, never);
    end(&mut records[4], 0, never);
    assert_eq!((next(&records, NOW).is_done, phase(&records)), (true, "Running"), "the sidecar still runs");
    records[1].lose();
    assert_eq!(phase(&records), "Succeeded");
}

#[test]
fn a_failed_init_container_ends_the_pod() {
    let mut records = full();
    run(&mut records[0]);
    end(&mut records[0], 1, RestartPolicy::Never);
    let next = next(&records, NOW);
    assert_eq!((next.start, next.is_done, phase(&records)), (vec![], true, "Failed"));
}

#[test]
fn one_failed_container_fails_the_pod_when_all_have_ended() {
    let mut records = pod(json!({"containers": [{"name": "a"}, {"name": "b"}]}));
    records.iter_mut().for_each(run);
    end(&mut records[0], 1, RestartPolicy::Never);
    assert_eq!((next(&records, NOW).is_done, phase(&records)), (false, "Running"));
    end(&mut records[1], 0, RestartPolicy::Never);
    assert_eq!((next(&records, NOW).is_done, phase(&records)), (true, "Failed"));
}

#[test]
fn a_failed_container_starts_again_with_a_growing_delay() {
    let mut records = pod(json!({"containers": [{"name": "a"}]}));
    for delay in [0, 10, 20, 40, 80, 160, 300, 300] {
        run(&mut records[0]);
        end(&mut records[0], 1, RestartPolicy::OnFailure);
        assert_eq!((records[0].retry_at, phase(&records)), (Some(seconds(delay)), "Running"));
    }
    assert_eq!(records[0].restarts, 7);
    assert_eq!(next(&records, NOW), Next { wake: Some(seconds(300)), ..Next::default() });
    assert_eq!(next(&records, seconds(300)).start, [0]);
    run(&mut records[0]);
    end(&mut records[0], 0, RestartPolicy::OnFailure);
    assert_eq!(phase(&records), "Succeeded");
}

#[test]
fn a_sidecar_starts_again_whatever_the_policy_and_holds_up_nothing() {
    let mut records = pod(json!({
        "initContainers": [{"name": "sidecar", "restartPolicy": "Always"}], "containers": [{"name": "a"}],
    }));
    run(&mut records[0]);
    end(&mut records[0], 0, RestartPolicy::Never);
    assert_eq!(next(&records, NOW).start, [0, 1]);
    assert_eq!(records[0].last.as_ref().map(|ended| ended.exit_code), Some(0));
}

#[test]
fn a_pull_fails_and_backs_off_in_turn() {
    let mut records = pod(json!({"containers": [{"name": "a", "image": "x"}]}));
    let record = &mut records[0];
    for delay in [10, 20, 40] {
        assert!(!record.back_off_pull(NOW, BACK_OFF));
        record.fail_pull("ErrImagePull", "not found".into(), NOW, Duration::from_secs(1));
        assert_eq!(record.retry_at, Some(seconds(1)));
        assert!(record.back_off_pull(NOW, BACK_OFF));
        assert_eq!(record.retry_at, Some(seconds(delay)));
    }
    let message = "Back-off pulling image \"x\": ErrImagePull: not found".to_owned();
    assert_eq!(record.state, State::Waiting { reason: "ImagePullBackOff".into(), message });
    assert_eq!(phase(&records), "Pending");
}

#[test]
fn a_container_that_never_ran_is_lost_with_its_pod() {
    let mut records = pod(json!({"containers": [{"name": "a"}]}));
    records[0].lose();
    assert_eq!((records[0].exit_code(), phase(&records)), (Some(137), "Failed"));
}
