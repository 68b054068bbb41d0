//! Regular expressions of the API server (Go, RE2), for Rust.

use regex_syntax::ast::{
    Assertion, AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSetBinaryOp, ClassSetItem, Flag, Flags,
    FlagsItemKind, Span, Visitor, parse::Parser, visit,
};

/// Returns the regular expression of Rust that means the same as one of Go.
///
/// `\d`, `\s`, `\w` and `\b` are ASCII in Go and Unicode in Rust; they are spelled out.
///
/// # Errors
/// The syntax, or what in it the two understand differently.
pub(super) fn to_rust(pattern: &str) -> Result<String, String> {
    let within = |problem: &dyn std::fmt::Display| format!("the regular expression {pattern:?}: {problem}");
    let ast = Parser::new().parse(pattern).map_err(|error| within(&error.kind()))?;
    let mut replacements = visit(&ast, Translation::default()).map_err(|problem| within(&problem))?;
    replacements.sort_by_key(|(span, _)| std::cmp::Reverse(span.start.offset));
    let mut translated = pattern.to_owned();
    for (span, text) in replacements {
        translated.replace_range(span.start.offset..span.end.offset, text);
    }
    regex_syntax::parse(&translated).map_err(|error| within(&error))?;
    Ok(translated)
}

/// What has to be written in another way.
#[derive(Default)]
struct Translation {
    replacements: Vec<(Span, &'static str)>,
}

impl Translation {
    fn class(&mut self, class: &ClassPerl, is_in_brackets: bool) {
        let text = match (&class.kind, class.negated, is_in_brackets) {
            (ClassPerlKind::Digit, false, true) => "0-9",
            (ClassPerlKind::Space, false, true) => r"\t\n\f\r ",
            (ClassPerlKind::Word, false, true) => "0-9A-Za-z_",
            (ClassPerlKind::Digit, false, false) => "[0-9]",
            (ClassPerlKind::Space, false, false) => r"[\t\n\f\r ]",
            (ClassPerlKind::Word, false, false) => "[0-9A-Za-z_]",
            (ClassPerlKind::Digit, true, _) => "[^0-9]",
            (ClassPerlKind::Space, true, _) => r"[^\t\n\f\r ]",
            (ClassPerlKind::Word, true, _) => "[^0-9A-Za-z_]",
        };
        self.replacements.push((class.span, text));
    }

    fn assertion(&mut self, assertion: &Assertion) -> Result<(), String> {
        match assertion.kind {
            AssertionKind::StartLine | AssertionKind::EndLine | AssertionKind::StartText | AssertionKind::EndText => {}
            AssertionKind::WordBoundary => self.replacements.push((assertion.span, r"(?-u:\b)")),
            _ => return Err("a boundary that Go and Rust understand differently".into()),
        }
        Ok(())
    }
}

fn flags(flags: &Flags) -> Result<(), String> {
    for item in &flags.items {
        let is_shared = match &item.kind {
            FlagsItemKind::Negation => true,
            FlagsItemKind::Flag(flag) => {
                matches!(flag, Flag::CaseInsensitive | Flag::MultiLine | Flag::DotMatchesNewLine | Flag::SwapGreed)
            }
        };
        if !is_shared {
            return Err("a flag that Go does not have".into());
        }
    }
    Ok(())
}

impl Visitor for Translation {
    type Output = Vec<(Span, &'static str)>;
    type Err = String;

    fn finish(self) -> Result<Self::Output, String> {
        Ok(self.replacements)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), String> {
        match ast {
            Ast::ClassPerl(class) => self.class(class, false),
            Ast::Assertion(assertion) => return self.assertion(assertion),
            Ast::Flags(set) => return flags(&set.flags),
            Ast::Group(group) => return group.flags().map_or(Ok(()), flags),
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), String> {
        match item {
            ClassSetItem::Perl(class) => self.class(class, true),
            ClassSetItem::Bracketed(_) => return Err("a class within a class, which Go does not have".into()),
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ClassSetBinaryOp) -> Result<(), String> {
        Err("&&, -- or ~~ in a class, which are plain characters to Go".into())
    }
}
