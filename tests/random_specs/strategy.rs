//! Values for an OpenAPI schema, generated from the schema alone.

use super::{place::Place, text};
use proptest::{prelude::*, sample::select, strategy::Union};
use serde_json::{Map, Value, json};

/// Whether to generate valid values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// All values are valid.
    Valid,
    /// Most values are invalid.
    Doubtful,
}

/// The supported keywords: those that restrict values, and those that only describe them.
const KEYWORDS: [&str; 23] = [
    "type",
    "properties",
    "required",
    "items",
    "minItems",
    "maxItems",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    "enum",
    "pattern",
    "format",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "x-kubernetes-validations",
    "default",
    "nullable",
    "title",
    "additionalProperties",
    "maxProperties",
    "x-kubernetes-int-or-string",
];

/// Most items of a list, except for lists of the maximal length.
const USUAL_ITEMS: usize = 6;

/// Returns values for the schema at `place`.
///
/// # Panics
/// Panics if the schema has something that is not supported here. The message names the place.
pub fn values(schema: &Value, place: &Place, kind: Kind) -> BoxedStrategy<Value> {
    let keywords = schema.as_object().unwrap_or_else(|| panic!("{place}: not a schema: {schema}"));
    for keyword in keywords.keys().filter(|keyword| !["description", "example"].contains(&keyword.as_str())) {
        assert!(
            KEYWORDS.contains(&keyword.as_str()),
            "{place}: the keyword {keyword} is not known to tests/random_specs"
        );
    }
    if let (Some(choices), Kind::Valid) = (chosen(place), kind) {
        return select(choices).boxed();
    }
    let valid = match schema["type"].as_str() {
        Some("object") if schema["additionalProperties"].is_object() => maps(schema, place, kind),
        Some("object") => objects(schema, place, kind),
        None if schema["x-kubernetes-int-or-string"] == true => quantities(),
        Some("array") => lists(schema, place, kind),
        Some("string") => text::valid(schema, place).prop_map(Value::from).boxed(),
        Some("integer") => integers(schema, place),
        Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
        other => panic!("{place}: the type {other:?} is not known to tests/random_specs"),
    };
    match kind {
        // those of texts are valid by their rules already
        Kind::Valid if has_rules(schema) && schema["type"] != "string" => {
            let place = place.clone();
            valid.prop_filter("valid by its rules", move |value| place.takes(value)).boxed()
        }
        Kind::Valid => valid,
        Kind::Doubtful => prop_oneof![8 => valid, 1 => doubtful(schema)].boxed(),
    }
}

fn objects(schema: &Value, place: &Place, kind: Kind) -> BoxedStrategy<Value> {
    let properties =
        schema["properties"].as_object().unwrap_or_else(|| panic!("{place}: an object without properties"));
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let fields: Vec<_> = properties
        .iter()
        .map(|(name, schema)| {
            let value = values(schema, &place.field(name), kind).prop_map(Some);
            // Null means absent for an optional field.
            let field = match (required.contains(&json!(name)), kind) {
                (true, Kind::Valid) => value.boxed(),
                (true, Kind::Doubtful) => {
                    prop_oneof![30 => value, 1 => Just(None), 1 => Just(Some(Value::Null))].boxed()
                }
                (false, _) => prop_oneof![10 => value, 9 => Just(None), 1 => Just(Some(Value::Null))].boxed(),
            };
            let name = name.clone();
            field.prop_map(move |value| value.map(|value| (name.clone(), value))).boxed()
        })
        .collect();
    fields.prop_map(|fields| Value::Object(fields.into_iter().flatten().collect())).boxed()
}

/// Returns whether a schema has rules of its own.
fn has_rules(schema: &Value) -> bool {
    schema["x-kubernetes-validations"].is_array()
}

/// Returns the values of fields that Kubernetes holds against each other, which no rule of the schema can: the status reports
/// what the API server refuses of them.
fn chosen(place: &Place) -> Option<Vec<Value>> {
    match place.to_string().as_str() {
        "spec.pod.resources" => Some(vec![
            json!({}),
            json!({"limits": {"memory": "1024Mi", "cpu": 2}}),
            json!({"limits": {"memory": "16Mi"}, "requests": null}),
            json!({"requests": {"memory": "0.5Gi", "cpu": "1000m"}, "limits": {"memory": "2147483648000m"}}),
            json!({"requests": {"ephemeral-storage": "129e6"}, "limits": {"example.com/gpu": 1}}),
            json!({"requests": {"cpu": "1.500", "memory": "1.5Gi"}, "limits": {"cpu": null}}),
        ]),
        "spec.pod.securityContext.sysctls" => Some(vec![
            json!([]),
            json!([{"name": "net.ipv4.tcp_keepalive_time", "value": "60"}]),
            json!([{"name": "net.ipv4.ping_group_range", "value": "0 1"}, {"name": "net.ipv4.tcp_syncookies", "value": "1"}]),
        ]),
        _ => None,
    }
}

