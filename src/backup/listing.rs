//! Antfly's list of the backups at a location: `GET /db/v1/backups`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Characters to escape in a query: all except the unreserved ones of RFC 3986, and `:` and `/`, which the June versions
/// do not decode.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/');

/// Most pages to read of one list.
pub const MOST_PAGES: usize = 20;

/// One page of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Page {
    backups: Option<Vec<Listed>>,
    next_cursor: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Listed {
    backup_id: String,
    tables: Option<BTreeSet<String>>,
}

impl Page {
    /// Returns the tables of the backup `id`, if the page lists it.
    pub fn tables_of(&self, id: &str) -> Option<BTreeSet<String>> {
        let listed = self.backups.iter().flatten().find(|listed| listed.backup_id == id)?;
        Some(listed.tables.clone().unwrap_or_default())
    }

    /// Returns the cursor of the next page, if there is one.
    pub fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref().filter(|cursor| !cursor.is_empty())
    }
}

/// Returns the path and query of a page of the list.
pub fn path(location: &str, connection: Option<&str>, cursor: Option<&str>) -> String {
    let mut path = format!("/db/v1/backups?location={}", escaped(location));
    for (name, value) in [("connection", connection), ("cursor", cursor)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", escaped(value)));
        }
    }
    path
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_and_slashes_stand_raw_in_the_query() {
        assert_eq!(path("s3://bucket/a", None, None), "/db/v1/backups?location=s3://bucket/a");
        assert_eq!(
            path("file:///a b&c#d", Some("x/é="), Some("n+1")),
            "/db/v1/backups?location=file:///a%20b%26c%23d&connection=x/%C3%A9%3D&cursor=n%2B1"
        );
    }

    #[test]
    fn a_page_has_the_tables_of_a_backup() {
        let page: Page = serde_json::from_str(
            r#"{"backups":[{"backup_id":"a","timestamp":"1970","tables":["t","u"]},{"backup_id":"b","tables":null}],
               "next_cursor":"c"}"#,
        )
        .unwrap();
        assert_eq!(page.tables_of("a"), Some(["t".to_owned(), "u".to_owned()].into()));
        assert_eq!(page.tables_of("b"), Some(BTreeSet::new()));
        assert_eq!(page.tables_of("c"), None);
        assert_eq!(page.next_cursor(), Some("c"));
        let last: Page = serde_json::from_str(r#"{"backups":null,"next_cursor":""}"#).unwrap();
        assert_eq!((last.tables_of("a"), last.next_cursor()), (None, None));
    }
}
