//! What the result of an attempt adds to a record.

use super::record::{LONGEST_ERROR, not_verified};
use crate::{
    api::BackupRecord,
    backup::{BackupResult, Parsed, ResultStatus, reason},
    cluster::run::{Cause, Run},
    status::time::whole_seconds,
    text::{one_line, shortened},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

// bounds of the schema
const MOST_TABLES: usize = BackupRecord::TABLES_MAX_ITEMS;
const LONGEST_TABLE: usize = BackupRecord::TABLES_ITEM_MAX_LENGTH;

/// Returns why the message of the program does not verify the backup; `None` if it does.
pub fn unverified(message: &Parsed, backup_id: &str) -> Option<Cause> {
    let result = &message.result;
    if !result.backup_id.is_empty() && result.backup_id != backup_id {
        return Some(not_verified(
            reason::WRONG_BACKUP_ID,
            &format!("the Pod's message is about backup {:?}", result.backup_id),
        ));
    }
    if result.verified {
        return None;
    }
    if message.is_cut {
        return Some(not_verified(
            "MessageCut",
            "the Pod's message was cut off; a Pod with fewer containers leaves more room",
        ));
    }
    let reason = if result.reason.is_empty() { "NotVerified" } else { &result.reason };
    Some(not_verified(reason, result.note.as_deref().unwrap_or("the program does not say why")))
}

/// Takes over the tables, the size and the read-back of a result.
pub fn tables_of_result(record: &mut BackupRecord, run: &Run, result: &BackupResult) {
    let asked = run.job.request.as_ref().map(|request| request.tables.as_slice()).unwrap_or_default();
    let (mut tables, mut omitted) = (result.tables.clone(), result.tables_omitted);
    let lists_all_others = result.failed_tables_omitted == 0 && result.missing_tables_omitted == 0;
    if omitted > 0 && !asked.is_empty() && lists_all_others {
        // the tables that were asked for and are in none of the other lists
        let is_missing = |table: &String| {
            result.missing_tables.contains(table) || result.failed_tables.iter().any(|failed| failed.name == *table)
        };
        tables = asked.iter().filter(|table| !is_missing(table)).cloned().collect();
        omitted = 0;
    }
    let all = tables.len() + omitted;
    fit_tables(&mut tables);
    // a completed backup has tables, so a count of zero means that it is not known
    let count = Some(result.table_count.max(all)).filter(|count| *count > 0 || result.status == ResultStatus::Failed);
    record.table_count = count.and_then(|count| i32::try_from(count).ok());
    record.tables_omitted = i32::try_from(all - tables.len()).ok().filter(|omitted| *omitted > 0);
    record.tables = tables;
    record.size_bytes = result.size_bytes.and_then(|size| i64::try_from(size).ok());
    record.read_back_time = result.read_back_time.map(|time| Time(whole_seconds(time)));
    record.read_back_error = result.read_back_error.as_deref().map(|error| shortened(&one_line(error), LONGEST_ERROR));
}

/// Takes over the tables, the size and the read-back of another record.
pub fn tables_of(record: &mut BackupRecord, known: Option<&BackupRecord>) {
    let Some(known) = known else { return };
    record.tables.clone_from(&known.tables);
    record.table_count = known.table_count;
    record.tables_omitted = known.tables_omitted;
    record.size_bytes = known.size_bytes;
    record.read_back_time.clone_from(&known.read_back_time);
    record.read_back_error.clone_from(&known.read_back_error);
}

/// Sets the tables to those that the Job asks for; none of a Job that asks for all.
pub fn tables_of_request(record: &mut BackupRecord, run: &Run) {
    record.tables = run.job.request.as_ref().map(|request| request.tables.clone()).unwrap_or_default();
    fit_tables(&mut record.tables);
}

/// Removes the tables that the schema has no room for.
fn fit_tables(tables: &mut Vec<String>) {
    tables.retain(|table| table.chars().count() <= LONGEST_TABLE);
    tables.truncate(MOST_TABLES);
}
