//! Patterns and rules: what changed, and whether that accepts at least what was accepted.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    cel_rules,
    change::Changes,
    language::{Formula, Inclusion, Lengths, inclusion},
    node::{Node, is_set, shown, type_of},
    place::{File, Place},
    rule::Rule,
};

/// A rule of `x-kubernetes-validations`.
struct Validation<'a> {
    index: usize,
    /// The expression.
    text: &'a str,
    /// Whether a rule with `oldSelf` is also for new objects.
    is_optional_old_self: bool,
    /// All that only says how a refusal is reported.
    report: [&'a Value; 4],
}

impl Validation<'_> {
    fn is_same(&self, other: &Validation<'_>) -> bool {
        self.text.trim() == other.text.trim() && self.is_optional_old_self == other.is_optional_old_self
    }
}

/// Returns the expressions of a node's rules.
pub(crate) fn rule_texts(node: &Node) -> Vec<String> {
    validations(node).iter().map(|rule| rule.text.to_owned()).collect()
}

fn validations(node: &Node) -> Vec<Validation<'_>> {
    let rules = node.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten();
    rules
        .enumerate()
        .map(|(index, rule)| Validation {
            index,
            text: rule["rule"].as_str().unwrap_or_default(),
            is_optional_old_self: rule["optionalOldSelf"].as_bool().unwrap_or(false),
            report: ["message", "messageExpression", "reason", "fieldPath"].map(|key| &rule[key]),
        })
        .collect()
}

/// Compares patterns and rules of two nodes.
pub(crate) fn compare(place: &Place, old: &Node, new: &Node, changes: &mut Changes) {
    let proof = Proof::new(old, new);
    patterns(place, old, new, &proof, changes);
    rules(place, old, new, &proof, changes);
}

fn pattern_of(node: &Node) -> Option<&str> {
    node.get("pattern").and_then(Value::as_str)
}

fn patterns(place: &Place, old: &Node, new: &Node, proof: &Proof, changes: &mut Changes) {
    let (before, after) = (pattern_of(old), pattern_of(new));
    let place = place.keyword("pattern");
    match (before, after) {
        (Some(_), None) => {
            let why = "the pattern is gone: all that was accepted is".to_owned();
            changes.compatible(Rule::PatternRemoved, &place, File::Old, why);
        }
        (_, Some(pattern)) if before != after => {
            let was = before.map_or_else(|| "no pattern".to_owned(), |before| format!("the pattern {before:?}"));
            let change = format!("it was {was} and is {pattern:?}");
            let rules =
                [Rule::PatternRelaxed, if before.is_some() { Rule::PatternChanged } else { Rule::PatternAdded }];
            verdict(&place, rules, &change, proof.of(Formula::pattern(pattern)), changes);
        }
        _ => {}
    }
}

fn rules(place: &Place, old: &Node, new: &Node, proof: &Proof, changes: &mut Changes) {
    let (before, after) = (validations(old), validations(new));
    let is_in = |rule: &Validation<'_>, list: &[Validation<'_>]| list.iter().any(|other| other.is_same(rule));
    let mut removed: Vec<_> = before.iter().filter(|rule| !is_in(rule, &after)).collect();
    for rule in &after {
        if let Some(same) = before.iter().find(|other| other.is_same(rule)) {
            if same.report != rule.report {
                let why = "the rule says something else when it refuses; it refuses the same".to_owned();
                let place = place.rule(Some(same.index), Some(rule.index));
                changes.compatible(Rule::RuleMessageChanged, &place, File::New, why);
            }
            continue;
        }
        // the rule that it was: with the same message, else at the same place
        let was = removed.iter().position(|other| !other.report[0].is_null() && other.report[0] == rule.report[0]);
        let was = was.or_else(|| removed.iter().position(|other| other.index == rule.index));
        let was = was.map(|index| removed.remove(index));
        let text = shown(&rule.text.into());
        let change = match was {
            Some(was) => format!("the rule was {} and is {text}", shown(&was.text.into())),
            None => format!("the rule {text} is new"),
        };
        let names = [Rule::RuleRelaxed, if was.is_some() { Rule::RuleChanged } else { Rule::RuleAdded }];
        let place = place.rule(was.map(|was| was.index), Some(rule.index));
        verdict(&place, names, &change, proof.of(cel_rules::parse(rule.text)), changes);
    }
    for rule in removed {
        let why = format!("the rule {} is gone: all that was accepted is", shown(&rule.text.into()));
        changes.compatible(Rule::RuleRemoved, &place.rule(Some(rule.index), None), File::Old, why);
    }
}

