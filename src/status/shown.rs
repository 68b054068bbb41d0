//! What a status says, without control and format characters, whoever wrote the text: a Pod, Antfly, a policy, a field manager, or
//! an earlier operator.
//!
//! Texts lose these characters. Names do not, since without them they would name something else: a name that has them is left out,
//! and counted where there is a count. A restore takes it from the spec.

use crate::{
    api::{AppliedCronJob, BackupRecord, OtherWriter},
    text::{has_unseen, one_line},
};

/// Returns a record that can be shown; `None` if it names no Job and no backup that there can be.
pub fn record(mut record: BackupRecord) -> Option<BackupRecord> {
    let names = [Some(&record.backup_id), record.job_name.as_ref(), record.job_uid.as_ref()];
    if names.into_iter().flatten().any(|name| has_unseen(name)) {
        return None;
    }
    record.other_backup_ids.retain(|id| !has_unseen(id));
    for text in [
        &mut record.error,
        &mut record.first_error,
        &mut record.error_before,
        &mut record.read_back_error,
        &mut record.reason,
        &mut record.reason_before,
    ] {
        show(text);
    }
    for name in [&mut record.location, &mut record.connection] {
        name.take_if(|name| has_unseen(name));
    }
    record.cluster_ref.take_if(|cluster| {
        [Some(&cluster.namespace), Some(&cluster.name), cluster.uid.as_ref()]
            .into_iter()
            .flatten()
            .any(|it| has_unseen(it))
    });
    let all = record.tables.len();
    record.tables.retain(|table| !has_unseen(table));
    if let Some(left_out) = i32::try_from(all - record.tables.len()).ok().filter(|left_out| *left_out > 0) {
        record.tables_omitted = Some(record.tables_omitted.unwrap_or(0).saturating_add(left_out));
    }
    Some(record)
}

/// Returns what admission made of the CronJob, with names of fields that can be shown.
pub fn applied(mut applied: AppliedCronJob) -> AppliedCronJob {
    applied.changed_fields.iter_mut().for_each(|field| *field = one_line(field));
    applied
}

/// Returns a field manager, and its fields, with names that can be shown.
pub fn writer(mut writer: OtherWriter) -> OtherWriter {
    [&mut writer.manager].into_iter().chain(&mut writer.fields).for_each(|text| *text = one_line(text));
    writer
}

fn show(text: &mut Option<String>) {
    if let Some(shown) = text.as_deref().filter(|text| has_unseen(text)).map(one_line) {
        *text = Some(shown).filter(|shown| !shown.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn with(changes: Value) -> Option<BackupRecord> {
        let mut it =
            json!({"backupId": "a", "jobName": "a", "status": "Completed", "startTime": "2026-11-23T02:00:00Z"});
        it.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        record(serde_json::from_value(it).unwrap())
    }

    #[test]
    fn texts_lose_control_and_format_characters_and_names_with_them_are_left_out() {
        let odd = "a\u{1b}[2Jb\u{202e}";
        let tables = json!(["users", "us\u{200b}ers"]);
        let shown =
            with(json!({"error": odd, "location": odd, "connection": "conn", "tables": tables, "tableCount": 2,
            "otherBackupIds": [odd, "b"], "clusterRef": {"namespace": odd, "name": "main"}}));
        let wanted = with(json!({"error": "a [2Jb", "connection": "conn", "tables": ["users"], "tableCount": 2,
            "tablesOmitted": 1, "otherBackupIds": ["b"]}));
        assert_eq!(shown, wanted);
        assert_eq!(shown.clone().and_then(record), shown, "once is enough");
    }

    #[test]
    fn a_record_of_a_name_that_no_job_has_is_none() {
        assert_eq!(with(json!({"jobName": "a\u{7}"})), None);
        assert_eq!(with(json!({"backupId": "a\u{200d}"})), None);
    }
}
