//! A duration means the same to the parser and to the rules of the API, and survives formatting and parsing.

use antfly_backup_operator::testing::api::{
    AntflyBackupSpec, UnknownFields, parse_duration, seconds_rounded_up, validate,
};
use std::time::Duration;

/// Bounds that the API sets (`backupTimeout` in the schema).
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(168 * 60 * 60);
const LONGEST_TEXT: usize = AntflyBackupSpec::BACKUP_TIMEOUT_MAX_LENGTH;

/// Checks a text.
pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let parsed = parse_duration(text);
    let is_within = parsed.is_some_and(|duration| (SHORTEST..=LONGEST).contains(&duration));
    let violations = validate(&super::backup_with("backupTimeout", text), UnknownFields::Refuse);
    // an empty one is the default
    let is_taken = text.is_empty() || is_within && text.chars().count() <= LONGEST_TEXT;
    assert_eq!(violations.is_empty(), is_taken, "the rules, {text:?}: {parsed:?}, {violations:?}");

    let Some(duration) = parsed else { return };
    let seconds = Duration::from_secs(seconds_rounded_up(duration).unsigned_abs());
    assert!(seconds >= duration && seconds - duration < Duration::from_secs(1), "{text:?}: {seconds:?}");
    let written = format!("{}s{}ns", duration.as_secs(), duration.subsec_nanos());
    assert_eq!(parse_duration(&written), Some(duration), "{text:?}, written {written}");
    if !text.starts_with('+') {
        assert_eq!(parse_duration(&format!("+{text}")), Some(duration), "with a sign, {text:?}");
        assert_eq!(parse_duration(&format!("-{text}")), None, "negative, {text:?}");
    }
    // A zero alone needs no unit.
    if !["0", "+0"].contains(&text) {
        let longer = u64::try_from(duration.as_nanos() + 1).ok().filter(|sum| i64::try_from(*sum).is_ok());
        assert_eq!(
            parse_duration(&format!("{text}1ns")),
            longer.map(Duration::from_nanos),
            "a nanosecond more than {text:?}"
        );
    }
}
