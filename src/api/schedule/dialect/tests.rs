use std::collections::BTreeSet;

use super::*;

fn message(text: &str) -> String {
    parse(text).expect_err("the text is outside the dialect").to_string()
}

fn set(values: impl IntoIterator<Item = u8>) -> BTreeSet<u8> {
    values.into_iter().collect()
}

#[test]
fn lists_ranges_steps_and_names_have_their_values() {
    let fields = parse("3,10-14/2 */7 017/5 nov,JAN/5 Mon-fri").unwrap();
    assert_eq!(fields.minute.values, set([3, 10, 12, 14]));
    assert_eq!(fields.hour.values, set([0, 7, 14, 21]));
    assert_eq!(fields.day_of_month.values, set([17, 22, 27]));
    assert_eq!(fields.month.values, set([1, 6, 11]));
    assert_eq!(fields.day_of_week.values, set(1..=5));
}

#[test]
fn only_a_star_or_question_mark_in_steps_of_one_leaves_a_field_open() {
    for (field, open) in [
        ("*", true),
        ("?", true),
        ("*/1", true),
        ("?/001", true),
        ("5,*", true),
        ("*/2,?", true),
        ("*/2", false),
        ("?/2", false),
        ("1-31", false),
        ("1/1", false),
        ("5", false),
    ] {
        let fields = parse(&format!("0 0 {field} * *")).unwrap();
        assert_eq!(fields.day_of_month.open, open, "{field}");
    }
}

#[test]
fn a_step_beyond_the_field_leaves_its_first_value() {
    let fields = parse("*/61 5/9999 * * *").unwrap();
    assert_eq!(fields.minute.values, set([0]));
    assert_eq!(fields.hour.values, set([5]));
}

#[test]
fn macros_stand_for_five_fields() {
    for (name, fields) in [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
    ] {
        assert_eq!(parse(name), parse(fields), "{name}");
    }
}

#[test]
fn an_error_names_the_field_the_value_and_what_to_write() {
    for (text, expected) in [
        ("* 24 * * *", r#"hour: "24" is out of range; write 0 to 23"#),
        ("* * * * 7", r#"day of week: "7" is out of range; write 0 to 6 (0 is Sunday) or sun to sat"#),
        ("* * 0 * *", r#"day of month: "0" is out of range; write 1 to 31"#),
        ("300 * * * *", r#"minute: "300" is out of range; write 0 to 59"#),
        ("* * * foo *", r#"month: "foo" is not a value; write 1 to 12 or jan to dec"#),
        ("mon * * * *", r#"minute: "mon" is not a value; write 0 to 59"#),
        ("+5 * * * *", r#"minute: "+5" is not a value; write 0 to 59"#),
        ("１ * * * *", r#"minute: "１" is not a value; write 0 to 59"#),
        (
            "* 22-2 * * *",
            r#"hour: "22-2" is a falling range; write the lower end first, or two ranges such as 22-23,0-2"#,
        ),
        (
            "* * * * fri-mon",
            r#"day of week: "fri-mon" is a falling range; write the lower end first, or two ranges such as 5-6,0-1"#,
        ),
        ("* * * jan-3 *", r#"month: "jan-3" mixes a name and a number; write both as numbers or both as names"#),
        ("*-5 * * * *", r#"minute: "*-5" is not a range; write two values such as 0-59"#),
        ("* * -5 * *", r#"day of month: "-5" is not a range; write two values such as 1-31"#),
        ("1-2-3 * * * *", r#"minute: "1-2-3" is not a range; write two values such as 0-59"#),
        ("*/0 * * * *", r#"minute: "*/0" has no valid step; write a number from 1 to 9999 after a single slash"#),
        ("*/5/5 * * * *", r#"minute: "*/5/5" has no valid step; write a number from 1 to 9999 after a single slash"#),
        (
            "*/10000 * * * *",
            r#"minute: "*/10000" has no valid step; write a number from 1 to 9999 after a single slash"#,
        ),
        ("1,,2 * * * *", r#"minute: "1,,2" has an empty list item; write one value or range between commas"#),
        ("* * * * * *", "found 6 fields; write five: minute hour day-of-month month day-of-week"),
        ("noon", "found 1 field; write five: minute hour day-of-month month day-of-week"),
        (" ", "the schedule is empty; write five fields: minute hour day-of-month month day-of-week"),
        ("0 2 * * *\n", "found white space around the schedule; write it without leading and trailing space"),
        ("0\t2 * * *", r"found '\t' between the fields; separate them with plain spaces"),
        (
            "CRON_TZ=Europe/Paris 0 2 * * *",
            "CRON_TZ= prefix: write the schedule without it, and name the time zone in spec.timeZone",
        ),
        ("@every 1h", "@every is not supported; write a step such as */15 * * * * (every 15 minutes)"),
        (
            "@Daily",
            r#""@Daily" is not a macro; write @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly or five fields"#,
        ),
    ] {
        assert_eq!(message(text), expected, "{text:?}");
    }
}

#[test]
fn an_error_repeats_only_the_beginning_of_a_long_value() {
    let message = message(&format!("{} * * * *", "é".repeat(500)));
    assert_eq!(message, format!(r#"minute: "{}…" is not a value; write 0 to 59"#, "é".repeat(40)));
}
