//! Files, folders, globs and standard input.

use super::{BACKUP, Folder, command::run_on, places, refused};
use std::os::unix::fs::symlink;

#[test]
fn a_folder_is_read_with_all_below_it_but_not_what_is_hidden() {
    let refused = refused();
    let folder = Folder::new(&[
        ("deploy/b.yml", &refused),
        ("deploy/a.yaml", &refused),
        ("deploy/deep/er/c.json", "{\"apiVersion\": \"antfly.io/v1\", \"kind\": \"AntflyBackup\"}"),
        ("deploy/UPPER.YAML", BACKUP),
        ("deploy/README.md", "no: [yaml"),
        ("deploy/.git/hidden.yaml", &refused),
        ("deploy/.hidden.yaml", &refused),
    ]);
    let ended = folder.validate(&["deploy"]);
    let files: Vec<_> = ended.output.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(files, ["deploy/a.yaml", "deploy/b.yml", "deploy/deep/er/c.json", "deploy/deep/er/c.json"]);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(1), "1 valid, 3 refused\n"));
    // the same with a slash, with -f, and from the folder above
    for arguments in [&["deploy/"][..], &["-f", "deploy"], &["./deploy"], &["."]] {
        let again = folder.validate(arguments);
        assert_eq!(again.errors, "1 valid, 3 refused\n", "{arguments:?}");
        assert!(
            again.output.replace("deploy//", "deploy/").contains("deploy/a.yaml:9:13: error: "),
            "{}",
            again.output
        );
    }
}

#[test]
fn links_are_followed_and_never_in_circles() {
    let folder = Folder::new(&[("deploy/a.yaml", BACKUP), ("other/b.yaml", &refused())]);
    let link = |target: &str, name: &str| symlink(target, folder.path().join(name)).unwrap();
    link(".", "deploy/circle");
    link("..", "deploy/up");
    link("../other", "deploy/other");
    link("../other", "deploy/other-again");
    link("a.yaml", "deploy/same.yaml");
    let ended = folder.validate(&["deploy"]);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(1), "1 valid, 1 refused\n"), "{}", ended.output);
    // a link to nothing is no file to be left out in silence
    link("nothing", "deploy/broken.yaml");
    let ended = folder.validate(&["deploy"]);
    assert!(ended.output.contains("deploy/broken.yaml: cannot be read: "), "{}", ended.output);
}

#[test]
fn the_same_file_is_checked_once() {
    let folder = Folder::new(&[("deploy/a.yaml", BACKUP), ("deploy/b.yaml", &refused())]);
    let ended =
        folder.validate(&["deploy", "deploy/a.yaml", "./deploy/../deploy/b.yaml", "-f", "deploy/*.yaml", "deploy"]);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(1), "1 valid, 1 refused\n"), "{}", ended.output);
    assert_eq!(ended.output.lines().count(), 1);
    let ended = run_on(&["validate", "-", "-f", "-"], BACKUP);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), "1 valid, 0 refused\n"));
}

#[test]
fn globs_are_expanded() {
    let refused = refused();
    let folder = Folder::new(&[
        ("one/a.yaml", &refused),
        ("one/deep/b.yaml", &refused),
        ("two/a.yml", &refused),
        ("two/c.txt", &refused),
        ("two/.hidden/d.yaml", &refused),
        ("[odd]/e.yaml", &refused),
    ]);
    let files = |glob: &str| -> Vec<String> {
        let ended = folder.validate(&[glob]);
        ended.output.lines().map(|line| line.split(':').next().unwrap().to_owned()).collect()
    };
    assert_eq!(files("one/*.yaml"), ["one/a.yaml"]);
    assert_eq!(files("./one/*.yaml"), ["one/a.yaml"]);
    assert_eq!(files("one/**/*.yaml"), ["one/a.yaml", "one/deep/b.yaml"]);
    assert_eq!(files("**/a.*"), ["one/a.yaml", "two/a.yml"]);
    assert_eq!(files("{one,two}/?.y*ml"), ["one/a.yaml", "two/a.yml"]);
    assert_eq!(files("t[uvw]o/**"), ["two/a.yml"]);
    assert_eq!(files("two/.hid*/*"), ["two/.hidden/d.yaml"]);
    // a folder that matches is read as a folder
    assert_eq!(files("o*"), ["one/a.yaml", "one/deep/b.yaml"]);
    assert_eq!(files("o*/"), ["one/a.yaml", "one/deep/b.yaml"]);
    // what exists is taken as it is
    assert_eq!(files("[odd]/e.yaml"), ["[odd]/e.yaml"]);
    let absolute = format!("{}/tw*/*.yml", folder.path().display());
    assert_eq!(files(&absolute).len(), 1);
}

