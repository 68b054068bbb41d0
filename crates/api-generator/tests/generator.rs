//! What the generator refuses, and that all files follow the schema.
#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

use api_generator::GeneratedFile;
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../../schema/antflybackup.yaml");

/// Generates from the definition after an edit.
fn generate(edit: impl FnOnce(&mut Value)) -> Result<Vec<GeneratedFile>, String> {
    let mut crd: Value = serde_saphyr::from_str(SCHEMA).unwrap();
    edit(&mut crd);
    api_generator::generate(&crd.to_string()).map_err(|problems| problems.to_string())
}

/// Returns the schema at a path such as `.status.conditions[].type`; empty for the root.
fn at<'a>(crd: &'a mut Value, path: &str) -> &'a mut Value {
    let mut pointer = "/spec/versions/0/schema/openAPIV3Schema".to_owned();
    for name in path.split('.').skip(1) {
        pointer += "/properties/";
        pointer += &name.replace("[]", "/items");
    }
    crd.pointer_mut(&pointer).unwrap_or_else(|| panic!("{pointer} is not in the definition"))
}

/// Requires a refusal with one line that begins with the path and has the reason.
fn assert_refused(path: &str, reason: &str, edit: impl FnOnce(&mut Value)) {
    let Err(problems) = generate(edit) else { panic!("{path}: accepted, expected: {reason}") };
    let place = if path.is_empty() { "the root" } else { path };
    let is_reported = problems.lines().any(|line| line.starts_with(&format!("{place}: ")) && line.contains(reason));
    assert!(is_reported, "expected {place}: … {reason} …, found:\n{problems}");
}

/// Sets a keyword and requires the refusal.
fn assert_keyword_refused(path: &str, keyword: &str, value: &Value, reason: &str) {
    assert_refused(path, reason, |crd| at(crd, path)[keyword] = value.clone());
}

#[test]
fn a_keyword_that_is_not_handled_is_refused() {
    for (path, keyword, value) in [
        (".spec.failedJobsHistoryLimit", "multipleOf", json!(2)),
        (".spec.failedJobsHistoryLimit", "exclusiveMinimum", json!(true)),
        (".spec.failedJobsHistoryLimit", "enum", json!([1, 2])),
        (".spec.schedule", "oneOf", json!([{ "minLength": 1 }])),
        (".spec.schedule", "anyOf", json!([{ "minLength": 1 }])),
        (".spec.schedule", "allOf", json!([{ "minLength": 1 }])),
        (".spec.schedule", "not", json!({ "maxLength": 1 })),
        (".spec.schedule", "maximum", json!(5)),
        (".spec.schedule", "x-kubernetes-int-or-string", json!(true)),
        (".spec.tables", "uniqueItems", json!(true)),
        (".spec.tables[]", "externalDocs", json!({ "url": "https://example.com" })),
        (".spec.suspend", "maxLength", json!(5)),
        (".spec", "maxProperties", json!(5)),
        (".spec", "additionalProperties", json!({ "type": "string" })),
        (".spec.destination", "x-kubernetes-preserve-unknown-fields", json!(true)),
        (".spec.schedule", "x-kubernetes-map-type", json!("atomic")),
        ("", "x-kubernetes-embedded-resource", json!(true)),
    ] {
        let reason = format!("keyword {keyword:?} is not handled");
        assert_keyword_refused(path, keyword, &value, &reason);
    }
}

#[test]
fn a_keyword_with_an_unexpected_value_is_refused() {
    for (path, keyword, value, reason) in [
        (".spec.schedule", "format", json!("uuid"), "format \"uuid\" of a string is not handled"),
        (
            ".spec.failedJobsHistoryLimit",
            "format",
            json!("float"),
            "format Some(\"float\") of an integer is not handled",
        ),
        (".spec.schedule", "type", json!("number"), "type \"number\" is not handled"),
        (".spec.schedule", "type", json!(["string", "null"]), "expected a string"),
        (".spec.schedule", "maxLength", json!(-1), "expected a count"),
        (".spec.tables", "nullable", json!("true"), "expected true or false"),
        (".spec.failedJobsHistoryLimit", "minimum", json!(0.5), "expected a whole number"),
        (".spec", "required", json!(["schedule", "time"]), "requires \"time\", which is not among its properties"),
        (".spec.tables", "x-kubernetes-list-type", json!("unique"), "x-kubernetes-list-type \"unique\" is not handled"),
        (
            ".spec.destination",
            "x-kubernetes-map-type",
            json!("unique"),
            "x-kubernetes-map-type \"unique\" is not handled",
        ),
        (".spec.tables", "x-kubernetes-list-map-keys", json!(["name"]), "goes with x-kubernetes-list-type: map"),
    ] {
        assert_keyword_refused(path, keyword, &value, reason);
    }
}

