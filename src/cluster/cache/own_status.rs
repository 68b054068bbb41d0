//! What is cached of a status that is not stored as this operator wrote it: what it wrote. So nothing that it knew is lost while
//! another operator overwrites the status, or a definition that is not ours drops fields of it.

use super::{
    ClusterCache, ObjectKey,
    history::resource_version,
    key_of,
    memory::{PrunedStatus, SuspendedCronJob},
};
use crate::{
    api::AntflyBackupStatus,
    cluster::{
        dropped::dropped_only,
        foreign_status::disclaim,
        second_writer::Contest,
        stored::{StatusStanding, StoredBackup},
        views::CronJobView,
    },
};
use kube::runtime::watcher::Event;
use std::sync::Arc;

impl ClusterCache {
    /// Returns an event with the backup as it is cached.
    pub(super) fn with_own_status(&self, event: Event<StoredBackup>) -> Event<StoredBackup> {
        match event {
            Event::Apply(backup) => Event::Apply(self.own_status(backup)),
            Event::InitApply(backup) => Event::InitApply(self.own_status(backup)),
            other => other,
        }
    }

    fn own_status(&self, mut after: StoredBackup) -> StoredBackup {
        let key = key_of(&after);
        let memory = self.memories.get(&key);
        let before = self.backups.get(&key).filter(|before| before.uid() == after.uid());
        if let Some(pruned) = memory.and_then(|memory| memory.pruned()).filter(|it| it.answered == after.status) {
            after.status = Some(AntflyBackupStatus::clone(&pruned.sent));
            after.standing = StatusStanding::Pruned(pruned.fields.clone());
            return after;
        }
        if let Some((before, fields)) = before.and_then(|before| Some((before, read_otherwise(before, &after)?))) {
            after.status = before.status.clone();
            after.standing = StatusStanding::Pruned(fields.into());
            return after;
        }
        let StatusStanding::Overwritten { manager, .. } = &after.standing else { return after };
        if memory.is_some_and(|memory| memory.is_of_status(resource_version(&after.metadata))) {
            after.standing = StatusStanding::Whole;
            return after;
        }
        let manager = manager.clone();
        let is_ours =
            |before: &StoredBackup| !matches!(before.standing, StatusStanding::Overwritten { after_ours: false, .. });
        match before.filter(|before| before.status.is_some() && is_ours(before)) {
            Some(before) if before.standing == StatusStanding::Whole && before.status == after.status => {
                after.standing = StatusStanding::Whole;
            }
            Some(before) => {
                after.standing = StatusStanding::Overwritten { manager, after_ours: true };
                after.status = before.status.clone();
            }
            None => after.status.iter_mut().for_each(|status| disclaim(status, &manager)),
        }
        after
    }

    /// Notes the status that was written, and the resourceVersion that the API server returned. `pruned`: it dropped fields of it.
    pub fn status_written(
        &mut self,
        key: &ObjectKey,
        status: &AntflyBackupStatus,
        version: Option<u64>,
        pruned: Option<PrunedStatus>,
    ) {
        if !self.has(key) {
            return;
        }
        let standing =
            pruned.as_ref().map_or(StatusStanding::Whole, |pruned| StatusStanding::Pruned(pruned.fields.clone()));
        let memory = self.memories.entry(key.clone()).or_default();
        memory.status_written(version);
        memory.status_pruned(pruned);
        // the watch may have been faster, and a write that changed nothing has no event
        let is_seen =
            self.backups.get(key).is_some_and(|seen| version.is_some() && resource_version(&seen.metadata) == version);
        if is_seen {
            self.backups.amend(key, |backup| {
                backup.status = Some(status.clone());
                backup.standing = standing;
            });
        }
    }

    /// Notes that the definition in the cluster is this operator's again. Returns the backups whose status is not stored as a whole.
    pub fn definition_is_ours(&mut self) -> Vec<ObjectKey> {
        self.memories.values_mut().for_each(|memory| memory.status_pruned(None));
        let pruned: Vec<_> = self
            .backups()
            .filter(|backup| matches!(backup.standing, StatusStanding::Pruned(_)))
            .map(|it| key_of(it))
            .collect();
        for key in &pruned {
            self.backups.amend(key, |backup| backup.standing = StatusStanding::Incomplete);
        }
        pruned
    }

    /// Keeps what another operator does to the objects of a backup.
    pub fn contested(&mut self, key: &ObjectKey, contest: Option<Contest>) {
        if self.has(key) && (contest.is_some() || self.memories.contains_key(key)) {
            self.memories.entry(key.clone()).or_default().contested(contest);
        }
    }

    /// Keeps that a CronJob under a former name was suspended.
    pub fn cron_job_suspended(&mut self, key: &ObjectKey, written: &Arc<CronJobView>) {
        if self.has(key) {
            let (name, uid) = (written.name().to_owned(), written.uid().to_owned());
            let version = resource_version(&written.metadata);
            self.memories.entry(key.clone()).or_default().cron_job_suspended(SuspendedCronJob { name, uid, version });
        }
    }
}

/// Returns which fields the status lacks of the one in the cache, though both are the same version: the API server reads what is stored by
/// another definition now. `None` if it lacks none, or differs otherwise, as after a restore of etcd.
fn read_otherwise(before: &StoredBackup, after: &StoredBackup) -> Option<Vec<String>> {
    let is_same = before.metadata.resource_version == after.metadata.resource_version && before.spec == after.spec;
    let (whole, part) = (before.status.as_ref()?, after.status.as_ref()?);
    let is_foreign = matches!(before.standing, StatusStanding::Overwritten { .. });
    if !is_same || is_foreign || whole == part {
        return None;
    }
    let fields = dropped_only(&serde_json::to_value(whole).ok()?, &serde_json::to_value(part).ok()?)?;
    (!fields.is_empty()).then_some(fields)
}
