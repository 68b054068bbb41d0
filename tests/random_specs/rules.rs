//! Finds hints for values in the text of CEL rules. Does not evaluate the rules: a hint may be wrong.

use serde_json::Value;

/// Hints from the rules of a schema.
#[derive(Debug, Default)]
pub struct Hints {
    /// Regular expressions that some rule may require a string to match.
    pub wanted: Vec<String>,
    /// Regular expressions that some rule may forbid a string to match.
    pub unwanted: Vec<String>,
    /// Other string literals, such as the items of a list.
    pub literals: Vec<String>,
}

impl Hints {
    /// Returns the hints in `x-kubernetes-validations` and `pattern`.
    pub fn of(schema: &Value) -> Self {
        let mut hints = Hints::default();
        hints.wanted.extend(schema["pattern"].as_str().map(str::to_owned));
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            hints.add(rule["rule"].as_str().expect("a rule is a text"));
        }
        for list in [&mut hints.wanted, &mut hints.unwanted, &mut hints.literals] {
            list.sort();
            list.dedup();
        }
        hints
    }

    fn add(&mut self, rule: &str) {
        let mut rest = rule;
        while let Some(start) = rest.find(['\'', '"']) {
            let (before, quoted) = rest.split_at(start);
            let (literal, after) = literal(quoted);
            rest = after;
            match before.strip_suffix("self.matches(") {
                Some(before) if before.trim_end().ends_with('!') => self.unwanted.push(literal),
                Some(_) => self.wanted.push(literal),
                None => self.literals.push(literal),
            }
        }
    }
}

/// Parses a string literal of CEL at the start of a text. Returns it and the rest of the text
/// (<https://github.com/google/cel-spec/blob/master/doc/langdef.md#string-and-bytes-values>).
fn literal(text: &str) -> (String, &str) {
    let mut characters = text.char_indices();
    let quote = characters.next().map(|(_, quote)| quote);
    let mut literal = String::new();
    while let Some((at, character)) = characters.next() {
        match character {
            _ if Some(character) == quote => return (literal, &text[at + 1..]),
            '\\' => match characters.next() {
                Some((_, escaped @ ('\\' | '\'' | '"'))) => literal.push(escaped),
                other => panic!("an escape that is not known here, {other:?}, in {text}"),
            },
            character => literal.push(character),
        }
    }
    panic!("a string literal without an end: {text}");
}

#[test]
fn hints_are_read_from_rules() {
    let schema = serde_json::json!({
        "pattern": "^p$",
        "x-kubernetes-validations": [
            {"rule": "self.matches('^a\\\\.$') || !self.matches('[b\\\\\\\\]')"},
            {"rule": "!self.startsWith('@') || self in ['@x', '@y']"},
        ],
    });
    let hints = Hints::of(&schema);
    assert_eq!(hints.wanted, ["^a\\.$", "^p$"]);
    assert_eq!(hints.unwanted, ["[b\\\\]"]);
    assert_eq!(hints.literals, ["@", "@x", "@y"]);
}
