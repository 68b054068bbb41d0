//! Rules as regular expressions of ECMAScript.
//!
//! A condition on a text that is made of `matches`, `startsWith`, `endsWith`, `contains`, `==`, `in`, the size and the logical operators
//! is one expression: each of its parts looks ahead from the beginning of the text. No other rule can be said so.

use crate::ecma;
use cel::{
    Program,
    common::ast::{Expr, IdedExpr, LiteralValue, operators},
};

/// A rule that is a regular expression.
#[derive(Debug, PartialEq)]
pub struct RulePattern {
    /// The fields from the place of the rule to the text that it speaks of, such as `metadata`, `name`; none for that place.
    pub fields: Vec<String>,
    /// The regular expression of a valid text.
    pub pattern: String,
}

/// Returns the rule as a regular expression, or `None` where it is none.
pub fn of_rule(rule: &str) -> Option<RulePattern> {
    let program = Program::compile(rule).ok()?;
    let mut reader = Reader { fields: None };
    let assertions = reader.condition(program.expression(), false)?;
    let fields = reader.fields?;
    let pattern = only_match(program.expression()).unwrap_or_else(|| format!("^{assertions}"));
    Some(RulePattern { fields, pattern })
}

struct Reader {
    /// What the rule speaks of, once a part of it named that.
    fields: Option<Vec<String>>,
}

impl Reader {
    /// Returns assertions that hold where the condition does, or where it does not if it is `negated`.
    fn condition(&mut self, expression: &IdedExpr, negated: bool) -> Option<String> {
        let Expr::Call(call) = &expression.expr else { return None };
        let arguments: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        match (call.func_name.as_str(), arguments.as_slice()) {
            (operators::LOGICAL_NOT, [operand]) => self.condition(operand, !negated),
            (operators::LOGICAL_AND, [left, right]) => self.both(left, right, negated, !negated),
            (operators::LOGICAL_OR, [left, right]) => self.both(left, right, negated, negated),
            (operators::NOT_EQUALS, [left, right]) => self.assertion(operators::EQUALS, left, right, !negated),
            (name, [left, right]) => self.assertion(name, left, right, negated),
            _ => None,
        }
    }

    fn both(&mut self, left: &IdedExpr, right: &IdedExpr, negated: bool, needs_all: bool) -> Option<String> {
        let (left, right) = (self.condition(left, negated)?, self.condition(right, negated)?);
        Some(if needs_all { format!("{left}{right}") } else { format!("(?:{left}|{right})") })
    }

    fn assertion(&mut self, name: &str, left: &IdedExpr, right: &IdedExpr, negated: bool) -> Option<String> {
        let (subject, pattern) = pattern(name, left, right)?;
        self.about(subject)?;
        ecma::assertion(&pattern, negated)
    }

    /// Notes what the rule speaks of. Returns `None` where that are two things.
    fn about(&mut self, subject: Vec<String>) -> Option<()> {
        match &self.fields {
            Some(fields) if *fields != subject => None,
            _ => {
                self.fields = Some(subject);
                Some(())
            }
        }
    }
}

/// Returns the expression of a rule that is one match and nothing else, without an assertion around it.
fn only_match(expression: &IdedExpr) -> Option<String> {
    let Expr::Call(call) = &expression.expr else { return None };
    let (left, right) = match (call.target.as_deref(), call.args.as_slice()) {
        (Some(target), [argument]) => (target, argument),
        (None, [left, right]) => (left, right),
        _ => return None,
    };
    ecma::expression(&pattern(&call.func_name, left, right)?.1)
}

/// Returns what a comparison speaks of, and the regular expression of the texts for which it holds.
fn pattern(name: &str, left: &IdedExpr, right: &IdedExpr) -> Option<(Vec<String>, String)> {
    let exactly = |texts: &[&str]| {
        let texts: Vec<_> = texts.iter().map(|text| regex_syntax::escape(text)).collect();
        format!("^(?:{})$", texts.join("|"))
    };
    if let (Some(subject), Some(bound)) = (size(left), number(right)) {
        let repetition = match name {
            operators::LESS_EQUALS => format!("{{0,{bound}}}"),
            operators::LESS if bound > 0 => format!("{{0,{}}}", bound - 1),
            operators::GREATER_EQUALS => format!("{{{bound},}}"),
            operators::GREATER => format!("{{{},}}", bound + 1),
            operators::EQUALS => format!("{{{bound}}}"),
            _ => return None,
        };
        return Some((subject, format!("^(?s:.){repetition}$")));
    }
    let subject = fields(left)?;
    if name == operators::IN {
        let Expr::List(list) = &right.expr else { return None };
        let texts = list.elements.iter().map(text).collect::<Option<Vec<_>>>()?;
        return (!texts.is_empty()).then(|| (subject, exactly(&texts)));
    }
    let text = text(right)?;
    let pattern = match name {
        operators::EQUALS => exactly(&[text]),
        "matches" => text.to_owned(),
        "startsWith" => format!("^{}", regex_syntax::escape(text)),
        "endsWith" => format!("{}$", regex_syntax::escape(text)),
        "contains" => regex_syntax::escape(text),
        _ => return None,
    };
    Some((subject, pattern))
}

/// Returns the fields of `self.a.b`; none for `self`.
fn fields(expression: &IdedExpr) -> Option<Vec<String>> {
    match &expression.expr {
        Expr::Ident(name) if name == "self" => Some(Vec::new()),
        Expr::Select(select) if !select.test => {
            let mut outer = fields(&select.operand)?;
            outer.push(select.field.clone());
            Some(outer)
        }
        _ => None,
    }
}

/// Returns what `size` is asked of.
fn size(expression: &IdedExpr) -> Option<Vec<String>> {
    let Expr::Call(call) = &expression.expr else { return None };
    let arguments: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
    match (call.func_name.as_str(), arguments.as_slice()) {
        ("size", [subject]) => fields(subject),
        _ => None,
    }
}

fn text(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

fn number(expression: &IdedExpr) -> Option<u32> {
    match &expression.expr {
        Expr::Literal(LiteralValue::Int(number)) => u32::try_from(*number.inner()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_on_one_text_are_one_expression() {
        for (rule, fields, pattern) in [
            ("self.matches('^[a-z]+$')", &[][..], "^[a-z]+$"),
            ("!self.matches('x')", &[], r"^(?![\s\S]*?(?:x))"),
            ("self == '' || self.matches('^a')", &[], "^(?:(?=(?:^$))|(?=(?:^a)))"),
            ("!(self == 'a' || self.contains('b'))", &[], r"^(?!(?:^a$))(?![\s\S]*?(?:b))"),
            ("self.startsWith('a.') && !(self in ['x', 'y'])", &[], r"^(?=(?:^a\.))(?!(?:^[xy]$))"),
            ("self != 'a'", &[], "^(?!(?:^a$))"),
            ("self.metadata.name.size() <= 47", &["metadata", "name"], r"^[\s\S]{0,47}$"),
        ] {
            let expected = RulePattern {
                fields: fields.iter().map(|field| (*field).to_owned()).collect(),
                pattern: pattern.to_owned(),
            };
            assert_eq!(of_rule(rule), Some(expected), "{rule}");
        }
    }

    #[test]
    fn what_is_more_than_one_text_is_none() {
        for rule in [
            "duration(self) >= duration('1s')",
            "self.a == 'x' || self.b == 'y'",
            "has(self.a)",
            "self.all(item, item == 'x')",
            "self == oldSelf",
            "self.matches(",
            "true",
            "self > 5",
        ] {
            assert_eq!(of_rule(rule), None, "{rule}");
        }
    }
}
