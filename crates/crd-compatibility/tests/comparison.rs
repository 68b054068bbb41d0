//! Single edits of small definitions, with the verdict and the rule of each.
#![allow(clippy::unwrap_used, reason = "tests, helpers included")]

use crd_compatibility::{File, Rule, Verdict, apply_exceptions, compare, compare_texts, read_exceptions};
use serde_json::{Value, json};

/// A definition with one version, whose field `.spec.field` has that schema.
fn definition(field: &Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "things.example.com" },
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": { "kind": "Thing", "plural": "things" },
            "versions": [version("v1", true, field)],
        },
    })
}

fn version(name: &str, is_stored: bool, field: &Value) -> Value {
    json!({
        "name": name,
        "served": true,
        "storage": is_stored,
        "schema": { "openAPIV3Schema": {
            "type": "object",
            "properties": { "spec": { "type": "object", "properties": { "field": field } } },
        } },
    })
}

/// Returns the rules of the changes from one schema of the field to another, with their verdicts.
fn rules(old: &Value, new: &Value) -> Vec<(Rule, Verdict)> {
    let report = compare(&definition(old), &definition(new)).unwrap();
    report.changes.iter().map(|change| (change.rule, change.verdict)).collect()
}

fn assert_breaking(old: &Value, new: &Value, rule: Rule) {
    assert_eq!(rules(old, new), [(rule, Verdict::Breaking)], "{old} -> {new}");
}

fn assert_compatible(old: &Value, new: &Value, rule: Rule) {
    assert_eq!(rules(old, new), [(rule, Verdict::Compatible)], "{old} -> {new}");
}

fn text(more: &Value) -> Value {
    let mut schema = json!({ "type": "string" });
    schema.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    schema
}

fn patterns(old: &str, new: &str) -> (Value, Value) {
    (text(&json!({ "pattern": old })), text(&json!({ "pattern": new })))
}

fn with_rules(rules: &[&str]) -> Value {
    let rules: Vec<_> = rules.iter().map(|rule| json!({ "rule": rule, "message": "no" })).collect();
    text(&json!({ "maxLength": 40, "x-kubernetes-validations": rules }))
}

#[test]
fn the_same_definition_has_no_change() {
    let field = json!({"type": "array", "maxItems": 3, "items": {"type": "string", "pattern": "^a"}});
    assert_eq!(rules(&field, &field), []);
}

#[test]
fn what_is_implied_is_no_change() {
    let list = json!({"type": "array", "items": {"type": "string"}});
    let atomic = json!({"type": "array", "x-kubernetes-list-type": "atomic", "items": {"type": "string"}});
    assert_eq!(rules(&list, &atomic), []);
    let number = json!({"type": "integer", "format": "int32"});
    let bounded = json!({"type": "integer", "format": "int32", "maximum": 2147483647, "minimum": -2147483648_i64});
    assert!(rules(&number, &bounded).iter().all(|(_, verdict)| *verdict == Verdict::Compatible));
    let open = json!({"type": "integer", "minimum": 0, "exclusiveMinimum": true});
    assert_compatible(&open, &json!({"type": "integer", "minimum": 1}), Rule::BoundRelaxed);
    assert_compatible(&text(&json!({})), &text(&json!({"minLength": 0})), Rule::BoundRelaxed);
}

#[test]
fn bounds() {
    let number = |more: Value| {
        let mut schema = json!({ "type": "number" });
        schema.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        schema
    };
    assert_breaking(&number(json!({})), &number(json!({"minimum": 0.5})), Rule::BoundAdded);
    assert_breaking(&number(json!({"minimum": 0})), &number(json!({"minimum": 0.5})), Rule::BoundTightened);
    assert_breaking(
        &number(json!({"maximum": 1})),
        &number(json!({"maximum": 1, "exclusiveMaximum": true})),
        Rule::BoundTightened,
    );
    assert_compatible(&number(json!({"maximum": 1})), &number(json!({"maximum": 1.5})), Rule::BoundRelaxed);
    assert_compatible(&number(json!({"maximum": 1})), &number(json!({})), Rule::BoundRemoved);
    assert_breaking(
        &json!({"type": "integer", "minimum": 3}),
        &json!({"type": "integer", "minimum": 3, "exclusiveMinimum": true}),
        Rule::BoundTightened,
    );
    assert_breaking(&number(json!({"multipleOf": 2})), &number(json!({"multipleOf": 4})), Rule::MultipleOfChanged);
    assert_compatible(&number(json!({"multipleOf": 4})), &number(json!({"multipleOf": 2})), Rule::BoundRelaxed);
}

