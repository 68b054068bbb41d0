//! The permissions of the service account, as they are rendered.

use crate::{base, documents, name_of, single_namespace};
use serde_json::Value;

/// Resources that the operator may not access in any way.
const FORBIDDEN: [&str; 6] =
    ["secrets", "pods/exec", "pods/log", "serviceaccounts/token", "roles", "validatingwebhookconfigurations"];

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|item| item.as_str().unwrap()).collect()
}

fn rules(rendered: &str) -> Vec<(String, Value)> {
    let roles = documents(rendered)
        .into_iter()
        .filter(|object| ["Role", "ClusterRole"].contains(&object["kind"].as_str().unwrap()));
    roles
        .flat_map(|role| {
            let rules = role["rules"].as_array().unwrap().clone();
            rules.into_iter().map(move |rule| (name_of(&role), rule))
        })
        .collect()
}

#[test]
fn no_rule_has_a_wildcard_or_is_about_secrets() {
    for rendered in [base(), single_namespace()] {
        let rules = rules(rendered);
        assert!(!rules.is_empty());
        for (role, rule) in rules {
            for field in ["apiGroups", "resources", "verbs"] {
                let values = strings(&rule[field]);
                assert!(!values.is_empty() && values.iter().all(|value| !value.contains('*')), "{role}: {rule}");
            }
            let forbidden = strings(&rule["resources"]).into_iter().find(|resource| FORBIDDEN.contains(resource));
            assert_eq!(forbidden, None, "{role}: {rule}");
            for verb in strings(&rule["verbs"]) {
                let known = ["get", "list", "watch", "create", "update", "patch", "delete"];
                let is_of_people = verb == "deletecollection" && role == "ClusterRole/antfly-backups-edit";
                assert!(known.contains(&verb) || is_of_people, "{role} may {verb}: {rule}");
            }
            assert!(rule["nonResourceURLs"].is_null(), "{role}: {rule}");
        }
    }
}

#[test]
fn the_role_of_the_overlay_has_the_rules_of_the_cluster_role() {
    let rules = |rendered| {
        let of_operator = rules(rendered).into_iter().filter(|(role, _)| !role.contains("/antfly-backups-"));
        let mut rules: Vec<_> = of_operator.map(|(_, rule)| rule.to_string()).collect();
        rules.sort();
        rules
    };
    assert_eq!(rules(single_namespace()), rules(base()));
}
