//! What Helm, kustomize and kubectl print, and the odd corners of YAML.

use super::{BACKUP, Folder, command::run_on, places, refused};

#[test]
fn what_helm_prints_is_read_and_its_templates_are_named() {
    let output = format!(
        "---\n# Source: shop/templates/secret.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n---\n\
         # Source: shop/charts/db/templates/backup.yaml\n# another comment\n{}---\n# Source: shop/templates/empty.yaml\n\n",
        refused()
    );
    let ended = run_on(&["validate", "-f", "-"], &output);
    assert_eq!(ended.output.lines().count(), 1, "{}", ended.output);
    assert!(ended.output.starts_with("-:18:13: error: spec.schedule: "), "{}", ended.output);
    assert!(
        ended.output.ends_with(" (production/nightly, from shop/charts/db/templates/backup.yaml)\n"),
        "{}",
        ended.output
    );
    assert_eq!(ended.errors, "-: skipped Secret \"s\": not an AntflyBackup\n0 valid, 1 refused, 1 skipped\n");
}

#[test]
fn what_kubectl_prints_is_read() {
    let with_status = format!(
        "{}status:\n  phase: Active\n  recentBackups:\n  - backupId: a\n    status: Completed\n    startTime: \"2026-11-23T02:00:00Z\"\n",
        BACKUP.replace(
            "  namespace: production\n",
            "  namespace: production\n  creationTimestamp: \"2026-11-23T02:00:00Z\"\n  generation: 3\n  resourceVersion: \"17\"\n  uid: 0e4c\n  managedFields:\n  - apiVersion: antfly.io/v1\n    fieldsType: FieldsV1\n    fieldsV1:\n      f:spec:\n        .: {}\n        f:schedule: {}\n    manager: kubectl\n    operation: Update\n    time: \"2026-11-23T02:00:00Z\"\n"
        )
    );
    let ended = run_on(&["validate", "-"], &with_status);
    assert_eq!((ended.code, ended.output.as_str(), ended.errors.as_str()), (Some(0), "", "1 valid, 0 refused\n"));
    // items of a list of one kind, as the API server sends it, do not say their kind
    let item: String = refused()
        .lines()
        .skip(2)
        .enumerate()
        .map(|(at, line)| format!("{} {line}\n", if at == 0 { "-" } else { " " }))
        .collect();
    let list = format!(
        "apiVersion: antfly.io/v1\nkind: AntflyBackupList\nmetadata: {{resourceVersion: \"1\"}}\nitems:\n{item}"
    );
    let ended = run_on(&["validate", "-"], &list);
    assert_eq!(places(&ended.output), ["-:11:15: error: spec.schedule"]);
}

#[test]
fn separators_ends_and_comments_are_those_of_kubectl() {
    let text =
        format!("# only a comment\n---\n---\n\n--- # with a comment\n{BACKUP}...\n---\n{BACKUP}---\nnull\n---\n~\n");
    let ended = run_on(&["validate", "-"], &text);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), "2 valid, 0 refused\n"), "{}", ended.output);
    // kubectl drops what follows `...`
    let ended = run_on(&["validate", "-"], &format!("{BACKUP}...\n{BACKUP}"));
    assert!(ended.output.starts_with("-:13:1: error: kubectl reads nothing that follows"), "{}", ended.output);
    let ended = run_on(&["validate", "-"], &format!("--- {{a: 1}}\n---\n{BACKUP}"));
    assert!(ended.output.starts_with("-:1:4: error: \"{a: 1}\" follows ---"), "{}", ended.output);
    assert_eq!(ended.errors, "1 valid, 1 refused\n", "the next document is checked");
}

#[test]
fn a_document_that_cannot_be_read_hides_no_other() {
    let text = format!("{BACKUP}---\na: b: c\n---\na:\n\t- x\n---\n{}", refused());
    let ended = run_on(&["validate", "-"], &text);
    let lines: Vec<_> = ended.output.lines().collect();
    assert!(lines[0].starts_with("-:13:5: error: "), "{lines:#?}");
    assert!(lines[1].starts_with("-:16:2: error: "), "{lines:#?}");
    assert!(lines[2].starts_with("-:26:13: error: spec.schedule: "), "{lines:#?}");
    assert_eq!(ended.errors, "1 valid, 3 refused\n");
}