#[test]
fn a_pattern_that_accepts_as_much_is_proven() {
    for (old, new) in [
        ("^[a-z]+$", "^[a-z]*$"),
        ("^[a-z]+$", "^[a-zA-Z]+$"),
        ("^(ab|cd)$", "^[a-d]{2}$"),
        ("^a+$", "a"),
        ("^a{3,5}$", "^a{2,6}$"),
        (r"^\d+$", "^[0-9]+$"),
        (r"^[0-9]+$", r"^[\d]+$"),
        ("^(?i:jan)$", "^[jJ][aA][nN]$"),
        ("^[a-z]+$", r"^\pL+$"),
        (r"^a\b.*$", "^a"),
        ("^x$", ".*"),
        ("^aé$", "^a"),
        ("(?s)^.$", "(?m)^"),
    ] {
        let (old_field, new_field) = patterns(old, new);
        assert_compatible(&old_field, &new_field, Rule::PatternRelaxed);
    }
}

#[test]
fn a_pattern_that_refuses_more_has_the_shortest_example() {
    for (old, new, example) in [
        ("^[a-z]*$", "^[a-z]+$", ""),
        ("^[a-zA-Z]+$", "^[a-z]+$", "A"),
        ("^[a-z]+$", "^[a-z]{1,3}$", "aaaa"),
        ("a", "^a", "ba"),
        ("^(ab|cd)$", "^a", "cd"),
        (r"^\pL$", "^[a-zA-Z]$", "ª"),
        (r"^\w$", r"^\d$", "a"),
        ("^(?i:k)$", "^[kK]$", "\u{212a}"),
        ("^.$", "^[^é]$", "é"),
    ] {
        let (old_field, new_field) = patterns(old, new);
        let report = compare(&definition(&old_field), &definition(&new_field)).unwrap();
        assert_eq!(report.changes.len(), 1, "{report}");
        assert_eq!(report.changes[0].rule, Rule::PatternChanged, "{report}");
        assert_eq!(report.changes[0].counterexample.as_deref(), Some(example), "{old} -> {new}");
        assert_eq!(report.changes[0].verdict, Verdict::Breaking);
    }
}

#[test]
fn lengths_and_values_are_part_of_the_proof() {
    let with = |more: Value, pattern: &str| {
        let mut more = more;
        more["pattern"] = json!(pattern);
        text(&more)
    };
    let pair = |more: Value, old: &str, new: &str| (with(more.clone(), old), with(more, new));
    let (old, new) = pair(json!({"minLength": 1}), "^[a-z]*$", "^[a-z]+$");
    assert_compatible(&old, &new, Rule::PatternRelaxed);
    let (old, new) = pair(json!({"maxLength": 3}), "^[a-z]+$", "^[a-z]{1,3}$");
    assert_compatible(&old, &new, Rule::PatternRelaxed);
    let (old, new) = pair(json!({"minLength": 3}), "^[a-z]+$", "^[a-z]{1,3}$");
    assert_breaking(&old, &new, Rule::PatternChanged);
    let values = json!({"enum": ["ab", "cd"]});
    assert_compatible(&text(&values), &with(values.clone(), "^[a-d]+$"), Rule::PatternRelaxed);
    assert_breaking(&text(&values), &with(values, "^[a-c]+$"), Rule::PatternAdded);
}

#[test]
fn what_go_and_rust_read_differently_is_not_proven() {
    for new in ["[a&&b]", r"\<a", "(?x) a", "[[a]]", r"\B"] {
        let (old, new) = patterns("a", new);
        assert_breaking(&old, &new, Rule::PatternChanged);
    }
}

