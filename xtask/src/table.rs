//! The API server's own table format, printed the way `kubectl get` prints it.
//!
//! Source of the format: Kubernetes API conventions, `meta.k8s.io/v1` `Table`; the layout is that of kubectl's printer
//! (columns three spaces apart, upper-case headers, only columns of priority 0).

use anyhow::{Context, Result};
use kube::Client;
use serde::Deserialize;
use serde_json::Value;

/// `Accept` header that asks for a [`Table`] instead of a list.
const ACCEPT: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// Width between the end of a column's widest cell and the next column, as in kubectl.
const COLUMN_GAP: usize = 3;

/// A list of objects as the server would have it printed.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// The columns, in order.
    pub column_definitions: Vec<Column>,
    /// One row an object; absent in an empty list.
    #[serde(default)]
    pub rows: Vec<Row>,
}

/// Header of a column.
#[derive(Debug, Clone, Deserialize)]
pub struct Column {
    /// Name as the resource declares it, such as `Last Schedule`.
    pub name: String,
    /// 0 for columns that are always printed; higher ones only in wide output, which this module doesn't print.
    #[serde(default)]
    pub priority: i32,
}

/// One object.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    /// A value for each column: string, number, boolean or null.
    pub cells: Vec<Value>,
    /// The object itself, of which the server sends the metadata.
    pub object: RowObject,
}

/// The part of a row's object that is used here.
#[derive(Debug, Clone, Deserialize)]
pub struct RowObject {
    /// Metadata of the object.
    pub metadata: RowMetadata,
}

/// Identity of a row's object.
#[derive(Debug, Clone, Deserialize)]
pub struct RowMetadata {
    /// Namespace of the object; absent for cluster-scoped ones.
    #[serde(default)]
    pub namespace: Option<String>,
}

/// Fetches the objects below `path` (such as `/apis/batch/v1/cronjobs`: all namespaces) as a table.
///
/// # Errors
/// When the server can't be reached, refuses, or answers with something else than a table.
pub async fn fetch(client: &Client, path: &str) -> Result<Table> {
    let request = http::Request::get(path)
        .header(http::header::ACCEPT, ACCEPT)
        .body(Vec::new())
        .with_context(|| format!("{path} is not a path of the API"))?;
    client.request(request).await.with_context(|| format!("fetch {path} as a table"))
}

/// Prints `table` with a NAMESPACE column, names prefixed with `TYPE/` as kubectl does when it lists several types.
///
/// `resource_type` is the type as kubectl writes it, such as `cronjob.batch`. An empty table gives an empty string.
pub fn render(table: &Table, resource_type: &str) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let shown: Vec<usize> =
        (0..table.column_definitions.len()).filter(|&index| table.column_definitions[index].priority == 0).collect();
    let header = std::iter::once("NAMESPACE".to_owned())
        .chain(shown.iter().map(|&index| table.column_definitions[index].name.to_uppercase()))
        .collect();
    let rows = table.rows.iter().map(|row| {
        let namespace = row.object.metadata.namespace.clone().unwrap_or_default();
        let cells = shown.iter().enumerate().map(|(position, &index)| {
            let cell = row.cells.get(index).map(cell_text).unwrap_or_default();
            if position == 0 { format!("{resource_type}/{cell}") } else { cell }
        });
        std::iter::once(namespace).chain(cells).collect()
    });
    align(&std::iter::once(header).chain(rows).collect::<Vec<Vec<String>>>())
}

/// Text of a cell: kubectl prints strings without quotes and null as nothing.
fn cell_text(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Prints rows with their columns aligned, as kubectl does.
pub fn align(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()
        })
        .collect();
    let mut text = String::new();
    for line in lines {
        let padded: String = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<padded$}", padded = width + COLUMN_GAP))
            .collect();
        text.push_str(padded.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table(value: Value) -> Table {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn prints_what_kubectl_prints() {
        let table = table(json!({
            "columnDefinitions": [
                {"name": "Name", "priority": 0},
                {"name": "Suspend", "priority": 0},
                {"name": "Images", "priority": 1},
                {"name": "Last Schedule", "priority": 0},
                {"name": "Active", "priority": 0},
            ],
            "rows": [
                {"cells": ["daily-cron", "False", "img", null, 0], "object": {"metadata": {"name": "daily-cron", "namespace": "production"}}},
                {"cells": ["b", "True", "img", "5m", 12], "object": {"metadata": {"name": "b", "namespace": "x"}}},
            ],
        }));
        assert_eq!(
            render(&table, "cronjob.batch"),
            "NAMESPACE    NAME                       SUSPEND   LAST SCHEDULE   ACTIVE\n\
             production   cronjob.batch/daily-cron   False                     0\n\
             x            cronjob.batch/b            True      5m              12\n"
        );
    }

    #[test]
    fn an_empty_list_prints_nothing() {
        assert_eq!(render(&table(json!({"columnDefinitions": [{"name": "Name"}]})), "cronjob.batch"), "");
    }
}
