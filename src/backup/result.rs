//! The result of one try, as the container's termination message carries it from the Pod to the operator.

use crate::text::shortened;
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use std::{cell::RefCell, fmt};

/// Most bytes of a termination message. The kubelet takes 12 KiB of a Pod's containers together, so this is what is left
/// to each where there are six
/// (<https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/>).
pub const LONGEST_MESSAGE: usize = 2048;

/// The first key of a message: it tells a result from other text.
const KEY: &str = "antflyBackup";

/// Version of the format, the value of [`KEY`]. Fields may be added without a new one.
const VERSION: u32 = 1;

/// Lengths that texts are cut to, one after the other, until the message fits, in characters.
const TEXT_LENGTHS: [usize; 4] = [500, 200, 100, 40];

/// What became of a try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResultStatus {
    /// Antfly said that all that was asked for is backed up, and named every table that was wanted.
    Completed,
    /// Some tables are backed up, others are not.
    Partial,
    /// There is no backup.
    Failed,
    /// Nobody knows: the try has not ended, or was cut off.
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
    /// Why; empty if Antfly does not say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// The result of a try. Its order is that of the message: what matters most comes first, should the message be cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BackupResult {
    /// What became of the backup.
    pub status: ResultStatus,
    /// Whether Antfly's answer proves that every wanted table is in the backup.
    pub verified: bool,
    /// The cause in one CamelCase word; empty for a verified backup.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The id that Antfly was asked to use.
    pub backup_id: String,
    /// Whether Antfly may have finished the backup without the program having seen its answer.
    #[serde(skip_serializing_if = "is_false")]
    pub outcome_unknown: bool,
    /// How many tables are backed up, also those that `tables` leaves out.
    #[serde(skip_serializing_if = "is_zero")]
    pub table_count: usize,
    /// Sizes of all objects of the backup below its snapshot paths, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// When the backup was read back at its destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_back_time: Option<Timestamp>,
    /// Why it was not read back; `None` if it was, or if nothing asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_back_error: Option<String>,
    /// Why the try failed, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Why a completed backup is not verified, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Tables that Antfly's answer names as anything but completed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_tables: Vec<FailedTable>,
    /// How many more of those there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed_tables_omitted: usize,
    /// Tables that were wanted and that Antfly's answer does not name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_tables: Vec<String>,
    /// How many more of those there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub missing_tables_omitted: usize,
    /// How many more tables are backed up than `tables` has room for.
    #[serde(skip_serializing_if = "is_zero")]
    pub tables_omitted: usize,
    /// Tables that are backed up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
}

/// A termination message that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The result, as far as the message has it.
    pub result: BackupResult,
    /// Whether the message was cut off: what comes after its last whole field is not known.
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
    /// Reads a termination message; `None` if it is not this program's. Unknown fields are ignored, unknown statuses are
    /// [`ResultStatus::Unknown`], and of a message that was cut off the whole fields count.
    pub fn parse(message: &str) -> Option<Parsed> {
        let message = message.trim();
        let fields = RefCell::new(serde_json::Map::new());
        let mut reader = serde_json::Deserializer::from_str(message);
        let is_whole = reader.deserialize_map(Fields(&fields)).and_then(|()| reader.end()).is_ok();
        let fields = fields.into_inner();
        // a message without its end still begins with the key
        let begins = message.strip_prefix("{\"").is_some_and(|rest| rest.starts_with(KEY));
        if !fields.contains_key(KEY) && !(begins && !is_whole) {
            return None;
        }
        let mut result = BackupResult::default();
        for (name, value) in fields {
            result.set(&name, value);
        }
        Some(Parsed { result, is_cut: !is_whole })
    }

    /// Takes one field of a message; one that has another form than it should is ignored.
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

    /// Writes the termination message, of at most [`LONGEST_MESSAGE`] bytes. To make it fit, names of tables are left out
    /// and counted first: those that are backed up, then the missing ones; then the failed tables' errors are cut, then
    /// those tables are left out and counted, and then the other texts are cut.
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
        serde_json::to_string(&Envelope { version: VERSION, result: self })
            .expect("strings, numbers and lists of them are JSON")
    }
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// Collects the fields of an object, also of one that breaks off.
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
    fn other_messages_are_none() {
        for message in ["", "Backup command successful.", r#"{"status":"completed","verified":true}"#, "1", "[]", "{"] {
            assert_eq!(BackupResult::parse(message), None, "{message}");
        }
        let later = r#"{"antflyBackup":2,"status":"superb","news":[1],"verified":"yes","backupId":"x"}"#;
        let expected = BackupResult { backup_id: "x".into(), ..Default::default() };
        assert_eq!(BackupResult::parse(later), Some(Parsed { result: expected, is_cut: false }));
    }

    #[test]
    fn of_a_message_that_was_cut_the_whole_fields_count() {
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
