//! Holds the reading of YAML and JSON against kubectl, which needs no cluster for `label --local`.

use antfly_backup_operator::testing::manifests::{Manifest, SyntaxError, read};
use local_cluster::Binaries;
use serde_json::{Deserializer, Number, Value, json};
use std::{io::Write, process::Command};
use tempfile::NamedTempFile;

/// What an object begins with.
const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

/// What follows it. `kubectl` says what it means, or that it means nothing.
const BODIES: [&str; 81] = [
    "a: yes\nb: No\nc: ON\nd: off\ne: y\nf: N\ng: True\nh: FALSE\n",
    "a: yEs\nb: tRue\nc: oN\nd: nULL\n",
    "a: ~\nb: null\nc: Null\nd:\ne: ''\n",
    "a: 010\nb: 0o14\nc: 0x1F\nd: 0b11\ne: -0b11\nf: +0x10\ng: 0O17\nh: 089\ni: 0_7\n",
    "a: 1_000\nb: +1\nc: -1\nd: 1__0\ne: _1\nf: 1_\n",
    "a: 1e3\nb: 1.5\nc: 3.0\nd: -.5\ne: .5e1\nf: 1.\ng: 1.e+3\nh: 1e400\ni: 6.02E23\nj: 1.5.2\n",
    "a: 9223372036854775807\nb: -9223372036854775808\nc: 9223372036854775808\nd: 18446744073709551615\n",
    "a: 99999999999999999999\nb: -9223372036854775809\n",
    "a: 2026-11-23\nb: 2026-11-23T02:00:00Z\nc: 12:30:45\nd: 190:20:30\ne: 1-2\n",
    "a: =\nb: <\nc: '<<'\nd: .\ne: ..\nf: -\ng: +\nh: .e3\ni: 0x\nj: 0b2\n",
    "a: .inf\n",
    "a: .NaN\n",
    "a: '.inf'\n",
    "a: - 1\n",
    "1: a\ntrue: b\n1.5: c\n0x10: d\n-3: e\n",
    "on: a\n",
    "? a\n: b\n? - c\n: d\n",
    "? a\n: b\n",
    "~: a\n",
    "[a]: b\n",
    "{a: b}: c\n",
    "a: !!binary aGVsbG8=\n",
    "a: !!binary aGVs bG8=\n",
    "a: !!str 123\nb: !!str yes\nc: !!str\nd: !!null ''\n",
    "a: !foo bar\nb: !foo 12\nc: !foo [1, 2]\nd: !foo {a: 1}\n",
    "a: !!float 3\nb: !!int '7'\nc: !!bool 'yes'\nd: !!float '1.5'\n",
    "a: !!int abc\n",
    "a: !!bool 1\n",
    "a: !!int 1.5\n",
    "a: !!null x\n",
    "a: ! 12\nb: ! '12'\n",
    "a: 1\na: 2\n",
    "a: {b: 1, b: 2}\n",
    "x: &a {p: 1, q: 2}\nw: {<<: *a, q: 3}\n",
    "x: &a {p: 1, q: 2}\nw: {q: 3, <<: *a}\n",
    "x: &a {p: 1, q: 2}\nw:\n  <<: [*a, {q: 5, r: 6}]\n",
    "w:\n  <<: {q: 5, r: 6}\n  q: 7\n",
    "x: &a [{p: 1}]\nw: {<<: *a}\n",
    "w: {<<: 1}\n",
    "w: {'<<': {a: 1}}\n",
    "w: {!!merge <<: {a: 1}}\n",
    "x: &a {p: &b {q: 1}}\nw: *a\nv: *b\n",
    "x: &a 1\nw: &a 2\nv: *a\n",
    "x: &a text\n*a : b\n",
    "a: *nope\n",
    "a: &x [*x]\n",
    "a: 'x\n  y'\nb: \"x\n\n  y\"\nc: x\n  y\n",
    "a: |\n  x\n   y\n\nb: >\n  x\n  y\n\n  z\nc: |-\n  x\nd: |+\n  x\n\n",
    "a: |\n  x",
    "a: \"\\x41\\u00e9\\U0001F600\\n\\t\\\\\\e\"\n",
    "a: \"\\/\"\n",
    "a: \"\\\\/\"\n",
    "a: '\\/'\n",
    "a: \"\\ud83d\\ude00\"\n",
    "a: \"\\\\ud83d\"\n",
    "a: \"\\q\"\n",
    "a: b: c\n",
    "a: @x\n",
    "a: `x`\n",
    "a: %x\n",
    "a:\tb\n",
    "\ta: b\n",
    "a:\n\t- b\n",
    "a: [1,\n\t2]\n",
    "a: {b: 1\n  c: 2}\n",
    "a: [1, 2\n",
    "a: \"b\n",
    "a: \"b\" c\n",
    "- x\n",
    " b: 1\n",
    "a:\n- 1\n- 2\nb:\n  - 3\n",
    "a: b #c\nd: e#f\ng: # h\n  i\n",
    "a: {{ .Values.x }}\n",
    "a: \"{{ .Values.x }}\"\n",
    "{{- if .x }}\na: 1\n{{- end }}\n",
    "a: x\u{7f}y\n",
    "a: x\u{85}y\n",
    "a: \"x\u{2028}y\"\n",
    "a: 1\r\nb: |\r\n  x\r\n  y\r\n",
    "a: [a, b, ]\nb: {c: d, }\nc: [a b, c: d]\n",
    "a: 0 2 * * *\nb: '*/5 * * * *'\nc: @daily\n",
];