#[test]
fn null_means_absent_and_nothing_else() {
    for (path, value, reason) in [
        (".spec.schedule", json!(true), "\"schedule\" is nullable and required"),
        (".spec.backupTimeout", json!(true), "\"backupTimeout\" is nullable and has a default"),
        (".spec.tables[]", json!(true), "its items are nullable"),
        (".spec.tables", json!(false), "\"tables\" may be absent, but server-side apply would refuse null"),
        (".spec.destination.connection", json!(false), "\"connection\" may be absent"),
    ] {
        let outer = path.strip_suffix("[]").unwrap_or_else(|| path.rsplit_once('.').unwrap().0);
        assert_refused(outer, reason, |crd| at(crd, path)["nullable"] = value.clone());
    }
    // null means absent in a status, too, but only the operator writes it
    assert!(generate(|crd| at(crd, ".status.phase")["nullable"] = json!(true)).is_ok());
}

#[test]
fn a_default_that_the_schema_refuses_is_refused() {
    for (path, default, reason) in [
        (".spec.failedJobsHistoryLimit", json!(-1), "the minimum is 0"),
        (".spec.failedJobsHistoryLimit", json!(2_147_483_648_i64), "the maximum is 2147483647"),
        (".spec.failedJobsHistoryLimit", json!(1.5), "not a whole number"),
        (".spec.failedJobsHistoryLimit", json!("1"), "wrong type"),
        (".spec.suspend", json!("false"), "wrong type"),
        (".spec.suspend", json!(null), "wrong type"),
        (".spec.backupTimeout", json!(3600), "wrong type"),
        (".spec.destination.connection", json!(""), "its length is 0"),
        (".spec.backupTimeout", json!("0".repeat(64) + "h"), "its length is 65"),
        (".spec.backupTimeout", json!("1d"), "must be a duration"),
        (".spec.backupTimeout", json!("169h"), "must be at least 1s and at most 168h"),
        (".status.phase", json!("Sleeping"), "the values are Active, Suspended, Failed"),
        (".spec.tables", json!([]), "a type whose defaults the generator does not handle"),
        (".spec.destination", json!({}), "handles the default of an object only for .status"),
        (".status", json!({"observedGeneration": -2}), "the minimum is -1"),
        (".status", json!({"observedGeneration": "-1"}), "wrong type"),
        (".status", json!({"generation": -1}), "it has no property \"generation\""),
        (".status", json!("none"), "wrong type"),
        (".status.conditions[].message", json!("none"), "in the items of a list"),
    ] {
        // a required field may not have a default at all
        assert_refused(path, reason, |crd| {
            at(crd, ".spec")["required"] = json!(["clusterRef", "schedule"]);
            at(crd, ".status.conditions[]")["required"] = json!(["type"]);
            at(crd, path)["default"] = default;
        });
    }
    assert_refused(".spec.backupTimeout", "the pattern is", |crd| {
        at(crd, ".spec.backupTimeout")["pattern"] = json!("^[0-9]+m$");
    });
    assert_keyword_refused(".spec.schedule", "default", &json!("@daily"), "has a default and is required");
}

