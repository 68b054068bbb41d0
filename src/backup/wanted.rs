//! The tables that the backup must contain.

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{collections::BTreeSet, fmt};

/// The tables that the backup must contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The tables that the AntflyBackup names.
    Named(BTreeSet<String>),
    /// All tables of the cluster, with their names.
    All(BTreeSet<String>),
    /// All tables of the cluster, whose names are unknown.
    Unknown,
}

impl Wanted {
    /// Returns the wanted tables: those that were asked for, otherwise those of the cluster, if they are known.
    pub fn new(asked: &[String], of_cluster: Option<BTreeSet<String>>) -> Self {
        match of_cluster {
            _ if !asked.is_empty() => Wanted::Named(asked.iter().cloned().collect()),
            Some(tables) => Wanted::All(tables),
            None => Wanted::Unknown,
        }
    }

    /// Returns the names, if they are known.
    pub fn names(&self) -> Option<&BTreeSet<String>> {
        match self {
            Wanted::Named(names) | Wanted::All(names) => Some(names),
            Wanted::Unknown => None,
        }
    }
}

/// Parses the response to `GET /db/v1/tables`: a list of objects with a `name`, or an object with such a list as
/// `tables`.
///
/// # Errors
/// Returns an error for any other form.
pub fn read_tables(body: &[u8]) -> Result<BTreeSet<String>, serde_json::Error> {
    serde_json::from_slice::<Tables>(body).map(|tables| tables.0)
}

#[derive(Deserialize)]
struct Table {
    name: String,
}

struct Tables(BTreeSet<String>);

impl<'de> Deserialize<'de> for Tables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TablesVisitor)
    }
}

struct TablesVisitor;

impl<'de> Visitor<'de> for TablesVisitor {
    type Value = Tables;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of tables")
    }

    // Go writes an empty list as null.
    fn visit_unit<E>(self) -> Result<Tables, E> {
        Ok(Tables(BTreeSet::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tables, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(table) = list.next_element::<Table>()? {
            names.insert(table.name);
        }
        Ok(Tables(names))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tables, A::Error> {
        let mut tables = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "tables" {
                tables = Some(map.next_value::<Tables>()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        tables.ok_or_else(|| serde::de::Error::missing_field("tables"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn lists_of_tables_are_read_in_both_forms() {
        for (body, expected) in [
            (r#"[{"name":"b","storage_status":{"empty":false}},{"name":"a, c"}]"#, set(&["a, c", "b"])),
            (r#"{"more":[1],"tables":[{"name":"a"}]}"#, set(&["a"])),
            ("[]", set(&[])),
            ("null", set(&[])),
            (r#"{"tables":null}"#, set(&[])),
        ] {
            assert_eq!(read_tables(body.as_bytes()).unwrap(), expected, "{body}");
        }
        for wrong in ["", "{}", r#"["a"]"#, r#"[{"title":"a"}]"#, "<html>", r#"{"error":"x"}"#, "[] []"] {
            assert!(read_tables(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tables_that_are_named_count_before_those_of_the_cluster() {
        let asked = ["b".to_owned(), "a".to_owned()];
        assert_eq!(Wanted::new(&asked, Some(set(&["c"]))), Wanted::Named(set(&["a", "b"])));
        assert_eq!(Wanted::new(&asked, None), Wanted::Named(set(&["a", "b"])));
        assert_eq!(Wanted::new(&[], Some(set(&["c"]))), Wanted::All(set(&["c"])));
        assert_eq!(Wanted::new(&[], None), Wanted::Unknown);
    }
}
