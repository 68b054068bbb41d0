//! The status of a Pod, as the kubelet writes it.

use k8s_openapi::{
    api::core::v1::{
        ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus,
        HostIP, PodCondition, PodIP, PodStatus,
    },
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::Timestamp,
};

use super::lifecycle::{Ended, Kind, Record, State, is_initialized, phase};

/// Address of the Pods and of the node: processes of this machine.
pub(super) const ADDRESS: &str = "127.0.0.1";

/// Why a Pod is ended before its containers have ended by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// All work is done; only sidecars still run.
    Done,
    /// `activeDeadlineSeconds` is over.
    Deadline,
    /// It was deleted.
    Deleted,
    /// The node ran out of memory.
    Evicted,
}

/// What a status is made from.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) uid: &'a str,
    pub(super) records: &'a [Record],
    pub(super) start_time: Timestamp,
    pub(super) cause: Option<Cause>,
    /// Conditions of the last status, whose times are kept.
    pub(super) conditions: &'a [PodCondition],
}

const EVICTION_MESSAGE: &str = "The node was low on resource: memory. ";

/// Makes the status of a Pod at `now`.
pub(super) fn status(facts: &Facts<'_>, now: Timestamp) -> PodStatus {
    let records = facts.records;
    let is_ended = !matches!(facts.cause, None | Some(Cause::Done)) && !records.iter().any(Record::is_running);
    let phase = match phase(records) {
        "Pending" | "Running" if is_ended => "Failed",
        phase => phase,
    };
    let is_over = matches!(phase, "Succeeded" | "Failed");
    let (phase, reason, message) = match facts.cause {
        Some(Cause::Deadline) if is_over => {
            ("Failed", Some("DeadlineExceeded"), Some("Pod was active on the node longer than the specified deadline"))
        }
        Some(Cause::Evicted) if is_over => ("Failed", Some("Evicted"), Some(EVICTION_MESSAGE)),
        _ => (phase, None, None),
    };
    let of = |is_init: bool| {
        let statuses: Vec<_> = records
            .iter()
            .filter(|record| (record.kind != Kind::Main) == is_init)
            .map(|record| container_status(facts.uid, record))
            .collect();
        (!statuses.is_empty()).then_some(statuses)
    };
    PodStatus {
        phase: Some(phase.to_owned()),
        reason: reason.map(str::to_owned),
        message: message.map(str::to_owned),
        conditions: Some(conditions(facts, phase, now)),
        container_statuses: of(false),
        init_container_statuses: of(true),
        host_ip: Some(ADDRESS.to_owned()),
        host_ips: Some(vec![HostIP { ip: ADDRESS.to_owned() }]),
        pod_ip: Some(ADDRESS.to_owned()),
        pod_ips: Some(vec![PodIP { ip: ADDRESS.to_owned() }]),
        start_time: Some(Time(facts.start_time)),
        ..PodStatus::default()
    }
}

fn conditions(facts: &Facts<'_>, phase: &str, now: Timestamp) -> Vec<PodCondition> {
    let records = facts.records;
    let unready: Vec<_> = records
        .iter()
        .filter(|record| record.kind != Kind::Init && !record.is_running())
        .map(|record| record.name.as_str())
        .collect();
    let (ready, reason, message) = match phase {
        "Succeeded" => (false, Some("PodCompleted"), None),
        "Failed" => (false, Some("PodFailed"), None),
        _ if unready.is_empty() => (true, None, None),
        _ => {
            let names = unready.join(" ");
            (false, Some("ContainersNotReady"), Some(format!("containers with unready status: [{names}]")))
        }
    };
    let initialized_reason = (phase == "Succeeded").then_some("PodCompleted");
    let is_over = matches!(phase, "Succeeded" | "Failed");
    let mut conditions = vec![
        condition("PodReadyToStartContainers", !is_over, None, None),
        condition("Initialized", is_initialized(records), initialized_reason, None),
        condition("Ready", ready, reason, message.clone()),
        condition("ContainersReady", ready, reason, message),
        condition("PodScheduled", true, None, None),
    ];
    if facts.cause == Some(Cause::Evicted) && is_over {
        let message = Some(EVICTION_MESSAGE.to_owned());
        conditions.push(condition("DisruptionTarget", true, Some("TerminationByKubelet"), message));
    }
    for condition in &mut conditions {
        let before = facts.conditions.iter().find(|before| before.type_ == condition.type_);
        let unchanged = before.filter(|before| before.status == condition.status);
        condition.last_transition_time =
            unchanged.and_then(|before| before.last_transition_time.clone()).or(Some(Time(now)));
    }
    conditions
}

fn condition(kind: &str, is_true: bool, reason: Option<&str>, message: Option<String>) -> PodCondition {
    PodCondition {
        type_: kind.to_owned(),
        status: if is_true { "True" } else { "False" }.to_owned(),
        reason: reason.map(str::to_owned),
        message,
        ..PodCondition::default()
    }
}

