//! Bounds of numbers, lengths and counts.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::{
    change::Changes,
    node::{Node, file_of, is_set, type_of},
    place::Place,
    rule::Rule,
};

/// A bound that counts: what is below (or above) it is refused, and with `is_open` the bound itself, too.
#[derive(Clone, Copy, Debug)]
struct Bound {
    limit: Limit,
    is_open: bool,
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    Whole(i128),
    Decimal(f64),
}

/// Which side of the values a bound is on.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Lower,
    Upper,
}

/// Compares the bounds of two nodes. `is_read_by_rules` says whether rules of nodes above may read this one.
pub(crate) fn compare(place: &Place, old: &Node, new: &Node, is_read_by_rules: bool, changes: &mut Changes) {
    let costs = is_read_by_rules || new.contains_key("x-kubernetes-validations");
    for (keyword, open, side) in
        [("minimum", "exclusiveMinimum", Side::Lower), ("maximum", "exclusiveMaximum", Side::Upper)]
    {
        let bound = |node: &Node| number_bound(node, keyword, open, side);
        let is_same = old.get(keyword) == new.get(keyword) && is_set(old, open) == is_set(new, open);
        if !is_same {
            one(place, keyword, side, (bound(old), bound(new)), (old, new), false, changes);
        }
    }
    for (keyword, side) in [
        ("minLength", Side::Lower),
        ("minItems", Side::Lower),
        ("minProperties", Side::Lower),
        ("maxLength", Side::Upper),
        ("maxItems", Side::Upper),
        ("maxProperties", Side::Upper),
    ] {
        let count = |node: &Node| {
            let least = (side == Side::Lower).then_some(Limit::Whole(0));
            let limit = node.get(keyword).and_then(Value::as_number).map(limit).or(least);
            limit.map(|limit| Bound { limit, is_open: false })
        };
        if old.get(keyword) != new.get(keyword) {
            one(place, keyword, side, (count(old), count(new)), (old, new), costs && side == Side::Upper, changes);
        }
    }
    multiple_of(place, old, new, changes);
    unique_items(place, old, new, changes);
}

fn limit(number: &Number) -> Limit {
    match number.as_i128() {
        Some(whole) => Limit::Whole(whole),
        None => Limit::Decimal(number.as_f64().unwrap_or(f64::NAN)),
    }
}

/// Returns the bound of a number. An integer has one by its format, and an open bound is the next whole number.
fn number_bound(node: &Node, keyword: &str, open: &str, side: Side) -> Option<Bound> {
    let stated = node.get(keyword).and_then(Value::as_number).map(limit);
    let is_open = is_set(node, open);
    if type_of(node) != "integer" {
        return stated.map(|limit| Bound { limit, is_open });
    }
    let format = node.get("format").and_then(Value::as_str).unwrap_or_default();
    let (least, most) = match format {
        "int32" => (Some(i128::from(i32::MIN)), Some(i128::from(i32::MAX))),
        "int64" => (Some(i128::from(i64::MIN)), Some(i128::from(i64::MAX))),
        _ => (None, None),
    };
    let whole = stated.map(|limit| match (limit, side) {
        (Limit::Whole(whole), Side::Lower) => whole + i128::from(is_open),
        (Limit::Whole(whole), Side::Upper) => whole - i128::from(is_open),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "`as` saturates, and the bounds of the format are far narrower"
        )]
        (Limit::Decimal(decimal), Side::Lower) => decimal.ceil() as i128,
        #[expect(
            clippy::cast_possible_truncation,
            reason = "`as` saturates, and the bounds of the format are far narrower"
        )]
        (Limit::Decimal(decimal), Side::Upper) => decimal.floor() as i128,
    });
    // of the two, the one that refuses more
    let limit = match side {
        Side::Lower => whole.max(least),
        Side::Upper => [whole, most].into_iter().flatten().min(),
    };
    limit.map(|limit| Bound { limit: Limit::Whole(limit), is_open: false })
}

