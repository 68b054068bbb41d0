//! Times, as Kubernetes writes them.

use jiff::Timestamp;

/// Returns a moment as Kubernetes writes it, without parts of a second.
pub fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}
