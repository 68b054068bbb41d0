//! Amounts of resources, as Kubernetes reads and stores them.
//!
//! Held against a real API server by a test: what is written has to be what is stored, or the operator would take its own CronJob for a
//! changed one.

use std::cmp::Ordering;

/// Most digits that Go's fast path takes, which may keep a text (`ParseQuantity` in `k8s.io/apimachinery/pkg/api/resource`); with a
/// binary unit, digits of the unit included.
const MOST_DIGITS: usize = 18;
const MOST_BINARY_DIGITS: usize = 14;

/// The smallest amount of a resource of a container, as a power of ten: the API server rounds up to it.
const SMALLEST: i32 = -3;

/// The greatest amount with a binary unit.
const GREATEST_BINARY: u128 = i64::MAX as u128;

/// Units of a power of ten: `m` is the first, and each is 1000 times the one before.
const DECIMAL_UNITS: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

/// Units of a power of two: each is 1024 times the one before.
const BINARY_UNITS: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// How an amount is written.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// With a unit of a power of ten, or none.
    Decimal,
    /// With an exponent, such as `1e3`.
    Exponent,
    /// With a unit of a power of two.
    Binary,
}

/// An amount that the schema accepts: `mantissa` times ten to the power of `scale`.
struct Amount {
    mantissa: u128,
    scale: i32,
    form: Form,
    /// Whether the API server keeps the text as it was written.
    is_kept: bool,
}

impl Amount {
    /// Reads a text that the schema accepts; `None` for any other.
    fn read(text: &str) -> Option<Self> {
        let unit_at =
            text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(unit_at);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let whole = whole.trim_start_matches('0');
        let digits = format!("{}{fraction}", if whole.is_empty() { "0" } else { whole });
        let mantissa: u128 = digits.parse().ok()?;
        let decimals = i32::try_from(fraction.len()).ok()?;
        if let Some(power) = BINARY_UNITS.iter().skip(1).position(|binary| *binary == unit) {
            let factor = 1024_u128.checked_pow(u32::try_from(power).ok()? + 1)?;
            let product = mantissa.checked_mul(factor)?;
            let is_kept = fraction.is_empty()
                && MOST_BINARY_DIGITS >= digits.len() + (power + 1) * 3
                && !mantissa.is_multiple_of(8);
            return Some(Amount { mantissa: product, scale: -decimals, form: Form::Binary, is_kept });
        }
        let (exponent, form) = match DECIMAL_UNITS.iter().position(|decimal| *decimal == unit) {
            Some(position) => (i32::try_from(position).ok()? * 3 - 9, Form::Decimal),
            None => (unit.strip_prefix(['e', 'E'])?.parse().ok()?, Form::Exponent),
        };
        let scale = exponent - decimals;
        let is_kept = text == "0"
            || (digits.len() <= MOST_DIGITS
                && scale >= SMALLEST
                && scale % 3 == 0
                && !digits.ends_with("000")
                && !digits.starts_with('0'));
        Some(Amount { mantissa, scale, form, is_kept })
    }

    /// Returns the amount without trailing zeros, rounded up to the smallest one.
    fn rounded(&self) -> (u128, i32) {
        let (mut mantissa, mut scale) = (self.mantissa, self.scale);
        if mantissa == 0 {
            return (0, 0);
        }
        while scale < SMALLEST {
            mantissa = mantissa.div_ceil(10);
            scale += 1;
        }
        while mantissa.is_multiple_of(10) {
            mantissa /= 10;
            scale += 1;
        }
        (mantissa, scale)
    }
}

/// Returns a quantity of a container as the API server stores it. `text` is one that the schema accepts; any other is returned as it is.
pub fn as_stored(text: &str) -> String {
    let Some(amount) = Amount::read(text).filter(|amount| !amount.is_kept) else { return text.to_owned() };
    let (mantissa, scale) = amount.rounded();
    if mantissa == 0 {
        return "0".to_owned();
    }
    if amount.form == Form::Binary
        && let Some(whole) =
            u32::try_from(scale).ok().and_then(|scale| mantissa.checked_mul(10_u128.checked_pow(scale)?))
        && whole >= 1024
    {
        let (mut number, mut unit) = (whole.min(GREATEST_BINARY), 0);
        while number.is_multiple_of(1024) && unit + 1 < BINARY_UNITS.len() {
            number /= 1024;
            unit += 1;
        }
        return format!("{number}{}", BINARY_UNITS[unit]);
    }
    let surplus = scale.rem_euclid(3);
    let (number, exponent) = (mantissa * 10_u128.pow(surplus.unsigned_abs()), scale - surplus);
    match (amount.form, exponent) {
        (Form::Exponent, 0) => number.to_string(),
        (Form::Exponent, exponent) => format!("{number}e{exponent}"),
        (_, exponent) => {
            let unit = usize::try_from((exponent + 9) / 3).ok().and_then(|unit| DECIMAL_UNITS.get(unit));
            format!("{number}{}", unit.copied().unwrap_or_default())
        }
    }
}

/// Compares two quantities that the schema accepts.
pub fn compare(one: &str, other: &str) -> Ordering {
    let value = |text: &str| {
        let amount = Amount::read(text)?;
        let (mantissa, scale) = amount.rounded();
        // exact for every amount of a default; of others only the order counts
        Some(mantissa as f64 * 10_f64.powi(scale))
    };
    value(one).partial_cmp(&value(other)).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_written_as_the_api_server_stores_it() {
        for (text, stored) in [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.1Gi", "107374182400m"),
            ("1000", "1k"),
            ("256Mi", "256Mi"),
            ("10m", "10m"),
            ("0.0", "0"),
            ("100u", "1m"),
            ("1e3", "1e3"),
            ("1.5e3", "1500"),
            ("1.500", "1.500"),
            ("512", "512"),
            ("0.5Ki", "512"),
            ("1.", "1."),
            (".5", "500m"),
        ] {
            assert_eq!(as_stored(text), stored, "{text}");
        }
    }

    #[test]
    fn quantities_are_compared_by_their_amounts() {
        for (one, other, order) in [
            ("1Gi", "1024Mi", Ordering::Equal),
            ("16Mi", "32Mi", Ordering::Less),
            ("0.02", "10m", Ordering::Greater),
            ("256M", "256Mi", Ordering::Less),
        ] {
            assert_eq!(compare(one, other), order, "{one} {other}");
        }
    }
}
