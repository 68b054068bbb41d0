//! Rules that are regular expressions: what is made of `self.matches('…')` and comparisons of `self` with literal strings.

use cel::{
    Program,
    common::ast::{Expr, IdedExpr, LiteralValue, operators},
};

use crate::language::Formula;

/// Reads a rule of a string.
///
/// # Errors
/// Why the rule is none that can be compared: its syntax, or what in it is more than a regular expression.
pub(crate) fn parse(rule: &str) -> Result<Formula, String> {
    let program = Program::compile(rule).map_err(|error| format!("the rule does not compile: {error}"))?;
    formula(program.expression())
}

fn formula(expression: &IdedExpr) -> Result<Formula, String> {
    let call = match &expression.expr {
        Expr::Literal(LiteralValue::Boolean(value)) => return Ok(Formula::Constant(*value.inner())),
        Expr::Call(call) => call,
        _ => return Err(beyond("a part that is neither a call nor true or false")),
    };
    let arguments: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
    match (call.func_name.as_str(), arguments.as_slice()) {
        (operators::LOGICAL_NOT, [operand]) => Ok(formula(operand)?.not()),
        (operators::LOGICAL_AND, [left, right]) => Ok(Formula::All(vec![formula(left)?, formula(right)?])),
        (operators::LOGICAL_OR, [left, right]) => Ok(Formula::Any(vec![formula(left)?, formula(right)?])),
        (operators::CONDITIONAL, [condition, yes, no]) => {
            let (condition, yes, no) = (formula(condition)?, formula(yes)?, formula(no)?);
            let otherwise = Formula::All(vec![condition.clone().not(), no]);
            Ok(Formula::Any(vec![Formula::All(vec![condition, yes]), otherwise]))
        }
        (name, [left, right]) => on_self(name, left, right),
        (name, _) => Err(beyond(name)),
    }
}

/// A call with `self` and one more operand.
fn on_self(name: &str, left: &IdedExpr, right: &IdedExpr) -> Result<Formula, String> {
    let is_self = |expression: &IdedExpr| matches!(&expression.expr, Expr::Ident(name) if name == "self");
    let equals = |left, right| match (is_self(left), text(left), is_self(right), text(right)) {
        (true, _, _, Some(text)) | (_, Some(text), true, _) => Ok(Formula::one_of([text])),
        _ => Err(beyond("a comparison of other things than self and a literal")),
    };
    match name {
        operators::EQUALS => return equals(left, right),
        operators::NOT_EQUALS => return equals(left, right).map(Formula::not),
        _ if !is_self(left) => return Err(beyond(&format!("{name:?} of something else than self"))),
        operators::IN => {
            let Expr::List(list) = &right.expr else { return Err(beyond("\"in\" without a list of literals")) };
            let texts: Option<Vec<_>> = list.elements.iter().map(text).collect();
            return texts.map(Formula::one_of).ok_or_else(|| beyond("\"in\" without a list of literals"));
        }
        _ => {}
    }
    let text = text(right).ok_or_else(|| beyond(&format!("{name:?} without a literal string")))?;
    match name {
        "matches" => Formula::pattern(text),
        "startsWith" => Ok(Formula::starts_with(text)),
        "endsWith" => Ok(Formula::ends_with(text)),
        "contains" => Ok(Formula::contains(text)),
        _ => Err(beyond(&format!("{name:?}"))),
    }
}

fn text(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

fn beyond(what: &str) -> String {
    format!("the rule has {what}, which is more than a regular expression")
}
