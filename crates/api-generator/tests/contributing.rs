//! CONTRIBUTING's example, followed as the page says: its YAML goes into the schema, and generator and gate say what the page prints.
#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

use api_generator::GeneratedFile;

const SCHEMA: &str = include_str!("../../../schema/antflybackup.yaml");
const PAGE: &str = include_str!("../../../CONTRIBUTING.md");

/// Returns the blocks of the example in a language, without their fences.
fn blocks(language: &str) -> Vec<String> {
    let (_, section) = PAGE.split_once("### An example: an optional field\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let fenced = section.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap());
    fenced.filter(|(name, _)| *name == language).map(|(_, block)| block.to_owned()).collect()
}

fn only_block(language: &str) -> String {
    let blocks = blocks(language);
    assert_eq!(blocks.len(), 1, "blocks of {language:?}");
    blocks.into_iter().next().unwrap()
}

/// Returns the schema with a field below `spec.properties`.
fn schema_with(field: &str) -> String {
    let (before, after) = SCHEMA.split_once("title: AntflyBackupSpec\n").unwrap();
    let (head, fields) = after.split_once("\n              properties:\n").unwrap();
    format!("{before}title: AntflyBackupSpec\n{head}\n              properties:\n{field}{fields}")
}

fn generate(schema: &str) -> Vec<GeneratedFile> {
    api_generator::generate(schema).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Returns what the build says of the example with some lines replaced.
fn refusal(replacements: &[(&str, &str)]) -> String {
    let mut field = only_block("yaml");
    for (line, other) in replacements {
        assert!(field.contains(line), "the example has no {line:?}");
        field = field.replace(line, other);
    }
    api_generator::generate(&schema_with(&field)).err().expect("the build refuses it").to_string()
}

#[test]
fn the_files_change_as_the_page_says() {
    let (before, after) = (generate(SCHEMA), generate(&schema_with(&only_block("yaml"))));
    let contents = |files: &[GeneratedFile], name: &str| {
        files.iter().find(|file| file.name == name).map(|file| file.contents.clone()).unwrap()
    };
    let names: Vec<_> = after.iter().map(|file| file.name).collect();
    let mut shown = Vec::new();
    for part in only_block("diff").split("\n\n") {
        let (heading, lines) = part.split_once('\n').unwrap();
        let name = *names.iter().find(|name| heading.contains(**name)).unwrap_or_else(|| panic!("{heading}"));
        let added: String = lines.lines().map(|line| format!("{}\n", line.strip_prefix('+').unwrap())).collect();
        assert!(contents(&after, name).contains(&added), "{name} has no\n{added}\n{}", contents(&after, name));
        assert!(!contents(&before, name).contains(&added), "{name} had it before:\n{added}");
        shown.push(name);
    }
    let changed: Vec<_> = names.into_iter().filter(|name| contents(&before, name) != contents(&after, name)).collect();
    assert_eq!(shown, changed, "the page shows the files that change");
}

#[test]
fn the_gate_says_what_the_page_prints() {
    let report = crd_compatibility::compare_texts(SCHEMA, &schema_with(&only_block("yaml"))).unwrap();
    assert_eq!(format!("{report}\n"), format!("{}\n0 breaking, 1 compatible\n", only_block("")));
}

#[test]
fn the_build_refuses_what_the_page_says() {
    let max_length = refusal(&[("                  maxLength: 200\n", "")]);
    assert!(PAGE.contains(&format!("`{}`", max_length.trim())), "CONTRIBUTING.md does not say {max_length}");
    let nullable = refusal(&[("                  nullable: true\n", "")]);
    assert!(nullable.contains("server-side apply would refuse null"), "{nullable}");
    let default = refusal(&[
        ("nullable: true", "default: \"\""),
        ("maxLength: 200", "maxLength: 200\n                  minLength: 1"),
    ]);
    assert!(default.contains("is refused by its own schema"), "{default}");
}

/// The gate refuses what the page warns of.
#[test]
fn the_gate_refuses_a_required_field() {
    let schema = schema_with(&only_block("yaml").replace("                  nullable: true\n", "")).replace(
        "required: [clusterRef, schedule, destination]",
        "required: [clusterRef, schedule, destination, purpose]",
    );
    let report = crd_compatibility::compare_texts(SCHEMA, &schema).unwrap();
    assert_eq!(report.breaking().map(|change| change.path.as_str()).collect::<Vec<_>>(), ["v1 .spec.purpose"]);
}