/// It is for those who read the object before an operator has written a status. The API server sets it, nothing else does: the
/// operator only has to recognize it.
#[test]
fn the_default_of_the_status_is_a_constant_and_in_no_other_generated_file() {
    let generated = |default: Option<Value>| {
        let files = generate(|crd| match default {
            Some(default) => at(crd, ".status")["default"] = default,
            None => drop(at(crd, ".status").as_object_mut().unwrap().remove("default")),
        });
        files.unwrap_or_else(|problems| panic!("{problems}"))
    };
    let sources = |default: Option<Value>| -> Vec<String> {
        let others = generated(default).into_iter().filter(|file| file.name != "constants.rs");
        others.map(|file| file.contents).collect()
    };
    let constants = |default: Option<Value>| {
        generated(default).into_iter().find(|file| file.name == "constants.rs").unwrap().contents
    };
    assert!(!constants(None).contains("STATUS_DEFAULT"));
    let without = sources(None);
    for default in [json!({}), json!({"observedGeneration": -1}), json!({"observedGeneration": 0, "phase": "Active"})] {
        assert!(sources(Some(default.clone())) == without, "{default} is in one of them");
        let constant = format!("pub const STATUS_DEFAULT: &str = {:?};", default.to_string());
        assert!(constants(Some(default)).contains(&constant), "no {constant}");
    }
    assert_refused(".status", "it lacks \"phase\", which is required", |crd| {
        at(crd, ".status")["required"] = json!(["phase"]);
    });
}

#[test]
fn a_pattern_that_does_not_mean_the_same_everywhere_is_refused() {
    for (pattern, reason) in [
        ("(", "does not compile"),
        ("[z-a]", "does not compile"),
        ("a(?=b)", "does not compile"),
        ("(a)\\1", "does not compile"),
        ("^\\d+$", "has \\d, which is ASCII to the API server and Unicode to Rust"),
        ("\\s", "has \\s,"),
        ("[\\w]", "has \\w,"),
        ("\\bx", "has \\b,"),
    ] {
        assert_keyword_refused(".spec.schedule", "pattern", &json!(pattern), reason);
        let rule = format!("self.matches('{}')", pattern.replace('\\', "\\\\"));
        assert_keyword_refused(".spec.schedule", RULES, &json!([{ "rule": rule, "message": "no" }]), reason);
    }
}

const RULES: &str = "x-kubernetes-validations";

#[test]
fn a_rule_that_cannot_be_translated_is_refused() {
    for (path, rule, reason) in [
        (".spec.schedule", "self.matches('a'", "does not compile"),
        (".spec.schedule", "self ==", "does not compile"),
        (".spec.schedule", "self.upperAscii() == 'A'", "\"upperAscii\" with 1 operands is not handled"),
        (".spec.schedule", "self.split(' ').size() == 5", "is not handled"),
        (".spec.schedule", "self.matches(self)", "matches takes a literal string"),
        (".spec.schedule", "self.size()", "returns Int, not true or false"),
        (".spec.schedule", "self", "returns Text, not true or false"),
        (".spec.schedule", "duration(self)", "returns Duration, not true or false"),
        (".spec.schedule", "self == 5", "expected Text, found Int"),
        (".spec.schedule", "oldSelf == self", "the name \"oldSelf\" is not known"),
        (".spec.schedule", "self.size() == 5.0", "the literal"),
        (".status.conditions[].observedGeneration", "self.startsWith('1')", "expected Text, found Int"),
        (".status.conditions[].observedGeneration", "self + 1 > 1", "is not handled"),
        (".spec", "self.time == 'x'", ".spec has no property \"time\""),
        (".spec", "self.tables.all(table, table != 'x')", "is not handled"),
        (".spec.tables", "self.size() > 1", "rules on whole lists are not handled"),
        (".status.lastScheduledTime", "self > self", "rules on times are not handled"),
    ] {
        assert_keyword_refused(path, RULES, &json!([{ "rule": rule, "message": "no" }]), reason);
    }
    for rule in [
        json!({ "rule": "self == 'a'" }),
        json!({ "message": "no" }),
        json!({ "rule": "self == 'a'", "message": "no", "reason": "FieldValueForbidden" }),
        json!({ "rule": "self == 'a'", "messageExpression": "'no'" }),
        json!("self == 'a'"),
    ] {
        assert_keyword_refused(".spec.schedule", RULES, &json!([rule]), "must have rule and message, and nothing else");
    }
}