#[test]
fn rules_made_of_regular_expressions_are_compared() {
    let matches = "self.matches('^[a-z]+$')";
    assert_compatible(&with_rules(&[matches]), &with_rules(&["self.matches('^[a-z0-9]+$')"]), Rule::RuleRelaxed);
    assert_breaking(&with_rules(&[matches]), &with_rules(&["self.matches('^[a-y]+$')"]), Rule::RuleChanged);
    let both = "self.matches('^a') && self.matches('z$')";
    assert_compatible(&with_rules(&[both]), &with_rules(&["self.matches('^a')"]), Rule::RuleRelaxed);
    assert_breaking(&with_rules(&["self.matches('^a')"]), &with_rules(&[both]), Rule::RuleChanged);
    let several = ["!self.startsWith('@') || self in ['@daily']", "!self.matches('^ ')"];
    let wider = ["!self.startsWith('@') || self in ['@daily', '@hourly']", "!self.matches('^ ')"];
    assert_compatible(&with_rules(&several), &with_rules(&wider), Rule::RuleRelaxed);
    assert_breaking(&with_rules(&wider), &with_rules(&several), Rule::RuleChanged);
    // what the other rules refuse anyway
    let implied = ["self.matches('^[a-z]+$')", "!self.contains('0')"];
    assert_compatible(&with_rules(&implied[..1]), &with_rules(&implied), Rule::RuleRelaxed);
    let conditional = "self.startsWith('s3://') ? self.matches('^s3://[a-z]+$') : self == 'none'";
    assert_compatible(&with_rules(&[conditional]), &with_rules(&["self.matches('^(s3|none)')"]), Rule::RuleRelaxed);
}

#[test]
fn other_rules_break_unless_they_are_removed() {
    let number = |rules: &[&str]| {
        let rules: Vec<_> = rules.iter().map(|rule| json!({ "rule": rule })).collect();
        json!({"type": "integer", "x-kubernetes-validations": rules})
    };
    assert_breaking(&number(&[]), &number(&["self > 0"]), Rule::RuleAdded);
    assert_breaking(&number(&["self > 1"]), &number(&["self > 0"]), Rule::RuleChanged);
    assert_compatible(&number(&["self > 0"]), &number(&[]), Rule::RuleRemoved);
    assert_breaking(&with_rules(&[]), &with_rules(&["self == oldSelf"]), Rule::RuleAdded);
    assert_breaking(&with_rules(&[]), &with_rules(&["self.size() < 3"]), Rule::RuleAdded);
    assert_eq!(rules(&number(&["self > 0", "self < 9"]), &number(&["self < 9", "self > 0"])), []);
}

#[test]
fn the_rules_of_names_are_seen_though_no_schema_lists_them() {
    let old = definition(&json!({"type": "string"}));
    let mut new = old.clone();
    let root = "/spec/versions/0/schema/openAPIV3Schema/properties";
    new.pointer_mut(root).unwrap()["metadata"] =
        json!({"type": "object", "properties": {"name": {"type": "string", "maxLength": 20}}});
    let report = compare(&old, &new).unwrap();
    assert_eq!(report.changes.len(), 1, "{report}");
    assert_eq!(
        (report.changes[0].rule, report.changes[0].path.as_str()),
        (Rule::BoundAdded, "v1 .metadata.name maxLength")
    );
    new.pointer_mut(root).unwrap()["metadata"] = json!({"type": "object"});
    assert_eq!(compare(&old, &new).unwrap().changes, []);
}

#[test]
fn maps_and_free_form_objects() {
    let map = |values: Value| json!({"type": "object", "additionalProperties": values});
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    assert_breaking(&map(json!({"type": "string"})), &map(json!({"type": "integer"})), Rule::TypeChanged);
    assert_breaking(&map(json!({"type": "string"})), &json!({"type": "object"}), Rule::AdditionalPropertiesRemoved);
    assert_breaking(&free, &json!({"type": "object"}), Rule::PreserveUnknownFieldsChanged);
    assert_breaking(&json!({"type": "object"}), &free, Rule::PreserveUnknownFieldsChanged);
    let mut described = free.clone();
    described["properties"] = json!({"a": {"type": "string"}});
    assert_breaking(&free, &described, Rule::FieldAdded);
    assert_breaking(
        &json!({"type": "object"}),
        &json!({"type": "object", "x-kubernetes-map-type": "atomic"}),
        Rule::MapTypeChanged,
    );
}

