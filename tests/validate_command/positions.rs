//! The line and column of each violation.

use super::{BACKUP, Folder, places, refused};

/// Checks one file and returns `LINE:COLUMN FIELD` of each line that is printed, sorted by the field.
fn found(text: &str) -> Vec<String> {
    let ended = Folder::new(&[("a.yaml", text)]).validate(&["a.yaml"]);
    assert_eq!(ended.code, Some(1), "{}", ended.errors);
    let mut found: Vec<_> =
        places(&ended.output).iter().map(|line| line.replace("a.yaml:", "").replace(": error: ", " ")).collect();
    found.sort_by_key(|line| line.split(' ').nth(1).map(str::to_owned));
    found
}

#[test]
fn each_violation_is_at_its_value_or_else_at_its_key() {
    let text = "\
apiVersion: antfly.io/v1
kind: AntflyBackup
metadata:
  name: nightly
  labels: {\"bad key\": x, good: \"bad value\"}
  extra: 1
spec:
  clusterRef: {}
  schedule: 61 2 * * *
  destination:
    location: >-
      ftp://host
  tables:
    - users
    - \"\"
    - users
    - 7
  suspend:   \"yes\"
  backupTimeout: {hours: 1}
  successfulJobsHistoryLimit: -1
  tpyo: [1]
";
    let mut expected = [
        "5:12 metadata.labels.bad key",
        "5:32 metadata.labels.good",
        "6:3 metadata.extra",
        "8:3 spec.clusterRef.name",
        "9:13 spec.schedule",
        "12:7 spec.destination.location",
        "15:7 spec.tables[1]",
        "16:7 spec.tables[2]",
        "17:7 spec.tables[3]",
        "18:14 spec.suspend",
        "19:3 spec.backupTimeout",
        "20:31 spec.successfulJobsHistoryLimit",
        "21:3 spec.tpyo",
    ];
    expected.sort_by_key(|line| line.split_once(' ').unwrap().1);
    let mut found = found(text);
    found.dedup();
    assert_eq!(found, expected);
}

#[test]
fn what_is_missing_is_at_the_object_that_lacks_it() {
    let missing = "apiVersion: antfly.io/v1\nkind: AntflyBackup\nmetadata:\n  name: nightly\nspec:\n  clusterRef:\n    name: main\n";
    assert_eq!(found(missing), ["5:1 spec.destination", "5:1 spec.schedule"]);
    assert_eq!(
        found("# a comment\n\napiVersion: antfly.io/v1\nkind: AntflyBackup\nmetadata: {name: a}\n"),
        ["3:1 spec"]
    );
    let nothing = BACKUP.replace("  schedule: 0 2 * * *\n", "  schedule:\n");
    assert_eq!(found(&nothing), ["9:3 spec.schedule"]);
    let no_name = BACKUP.replace("  name: nightly\n", "");
    assert_eq!(found(&no_name), ["3:1 metadata.name"]);
}

#[test]
fn what_is_about_the_whole_object_is_at_its_name() {
    let long = BACKUP.replace("nightly", &"n".repeat(48));
    let ended = Folder::new(&[("a.yaml", &long)]).validate(&["a.yaml"]);
    assert!(ended.output.starts_with("a.yaml:4:9: error: metadata.name must have at most 47"), "{}", ended.output);
}

#[test]
fn columns_count_characters_and_every_end_of_line_ends_a_line() {
    let flow = "{apiVersion: antfly.io/v1, kind: AntflyBackup, metadata: {name: a, annotations: {a: ä€𝄞}}, spec: {schedule: x}}";
    assert!(found(flow).contains(&"1:109 spec.schedule".to_owned()), "{:?}", found(flow));
    for (ending, text) in [("CRLF", refused().replace('\n', "\r\n")), ("CR", refused().replace('\n', "\r"))] {
        assert_eq!(found(&text), ["9:13 spec.schedule"], "{ending}");
    }
    assert_eq!(found(&format!("\u{feff}{}", refused())), ["9:13 spec.schedule"]);
    let on_first_line = "\u{feff}{apiVersion: antfly.io/v2, kind: AntflyBackup, metadata: {name: a}, spec: {}}";
    assert!(found(on_first_line).contains(&"1:14 apiVersion".to_owned()), "{:?}", found(on_first_line));
}

#[test]
fn positions_are_those_in_the_file_in_later_documents_and_in_lists() {
    let list = "apiVersion: v1\nkind: List\nitems:\n".to_owned()
        + &refused()
            .lines()
            .enumerate()
            .map(|(at, line)| format!("{} {line}\n", if at == 0 { "-" } else { " " }))
            .collect::<String>();
    let text = format!("{BACKUP}---\n# second\n{}---\n{list}", refused());
    assert_eq!(found(&text), ["22:13 spec.schedule", "37:15 spec.schedule"]);
    let json = r#"{"apiVersion": "v1", "kind": "List", "items": [
	{"apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "metadata": {"name": "a"}, "spec": {
		"clusterRef": {"name": "a"}, "destination": {"location": "s3://my-bucket"},
		"x": "é", "schedule": 1}}
]}
"#;
    assert_eq!(found(json), ["4:25 spec.schedule", "4:3 spec.x"]);
}

#[test]
fn a_value_behind_an_alias_is_where_it_is_written() {
    let text = refused()
        .replace("schedule: 0 25 * * *", "schedule: *when")
        .replace("name: nightly", "name: nightly\n  annotations: {when: &when 0 25 * * *}");
    assert_eq!(found(&text), ["5:29 spec.schedule"]);
    let merged = "x: &defaults {schedule: never, suspend: false}\n".to_owned()
        + &BACKUP.replace("  schedule: 0 2 * * *\n", "  <<: *defaults\n");
    assert_eq!(found(&merged), ["1:25 spec.schedule", "1:1 x"]);
}
