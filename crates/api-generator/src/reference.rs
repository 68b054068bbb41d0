//! The reference page: a table for each type of the API.

use crate::{
    case::capitalized,
    check::{general_description, value_description},
    schema::{Api, Kind, ListType, Node},
};
use std::fmt::Write;

/// How a record becomes a restore, which the schema does not describe.
const RESTORE: &str = include_str!("restore.md");

/// Generates `api-reference.md`.
pub fn generate(api: &Api) -> String {
    let mut page = format!(
        "<!-- This is a generated file. Do not edit it; change `schema/antflybackup.yaml` and run `cargo xtask generate`. -->\n\n\
         # {kind} reference\n\n{description}\n\n| | |\n|---|---|\n| apiVersion | `{group}/{version}` |\n| kind | `{kind}` |\n\
         | scope | {scope} |\n| short names | {short_names} |\n\n",
        kind = api.names.kind,
        description = cell(&api.root.description),
        group = api.group,
        version = api.version,
        scope = api.scope,
        short_names = api.names.short_names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    );
    section_for_rules(&mut page, &api.root);

    let mut done = Vec::new();
    api.root.visit(&mut |node| {
        if node.path.is_empty() || node.path == ".metadata" {
            return;
        }
        let Some(title) = table_title(node).filter(|title| !done.contains(title)) else { return };
        match &node.kind {
            Kind::Object { properties, .. } => object_table(&mut page, &title, node, properties),
            Kind::Text { values, .. } if !values.is_empty() => value_table(&mut page, &title, node, values),
            _ => return,
        }
        done.push(title);
    });

    page.push_str("## Columns of `kubectl get`\n\n| Column | Shows | Only with `-o wide` |\n|---|---|---|\n");
    for column in &api.columns {
        let wide = if column.priority > 0 { "yes" } else { "no" };
        let _ = writeln!(page, "| {} | `{}` | {wide} |", column.name.to_uppercase(), column.json_path);
    }
    page.push('\n');
    page.push_str(RESTORE);
    page
}

fn section_for_rules(page: &mut String, node: &Node) {
    if !node.rules.is_empty() {
        for rule in &node.rules {
            let _ = writeln!(page, "- {}", cell(&rule.message));
        }
        page.push('\n');
    }
}

/// Returns the title; for untitled items of a list, a name derived from the field.
fn table_title(node: &Node) -> Option<String> {
    let title =
        node.title.as_deref().map(|title| if node.kubernetes_type().is_some() { last_part(title) } else { title });
    title.map(str::to_owned).or_else(|| {
        let field = node.path.strip_suffix("[]")?.rsplit('.').next()?;
        let singular = field.strip_suffix('s').unwrap_or(field);
        let mut characters = singular.chars();
        matches!(node.kind, Kind::Object { .. })
            .then(|| characters.next().map(|first| first.to_uppercase().chain(characters).collect()))?
    })
}

/// Returns the name of a type of Kubernetes without its group and version.
fn last_part(title: &str) -> &str {
    title.rsplit('.').next().unwrap_or_default()
}

fn object_table(page: &mut String, title: &str, node: &Node, properties: &[(String, Node)]) {
    let _ = write!(
        page,
        "## {title}\n\n`{}`: {}\n\n| Field | Type | Required | Default | Description | Rules |\n|---|---|---|---|---|---|\n",
        node.path.trim_start_matches('.'),
        cell(&node.description)
    );
    for (name, child) in properties {
        let _ = writeln!(
            page,
            "| `{name}` | {} | {} | {} | {} | {} |",
            type_name(child),
            if node.requires(name) { "yes" } else { "no" },
            child
                .default
                .as_ref()
                .map_or("-".to_owned(), |default| format!("`{}`", default.to_string().trim_matches('"'))),
            cell(&general_description(child)),
            rules(child).join("<br>"),
        );
    }
    page.push('\n');
    section_for_rules(page, node);
}

fn value_table(page: &mut String, title: &str, node: &Node, values: &[String]) {
    let _ = write!(page, "## {title}\n\n{}\n\n| Value | Meaning |\n|---|---|\n", cell(&general_description(node)));
    for value in values {
        let _ = writeln!(
            page,
            "| `{value}` | {} |",
            cell(&capitalized(value_description(node, value).unwrap_or_default()))
        );
    }
    page.push('\n');
}

fn type_name(node: &Node) -> String {
    let link = |title: &str| format!("[{title}](#{})", title.to_lowercase());
    match &node.kind {
        Kind::Object { .. } => table_title(node).map_or("object".to_owned(), |title| link(&title)),
        Kind::Array { items, .. } => format!("\\[\\]{}", type_name(items)),
        Kind::Map { values, .. } => format!("map of {}", type_name(values)),
        Kind::Quantity { .. } => "quantity".to_owned(),
        Kind::Text { is_time: true, .. } => "Time".to_owned(),
        Kind::Text { values, .. } if !values.is_empty() && node.title.is_some() => {
            link(node.title.as_deref().unwrap_or_default())
        }
        Kind::Text { .. } => "string".to_owned(),
        Kind::Integer { is_int64, .. } => if *is_int64 { "int64" } else { "int32" }.to_owned(),
        Kind::Boolean => "bool".to_owned(),
    }
}

fn rules(node: &Node) -> Vec<String> {
    let mut rules = Vec::new();
    let mut bound = |what: &str, min: &Option<u64>, max: &Option<u64>| match (min, max) {
        (Some(min), Some(max)) => rules.push(format!("{min} to {max} {what}")),
        (Some(min), None) => rules.push(format!("at least {min} {what}")),
        (None, Some(max)) => rules.push(format!("at most {max} {what}")),
        (None, None) => {}
    };
    match &node.kind {
        Kind::Array { min_items, max_items, .. } => bound("items", min_items, max_items),
        Kind::Text { min_length, max_length, .. } => bound("characters", min_length, max_length),
        Kind::Map { max_properties, .. } => bound("keys", &None, max_properties),
        _ => {}
    }
    match &node.kind {
        Kind::Array { items, list_type, .. } => {
            match list_type {
                ListType::Atomic => {}
                ListType::Set => rules.push("no item twice".to_owned()),
                ListType::Map(keys) => rules.push(format!("one item for each {}", keys.join(", "))),
            }
            if matches!(items.kind, Kind::Text { .. }) {
                rules.extend(self::rules(items).into_iter().map(|rule| format!("each: {rule}")));
            }
        }
        Kind::Map { values, .. } => {
            rules.extend(self::rules(values).into_iter().map(|rule| format!("each value: {rule}")))
        }
        Kind::Integer { minimum, maximum, .. } => match (minimum, maximum) {
            (Some(minimum), Some(maximum)) => rules.push(format!("{minimum} to {maximum}")),
            (Some(minimum), None) => rules.push(format!("at least {minimum}")),
            (None, Some(maximum)) => rules.push(format!("at most {maximum}")),
            (None, None) => {}
        },
        Kind::Text { values, .. } if !values.is_empty() && node.title.is_none() => {
            rules.push(values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", "));
        }
        Kind::Text { pattern: Some(pattern), .. } => rules.push(format!("`{}`", pattern.replace('|', "\\|"))),
        _ => {}
    }
    rules.extend(node.rules.iter().map(|rule| cell(&rule.message)));
    rules
}

/// Escapes text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('\n', " ")
}
