//! The dialect as one regular expression, for a rule of the CustomResourceDefinition.
//!
//! The parser does not use it: an error must name the field and the value. A test holds the two together.

/// A value or a range of two values, given the expression of a value.
macro_rules! span {
    ($value:expr) => {
        concat!($value, "(?:-", $value, ")?")
    };
}

/// A list of `*`, `?`, values and ranges, each with an optional step, given the expression of a value or range.
macro_rules! list {
    ($span:expr) => {
        concat!(item!($span), "(?:,", item!($span), ")*")
    };
}

macro_rules! item {
    ($span:expr) => {
        concat!("(?:[*?]|", $span, ")(?:/0*[1-9][0-9]{0,3})?")
    };
}

macro_rules! month_name {
    () => {
        concat!(
            "(?:",
            "[Jj][Aa][Nn]|[Ff][Ee][Bb]|[Mm][Aa][Rr]|[Aa][Pp][Rr]|",
            "[Mm][Aa][Yy]|[Jj][Uu][Nn]|[Jj][Uu][Ll]|[Aa][Uu][Gg]|",
            "[Ss][Ee][Pp]|[Oo][Cc][Tt]|[Nn][Oo][Vv]|[Dd][Ee][Cc]",
            ")"
        )
    };
}

macro_rules! weekday_name {
    () => {
        concat!(
            "(?:",
            "[Ss][Uu][Nn]|[Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|",
            "[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt]",
            ")"
        )
    };
}

/// The dialect of [`Schedule::parse`](super::Schedule::parse) as a regular expression (RE2); one condition is beyond it:
/// a range must not fall (`5-1`).
///
/// - Five fields with one or more plain spaces between them, or one of seven macros, in lower case.
/// - A field is a list, separated by commas, of `*`, `?` (the same), a value, or a range of two values; each with an
///   optional step after a slash. A step after a single value counts from there to the end of the field.
/// - Minutes are 0 to 59, hours 0 to 23, days of the month 1 to 31, months 1 to 12, weekdays 0 (Sunday) to 6, steps 1 to
///   9999. Numbers may have any number of leading zeros.
/// - Months and weekdays also have English names of three letters, in upper or lower case. The ends of a range are two
///   numbers or two names. Case is spelled out, since `(?i:s)` also matches the letter `ſ`, which is in no name.
///
/// No apostrophe and no backslash occurs in it, so it can stand in a CEL string as it is.
pub const GRAMMAR: &str = concat!(
    "^(?:@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|",
    list!(span!("0*[1-5]?[0-9]")),
    " +",
    list!(span!("0*(?:1?[0-9]|2[0-3])")),
    " +",
    list!(span!("0*(?:[1-9]|[12][0-9]|3[01])")),
    " +",
    list!(concat!(span!("0*(?:[1-9]|1[0-2])"), "|", span!(month_name!()))),
    " +",
    list!(concat!(span!("0*[0-6]"), "|", span!(weekday_name!()))),
    ")$",
);