#[test]
fn null_is_compatible_where_it_changes_nothing() {
    let nullable = |more: Value| {
        let mut schema = text(&more);
        schema["nullable"] = json!(true);
        schema
    };
    assert_compatible(&text(&json!({})), &nullable(json!({})), Rule::NullableAdded);
    assert_breaking(&nullable(json!({})), &text(&json!({})), Rule::NullableRemoved);
    let default = json!({"default": "a"});
    assert_breaking(&text(&default), &nullable(default.clone()), Rule::NullableAdded);
}

#[test]
fn composition() {
    let any = |parts: Value| json!({"x-kubernetes-preserve-unknown-fields": true, "anyOf": parts});
    let (one, two) = (json!([{"type": "string"}]), json!([{"type": "string"}, {"type": "integer"}]));
    assert_compatible(&any(one.clone()), &any(two.clone()), Rule::CompositionRelaxed);
    assert_breaking(&any(two), &any(one), Rule::CompositionChanged);
    let not = json!({"type": "object", "not": {"required": ["a"]}});
    assert_breaking(&json!({"type": "object"}), &not, Rule::CompositionChanged);
    assert_compatible(&not, &json!({"type": "object"}), Rule::CompositionRelaxed);
}

#[test]
fn a_keyword_that_is_not_known_is_breaking() {
    let new = json!({"type": "string", "x-kubernetes-of-tomorrow": true});
    assert_breaking(&json!({"type": "string"}), &new, Rule::KeywordChanged);
}

fn with_versions(versions: &[Value]) -> Value {
    let mut new = definition(&json!({}));
    new["spec"]["versions"] = json!(versions);
    new
}

#[test]
fn a_new_version_must_hold_what_the_others_hold() {
    let field = json!({"type": "string"});
    let old = with_versions(&[version("v1", true, &field)]);
    let both = |second: &Value| with_versions(&[version("v1", true, &field), second.clone()]);
    let found = |new: &Value| {
        let changes = compare(&old, new).unwrap().changes;
        changes.into_iter().map(|change| (change.rule, change.verdict)).collect::<Vec<_>>()
    };
    assert_eq!(found(&both(&version("v2", false, &field))), [(Rule::VersionAdded, Verdict::Compatible)]);
    let other = version("v2", false, &json!({"type": "integer"}));
    assert_eq!(found(&both(&other)), [(Rule::VersionDoesNotRoundTrip, Verdict::Breaking)]);
    let narrower = version("v2", false, &text(&json!({"maxLength": 3})));
    assert_eq!(found(&both(&narrower)), [(Rule::VersionDoesNotRoundTrip, Verdict::Breaking)]);
    let mut unused = other;
    unused["served"] = json!(false);
    assert_eq!(found(&both(&unused)), [(Rule::VersionAdded, Verdict::Compatible)]);
    // one that was there, and is served now
    let served = compare(&both(&unused), &both(&version("v2", false, &json!({"type": "integer"})))).unwrap();
    assert_eq!(served.breaking().map(|change| change.rule).collect::<Vec<_>>(), [Rule::VersionDoesNotRoundTrip]);
    // a field in one of two versions only
    let old = both(&version("v2", false, &field));
    let mut new = old.clone();
    new.pointer_mut("/spec/versions/1/schema/openAPIV3Schema/properties/spec/properties").unwrap()["more"] =
        field.clone();
    let report = compare(&old, &new).unwrap();
    assert_eq!(report.breaking().map(|change| change.rule).collect::<Vec<_>>(), [Rule::VersionDoesNotRoundTrip]);
}