#[test]
fn what_has_to_be_there_is_missed() {
    for (path, keyword, reason) in [
        (".spec.schedule", "description", "has no description"),
        (".spec.tables[]", "description", "has no description"),
        ("", "description", "has no description"),
        (".spec.schedule", "maxLength", "has no maxLength"),
        (".spec.tables", "maxItems", "has no maxItems"),
        (".spec.tables", "items", "has no type"),
        (".spec.schedule", "type", "has no type"),
        (".spec.failedJobsHistoryLimit", "format", "write int32 or int64"),
        (".spec.failedJobsHistoryLimit", "maximum", "is an int32 without a maximum"),
        (".spec.destination", "title", "has no title"),
        (".status.phase", "title", "has no title"),
    ] {
        let reached = std::cell::Cell::new(false);
        assert_refused(
            if path == ".spec.tables" && keyword == "items" { ".spec.tables[]" } else { path },
            reason,
            |crd| {
                reached.set(at(crd, path).as_object_mut().unwrap().remove(keyword).is_some());
            },
        );
        assert!(reached.get(), "{path} has no {keyword} to remove");
    }
    assert_keyword_refused(
        ".status.phase",
        "enum",
        &json!(["Active", "Suspended", "Failed", "Sleeping"]),
        "its description has no line \"- Sleeping: …\"",
    );
}

#[test]
fn two_different_types_of_one_title_are_refused() {
    assert_refused(".status.recentBackups[]", "another schema with the title BackupRecord differs", |crd| {
        at(crd, ".status.recentBackups[]")["properties"]["size"] =
            json!({ "description": "Size in bytes.", "type": "integer", "format": "int64" });
    });
    assert_refused(".status.recentBackups[]", "another schema with the title BackupRecord has other bounds", |crd| {
        at(crd, ".status.recentBackups[].error")["maxLength"] = json!(1025);
    });
}

#[test]
fn a_definition_that_is_not_one_is_refused() {
    let versions = generate(|crd| {
        let version = crd["spec"]["versions"][0].clone();
        crd["spec"]["versions"].as_array_mut().unwrap().push(version);
    });
    assert!(versions.err().unwrap().contains("/spec/versions has 2 versions"));
    assert!(api_generator::generate("kind: [").err().unwrap().to_string().contains("not YAML"));
}

#[test]
fn all_problems_are_reported_at_once() {
    let problems = generate(|crd| {
        at(crd, ".spec.schedule")["oneOf"] = json!([{ "minLength": 1 }]);
        at(crd, ".spec.tables[]")["format"] = json!("uuid");
    });
    let problems = problems.err().unwrap();
    assert!(problems.contains(".spec.schedule: ") && problems.contains(".spec.tables[]: "), "{problems}");
}

#[test]
fn a_new_field_is_in_every_generated_file() {
    let files = generate(|crd| {
        let fields = at(crd, ".spec");
        fields["properties"]["description"] = json!({
            "description": "What the backup is for.",
            "type": "string",
            "nullable": true,
            "maxLength": 80,
            (RULES): [{ "rule": "!self.contains('secret')", "message": "must not contain secrets" }],
        });
        fields["properties"]["retriesMax"] = json!({
            "description": "How often to try again.",
            "type": "integer",
            "format": "int64",
            "minimum": 0,
            "default": 3,
            (RULES): [{ "rule": "self == 3 || self > 5", "message": "must be 3 or more than 5" }],
        });
    });
    let files = files.unwrap_or_else(|problems| panic!("{problems}"));
    for (name, parts) in [
        (
            "types.rs",
            &[
                "/// What the backup is for.",
                "pub description: Option<String>",
                "#[serde(rename = \"retriesMax\", default = \"defaults::spec_retries_max\")]",
                "pub retries_max: i64",
                "pub fn spec_retries_max() -> i64",
            ][..],
        ),
        (
            "constants.rs",
            &[
                "impl AntflyBackupSpec {",
                "/// `maxLength` of `description`.",
                "pub const DESCRIPTION_MAX_LENGTH: usize = 80;",
                "pub const RETRIES_MAX_MINIMUM: i64 = 0;",
                "pub const RETRIES_MAX_DEFAULT: i64 = 3;",
            ],
        ),
        (
            "validation.rs",
            &[
                "fn spec_description(",
                "out.max_length(subject, path, 80)",
                "!subject.contains(\"secret\")",
                "fn spec_retries_max(",
                "((subject == 3) || (subject > 5))",
                "cel::set_default(object, \"retriesMax\", Value::from(3))",
                "cel::drop_null(object, \"description\")",
            ],
        ),
        (
            "api-reference.md",
            &[
                "| `description` | string | no | - | What the backup is for. | at most 80 characters<br>must not contain secrets |",
                "| `retriesMax` | int64 | no | `3` | How often to try again. | at least 0<br>must be 3 or more than 5 |",
            ],
        ),
        (
            "antflybackup.schema.json",
            &[
                "\"maxLength\": 80",
                "\"pattern\": \"^(?![\\\\s\\\\S]*?(?:secret))\"",
                "\"patternErrorMessage\": \"must not contain secrets\"",
                "\"$comment\": \"Only the API server checks this: must be 3 or more than 5\"",
            ],
        ),
        (
            "sample-full.yaml",
            &["  # What the backup is for.\n  # description: TEXT\n", "  # How often to try again.\n  retriesMax: 3\n"],
        ),
    ] {
        let file = files.iter().find(|file| file.name == name).unwrap();
        for part in parts {
            assert!(file.contents.contains(part), "{name} has no {part:?}");
        }
    }
}