/// Whole inputs.
const INPUTS: [&str; 14] = [
    "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
    "# c\n---\n\n---\n# d\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n--- # e\nnull\n---\n~\n---\n",
    "--- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n",
    "---x\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    "%YAML 1.2\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    "\u{feff}apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"}}{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"b\"}}",
    "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"ConfigMap\",\n\t\"metadata\": {\"name\": \"a\"},\n\t\"x\": \"\\ud83d\\ude00 \\/\", \"n\": [1e3, 1.0, -0, true]\n}\n",
    "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"a\"}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, }\n",
    "{\"apiVersion\": \"v1\" \"kind\": \"ConfigMap\"}\n",
    "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n",
    "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n- metadata: {name: b}\n",
    "[{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]\n",
];

/// Returns what kubectl reads; what it says if it refuses any of it.
fn by_kubectl(input: &str) -> Result<Vec<Value>, String> {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(input.as_bytes()).unwrap();
    let mut kubectl = Command::new(Binaries::pinned_kubectl().unwrap());
    kubectl.args(["label", "--local", "read=1", "-o", "json", "-f"]).arg(file.path()).env("KUBECONFIG", "/dev/null");
    let ended = kubectl.output().unwrap();
    let objects = Deserializer::from_slice(&ended.stdout).into_iter();
    match ended.status.success() {
        true => Ok(objects.map(|object| normalised(object.unwrap())).collect()),
        false => Err(String::from_utf8(ended.stderr).unwrap()),
    }
}

/// Returns what we read, with the label that kubectl adds.
fn by_us(input: &str) -> Result<Vec<Value>, SyntaxError> {
    let labelled = |manifest: Manifest| {
        let mut value = manifest.node.to_value();
        value["metadata"]["labels"] = json!({"read": "1"});
        normalised(value)
    };
    read(input).into_iter().map(|read| read.map(labelled)).collect()
}

/// Writes a number that is whole as one.
fn normalised(mut value: Value) -> Value {
    match &mut value {
        Value::Number(number) => {
            let whole = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() < 9e18);
            if let Some(whole) = whole {
                *number = Number::from(whole as i64);
            } else if number.as_i64().is_none() && number.as_u64().is_some() {
                // kubectl's JSON knows whole numbers of 63 bits
                *number = Number::from_f64(number.as_f64().unwrap()).unwrap();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = normalised(item.take())),
        Value::Object(fields) => fields.values_mut().for_each(|field| *field = normalised(field.take())),
        _ => {}
    }
    value
}

#[test]
fn yaml_and_json_mean_what_they_mean_to_kubectl() {
    let bodies = BODIES.iter().map(|body| format!("{HEAD}{body}"));
    let inputs = bodies.chain(INPUTS.iter().map(|input| (*input).to_owned()));
    let mut faults = Vec::new();
    let mut refused = 0;
    for input in inputs {
        let (ours, theirs) = (by_us(&input), by_kubectl(&input));
        refused += usize::from(theirs.is_err());
        if ours.as_ref().ok() != theirs.as_ref().ok() {
            faults.push(format!("{input:?}\n  kubectl: {theirs:?}\n  we:      {ours:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!((20..60).contains(&refused), "kubectl refused {refused}");
}

/// kubectl reads these and drops or changes a part of them without a word; they are refused.
#[test]
fn what_kubectl_would_drop_without_a_word_is_refused() {
    for input in [format!("{HEAD}...\na: 1\n"), format!("---\n\u{feff}{HEAD}"), format!("{HEAD}---\n{HEAD}...\n{HEAD}")]
    {
        assert!(by_kubectl(&input).is_ok(), "{input:?}");
        assert!(by_us(&input).is_err(), "{input:?}");
    }
}
