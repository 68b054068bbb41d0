//! The result of one attempt, which the container's termination message carries from the Pod to the operator.

use crate::text::{escaped_json, shortened};
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use std::{cell::RefCell, fmt};

/// Longest termination message, in bytes. The kubelet keeps 12 KiB for all containers of a Pod; this is one container's
/// share if there are six
/// (<https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/>).
pub const LONGEST_MESSAGE: usize = 2048;

/// The first key of a message. It distinguishes a result from other text.
const KEY: &str = "antflyBackup";

/// Version of the format, the value of [`KEY`]. New fields do not change it.
const VERSION: u32 = 1;

/// Lengths in characters to which texts are cut, one after the other, until the message fits.
const TEXT_LENGTHS: [usize; 4] = [500, 200, 100, 40];

/// The outcome of an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResultStatus {
    /// Antfly answered that everything is backed up, and named every wanted table.
    Completed,
    /// Only some tables were backed up.
    Partial,
    /// There is no backup.
    Failed,
    /// Unknown: the attempt has not ended, or was cut off.
    #[default]
    #[serde(other)]
    Unknown,
}

/// A table that was not backed up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FailedTable {
    /// The name of the table.
    pub name: String,
    /// Why it failed; empty if Antfly does not say why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// The result of an attempt. The most important fields come first, because a message can be cut off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BackupResult {
    /// The outcome of the backup.
    pub status: ResultStatus,
    /// Whether Antfly's answer proves that the backup contains every wanted table.
    pub verified: bool,
    /// The cause, one CamelCase word; empty for a verified backup.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The id of the requested backup.
    pub backup_id: String,
    /// Whether Antfly may have finished the backup although the program did not see its answer.
    #[serde(skip_serializing_if = "is_false")]
    pub outcome_unknown: bool,
    /// Number of tables that were backed up, including those that `tables` leaves out.
    #[serde(skip_serializing_if = "is_zero")]
    pub table_count: usize,
    /// Total size of all objects below the backup's snapshot paths, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// When the backup was read back from its destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_back_time: Option<Timestamp>,
    /// Why the backup was not read back; `None` if it was, or was not to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_back_error: Option<String>,
    /// Why the attempt failed, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Why a completed backup is not verified, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Tables whose status in Antfly's answer is not completed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_tables: Vec<FailedTable>,
    /// How many failed tables are left out.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed_tables_omitted: usize,
    /// Wanted tables that are missing in Antfly's answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_tables: Vec<String>,
    /// How many missing tables are left out.
    #[serde(skip_serializing_if = "is_zero")]
    pub missing_tables_omitted: usize,
    /// How many tables are left out of `tables`.
    #[serde(skip_serializing_if = "is_zero")]
    pub tables_omitted: usize,
    /// Tables that were backed up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
}

/// A parsed termination message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The result, as far as the message contains it.
    pub result: BackupResult,
    /// Whether the message was cut off, so that later fields are unknown.
    pub is_cut: bool,
}

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "antflyBackup")]
    version: u32,
    #[serde(flatten)]
    result: &'a BackupResult,
}

impl BackupResult {
    /// Parses a termination message. Returns `None` if this program did not write it. Ignores unknown fields, reads an
    /// unknown status as [`ResultStatus::Unknown`], and uses the complete fields of a message that was cut off.
    pub fn parse(message: &str) -> Option<Parsed> {
        let message = message.trim();
        let fields = RefCell::new(serde_json::Map::new());
        let mut reader = serde_json::Deserializer::from_str(message);
        let is_whole = reader.deserialize_map(Fields(&fields)).and_then(|()| reader.end()).is_ok();
        let fields = fields.into_inner();
        // A message that was cut off still begins with the key.
        let begins = message.strip_prefix("{\"").is_some_and(|rest| rest.starts_with(KEY));
        let is_ours = fields.contains_key(KEY) || (begins && !is_whole);
        if !is_ours {
            return None;
        }
        let mut result = BackupResult::default();
        for (name, value) in fields {
            result.set(&name, value);
        }
        Some(Parsed { result, is_cut: !is_whole })
    }

    /// Sets one field. Ignores a value of the wrong type.
    fn set(&mut self, name: &str, value: Value) {
        let mut fields = match serde_json::to_value(&*self) {
            Ok(Value::Object(fields)) => fields,
            _ => return,
        };
        fields.insert(name.to_owned(), value);
        if let Ok(changed) = serde_json::from_value(Value::Object(fields)) {
            *self = changed;
        }
    }

    /// Returns the termination message, of at most [`LONGEST_MESSAGE`] bytes. To make it fit, leaves out and counts the
    /// names of tables: first those that were backed up, then the missing ones. After that it cuts the errors of the failed
    /// tables, leaves out and counts failed tables, and cuts the other texts.
    pub fn to_message(&self) -> String {
        let mut cut = self.clone();
        cut.leave_out(|result| (&mut result.tables, &mut result.tables_omitted));
        cut.leave_out(|result| (&mut result.missing_tables, &mut result.missing_tables_omitted));
        for length in TEXT_LENGTHS {
            if cut.fits() {
                break;
            }
            for table in &mut cut.failed_tables {
                table.error = shortened(&table.error, length);
            }
        }
        cut.leave_out(|result| (&mut result.failed_tables, &mut result.failed_tables_omitted));
        for length in TEXT_LENGTHS {
            if cut.fits() {
                break;
            }
            for text in [&mut cut.read_back_error, &mut cut.note, &mut cut.error].into_iter().flatten() {
                *text = shortened(text, length);
            }
        }
        cut.json()
    }