#[test]
fn bounds_defaults_and_names_are_constants() {
    let files = generate(|crd| {
        crd["spec"]["group"] = json!("example.com");
        crd["spec"]["names"]["plural"] = json!("antflysafes");
        crd["spec"]["names"]["shortNames"] = json!(["afs", "safe"]);
        crd["spec"]["versions"][0]["name"] = json!("v2");
        at(crd, ".spec.tables")["minItems"] = json!(1);
    });
    let files = files.unwrap_or_else(|problems| panic!("{problems}"));
    let constants = &files.iter().find(|file| file.name == "constants.rs").unwrap().contents;
    for constant in [
        "GROUP: &str = \"example.com\"",
        "VERSION: &str = \"v2\"",
        "API_VERSION: &str = \"example.com/v2\"",
        "KIND: &str = \"AntflyBackup\"",
        "PLURAL: &str = \"antflysafes\"",
        "RESOURCE: &str = \"antflysafes.example.com\"",
        "STATUS_RESOURCE: &str = \"antflysafes/status\"",
        "SHORT_NAMES: &[&str] = &[\"afs\", \"safe\"]",
        "BACKUP_TIMEOUT_DEFAULT: &str = \"1h\"",
        "SUSPEND_DEFAULT: bool = false",
        "FAILED_JOBS_HISTORY_LIMIT_MAXIMUM: i32 = 2147483647",
        "OBSERVED_GENERATION_MINIMUM: i64 = -1",
        "TABLES_MIN_ITEMS: usize = 1",
        "TABLES_ITEM_MAX_LENGTH: usize = 255",
        "JOB_UID_MAX_LENGTH: usize = 63",
        "CONDITIONS_ITEM_MESSAGE_MAX_LENGTH: usize = 32768",
    ] {
        assert!(constants.contains(&format!("pub const {constant};")), "no {constant}");
    }
    assert_eq!(constants.matches("impl BackupRecord {").count(), 1);
}

#[test]
fn subschemas_of_another_type_are_refused() {
    for (path, keyword, value) in [
        (".spec.schedule", "properties", json!({ "hour": { "type": "boolean" } })),
        (".spec.schedule", "items", json!({ "type": "boolean" })),
        (".spec.destination", "items", json!({ "type": "boolean" })),
        (".spec.tables", "properties", json!({ "hour": { "type": "boolean" } })),
    ] {
        let reason = format!("keyword {keyword:?} is not handled");
        assert_keyword_refused(path, keyword, &value, &reason);
    }
}

#[test]
fn a_required_field_without_an_example_is_refused() {
    assert_refused(".spec.schedule", "is required and has no example", |crd| {
        at(crd, ".spec.schedule").as_object_mut().unwrap().remove("example");
    });
}

/// Shapes of Kubernetes have keywords that the schema does not have by now.
#[test]
fn a_pattern_is_written_for_ecmascript() {
    let files = generate(|crd| at(crd, ".spec.schedule")["pattern"] = json!(r"^(?i:a)[\pZ]$")).unwrap();
    let schema = files.iter().find(|file| file.name == "antflybackup.schema.json").unwrap();
    let schema: Value = serde_json::from_str(&schema.contents).unwrap();
    let pattern = schema["properties"]["spec"]["properties"]["schedule"]["pattern"].as_str().unwrap();
    assert!(pattern.starts_with("^[Aa][") && !pattern.contains("pZ"), "{pattern}");
}