fn verdict(place: &Place, [relaxed, tightened]: [Rule; 2], change: &str, inclusion: Inclusion, changes: &mut Changes) {
    let (why, counterexample) = match inclusion {
        Inclusion::Proven => {
            let why = format!("{change}: proven to accept all that was accepted");
            changes.compatible(relaxed, place, File::New, why);
            return;
        }
        Inclusion::Refuted(text) => (format!("{change}: it refuses what was accepted"), Some(text)),
        Inclusion::Unknown(reason) => {
            (format!("{change}: it is not proven that it accepts all that was accepted ({reason})"), None)
        }
    };
    let instead = "Leave it as it was, or write one that accepts more. Creates and restores from Git are checked in full, whatever \
                   the API server spares when it updates an object; what the program cannot use, it can report in a condition.";
    let about_new = if tightened == Rule::RuleAdded { " A rule about a new field belongs on that field." } else { "" };
    changes.breaking(tightened, place, File::New, why, format!("{instead}{about_new}"));
    if let Some(change) = changes.0.last_mut() {
        change.counterexample = counterexample;
    }
}

/// Returns the rules that can be compared.
fn parsed(rules: &[&String]) -> Vec<Formula> {
    rules.iter().filter_map(|rule| cel_rules::parse(rule).ok()).collect()
}

/// What is known of the texts that the old node accepted.
struct Proof {
    /// Formulas that all of them satisfy; those that only the old node has come first. `None` where the node is no string.
    premises: Option<Vec<Formula>>,
    lengths: Lengths,
    /// Whether the formulas and lengths are all that the old node demanded.
    is_complete: bool,
}

impl Proof {
    fn new(old: &Node, new: &Node) -> Self {
        let is_text = |node: &Node| type_of(node) == "string" && !is_set(node, "x-kubernetes-int-or-string");
        let count = |keyword: &str| old.get(keyword).and_then(Value::as_u64);
        let lengths = Lengths { least: count("minLength").unwrap_or(0), most: count("maxLength") };
        if !is_text(old) || !is_text(new) {
            return Proof { premises: None, lengths, is_complete: false };
        }
        let kept: BTreeSet<_> = rule_texts(new).into_iter().collect();
        let rules = rule_texts(old);
        let (kept, gone): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| kept.contains(*rule));
        let is_kept_pattern = pattern_of(old) == pattern_of(new);
        let pattern = pattern_of(old).and_then(|pattern| Formula::pattern(pattern).ok());
        let (first, last) = if is_kept_pattern { (None, pattern) } else { (pattern, None) };
        let values = old.get("enum").and_then(Value::as_array).map(|values| {
            let texts = values.iter().filter_map(Value::as_str);
            Formula::one_of(texts)
        });
        let ordered: Vec<_> =
            values.into_iter().chain(first).chain(parsed(&gone)).chain(last).chain(parsed(&kept)).collect();
        let stated = rules.len() + usize::from(pattern_of(old).is_some()) + usize::from(old.contains_key("enum"));
        let is_complete = ordered.len() == stated && !old.contains_key("format");
        Proof { premises: Some(ordered), lengths, is_complete }
    }

    /// Returns whether all that was accepted satisfies the formula.
    fn of(&self, conclusion: Result<Formula, String>) -> Inclusion {
        let Some(premises) = &self.premises else {
            return Inclusion::Unknown(
                "only rules on a string that are made of regular expressions can be compared".into(),
            );
        };
        match conclusion {
            Ok(conclusion) => match inclusion(premises, self.lengths, &conclusion) {
                Inclusion::Refuted(text) if !self.is_complete => Inclusion::Unknown(format!(
                    "{text:?} is refused, unless it was refused before by what cannot be compared"
                )),
                other => other,
            },
            Err(reason) => Inclusion::Unknown(reason),
        }
    }
}