/// Maps with keys that are labels, and resources; the rules say which are valid.
fn maps(schema: &Value, place: &Place, kind: Kind) -> BoxedStrategy<Value> {
    const KEYS: [&str; 12] = [
        "cpu",
        "memory",
        "ephemeral-storage",
        "hugepages-2Mi",
        "example.com/gpu",
        "example.com/Team_a.b-c",
        "team",
        "0",
        "kubernetes.io/os",
        "app.kubernetes.io/name",
        "-bad",
        "",
    ];
    let values = values(&schema["additionalProperties"], &place.field("key"), kind);
    let value = prop_oneof![20 => values, 1 => Just(Value::Null)];
    let maps = prop::collection::btree_map(select(KEYS.map(str::to_owned).to_vec()), value, 0..=USUAL_ITEMS);
    let (place, schema) = (place.clone(), schema.clone());
    // the rule about that key fails for null, which by itself is no violation beside others
    let is_bad_null = |key: &str, value: &Value| key == "kubernetes.io/os" && value.is_null();
    let is_valid = move |key: &str, value: &Value| !is_bad_null(key, value) && place.takes(&json!({ key: value }));
    maps.prop_map(move |map| {
        let most = schema["maxProperties"].as_u64().map_or(usize::MAX, |most| usize::try_from(most).expect("a length"));
        let kept = map.into_iter().filter(|(key, value)| kind == Kind::Doubtful || is_valid(key, value));
        Value::Object(kept.take(most).collect())
    })
    .boxed()
}

/// Amounts, most of them valid ones of a resource that Kubernetes takes in any form.
fn quantities() -> BoxedStrategy<Value> {
    let texts = ["1", "2000m", "0.5", "1.5Gi", "128974848", "129e6", "123Mi", "1024Mi", "100u", "0", "1.500", "3k"];
    prop_oneof![3 => select(texts.map(Value::from).to_vec()), 1 => (0..5_000_i64).prop_map(Value::from)].boxed()
}

fn lists(schema: &Value, place: &Place, kind: Kind) -> BoxedStrategy<Value> {
    let bound = |keyword: &str| schema[keyword].as_u64().map(|bound| usize::try_from(bound).expect("a length"));
    let fewest = bound("minItems").unwrap_or(0);
    let most = bound("maxItems").unwrap_or(fewest + USUAL_ITEMS);
    let item = values(&schema["items"], &place.item(), kind);
    let list = |range| prop::collection::vec(item.clone(), range);
    let lists = prop_oneof![20 => list(fewest..=most.min(fewest + USUAL_ITEMS)), 1 => list(most..=most)];
    let keys: Option<Vec<String>> = match schema["x-kubernetes-list-type"].as_str() {
        None | Some("atomic") => None,
        Some("set") => Some(Vec::new()),
        Some("map") => serde_json::from_value(schema["x-kubernetes-list-map-keys"].clone()).expect("a map has keys"),
        Some(other) => panic!("{place}: the list type {other} is not known to tests/random_specs"),
    };
    let Some(keys) = keys.filter(|_| kind == Kind::Valid) else { return lists.prop_map(Value::from).boxed() };
    let unique = lists.prop_map(move |items| {
        let mut seen = Vec::new();
        let is_new = |item: &Value| {
            let key = if keys.is_empty() { item.clone() } else { keys.iter().map(|key| item[key].clone()).collect() };
            !seen.contains(&key) && {
                seen.push(key);
                true
            }
        };
        items.into_iter().filter(is_new).collect::<Vec<_>>()
    });
    unique.prop_filter("enough of them differ", move |items| items.len() >= fewest).prop_map(Value::from).boxed()
}

fn integers(schema: &Value, place: &Place) -> BoxedStrategy<Value> {
    let (lowest, highest) = match schema["format"].as_str() {
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        None | Some("int64") => (i64::MIN, i64::MAX),
        Some(other) => panic!("{place}: the format {other} is not known to tests/random_specs"),
    };
    let lowest = schema["minimum"].as_i64().map_or(lowest, |minimum| minimum.max(lowest));
    let highest = schema["maximum"].as_i64().map_or(highest, |maximum| maximum.min(highest));
    let near = lowest..=highest.min(lowest.saturating_add(20));
    let number = prop_oneof![near, lowest..=highest, Just(lowest), Just(highest)];
    // 3.0 equals 3 in JSON, but not beyond 2^53.
    let is_exact = |number: i64| number.unsigned_abs() < 1 << 53;
    (number, prop::bool::weighted(0.1))
        .prop_map(
            move |(number, with_point)| {
                if with_point && is_exact(number) { json!(number as f64) } else { json!(number) }
            },
        )
        .boxed()
}

/// Returns values that are probably invalid: near a bound, from the rules' literals, of another type, with too many fields
/// or items.
fn doubtful(schema: &Value) -> BoxedStrategy<Value> {
    let others = [
        json!("1"),
        json!(1),
        json!(1.5),
        json!(true),
        json!([]),
        json!({}),
        json!([{}]),
        json!({"a": 1}),
        Value::Null,
    ];
    let mut ways = vec![select(others.to_vec()).boxed()];
    match schema["type"].as_str() {
        Some("string") => {
            let text = text::any(schema).prop_map(Value::from).boxed();
            ways.extend([text.clone(), text.clone(), text]);
        }
        Some("integer") => {
            let bounds = [schema["minimum"].as_i64(), schema["maximum"].as_i64(), Some(0), Some(i64::MAX)];
            let near =
                bounds.into_iter().flatten().flat_map(|bound| [bound.saturating_sub(1), bound.saturating_add(1)]);
            ways.push(select(near.map(Value::from).collect::<Vec<_>>()).boxed());
            ways.push(select(vec![json!(1e300), json!(u64::MAX), json!(-0.0), json!("3")]).boxed());
        }
        Some("array") => {
            let bounds = [schema["minItems"].as_u64(), schema["maxItems"].as_u64().map(|most| most + 1)];
            let lengths = bounds.into_iter().flatten().map(|length| usize::try_from(length).expect("a length"));
            ways.extend(lengths.map(|length| Just(Value::from(vec![json!("same"); length])).boxed()));
        }
        _ => ways.push(Just(Value::Object(Map::from_iter([("unheardOf".to_owned(), json!(1))]))).boxed()),
    }
    Union::new(ways).boxed()
}