#[test]
fn words_and_numbers_mean_what_they_mean_to_kubectl() {
    // for YAML 1.2, `on` is a text and 010 is ten
    let text = BACKUP.to_owned()
        + "  tables: [on, 010, 1e3, 2026-11-23, \"yes\"]\n  suspend: yes\n  failedJobsHistoryLimit: 0o12\n";
    let ended = run_on(&["validate", "-"], &text);
    assert_eq!(
        places(&ended.output),
        ["-:12:12: error: spec.tables[0]", "-:12:16: error: spec.tables[1]", "-:12:21: error: spec.tables[2]"]
    );
    assert!(ended.output.contains("invalid value true: must be a string"), "{}", ended.output);
    assert!(ended.output.contains("invalid value 8: must be a string"), "{}", ended.output);
}

#[test]
fn a_key_that_is_there_twice_is_an_error_wherever_it_is() {
    let text = BACKUP.to_owned() + "  schedule: 0 3 * * *\n";
    let list = "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"kind\": \"AntflyBackup\", \"apiVersion\": \"antfly.io/v1\",\n\"metadata\": {\"name\": \"a\", \"name\": \"b\"}, \"spec\": {\"clusterRef\": {\"name\": \"c\"}, \"schedule\": \"@daily\", \"destination\": {\"location\": \"s3://my-bucket\"}}}]}";
    for (text, line) in [
        (text.as_str(), "-:12:3: error: spec.schedule: duplicate key"),
        (list, "-:2:27: error: metadata.name: duplicate key"),
    ] {
        let ended = run_on(&["validate", "-"], text);
        assert!(ended.output.starts_with(line), "{}", ended.output);
        assert_eq!((ended.code, ended.errors.as_str()), (Some(1), "0 valid, 1 refused\n"));
    }
    for command in [&["render", "-f", "-"][..], &["restore-manifest", "-f", "-"]] {
        let ended = run_on(command, &text);
        assert_eq!(ended.code, Some(1));
        assert!(ended.errors.starts_with("error: -:12:3: error: spec.schedule: duplicate key"), "{}", ended.errors);
    }
}

#[test]
fn aliases_that_grow_beyond_all_bounds_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{below}]\n");
    }
    let ended = run_on(&["validate", "-"], &text);
    assert_eq!(ended.code, Some(1));
    assert!(ended.output.contains("too many aliases"), "{}", ended.output);
    let deep = "[".repeat(100_000);
    let ended = run_on(&["validate", "-"], &deep);
    assert_eq!(ended.code, Some(1), "{}", ended.errors);
}

#[test]
fn a_kind_that_is_misspelt_or_missing_is_not_skipped() {
    for (kind, field) in [
        ("", "-:3:9: error: kind"),
        ("kind: antflyBackup\n", "-:2:7: error: kind"),
        ("kind: AntflyBackups\n", "-:2:7: error: kind"),
    ] {
        let ended = run_on(&["validate", "-"], &BACKUP.replace("kind: AntflyBackup\n", kind));
        assert_eq!((ended.code, ended.errors.as_str()), (Some(1), "0 valid, 1 refused\n"), "{kind}");
        assert!(ended.output.contains(": error: kind: invalid value"), "{field}: {}", ended.output);
    }
    let ended = run_on(&["validate", "-"], &BACKUP.replace("AntflyBackup", "AntflyCluster"));
    assert_eq!((ended.code, ended.errors.lines().last()), (Some(0), Some("0 valid, 0 refused, 1 skipped")));
}

#[test]
fn yaml_that_is_no_manifest_is_skipped_unless_objects_would_be_missed() {
    for text in ["- a\n- kind: none\n", "a text\n", "a: !Ref b\non: push\n"] {
        let ended = run_on(&["validate", "-"], text);
        assert_eq!(
            (ended.code, ended.errors.lines().last()),
            (Some(0), Some("0 valid, 0 refused, 1 skipped")),
            "{text}"
        );
    }
    let ended = run_on(&["validate", "-"], "[{apiVersion: v1, kind: Secret}]\n");
    assert!(
        ended.output.starts_with("-:1:1: error: a bare list of objects, which kubectl does not read; "),
        "{}",
        ended.output
    );
    assert_eq!(ended.code, Some(1));
}

#[test]
fn nothing_on_standard_input_is_an_error() {
    for text in ["", "# nothing\n---\n"] {
        let ended = run_on(&["validate", "-"], text);
        assert_eq!(ended.output, "-: has no object; see whether the command that should print it failed\n");
        assert_eq!((ended.code, ended.errors.as_str()), (Some(1), "0 valid, 1 refused\n"));
    }
    let empty = Folder::new(&[("empty.yaml", "# rendered to nothing\n")]).validate(&["empty.yaml"]);
    assert_eq!((empty.code, empty.errors.as_str()), (Some(0), "0 valid, 0 refused\n"));
}
