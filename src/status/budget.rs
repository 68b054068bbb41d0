//! The budget of a status: how much it takes at most, and what gives way.
//!
//! In order: the tables of old records, those of all records, errors, and then what else says more than that a run was there. A record
//! that lost something keeps that loss, and says so ([`BackupRecord::omitted`]): a Job that still exists would bring it back, and
//! the status would change at rest.

use crate::{
    api::{AntflyBackupStatus, BackupRecord, BackupStatus, Omitted, OmittedFromRecord, OmittedFromStatus},
    status::records::are_of_one_run,
    text::{json_bytes, one_line, shortened},
};

/// Most bytes of a status, as the API server stores it: as JSON, escapes counted.
pub const BUDGET: usize = 512 * 1024;

/// Room that is kept for the condition and the field that tell of what was left out.
const ROOM_TO_TELL: usize = 12 * 1024;

/// Most bytes of the message of a condition, as JSON.
const MOST_MESSAGE_BYTES: usize = 8 * 1024;

/// Most bytes of all conditions: eight of them, each with a message of [`MOST_MESSAGE_BYTES`].
const MOST_CONDITION_BYTES: usize = 72 * 1024;

/// Most characters of an error that gave way.
const SHORT_ERROR: usize = 64;

/// Makes a status fit: leaves out what `earlier` left out, and what there is no room for. Sets [`AntflyBackupStatus::omitted`].
/// Where errors gave way, the conditions are to be made anew, of the records as they are now.
pub fn fit(status: &mut AntflyBackupStatus, earlier: Option<&AntflyBackupStatus>) {
    earlier.into_iter().for_each(|earlier| leave_out_again(status, earlier));
    let whole = json_bytes(status);
    let room = if whole > BUDGET || any_omitted(status) { BUDGET - ROOM_TO_TELL } else { BUDGET };
    let mut excess = whole.saturating_sub(room);
    let newest = newest(status);
    let old = |record: usize| Some(record) != newest;
    take(status, OmittedFromRecord::Tables, old, &mut excess);
    take(status, OmittedFromRecord::Tables, |_| true, &mut excess);
    if excess > 0 {
        // conditions have texts of records: their size must not decide which records lose theirs
        let conditions = std::mem::take(&mut status.conditions);
        excess = (json_bytes(status) + MOST_CONDITION_BYTES).saturating_sub(room);
        take(status, OmittedFromRecord::Errors, |_| true, &mut excess);
        take(status, OmittedFromRecord::Details, |_| true, &mut excess);
        status.conditions = conditions;
    }
    let refusal =
        earlier.and_then(|status| status.omitted.as_ref()).and_then(|omitted| omitted.refusal.as_deref().map(one_line));
    status.omitted = omitted(status).map(|what| Omitted { what, refusal });
}

/// Leaves out a part of all records, since the API server refused the status with it. Returns `None` if it had none.
pub fn without(status: &AntflyBackupStatus, part: OmittedFromRecord, refusal: &str) -> Option<AntflyBackupStatus> {
    let mut smaller = status.clone();
    take(&mut smaller, part, |_| true, &mut usize::MAX.clone());
    if smaller == *status {
        return None;
    }
    let refusal = Some(shortened(&one_line(refusal), Omitted::REFUSAL_MAX_LENGTH));
    smaller.omitted = omitted(&smaller).map(|what| Omitted { what, refusal });
    Some(smaller)
}

/// Returns a message as a condition has it: on one line, without control and format characters, and not too long.
pub fn fitted_message(message: &str) -> String {
    cut_message(&one_line(message))
}

/// Returns as much of a message as has room in a condition.
fn cut_message(message: &str) -> String {
    let most = AntflyBackupStatus::CONDITIONS_ITEM_MESSAGE_MAX_LENGTH;
    if message.len() <= MOST_MESSAGE_BYTES / 6 {
        return message.to_owned();
    }
    let fits = |text: &str| text.chars().count() <= most && json_bytes(text) <= MOST_MESSAGE_BYTES;
    if fits(message) {
        return message.to_owned();
    }
    let mut bytes = json_bytes("…");
    let kept = message.chars().take_while(|character| {
        bytes += json_bytes(character) - 2;
        bytes <= MOST_MESSAGE_BYTES
    });
    let mut cut: String = kept.collect();
    cut.push('…');
    cut
}

/// Leaves out what the status as it was left out of the same records, while these are as they were.
fn leave_out_again(status: &mut AntflyBackupStatus, earlier: &AntflyBackupStatus) {
    for record in &mut status.recent_backups {
        let known = earlier.recent_backups.iter().find(|known| are_of_one_run(known, record));
        known.into_iter().for_each(|known| leave_out_of(record, known));
    }
    let last = [
        (&mut status.last_failed_backup, &earlier.last_failed_backup),
        (&mut status.last_successful_backup, &earlier.last_successful_backup),
    ];
    for (record, known) in last {
        let both = record.as_mut().zip(known.as_ref()).filter(|(record, known)| are_of_one_run(record, known));
        both.into_iter().for_each(|(record, known)| leave_out_of(record, known));
    }
}