#[test]
fn the_order_of_versions_does_not_matter() {
    let field = json!({"type": "string"});
    let (one, two) = (version("v1", true, &field), version("v2", false, &field));
    let report =
        compare(&with_versions(&[one.clone(), two.clone()]), &with_versions(&[two.clone(), one.clone()])).unwrap();
    assert_eq!(report.changes, []);
    // a pointer is into the file that it names
    let narrower = version("v1", true, &text(&json!({"maxLength": 3})));
    let report = compare(&with_versions(&[one, two.clone()]), &with_versions(&[two, narrower])).unwrap();
    let change = report.changes.iter().find(|change| change.rule == Rule::BoundAdded).unwrap();
    assert_eq!(change.file, File::New);
    assert_eq!(change.pointer, "/spec/versions/1/schema/openAPIV3Schema/properties/spec/properties/field/maxLength");
}

#[test]
fn storage_may_move_to_a_version_that_holds_the_same() {
    let field = json!({"type": "string"});
    let old = with_versions(&[version("v1", true, &field), version("v2", false, &field)]);
    let new = with_versions(&[version("v1", false, &field), version("v2", true, &field)]);
    let changes = compare(&old, &new).unwrap().changes;
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].rule, changes[0].verdict), (Rule::StorageVersionChanged, Verdict::Compatible));
}

#[test]
fn files_may_have_several_definitions_and_other_documents() {
    let (one, mut two) = (definition(&json!({"type": "string"})), definition(&json!({"type": "string"})));
    two["metadata"]["name"] = json!("others.example.com");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [one, two]}).to_string();
    let old = format!("---\n{{apiVersion: v1, kind: Namespace}}\n---\n{list}\n");
    assert_eq!(compare_texts(&old, &list).unwrap().changes, []);
    let report = compare_texts(&old, &one.to_string()).unwrap();
    assert_eq!(report.changes.iter().map(|change| change.rule).collect::<Vec<_>>(), [Rule::DefinitionRemoved]);
    let error = compare_texts("{kind: Namespace, apiVersion: v1}", &list).unwrap_err().to_string();
    assert!(
        error.contains("the old file has no CustomResourceDefinition") && error.contains("v1 Namespace"),
        "{error}"
    );
    let error = compare_texts(&list, "a: [").unwrap_err().to_string();
    assert!(error.contains("the new file is neither YAML nor JSON"), "{error}");
    let error =
        compare_texts(&one.to_string(), "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition}");
    assert!(error.unwrap_err().to_string().contains("spec.group"));
}

#[test]
fn a_file_has_one_definition_of_a_name() {
    let one = definition(&json!({"type": "string"})).to_string();
    let other = definition(&json!({"type": "integer"})).to_string();
    let twice = format!("{one}\n---\n{other}\n");
    for (old, new, file) in [(&one, &twice, "new"), (&twice, &one, "old")] {
        let error = compare_texts(old, new).unwrap_err().to_string();
        assert!(error.contains(&format!("the {file} file has two CustomResourceDefinitions named")), "{error}");
    }
}

#[test]
fn files_may_be_json_with_tabs_and_have_the_line_ends_of_windows() {
    let one = definition(&json!({"type": "string"}));
    let tabs = serde_json::to_string_pretty(&one).unwrap().replace("  ", "\t");
    let windows = serde_json::to_string_pretty(&one).unwrap().replace('\n', "\r\n");
    for text in [&tabs, &windows, &format!("\u{feff}{tabs}")] {
        assert_eq!(compare_texts(&one.to_string(), text).unwrap().changes, [], "{text:?}");
    }
}

#[test]
fn a_field_is_not_new_where_the_definition_keeps_all_fields() {
    let with = |field: Value, preserves: bool| {
        let mut definition = definition(&field);
        definition["spec"]["preserveUnknownFields"] = json!(preserves);
        definition
    };
    let old = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let new = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}});
    for (preserves, verdict) in [(false, Verdict::Compatible), (true, Verdict::Breaking)] {
        let changes = compare(&with(old.clone(), preserves), &with(new.clone(), preserves)).unwrap().changes;
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert_eq!((changes[0].rule, changes[0].verdict), (Rule::FieldAdded, verdict));
    }
}