#[test]
fn what_leads_to_no_manifest_is_an_error() {
    let folder = Folder::new(&[("empty/README.md", ""), ("good.yaml", BACKUP)]);
    for (argument, error) in [
        ("empty", "empty: has no manifest: no file in it ends with .yaml, .yml or .json\n"),
        ("empty/*.yaml", "empty/*.yaml: matches no manifest: "),
        ("nothing/**/*.yaml", "nothing/**/*.yaml: matches no manifest: "),
        ("a[", "a[: is no glob: "),
        ("nothing.yaml", "nothing.yaml: cannot be read: "),
    ] {
        let ended = folder.validate(&[argument, "good.yaml"]);
        assert!(ended.output.starts_with(error), "{argument}: {}", ended.output);
        assert_eq!((ended.code, ended.errors.as_str()), (Some(1), "1 valid, 1 refused\n"), "{argument}");
    }
    let ended = folder.validate(&[]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.errors.contains("<PATH>"), "{}", ended.errors);
}

#[test]
fn a_file_that_is_no_manifest_is_an_error_and_the_others_are_checked() {
    let template = "apiVersion: antfly.io/v1\nkind: AntflyBackup\nmetadata:\n  name: {{ .Release.Name }}\n{{- if .Values.x }}\n{{- end }}\n";
    let folder = Folder::new(&[
        ("chart/Chart.yaml", "apiVersion: v2\nname: chart\n"),
        ("chart/templates/backup.yaml", template),
        ("chart/values.yaml", "schedule: 0 2 * * *\n"),
        ("chart/z.yaml", &refused()),
    ]);
    folder.write("chart/a-binary.yaml", b"\x7fELF\x00\x01");
    folder.write("chart/b-latin1.yaml", b"# comment\nname: caf\xe9\n");
    folder.write("chart/c-utf16.yaml", b"\xff\xfea\x00:\x00 \x001\x00");
    folder.write("chart/d-control.yaml", b"a: 1\nb: \"\x1b\"\n");
    let ended = folder.validate(&["chart"]);
    let lines: Vec<_> = ended.output.lines().collect();
    assert_eq!(lines[0], "chart/a-binary.yaml: is no text: it has a byte of value 0");
    assert_eq!(lines[1], "chart/b-latin1.yaml:2:10: error: is not UTF-8 here; save the file as UTF-8");
    assert_eq!(lines[2], "chart/c-utf16.yaml: is UTF-16; save it as UTF-8");
    assert!(lines[3].starts_with("chart/d-control.yaml:2:5: error: control character U+001B"), "{lines:#?}");
    assert!(lines[4].starts_with("chart/templates/backup.yaml:4:"), "{lines:#?}");
    assert!(
        lines[4].ends_with("it looks like a Helm template: check what helm template CHART prints, with -f -"),
        "{lines:#?}"
    );
    assert!(lines[5].starts_with("chart/z.yaml:9:13: error: spec.schedule: "), "{lines:#?}");
    assert_eq!(lines.len(), 6);
    assert_eq!(
        ended.errors,
        "chart/Chart.yaml: skipped a document without kind \"without name\": not an AntflyBackup; check what helm template \
         prints of its folder, with -f -\n\
         chart/values.yaml: skipped a document without kind \"without name\": not an AntflyBackup\n\
         0 valid, 6 refused, 2 skipped\n"
    );
    assert_eq!(ended.code, Some(1));
}

/// The lines of a violation are found without counting the whole line for each: that would take hours here.
#[test]
fn a_large_file_of_one_line_is_read() {
    let object = |number| {
        format!(
            "{{\"apiVersion\":\"antfly.io/v1\",\"kind\":\"AntflyBackup\",\"metadata\":{{\"name\":\"b-{number}\"}},\"spec\":{{\"clusterRef\":\
             {{\"name\":\"a\"}},\"schedule\":\"never\",\"destination\":{{\"location\":\"s3://my-bucket/{}\"}}}}}}",
            "a".repeat(500)
        )
    };
    let items: Vec<String> = (0..20_000).map(object).collect();
    let text = format!("{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{}]}}", items.join(","));
    let ended = Folder::new(&[("a.json", &text)]).validate(&["a.json"]);
    assert_eq!(ended.errors, "0 valid, 20000 refused\n");
    let column = text.rfind("\"never\"").unwrap() + 1;
    let last = places(&ended.output).pop().unwrap();
    assert_eq!(last, format!("a.json:1:{column}: error: spec.schedule"));
}

#[test]
fn a_large_file_is_read() {
    let documents: Vec<String> =
        (0..3000).map(|number| BACKUP.replace("nightly", &format!("backup-{number}"))).collect();
    let mut text = documents.join("---\n");
    text += "---\n";
    text += &refused();
    let ended = Folder::new(&[("a.yaml", &text)]).validate(&["a.yaml"]);
    assert_eq!(ended.errors, "3000 valid, 1 refused\n");
    assert_eq!(places(&ended.output), ["a.yaml:36009:13: error: spec.schedule"]);
}
