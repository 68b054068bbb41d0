//! References to variables, as the kubelet expands them in `command`, `args` and `env`.

use std::collections::BTreeMap;

/// Replaces each `$(NAME)` by the variable's value and each `$$` by `$`. A reference to an unknown variable stays, and so
/// does every other `$`.
///
/// Source of the rule: <https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/>.
pub(super) fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|reference| reference.split_once(')')) {
            match variables.get(name) {
                Some(value) => expanded.push_str(value),
                None => expanded.push_str(&format!("$({name})")),
            }
            rest = after;
        } else {
            expanded.push('$');
        }
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_escapes_become_what_the_kubelet_makes_of_them() {
        let variables = BTreeMap::from([
            ("A".to_owned(), "1".to_owned()),
            ("EMPTY".to_owned(), String::new()),
            ("NESTED".to_owned(), "$(A)".to_owned()),
        ]);
        for (text, expected) in [
            ("plain", "plain"),
            ("$(A)-$(A)", "1-1"),
            ("$(EMPTY)", ""),
            ("$(NESTED)", "$(A)"),
            ("$(UNKNOWN)", "$(UNKNOWN)"),
            ("$$(A)", "$(A)"),
            ("$$$(A)", "$1"),
            ("$$$$", "$$"),
            ("$", "$"),
            ("a$", "a$"),
            ("$A ${A}", "$A ${A}"),
            ("$(A", "$(A"),
            ("$(A$$", "$(A$"),
            ("$()", "$()"),
            ("€$(A)€", "€1€"),
        ] {
            assert_eq!(expand(text, &variables), expected, "{text}");
        }
    }
}