#[test]
fn another_webhook_is_not_proven_to_convert_alike() {
    let with = |webhook: Value| {
        let mut definition = definition(&json!({"type": "string"}));
        definition["spec"]["conversion"] = json!({"strategy": "Webhook", "webhook": webhook});
        definition
    };
    let webhook = |name: &str, versions: &[&str], bundle: &str| {
        let client = json!({"service": {"name": name, "namespace": "a"}, "caBundle": bundle});
        with(json!({"clientConfig": client, "conversionReviewVersions": versions}))
    };
    let old = webhook("convert", &["v1"], "QQ==");
    for new in [webhook("other", &["v1"], "QQ=="), webhook("convert", &["v2"], "QQ==")] {
        let changes = compare(&old, &new).unwrap().changes;
        assert_eq!(changes.len(), 1);
        assert_eq!((changes[0].rule, changes[0].verdict), (Rule::ConversionChanged, Verdict::Breaking));
        assert_eq!(changes[0].path, "spec.conversion.webhook");
    }
    assert_eq!(compare(&old, &webhook("convert", &["v1"], "Qg==")).unwrap().changes, []);
}

#[test]
fn an_exception_allows_one_change_against_older_copies() {
    let report = compare(&definition(&text(&json!({}))), &definition(&text(&json!({"maxLength": 3})))).unwrap();
    let exception = |version: &str| {
        let text = format!(
            "exceptions: [{{path: v1 .spec.field maxLength, rule: BoundAdded, reason: it is meant, version: {version}}}]"
        );
        read_exceptions(&text).unwrap()
    };
    let released = semver::Version::new(0, 1, 0);
    let judged = apply_exceptions(&report, &released, &exception("0.2.0"));
    assert_eq!((judged.refused.len(), judged.excepted.len()), (0, 1));
    let judged = apply_exceptions(&report, &released, &exception("0.1.0"));
    assert_eq!((judged.refused.len(), judged.excepted.len()), (1, 0));
}

#[test]
fn exceptions_say_what_is_wrong_with_them() {
    let error = |text: &str| read_exceptions(text).unwrap_err();
    let good = "path: v1 .spec.field, rule: BoundAdded, reason: it is meant, version: 0.2.0";
    assert!(error("exceptions: [{path: v1 .spec.field, rule: BoundAdded, version: 0.2.0}]").contains("reason"));
    assert!(error(&format!("exceptions: [{{{good}, also: 1}}]")).contains("also"));
    assert!(error(&format!("exceptions: [{{{good}}}, {{{good}}}]")).contains("exceptions[1]"));
    assert!(error(&format!("exceptions: [{{{}}}]", good.replace("it is meant", "' '"))).contains("must say something"));
    assert!(error(&format!("exceptions: [{{{}}}]", good.replace("BoundAdded", "BoundAded"))).contains("BoundAded"));
}

#[test]
fn a_report_is_text_and_json() {
    let (old, new) = patterns("^[a-z]*$", "^[a-z]+$");
    let report = compare(&definition(&old), &definition(&new)).unwrap();
    assert_eq!(
        report.to_string(),
        "BREAKING  PatternChanged  v1 .spec.field pattern\n    \
         at       new file, /spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/field/pattern\n    \
         why      it was the pattern \"^[a-z]*$\" and is \"^[a-z]+$\": it refuses what was accepted\n    \
         example  \"\" was accepted, and is refused now\n    \
         instead  Leave it as it was, or write one that accepts more. Creates and restores from Git are checked in full, whatever \
         the API server spares when it updates an object; what the program cannot use, it can report in a condition.\n\n\
         1 breaking, 0 compatible"
    );
    let json = report.to_json();
    assert_eq!(json["breaking"], 1);
    assert_eq!(json["changes"][0]["rule"], "PatternChanged");
    assert_eq!(json["changes"][0]["verdict"], "breaking");
    assert_eq!(json["changes"][0]["counterexample"], "");
}