fn container_status(uid: &str, record: &Record) -> ContainerStatus {
    // A runtime's ids are unique; the Pod, the container and the number of its start make one.
    let id = |number: u32| format!("process://{uid}/{}/{number}", record.name);
    let is_waiting = matches!(record.state, State::Waiting { .. });
    let has_run = record.last.is_some() || !is_waiting;
    let runs = record.is_running();
    let last_number = record.restarts.saturating_sub(u32::from(!is_waiting));
    ContainerStatus {
        name: record.name.clone(),
        image: record.image.clone(),
        image_id: if has_run { record.image.clone() } else { String::new() },
        container_id: has_run.then(|| id(record.restarts)),
        ready: runs || (record.kind == Kind::Init && record.exit_code() == Some(0)),
        started: Some(runs),
        restart_count: i32::try_from(record.restarts).unwrap_or(i32::MAX),
        state: Some(match &record.state {
            State::Waiting { reason, message } => ContainerState {
                waiting: Some(ContainerStateWaiting {
                    reason: Some(reason.clone()),
                    message: (!message.is_empty()).then(|| message.clone()),
                }),
                ..ContainerState::default()
            },
            State::Running { since } => ContainerState {
                running: Some(ContainerStateRunning { started_at: Some(Time(*since)) }),
                ..ContainerState::default()
            },
            State::Ended(ended) => terminated(ended, id(record.restarts)),
        }),
        last_state: record.last.as_ref().map(|ended| terminated(ended, id(last_number))),
        ..ContainerStatus::default()
    }
}

fn terminated(ended: &Ended, id: String) -> ContainerState {
    ContainerState {
        terminated: Some(ContainerStateTerminated {
            container_id: Some(id),
            exit_code: ended.exit_code,
            reason: Some(ended.reason.clone()),
            message: (!ended.message.is_empty()).then(|| ended.message.clone()),
            started_at: ended.started.map(Time),
            finished_at: ended.finished.map(Time),
            signal: None,
        }),
        ..ContainerState::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::lifecycle;
    use serde_json::json;

    fn records() -> Vec<Record> {
        lifecycle::records(&serde_json::from_value(json!({"containers": [{"name": "backup", "image": "i"}]})).unwrap())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn of(records: &[Record], cause: Option<Cause>, before: &[PodCondition], now: Timestamp) -> PodStatus {
        status(&Facts { uid: "u", records, start_time: at(0), cause, conditions: before }, now)
    }

    /// Returns the conditions in short: type, status and reason.
    fn reported(status: &PodStatus) -> Vec<String> {
        let conditions = status.conditions.iter().flatten();
        conditions
            .map(|condition| {
                format!("{}={} {}", condition.type_, condition.status, condition.reason.as_deref().unwrap_or("-"))
            })
            .collect()
    }

    #[test]
    fn conditions_follow_the_containers_and_keep_their_times() {
        let mut records = records();
        let pending = of(&records, None, &[], at(1));
        assert_eq!(
            reported(&pending),
            [
                "PodReadyToStartContainers=True -",
                "Initialized=True -",
                "Ready=False ContainersNotReady",
                "ContainersReady=False ContainersNotReady",
                "PodScheduled=True -"
            ]
        );
        records[0].state = State::Running { since: at(2) };
        let running = of(&records, None, pending.conditions.as_deref().unwrap(), at(2));
        let conditions = running.conditions.as_deref().unwrap();
        assert_eq!(conditions[0].last_transition_time, Some(Time(at(1))));
        assert_eq!(conditions[2].last_transition_time, Some(Time(at(2))));
        assert_eq!(conditions[2].status, "True");
        records[0].lose();
        assert_eq!(reported(&of(&records, None, &[], at(3)))[2], "Ready=False PodFailed");
    }

    #[test]
    fn a_cause_is_reported_when_all_containers_have_ended() {
        let mut records = records();
        records[0].state = State::Running { since: at(2) };
        let running = of(&records, Some(Cause::Evicted), &[], at(3));
        assert_eq!((running.phase.as_deref(), running.reason), (Some("Running"), None));
        let ended =
            Ended { exit_code: 0, reason: "Completed".into(), message: String::new(), started: None, finished: None };
        records[0].state = State::Ended(ended);
        let evicted = of(&records, Some(Cause::Evicted), &[], at(3));
        assert_eq!((evicted.phase.as_deref(), evicted.reason.as_deref()), (Some("Failed"), Some("Evicted")));
        assert_eq!(reported(&evicted)[5], "DisruptionTarget=True TerminationByKubelet");
        let late = of(&records, Some(Cause::Deadline), &[], at(3));
        assert_eq!((late.phase.as_deref(), late.reason.as_deref()), (Some("Failed"), Some("DeadlineExceeded")));
        let deleted = of(&records, Some(Cause::Deleted), &[], at(3));
        assert_eq!((deleted.phase.as_deref(), deleted.reason), (Some("Succeeded"), None));
    }
}
