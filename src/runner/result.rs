//! The result of a run, as the container's termination message carries it to the operator.

use super::tail::shortened;
use serde::{Deserialize, Serialize};

/// Most bytes that the kubelet takes of a termination message
/// (<https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/>).
pub const LONGEST_MESSAGE: usize = 4096;

/// Version of the format, under the key `runner`. Fields may be added without a new one.
const VERSION: u32 = 1;

/// Lengths that the errors are cut to, one after the other, until the message fits, in characters.
const ERROR_LENGTHS: [usize; 4] = [1000, 500, 250, 120];
const TABLE_ERROR_LENGTHS: [usize; 5] = [500, 200, 100, 50, 20];

/// What became of a backup, or of the part of it that the runner saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// antfly answered that all that was asked for is backed up, and the answer names every table that was asked for.
    Completed,
    /// Some tables are backed up, others are not.
    Partial,
    /// The backup failed.
    Failed,
    /// The command succeeded without an answer.
    Unverified,
    /// Nobody knows: antfly has not ended, its answer is for another backup or can't be understood.
    #[default]
    #[serde(other)]
    Unknown,
}

/// A table that was not backed up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FailedTable {
    /// The table.
    pub name: String,
    /// Why; empty if antfly does not say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunResult {
    /// The id that the command asked antfly to use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_id: Option<String>,
    /// What became of the backup.
    pub status: RunStatus,
    /// Whether antfly's answer proves that the backup is complete.
    pub verified: bool,
    /// Tables that are backed up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// How many more tables are backed up than `tables` has room for.
    #[serde(skip_serializing_if = "is_zero")]
    pub tables_omitted: usize,
    /// Tables that antfly's answer names as anything but completed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_tables: Vec<FailedTable>,
    /// How many more of those there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed_tables_omitted: usize,
    /// Tables that were asked for and that antfly's answer does not name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_tables: Vec<String>,
    /// How many more of those there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub missing_tables_omitted: usize,
    /// Why the run failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Exit code of the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Number of the signal that killed the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}

/// The message: the key `runner` tells it from a last line of antfly's log, which the kubelet gives when there is no message.
#[derive(Serialize, Deserialize)]
struct Envelope<R> {
    runner: u32,
    #[serde(flatten)]
    result: R,
}

impl RunResult {
    /// Reads a termination message; None if it is none of the runner's. Unknown fields are ignored, and unknown statuses
    /// are [`RunStatus::Unknown`].
    pub fn parse(message: &str) -> Option<Self> {
        serde_json::from_str(message.trim()).ok().map(|envelope: Envelope<Self>| envelope.result)
    }

    /// Writes the termination message, of at most [`LONGEST_MESSAGE`] bytes. To make it fit, errors are shortened, then
    /// the failed tables' errors, then tables are left out and counted: completed, missing, and failed ones.
    pub fn to_message(&self) -> String {
        let mut cut = self.clone();
        for length in ERROR_LENGTHS {
            if cut.fits() {
                break;
            }
            cut.error = cut.error.map(|error| shortened(&error, length));
        }
        for length in TABLE_ERROR_LENGTHS {
            if cut.fits() {
                break;
            }
            for table in &mut cut.failed_tables {
                table.error = shortened(&table.error, length);
            }
        }
        cut.leave_out(|result| (&mut result.tables, &mut result.tables_omitted));
        cut.leave_out(|result| (&mut result.missing_tables, &mut result.missing_tables_omitted));
        cut.leave_out(|result| (&mut result.failed_tables, &mut result.failed_tables_omitted));
        if !cut.fits() {
            // only an id that is no Job's name is as long as that
            cut.backup_id = None;
        }
        cut.json()
    }

    /// Keeps as much of the beginning of a list as fits.
    fn leave_out<T: Clone>(&mut self, list: impl Fn(&mut Self) -> (&mut Vec<T>, &mut usize)) {
        if self.fits() {
            return;
        }
        let (items, omitted) = list(self);
        let (items, omitted) = (std::mem::take(items), *omitted);
        let mut keep = |count: usize| {
            *list(self).0 = items[..count].to_vec();
            *list(self).1 = omitted + items.len() - count;
            self.fits()
        };
        let (mut fitting, mut too_many) = (0, items.len());
        while fitting + 1 < too_many {
            let middle = fitting.midpoint(too_many);
            if keep(middle) {
                fitting = middle;
            } else {
                too_many = middle;
            }
        }
        keep(fitting);
    }

