//! Upper and lower case of names.

use heck::ToSnakeCase;

/// Returns `spec_cluster_ref` for `.spec.clusterRef`, `spec_tables_item` for `.spec.tables[]`,
/// `spec_pod_labels_value` for `.spec.pod.labels{}`.
pub fn snake_case(path: &str) -> String {
    path.replace("[]", ".item").replace("{}", ".value").to_snake_case()
}

/// Returns the text with its first letter in upper case.
pub fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