fn order(one: Limit, other: Limit) -> Ordering {
    let decimal = |limit: Limit| match limit {
        #[expect(clippy::cast_precision_loss, reason = "compared with a decimal, which has that precision")]
        Limit::Whole(whole) => whole as f64,
        Limit::Decimal(decimal) => decimal,
    };
    match (one, other) {
        (Limit::Whole(one), Limit::Whole(other)) => one.cmp(&other),
        _ => decimal(one).total_cmp(&decimal(other)),
    }
}

/// Returns whether the new bound refuses something that the old one accepted.
fn is_tighter(old: Option<Bound>, new: Option<Bound>, side: Side) -> bool {
    let (Some(old), Some(new)) = (old, new) else { return new.is_some() };
    let narrower = if side == Side::Lower { Ordering::Less } else { Ordering::Greater };
    match order(old.limit, new.limit) {
        Ordering::Equal => new.is_open && !old.is_open,
        order => order == narrower,
    }
}

fn one(
    place: &Place,
    keyword: &str,
    side: Side,
    (old_bound, new_bound): (Option<Bound>, Option<Bound>),
    (old, new): (&Node, &Node),
    costs: bool,
    changes: &mut Changes,
) {
    let text = |node: &Node| node.get(keyword).map_or_else(|| "absent".to_owned(), Value::to_string);
    let (was, is) = (text(old), text(new));
    let (is_status, place) = (place.is_status(), place.keyword(keyword));
    let file = file_of(new, keyword);
    if is_tighter(old_bound, new_bound, side) {
        let rule = if old.contains_key(keyword) { Rule::BoundTightened } else { Rule::BoundAdded };
        let why = format!("{keyword} was {was} and is {is}: values that were accepted are refused");
        let instead =
            "Keep the bound. What is too much for the program can be reported in a condition, with the field's name.";
        changes.breaking(rule, &place, file, why, instead);
        return;
    }
    let rule = if new.contains_key(keyword) { Rule::BoundRelaxed } else { Rule::BoundRemoved };
    let why = format!("{keyword} was {was} and is {is}: all that was accepted is");
    let mut advice = Vec::new();
    if is_status {
        advice.push("Readers of the status must take values beyond the old bound.");
    }
    if costs {
        advice.push("The API server derives the cost of rules from it: see that it still accepts the definition.");
    }
    let advice = (!advice.is_empty()).then(|| advice.join(" "));
    changes.compatible(rule, &place, file, why).advice = advice;
}

fn multiple_of(place: &Place, old: &Node, new: &Node, changes: &mut Changes) {
    let keyword = "multipleOf";
    let (before, after) = (old.get(keyword), new.get(keyword));
    if before == after {
        return;
    }
    let whole = |value: Option<&Value>| value.and_then(Value::as_i64).filter(|factor| *factor > 0);
    let is_relaxed = match (whole(before), whole(after)) {
        _ if after.is_none() => true,
        (Some(before), Some(after)) => before % after == 0,
        (None, Some(1)) => before.is_none() && type_of(new) == "integer",
        _ => false,
    };
    let place = place.keyword(keyword);
    if is_relaxed {
        let why = "multipleOf refuses nothing that it accepted".to_owned();
        changes.compatible(Rule::BoundRelaxed, &place, file_of(new, keyword), why);
    } else {
        let why = "multipleOf refuses numbers that were accepted".to_owned();
        let instead = "Leave it as it was, or change it to a divisor.";
        changes.breaking(Rule::MultipleOfChanged, &place, file_of(new, keyword), why, instead);
    }
}

fn unique_items(place: &Place, old: &Node, new: &Node, changes: &mut Changes) {
    let keyword = "uniqueItems";
    let place = place.keyword(keyword);
    match (is_set(old, keyword), is_set(new, keyword)) {
        (false, true) => {
            let why = "duplicates are refused, which were accepted".to_owned();
            changes.breaking(Rule::BoundAdded, &place, file_of(new, keyword), why, "Leave it out.");
        }
        (true, false) => {
            let why = "duplicates are accepted".to_owned();
            changes.compatible(Rule::BoundRemoved, &place, file_of(new, keyword), why);
        }
        _ => {}
    }
}