    fn fits(&self) -> bool {
        self.json().len() <= LONGEST_MESSAGE
    }

    fn json(&self) -> String {
        serde_json::to_string(&Envelope { runner: VERSION, result: self })
            .expect("strings, numbers and lists of them are JSON")
    }
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("table-{number}")).collect()
    }

    #[test]
    fn a_small_result_is_compact() {
        let result = RunResult {
            backup_id: Some("daily-1".into()),
            status: RunStatus::Partial,
            tables: vec!["users".into()],
            failed_tables: vec![FailedTable { name: "orders".into(), error: "no space".into() }],
            error: Some("the backup is partial".into()),
            exit_code: Some(0),
            ..Default::default()
        };
        let message = concat!(
            r#"{"runner":1,"backupId":"daily-1","status":"partial","verified":false,"tables":["users"],"#,
            r#""failedTables":[{"name":"orders","error":"no space"}],"error":"the backup is partial","exitCode":0}"#
        );
        assert_eq!(result.to_message(), message);
        assert_eq!(RunResult::parse(&format!("{message}\n")), Some(result));
    }

    #[test]
    fn only_the_runners_messages_are_parsed() {
        for message in ["", "Backup command successful.", r#"{"status":"completed","verified":true}"#, "1", "[]", "{"] {
            assert_eq!(RunResult::parse(message), None, "{message}");
        }
        let later = RunResult::parse(r#"{"runner":2,"status":"superb","news":[1]}"#).unwrap();
        assert_eq!(later, RunResult::default());
    }

    #[test]
    fn errors_are_cut_before_tables() {
        let result = RunResult {
            tables: names(100),
            failed_tables: vec![FailedTable { name: "orders".into(), error: "ü".repeat(1000) }],
            error: Some("ä".repeat(1000)),
            ..Default::default()
        };
        let message = RunResult::parse(&result.to_message()).unwrap();
        assert_eq!(message.tables, result.tables);
        let lengths =
            [message.error.unwrap(), message.failed_tables[0].error.clone()].map(|error| error.chars().count());
        assert_eq!(lengths, [250, 1000]);
    }

    #[test]
    fn tables_are_cut_last_and_counted() {
        let result = RunResult { tables: names(10_000), tables_omitted: 5, ..Default::default() };
        let text = result.to_message();
        assert!((LONGEST_MESSAGE - 20..=LONGEST_MESSAGE).contains(&text.len()), "{}", text.len());
        let message = RunResult::parse(&text).unwrap();
        assert_eq!(message.tables.len() + message.tables_omitted, 10_005);
        assert_eq!(message.tables, names(message.tables.len()));
    }

    fn result() -> impl Strategy<Value = RunResult> {
        let text = || prop_oneof![18 => ".{0,40}", 1 => Just("\u{1}".repeat(700)), 1 => Just("😀".repeat(1100))];
        let names = || prop::collection::vec(text(), 0..40);
        (text(), names(), names(), names(), text()).prop_map(|(id, tables, missing_tables, failed, error)| RunResult {
            backup_id: Some(id),
            tables,
            missing_tables,
            failed_tables: failed.into_iter().map(|name| FailedTable { error: name.clone(), name }).collect(),
            error: Some(error),
            ..Default::default()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_result_fits_and_nothing_goes_uncounted(result in result()) {
            let text = result.to_message();
            prop_assert!(text.len() <= LONGEST_MESSAGE);
            let message = RunResult::parse(&text).unwrap();
            prop_assert_eq!(message.tables.len() + message.tables_omitted, result.tables.len());
            prop_assert_eq!(message.missing_tables.len() + message.missing_tables_omitted, result.missing_tables.len());
            prop_assert_eq!(message.failed_tables.len() + message.failed_tables_omitted, result.failed_tables.len());
        }
    }
}
