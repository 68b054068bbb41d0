//! The other field managers that changed the CronJob, and which of them an event has told of.

use crate::{
    api::{AntflyBackupStatus, OtherWriter},
    desired::repair,
    status::time::whole_seconds,
    text::{one_line, shortened},
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// How long an event about a field manager stands for all that it does.
const TOLD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Returns the field managers of the status after the changes of `put_right` were put right, and those among them that an event has to tell of now. Once the list
/// is full, further ones have none: somebody who writes with many names causes no event with each.
pub fn others(
    earlier: Option<&AntflyBackupStatus>,
    put_right: &[repair::OtherWriter],
    now: Timestamp,
) -> (Vec<OtherWriter>, Vec<OtherWriter>) {
    let mut known = earlier.map(|status| status.other_writers.clone()).unwrap_or_default();
    let mut told = Vec::new();
    // a time in the future counts as past
    let is_told = |writer: &OtherWriter| (SignedDuration::ZERO..TOLD_FOR).contains(&now.duration_since(writer.time.0));
    for other in put_right {
        let writer = written(other, now);
        match known.iter_mut().find(|known| known.manager == writer.manager) {
            Some(known) if is_told(known) => continue,
            Some(known) => known.clone_from(&writer),
            None => {
                if known.len() == AntflyBackupStatus::OTHER_WRITERS_MAX_ITEMS {
                    let Some(oldest) = known.iter().position(|known| !is_told(known)) else { continue };
                    known.remove(oldest);
                }
                known.push(writer.clone());
            }
        }
        told.push(writer);
    }
    (known, told)
}

fn written(other: &repair::OtherWriter, now: Timestamp) -> OtherWriter {
    let fields = other.fields.iter().take(OtherWriter::FIELDS_MAX_ITEMS);
    OtherWriter {
        manager: shortened(&one_line(&other.manager), OtherWriter::MANAGER_MAX_LENGTH),
        fields: fields.map(|field| shortened(&one_line(field), OtherWriter::FIELDS_ITEM_MAX_LENGTH)).collect(),
        time: Time(whole_seconds(now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    /// Field managers of the status and those to tell of, after changes by `managers` were put right at `now`.
    fn after(earlier: &[OtherWriter], managers: &[&str], now: Timestamp) -> (Vec<OtherWriter>, Vec<String>) {
        let earlier = AntflyBackupStatus { other_writers: earlier.to_vec(), ..AntflyBackupStatus::default() };
        let put_right = managers.iter().map(|manager| repair::OtherWriter {
            manager: (*manager).to_owned(),
            fields: vec!["spec.suspend".to_owned(); 20],
        });
        let (known, told) = others(Some(&earlier), &put_right.collect::<Vec<_>>(), now);
        (known, told.into_iter().map(|writer| writer.manager).collect())
    }

    #[test]
    fn a_field_manager_is_told_of_once_a_day() {
        let (known, told) = after(&[], &["a"], now());
        assert_eq!(
            (told.as_slice(), known[0].fields.len()),
            (["a".to_owned()].as_slice(), OtherWriter::FIELDS_MAX_ITEMS)
        );
        let (same, told) = after(&known, &["a", "b"], now() + SignedDuration::from_hours(23));
        assert_eq!((told.as_slice(), &same[0]), (["b".to_owned()].as_slice(), &known[0]));
        let (again, told) = after(&same, &["a"], now() + TOLD_FOR);
        assert_eq!((told.as_slice(), again.len()), (["a".to_owned()].as_slice(), 2));
    }

    #[test]
    fn whoever_writes_with_many_names_is_not_told_of_with_each() {
        let names: Vec<_> = (0..20).map(|index| format!("m{index:02}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let (known, told) = after(&[], &names, now());
        assert_eq!((known.len(), told.len()), (8, 8));
        assert_eq!(after(&known, &["another"], now()).1.len(), 0);
        let (later, told) = after(&known, &["another"], now() + TOLD_FOR);
        assert_eq!((later.len(), told), (8, vec!["another".to_owned()]));
    }
}
