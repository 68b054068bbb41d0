//! The lines of antfly's answer in its text form:
//!
//! ```text
//! Sending BACKUP request for users, orders, backupID 'daily-29400120', location 's3://bucket/backups'
//! Backup completed with status: partial
//!   - users: completed
//!   - orders: failed (error: shard 3 is gone)
//! Backup command successful.
//! ```

use super::answer::{COMPLETED, FINAL, TableOutcome};

/// What an answer begins with.
const HEADER: &str = "Backup completed with status:";

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextLine {
    /// The request that antfly is about to send, with the id of the backup.
    Request {
        /// The id that it names.
        id: String,
    },
    /// The first line of an answer.
    Header {
        /// Its status as antfly wrote it.
        status: String,
    },
    /// A table of an answer.
    Table {
        /// What became of the table.
        outcome: TableOutcome,
        /// Whether the error message goes on in the next line.
        open: bool,
    },
    /// `Backup command successful.`, which antfly prints whatever the answer says.
    Farewell,
    /// Anything else.
    Other,
}

/// Tells what a line, without its end, is.
pub fn classify(line: &str) -> TextLine {
    if let Some(rest) = line.strip_prefix("Sending BACKUP request for ")
        && let Some((_, rest)) = rest.split_once(", backupID '")
    {
        let id = rest.split_once("', location '").map_or(rest.trim_end_matches('\''), |(id, _)| id);
        return TextLine::Request { id: id.to_owned() };
    }
    if let Some(status) = line.strip_prefix(HEADER) {
        return TextLine::Header { status: status.trim().to_owned() };
    }
    if line.trim_end() == "Backup command successful." {
        return TextLine::Farewell;
    }
    let table = line.strip_prefix("  - ").and_then(table);
    table.or_else(|| header_within(line)).unwrap_or(TextLine::Other)
}

/// Whether the output may have broken off within the first line of an answer.
pub fn breaks_off_in_header(last_line: &str) -> bool {
    last_line.len() >= "Backup completed".len() && HEADER.starts_with(last_line)
}

/// A header behind other output that has no line end, such as that of a progress bar, or in a log line. There it may be a
/// quotation: only statuses that antfly is known to have count, and good news only as it prints them.
fn header_within(line: &str) -> Option<TextLine> {
    let status = line.rsplit_once(HEADER)?.1.trim();
    let word = status.split(|character: char| !character.is_ascii_alphanumeric()).next()?;
    let is_one = FINAL.contains(&word) && (word != COMPLETED || word == status);
    is_one.then(|| TextLine::Header { status: word.to_owned() })
}

/// Reads `TABLE: STATUS` or `TABLE: STATUS (error: MESSAGE)`. TABLE and STATUS hold no white space, MESSAGE may hold anything.
fn table(text: &str) -> Option<TextLine> {
    let (name, rest) = text.split_once(char::is_whitespace)?;
    let name = name.strip_suffix(':').filter(|name| !name.is_empty())?;
    let rest = rest.trim_end();
    let (status, error) = match rest.split_once(char::is_whitespace) {
        None => (rest, None),
        Some((status, rest)) => (status, Some(rest.trim_start().strip_prefix("(error:")?.trim_start())),
    };
    if status.is_empty() {
        return None;
    }
    let open = error.is_some_and(|error| !error.ends_with(')'));
    let error = error.map(|error| error.strip_suffix(')').unwrap_or(error).to_owned());
    let outcome = TableOutcome { name: name.to_owned(), status: status.to_owned(), error };
    Some(TextLine::Table { outcome, open })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table_line(name: &str, status: &str, error: Option<&str>, open: bool) -> TextLine {
        let error = error.map(str::to_owned);
        TextLine::Table { outcome: TableOutcome { name: name.into(), status: status.into(), error }, open }
    }

    #[test]
    fn table_lines_are_read_from_the_right_form() {
        for (line, expected) in [
            ("  - users: completed", table_line("users", "completed", None, false)),
            ("  - orders: failed (error: no space)", table_line("orders", "failed", Some("no space"), false)),
            ("  - a:b: skipped", table_line("a:b", "skipped", None, false)),
            ("  - a:(error:b: failed (error: c)", table_line("a:(error:b", "failed", Some("c"), false)),
            ("  - t: failed (error: f(x) (error: y))", table_line("t", "failed", Some("f(x) (error: y)"), false)),
            ("  - t: failed (error: )", table_line("t", "failed", Some(""), false)),
            ("  - t: failed (error: first line", table_line("t", "failed", Some("first line"), true)),
        ] {
            assert_eq!(classify(line), expected, "{line}");
        }
    }

    #[test]
    fn lines_that_only_look_like_tables_are_none() {
        for line in [
            "- users: completed",
            "  - users",
            "  - : completed",
            "  - users:",
            "  - a b: completed",
            "  -h, --help   help",
        ] {
            assert_eq!(classify(line), TextLine::Other, "{line}");
        }
    }

    #[test]
    fn the_request_names_the_id() {
        let line = "Sending BACKUP request for all tables, backupID 'x', location 's3://it's'";
        assert_eq!(classify(line), TextLine::Request { id: "x".into() });
        assert_eq!(classify("Sending BACKUP request for a, backupID 'x'"), TextLine::Request { id: "x".into() });
        assert_eq!(classify("Sending BACKUP request for a"), TextLine::Other);
    }

    #[test]
    fn a_header_behind_other_output_has_a_known_status() {
        for (line, expected) in [
            ("copied 100%\rBackup completed with status: completed", Some("completed")),
            ("....Backup completed with status: partial ", Some("partial")),
            (r#"level=info msg="Backup completed with status: failed""#, Some("failed")),
            (r#"level=info msg="Backup completed with status: completed""#, None),
            ("waiting for: Backup completed with status: whatever", None),
            ("waiting for: Backup completed with status:", None),
        ] {
            let expected = expected.map_or(TextLine::Other, |status| TextLine::Header { status: status.to_owned() });
            assert_eq!(classify(line), expected, "{line}");
        }
        let quoted = "  - a: failed (error: Backup completed with status: failed)";
        assert_eq!(classify(quoted), table_line("a", "failed", Some("Backup completed with status: failed"), false));
    }

    #[test]
    fn a_header_has_any_status() {
        assert_eq!(classify("Backup completed with status: odd"), TextLine::Header { status: "odd".into() });
        assert_eq!(classify("Backup completed with status:"), TextLine::Header { status: String::new() });
    }
}
