//! Any text is read or refused, and JSON means itself.

use antfly_backup_operator::testing::manifests::{Lines, read};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Pieces of YAML, from which texts are made that come further than any characters.
const PIECES: [&str; 24] = [
    "a", ": ", "\n", "  ", "- ", "? ", "[", "]", "{", "}", ", ", "&a ", "*a", "<<: ", "|\n", ">\n", "\"", "'", "# ",
    "---\n", "...\n", "!!int ", "1", "\u{feff}",
];

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // a control character would be one of YAML, too, which has none
        "[^\\p{Cc}]*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[^\\p{Cc}]*", inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_at_a_place_in_it(text in prop_oneof![
        any::<String>(),
        prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40).prop_map(|pieces| pieces.concat()),
    ]) {
        let lines = Lines::new(&text);
        for read in read(&text) {
            let at = match read {
                Ok(manifest) => manifest.node.at,
                Err(error) => error.at,
            };
            prop_assert!(at <= text.len());
            let position = lines.position(at);
            prop_assert!(position.line >= 1 && position.column >= 1);
        }
    }

    #[test]
    fn json_means_itself(value in json(), is_pretty in any::<bool>()) {
        let object = json!({"kind": "Any", "value": value});
        let text = if is_pretty { format!("{object:#}") } else { object.to_string() };
        let read: Vec<Value> = read(&text).into_iter().map(|read| read.unwrap().node.to_value()).collect();
        prop_assert_eq!(read, [object]);
    }
}