    /// Shortens a list to as many of its first entries as fit.
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
        let json = serde_json::to_string(&Envelope { version: VERSION, result: self })
            .expect("strings, numbers and lists of them are JSON");
        // whoever describes the Pod is shown the message as it is, and names in it must stay what they are
        escaped_json(&json).into_owned()
    }
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// Collects the fields of a JSON object, even of one that breaks off.
struct Fields<'a>(&'a RefCell<serde_json::Map<String, Value>>);

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry()? {
            self.0.borrow_mut().insert(name, value);
        }
        Ok(())
    }
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
        let result = BackupResult {
            status: ResultStatus::Partial,
            reason: "PartialBackup".into(),
            backup_id: "daily-1".into(),
            table_count: 1,
            error: Some("the backup is partial".into()),
            failed_tables: vec![FailedTable { name: "orders".into(), error: "no space".into() }],
            tables: vec!["users".into()],
            ..Default::default()
        };
        let message = concat!(
            r#"{"antflyBackup":1,"status":"partial","verified":false,"reason":"PartialBackup","backupId":"daily-1","#,
            r#""tableCount":1,"error":"the backup is partial","failedTables":[{"name":"orders","error":"no space"}],"#,
            r#""tables":["users"]}"#
        );
        assert_eq!(result.to_message(), message);
        let parsed = BackupResult::parse(&format!("{message}\n")).unwrap();
        assert_eq!(parsed, Parsed { result, is_cut: false });
    }

    #[test]
    fn a_message_has_no_control_and_format_characters_and_its_names_are_exact() {
        let names = vec!["us\u{202e}ers".to_owned(), "\u{85}\u{e0041}\u{7f}\n".to_owned()];
        let result = BackupResult { tables: names, table_count: 2, ..Default::default() };
        let message = result.to_message();
        assert!(!crate::text::has_unseen(&message), "{message:?}");
        assert_eq!(BackupResult::parse(&message), Some(Parsed { result, is_cut: false }));
    }

    #[test]
    fn other_messages_are_none() {
        for message in ["", "Backup command successful.", r#"{"status":"completed","verified":true}"#, "1", "[]", "{"] {
            assert_eq!(BackupResult::parse(message), None, "{message}");
        }
        let later = r#"{"antflyBackup":2,"status":"superb","news":[1],"verified":"yes","backupId":"x"}"#;
        let expected = BackupResult { backup_id: "x".into(), ..Default::default() };
        assert_eq!(BackupResult::parse(later), Some(Parsed { result: expected, is_cut: false }));
    }

    #[test]
    fn the_complete_fields_of_a_cut_message_are_read() {
        let result = BackupResult {
            status: ResultStatus::Completed,
            verified: true,
            backup_id: "daily-1".into(),
            table_count: 100,
            tables: names(100),
            ..Default::default()
        };
        let message = result.to_message();
        let parsed = BackupResult::parse(&message[..message.len() / 2]).unwrap();
        assert!(parsed.is_cut);
        assert_eq!(parsed.result, BackupResult { tables: Vec::new(), ..result });
        for length in r#"{"antflyBackup"#.len()..message.len() {
            let parsed = BackupResult::parse(&message[..length]);
            assert!(parsed.is_some_and(|parsed| parsed.is_cut), "{length}");
        }
    }

    #[test]
    fn names_are_cut_before_texts_and_counted() {
        let result = BackupResult {
            error: Some("ä".repeat(400)),
            failed_tables: vec![FailedTable { name: "orders".into(), error: "ü".repeat(300) }],
            table_count: 10_005,
            tables: names(10_000),
            tables_omitted: 5,
            ..Default::default()
        };
        let text = result.to_message();
        assert!((LONGEST_MESSAGE - 20..=LONGEST_MESSAGE).contains(&text.len()), "{}", text.len());
        let message = BackupResult::parse(&text).unwrap().result;
        assert_eq!(message.tables.len() + message.tables_omitted, 10_005);
        assert_eq!(message.tables, names(message.tables.len()));
        assert_eq!((message.error, message.failed_tables), (result.error, result.failed_tables));
    }

    fn result() -> impl Strategy<Value = BackupResult> {
        let text = || prop_oneof![18 => ".{0,40}", 1 => Just("\u{1}".repeat(700)), 1 => Just("😀".repeat(1100))];
        let names = || prop::collection::vec(text(), 0..40);
        (names(), names(), names(), text(), text()).prop_map(|(tables, missing_tables, failed, error, note)| {
            BackupResult {
                backup_id: "x".repeat(81),
                tables,
                missing_tables,
                failed_tables: failed.into_iter().map(|name| FailedTable { error: name.clone(), name }).collect(),
                error: Some(error.clone()),
                note: Some(note),
                read_back_error: Some(error),
                ..Default::default()
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_result_fits_and_nothing_goes_uncounted(result in result()) {
            let text = result.to_message();
            prop_assert!(text.len() <= LONGEST_MESSAGE);
            let parsed = BackupResult::parse(&text).unwrap();
            prop_assert!(!parsed.is_cut);
            let message = parsed.result;
            prop_assert_eq!(message.tables.len() + message.tables_omitted, result.tables.len());
            prop_assert_eq!(message.missing_tables.len() + message.missing_tables_omitted, result.missing_tables.len());
            prop_assert_eq!(message.failed_tables.len() + message.failed_tables_omitted, result.failed_tables.len());
        }
    }
}
