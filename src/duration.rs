//! Durations as Go's `time.ParseDuration` reads them (<https://pkg.go.dev/time#ParseDuration>), which is what Kubernetes
//! and CEL's `duration()` use.

use std::time::Duration;

/// Reads a duration of zero or more, such as `30m`, `1h30m` or `1.5h`.
///
/// `None` for what Go refuses, for negative durations, and for those above Go's limit of about 292 years.
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let unit_length =
            after.find(|character: char| character == '.' || character.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_length);
        total = total.checked_add(nanoseconds(whole, fraction, unit)?)?;
        rest = after;
    }
    let nanoseconds = i64::try_from(total).ok()?;
    Some(Duration::from_nanos(nanoseconds.unsigned_abs()))
}

/// Whole seconds, a fraction rounded up: a deadline in seconds that is not before the one meant.
pub fn seconds_rounded_up(duration: Duration) -> i64 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len()))
}

fn nanoseconds(whole: &str, fraction: &str, unit: &str) -> Option<u128> {
    let unit: u128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000, // both the micro sign and the Greek letter
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // digits beyond 18 are below a nanosecond for every unit
    let fraction = &fraction[..fraction.len().min(18)];
    let scale = 10u128.pow(fraction.len() as u32);
    let fraction: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    whole.checked_mul(unit)?.checked_add(fraction * unit / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, expected) in [
            ("30m", 1_800_000),
            ("1h30m", 5_400_000),
            ("90s", 90_000),
            ("1.5h", 5_400_000),
            ("+1.5s", 1_500),
            (".5m", 30_000),
            ("1.s", 1_000),
            ("1000ms", 1_000),
            ("2000000µs", 2_000),
            ("2000000μs", 2_000),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(expected)), "{text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses_and_what_is_negative() {
        for text in [
            "",
            "+",
            "1",
            "h",
            ".s",
            "1x",
            "1h 30m",
            "-1h",
            "1d",
            "3000000h",
            "99999999999999999999999999999999999999999h",
            "1..5h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn rounds_seconds_up() {
        assert_eq!(seconds_rounded_up(Duration::from_millis(1_500)), 2);
        assert_eq!(seconds_rounded_up(Duration::from_secs(3600)), 3600);
    }
}
