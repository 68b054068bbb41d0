//! What a command asks antfly for.

use std::ffi::OsStr;

/// Id and tables of a backup, from the command's own arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Value of `--backup-id`.
    pub id: Option<String>,
    /// Value of `--tables`, split at commas; empty for all tables.
    pub tables: Vec<String>,
}

impl Asked {
    /// Reads arguments, in the forms `--flag VALUE` and `--flag=VALUE`; of a flag given twice the last value counts.
    pub fn from_arguments<S: AsRef<OsStr>>(arguments: &[S]) -> Self {
        let mut asked = Asked::default();
        let mut arguments = arguments.iter().map(|argument| argument.as_ref().to_string_lossy());
        while let Some(argument) = arguments.next() {
            let (flag, value) = match argument.split_once('=') {
                Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
                None => (argument.into_owned(), None),
            };
            let mut value = || value.clone().or_else(|| arguments.next().map(Into::into)).unwrap_or_default();
            match flag.as_str() {
                "--backup-id" => asked.id = Some(value()).filter(|id| !id.is_empty()),
                "--tables" => {
                    asked.tables =
                        value().split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
                }
                // so that a location that looks like a flag is not taken for one
                "--location" => drop(value()),
                _ => {}
            }
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(id: Option<&str>, tables: &[&str]) -> Asked {
        Asked { id: id.map(str::to_owned), tables: tables.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn id_and_tables_are_read_in_both_forms() {
        for (arguments, expected) in [
            (
                &["backup", "--backup-id", "x", "--location", "s3://b", "--tables", "a,b:c"][..],
                asked(Some("x"), &["a", "b:c"]),
            ),
            (&["backup", "--backup-id=x=y", "--tables=a"], asked(Some("x=y"), &["a"])),
            (&["backup", "--location", "--tables", "--backup-id", "x"], asked(Some("x"), &[])),
            (&["backup", "--tables", ",a,"], asked(None, &["a"])),
            (&["backup", "--backup-id"], asked(None, &[])),
        ] {
            assert_eq!(Asked::from_arguments(arguments), expected, "{arguments:?}");
        }
    }
}