fn leave_out_of(record: &mut BackupRecord, known: &BackupRecord) {
    let Some(part) = known.omitted.filter(|_| known.status == record.status) else { return };
    leave_out(record, part);
    if rank(part) >= rank(OmittedFromRecord::Errors) && known.reason == record.reason {
        record.error = known.error.as_deref().map(one_line);
    }
}

/// Takes a part of the records, until they are smaller by `excess` bytes: of the oldest of `recentBackups` first, and then of the
/// last failed and the last successful one. `is_wanted` says of which records of `recentBackups`, by their place; the two others
/// count only if all are.
fn take(
    status: &mut AntflyBackupStatus,
    part: OmittedFromRecord,
    is_wanted: impl Fn(usize) -> bool,
    excess: &mut usize,
) {
    let all = (0..status.recent_backups.len()).all(&is_wanted);
    let recent = status.recent_backups.iter_mut().enumerate().rev();
    let recent = recent.filter(|(place, _)| is_wanted(*place)).map(|(_, record)| record);
    let last = [&mut status.last_failed_backup, &mut status.last_successful_backup];
    let last = last.into_iter().flatten().filter(|_| all);
    for record in recent.chain(last) {
        if *excess == 0 {
            return;
        }
        let before = json_bytes(record);
        leave_out(record, part);
        // a record of few and short names grows by what says that they are left out
        *excess = excess.saturating_add(json_bytes(record)).saturating_sub(before);
    }
}

/// Leaves a part out of a record, with all that gives way before it.
fn leave_out(record: &mut BackupRecord, part: OmittedFromRecord) {
    let mut is_left_out = |part: OmittedFromRecord| {
        record.omitted = record.omitted.filter(|known| rank(*known) > rank(part)).or(Some(part));
    };
    if !record.tables.is_empty() {
        let omitted = i32::try_from(std::mem::take(&mut record.tables).len()).unwrap_or(i32::MAX);
        record.tables_omitted = Some(record.tables_omitted.unwrap_or(0).saturating_add(omitted));
        is_left_out(OmittedFromRecord::Tables);
    }
    if rank(part) < rank(OmittedFromRecord::Errors) {
        return;
    }
    let short = record.error.as_deref().map(|error| shortened(error, SHORT_ERROR));
    let others = [&mut record.first_error, &mut record.error_before, &mut record.read_back_error];
    let has_lost = others.into_iter().filter_map(Option::take).count() > 0;
    if has_lost || short != record.error {
        is_left_out(OmittedFromRecord::Errors);
    }
    record.error = short;
    if rank(part) < rank(OmittedFromRecord::Details) {
        return;
    }
    let texts = [&mut record.location, &mut record.connection];
    let has_lost = texts.into_iter().filter_map(Option::take).count() > 0;
    let has_lost = record.cluster_ref.take().is_some() || has_lost;
    if !std::mem::take(&mut record.other_backup_ids).is_empty() || has_lost {
        is_left_out(OmittedFromRecord::Details);
    }
}

fn rank(part: OmittedFromRecord) -> u8 {
    match part {
        OmittedFromRecord::Tables => 0,
        OmittedFromRecord::Errors => 1,
        OmittedFromRecord::Details => 2,
    }
}

/// Returns how much a status leaves out: more than another one, or less.
pub fn weight(what: OmittedFromStatus) -> u8 {
    match what {
        OmittedFromStatus::TablesOfOldRecords => 0,
        OmittedFromStatus::Tables => 1,
        OmittedFromStatus::Errors => 2,
        OmittedFromStatus::Details => 3,
    }
}

/// Returns the place of the newest record of `recentBackups` that has ended. All others are old.
fn newest(status: &AntflyBackupStatus) -> Option<usize> {
    status.recent_backups.iter().position(|record| record.status != BackupStatus::Running)
}

fn any_omitted(status: &AntflyBackupStatus) -> bool {
    omitted(status).is_some()
}

/// Returns what a status leaves out, by its records.
fn omitted(status: &AntflyBackupStatus) -> Option<OmittedFromStatus> {
    let newest = newest(status).map(|place| &status.recent_backups[place]);
    let last = [status.last_failed_backup.as_ref(), status.last_successful_backup.as_ref(), newest];
    let is_of_all = last.into_iter().flatten().any(|record| record.omitted.is_some());
    let last = last.into_iter().flatten();
    match status.recent_backups.iter().chain(last).filter_map(|record| record.omitted).max_by_key(|part| rank(*part))? {
        OmittedFromRecord::Details => Some(OmittedFromStatus::Details),
        OmittedFromRecord::Errors => Some(OmittedFromStatus::Errors),
        OmittedFromRecord::Tables if is_of_all => Some(OmittedFromStatus::Tables),
        OmittedFromRecord::Tables => Some(OmittedFromStatus::TablesOfOldRecords),
    }
}

#[cfg(test)]
mod tests;
