//! Parses durations like Go's `time.ParseDuration` (<https://pkg.go.dev/time#ParseDuration>), which Kubernetes and CEL's
//! `duration()` use.

use std::time::Duration;

/// Parses a duration of zero or more, such as `30m`, `1h30m` or `1.5h`.
///
/// Returns `None` for what Go rejects, for negative durations, and for durations above Go's limit of about 292 years.
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

/// Returns the duration in seconds, rounded up.
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
    whole.checked_mul(unit)?.checked_add(fraction_of(unit, fraction))
}

/// Returns a fraction of a unit in nanoseconds. Calculates like Go: it takes the digits that fit into 63 bits, in floating
/// point. So `0.999999999999999999s` is one second, as for the API server.
fn fraction_of(unit: u128, digits: &str) -> u128 {
    let (mut value, mut scale) = (0_i64, 1.0);
    for digit in digits.bytes().map(|digit| i64::from(digit - b'0')) {
        // Go ignores further digits.
        let Some(longer) = value.checked_mul(10).and_then(|value| value.checked_add(digit)) else { break };
        value = longer;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u128
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
            ("0.999999999999999999s", 1_000),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(expected)), "{text}");
        }
    }

    #[test]
    fn calculates_fractions_as_go_does() {
        for (text, nanoseconds) in [
            ("0.999999999999999s", 999_999_999),
            ("0.9999999999999999s", 1_000_000_000),
            ("0.99999999999999999999s", 1_000_000_000),
            ("0.333333333333333333h", 1_199_999_999_999),
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("0.922337203685477580799999s", 922_337_203),
            ("0.92233720368547758071h", 3_320_413_933_267),
            ("168.0000000000000000001h", 604_800_000_000_000),
            ("0.9999999999999999999ms0.99s", 991_000_000),
            ("2562047h47m16.854775807s", i64::MAX.unsigned_abs()),
        ] {
            assert_eq!(parse(text), Some(Duration::from_nanos(nanoseconds)), "{text}");
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
