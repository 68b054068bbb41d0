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
        let is_own_write = memory.is_some_and(|memory| memory.is_of_status(resource_version(&after.metadata)));
        let is_foreign = matches!(after.standing, StatusStanding::Overwritten { .. }) && !is_own_write;
        if let Some(pruned) = memory.and_then(|memory| memory.pruned()) {
            let kept = pruned.kept.as_ref().filter(|(_, answered)| !after.is_abridged && *answered == after.status);
            if let Some((sent, _)) = kept {
                after.status = Some(AntflyBackupStatus::clone(sent));
            }
            // of a large one, a part is compared at most
            if kept.is_some() || ((after.is_abridged || pruned.kept.is_none()) && !is_foreign) {
                after.standing = StatusStanding::Pruned(pruned.fields.clone());
                return after;
            }
        }
        if let Some((before, fields)) = before.and_then(|before| Some((before, read_otherwise(before, &after)?))) {
            after.status = before.status.clone();
            after.standing = StatusStanding::Pruned(fields.into());
            return after;
        }
        let StatusStanding::Overwritten { manager, .. } = &after.standing else { return after };
        if is_own_write {
            after.standing = StatusStanding::Whole;
            return after;
        }
        let manager = manager.clone();
        let is_ours =
            |before: &StoredBackup| !matches!(before.standing, StatusStanding::Overwritten { after_ours: false, .. });
        match before.filter(|before| before.status.is_some() && is_ours(before)) {
            Some(before) if before.standing == StatusStanding::Whole && before.has_status_of(&after) => {
                after.standing = StatusStanding::Whole;
            }
            Some(before) => {
                after.standing = StatusStanding::Overwritten { manager, after_ours: true };
                after.status = before.status.clone();
            }
            None => after = disclaimed(after, &manager),
        }
        after
    }

    /// Returns a backup that was read as a whole, as the cache would have it if it kept that; `None` if the watch is about to tell that
    /// another field manager has overwritten the status.
    pub fn whole(&self, mut read: StoredBackup) -> Option<StoredBackup> {
        let key = key_of(&read);
        let Some(cached) = self.backups.get(&key).filter(|cached| cached.uid() == read.uid()) else {
            return Some(read);
        };
        if cached.metadata.resource_version != read.metadata.resource_version {
            let is_overwritten = matches!(read.standing, StatusStanding::Overwritten { .. });
            return (!is_overwritten).then(|| self.own_status(read));
        }
        read.standing = cached.standing.clone();
        match &cached.standing {
            StatusStanding::Overwritten { after_ours: true, .. } => read.status.clone_from(&cached.status),
            StatusStanding::Overwritten { manager, .. } => read = disclaimed(read, manager),
            StatusStanding::Pruned(_) => {
                let pruned = self.memories.get(&key).and_then(|memory| memory.pruned()?.kept.as_ref());
                if let Some((sent, _)) = pruned.filter(|(_, answered)| *answered == read.status) {
                    read.status = Some(AntflyBackupStatus::clone(sent));
                }
            }
            StatusStanding::Whole | StatusStanding::Incomplete => {}
        }
        Some(read)
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
                backup.abridge();
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

/// Returns a backup whose records claim nothing that only another operator said.
fn disclaimed(mut backup: StoredBackup, manager: &str) -> StoredBackup {
    let mut status = backup.status.take();
    status.iter_mut().for_each(|status| disclaim(status, backup.name(), manager));
    StoredBackup { status, ..backup }
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

#[cfg(test)]
mod tests {
    use super::{super::Scope, *};
    use crate::names::FIELD_MANAGER;
    use serde_json::{Value, json};

    fn key() -> ObjectKey {
        ObjectKey::new("a", "nightly")
    }

    /// The backup as it is read as a whole, and as the watch has it.
    fn backup(version: u64, status: &Value, writers: &[(&str, &str)]) -> (StoredBackup, StoredBackup) {
        let writers: Vec<_> = writers
            .iter()
            .map(|(manager, time)| json!({"manager": manager, "subresource": "status", "time": format!("2026-11-23T02:00:{time}Z")}))
            .collect();
        let metadata = json!({"name": "nightly", "namespace": "a", "uid": "u", "resourceVersion": version.to_string(),
            "managedFields": writers});
        let object = json!({"metadata": metadata, "spec": {"schedule": "@daily"}, "status": status});
        (StoredBackup::from_value(object.clone()).unwrap(), serde_json::from_value(object).unwrap())
    }

    fn large() -> Value {
        let tables: Vec<_> = (0..256).map(|number| format!("{number}{}", "x".repeat(100))).collect();
        let record = json!({"backupId": "b", "jobUID": "j", "startTime": "2026-11-23T02:00:00Z", "status": "Completed",
            "verified": true, "tables": tables});
        json!({"phase": "Active", "activeSince": "2026-11-23T02:00:00Z", "recentBackups": [record]})
    }

    #[test]
    fn of_a_large_status_that_another_operator_overwrote_the_records_say_what_they_lack() {
        let mut cache = ClusterCache::new([]);
        let (whole, seen) = backup(1, &large(), &[(FIELD_MANAGER, "00")]);
        assert!(seen.is_abridged);
        cache.backup_event(&Scope::All, Event::Apply(seen));
        assert_eq!(cache.whole(whole.clone()), Some(whole), "while it is ours, it is read");
        let writers = [(FIELD_MANAGER, "00"), ("them", "09")];
        let (read, seen) = backup(2, &json!({"phase": "Pending"}), &writers);
        assert_eq!(cache.whole(read.clone()), None, "the watch is about to tell");
        cache.backup_event(&Scope::All, Event::Apply(seen));
        let kept = cache.whole(read).unwrap();
        assert!(matches!(kept.standing, StatusStanding::Overwritten { after_ours: true, .. }));
        let status = kept.status.unwrap();
        assert!(status.active_since.is_some());
        let record = &status.recent_backups[0];
        assert_eq!((record.verified, record.tables.len(), record.tables_omitted), (Some(true), 0, Some(256)));
        assert!(record.omitted.is_some());
    }

    #[test]
    fn a_large_status_that_was_pruned_is_known_to_be() {
        let mut cache = ClusterCache::new([]);
        let (whole, seen) = backup(1, &large(), &[(FIELD_MANAGER, "00")]);
        cache.backup_event(&Scope::All, Event::Apply(seen));
        let fields: Arc<[String]> = ["status.activeSince".to_owned()].into();
        let sent = whole.status.clone().unwrap();
        cache.status_written(&key(), &sent, Some(1), Some(PrunedStatus { kept: None, fields: fields.clone() }));
        let cached = || cache.backups.get(&key()).unwrap().clone();
        assert!(cached().is_abridged && cached().status.as_ref().unwrap().recent_backups[0].tables.is_empty());
        assert_eq!(cache.whole(whole).unwrap().standing, StatusStanding::Pruned(fields.clone()));
        cache.status_written(&key(), &sent, Some(2), Some(PrunedStatus { kept: None, fields: fields.clone() }));
        let (whole, seen) = backup(2, &large(), &[(FIELD_MANAGER, "01")]);
        cache.backup_event(&Scope::All, Event::Apply(seen));
        assert_eq!(cache.whole(whole.clone()).unwrap().standing, StatusStanding::Pruned(fields));
        assert_eq!(cache.definition_is_ours(), [key()]);
        assert_eq!(cache.whole(whole).unwrap().standing, StatusStanding::Incomplete);
    }

    #[test]
    fn the_own_write_in_the_same_second_is_not_taken_for_another_operators() {
        let mut cache = ClusterCache::new([]);
        let ours = json!({"phase": "Active"});
        cache.backup_event(&Scope::All, Event::Apply(backup(1, &ours, &[(FIELD_MANAGER, "00")]).1));
        let writers = [(FIELD_MANAGER, "01"), ("them", "01")];
        let sent = backup(2, &ours, &writers).0.status.unwrap();
        cache.status_written(&key(), &sent, Some(2), None);
        cache.backup_event(&Scope::All, Event::Apply(backup(2, &ours, &writers).1));
        assert_eq!(cache.backups.get(&key()).unwrap().standing, StatusStanding::Whole);
        // nor is the next edit of the spec
        cache.backup_event(&Scope::All, Event::Apply(backup(3, &ours, &writers).1));
        assert_eq!(cache.backups.get(&key()).unwrap().standing, StatusStanding::Whole);
    }
}
