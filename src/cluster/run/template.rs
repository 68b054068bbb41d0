//! Whether a run does what the operator applied: its Job what the CronJob does, and its Pods what their Job does.

use super::{Run, TEMPLATE_CHANGED, cause::Cause};
use crate::cluster::views::{Origin, PodView};

impl Run {
    /// Returns what created the Job. One that does something else than the operator applied is not of the schedule, whatever it says.
    pub fn origin(&self) -> &Origin {
        if self.differs.is_some() { &Origin::Manual } else { &self.job.origin }
    }

    /// Returns why the Job counts neither as scheduled nor as verified, if it does something else than the operator applied.
    pub fn changed_job(&self) -> Option<Cause> {
        let differences = self.differs?;
        let text = format!(
            "not verified: Job {} does something else than the operator applied; its Pod template differs in {differences}",
            self.job.name()
        );
        Some(Cause { reason: TEMPLATE_CHANGED.to_owned(), text })
    }

    /// Returns why a Pod does not verify the backup, if it does something else than its Job.
    pub fn changed_pod(&self, pod: &PodView) -> Option<Cause> {
        let differences = self.job.template.as_ref()?.differences(pod.template.as_ref()?)?;
        let text = format!(
            "not verified: the Pod does something else than its Job, which somebody or an admission changed; it differs in {differences}"
        );
        Some(Cause { reason: TEMPLATE_CHANGED.to_owned(), text })
    }

    /// Returns why the run does something else than the operator applied: its Job, else its newest Pod.
    pub fn changed(&self) -> Option<Cause> {
        self.changed_job().or_else(|| self.pods.last().and_then(|pod| self.changed_pod(pod)))
    }
}

impl Cause {
    /// Returns whether it is that the run does something else than the operator applied, which holds up nothing.
    pub fn is_of_template(&self) -> bool {
        self.reason == TEMPLATE_CHANGED
    }
}
