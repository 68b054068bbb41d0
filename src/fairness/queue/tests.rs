//! What tenants can rely on.
#![allow(clippy::disallowed_methods, reason = "an Instant cannot be made otherwise")]

use super::*;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);
/// Duration of a reconcile.
const TOOK: Duration = Duration::from_millis(10);

fn key(namespace: &str, number: u32) -> ObjectKey {
    ObjectKey::new(namespace, &format!("backup-{number}"))
}

/// Something that happens to the queue.
#[derive(Clone, Debug)]
enum Step {
    Changed(ObjectKey),
    Gone(ObjectKey),
    Next,
    /// One of the running reconciles ends.
    Ended(usize, Option<u64>),
    Passes(u64),
}

fn any_key() -> impl Strategy<Value = ObjectKey> {
    (prop::sample::select(vec!["one", "two", "three"]), 0..4u32).prop_map(|(namespace, number)| key(namespace, number))
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any_key().prop_map(Step::Changed),
        1 => any_key().prop_map(Step::Gone),
        4 => Just(Step::Next),
        4 => (0..4usize, prop::option::of(0..30_000u64)).prop_map(|(which, again)| Step::Ended(which, again)),
        2 => (0..3_000u64).prop_map(Step::Passes),
    ]
}

proptest! {
    #[test]
    fn no_change_is_lost_and_reconciles_of_one_backup_never_overlap(steps in prop::collection::vec(any_step(), 0..200)) {
        let (mut queue, mut now) = (Queue::new(4), Instant::now());
        let mut running: Vec<ObjectKey> = Vec::new();
        // changed since the last reconcile started
        let mut owed: BTreeSet<ObjectKey> = BTreeSet::new();
        for step in steps {
            match step {
                Step::Changed(key) => {
                    owed.insert(key.clone());
                    queue.changed(key, now);
                }
                Step::Gone(key) => {
                    // A deleted backup needs no reconcile.
                    owed.remove(&key);
                    queue.gone(&key);
                }
                Step::Next => {
                    if let Some(key) = queue.next(now) {
                        prop_assert!(!running.contains(&key), "{key} is being reconciled already");
                        let of_namespace = running.iter().filter(|other| other.namespace == key.namespace).count();
                        prop_assert!(of_namespace < 3, "{} has all workers", key.namespace);
                        owed.remove(&key);
                        running.push(key);
                    }
                }
                Step::Ended(which, again) if which < running.len() => {
                    let key = running.swap_remove(which);
                    queue.finished(&key, again.map(|again| now + Duration::from_millis(again)), now);
                }
                Step::Ended(..) => {}
                Step::Passes(milliseconds) => now += Duration::from_millis(milliseconds),
            }
        }
        for key in running {
            queue.finished(&key, None, now);
        }
        // Longer than all rate limits and waits together.
        now += 100 * SECOND;
        while let Some(key) = queue.next(now) {
            owed.remove(&key);
            queue.finished(&key, None, now);
        }
        prop_assert!(owed.is_empty(), "never reconciled: {owed:?}");
        prop_assert!(queue.places.is_empty() && queue.later.is_empty() && queue.busy.is_empty(), "{queue:?}");
    }
}

#[test]
fn a_tenant_with_ten_thousand_changed_backups_delays_another_tenant_by_one_reconcile() {
    let (mut queue, now) = (Queue::new(4), Instant::now());
    (0..10_000).for_each(|number| queue.changed(key("hostile", number), now));
    let first = queue.next(now).unwrap();
    queue.changed(key("other", 0), now);
    queue.finished(&first, None, now);
    // At most the namespace whose turn it is comes first.
    let next = [queue.next(now).unwrap(), queue.next(now).unwrap()];
    assert!(next.contains(&key("other", 0)), "{next:?}");
}

#[test]
fn reconciles_that_hang_leave_workers_for_other_namespaces() {
    let (mut queue, now) = (Queue::new(4), Instant::now());
    (0..10).for_each(|number| queue.changed(key("hostile", number), now));
    let hanging: Vec<_> = std::iter::from_fn(|| queue.next(now)).collect();
    assert_eq!(hanging.len(), 3);
    queue.changed(key("other", 0), now);
    assert_eq!(queue.next(now), Some(key("other", 0)));
    assert_eq!(queue.next(now), None);
    queue.finished(&hanging[0], None, now);
    assert!(queue.next(now).is_some_and(|key| key.namespace == "hostile"));
}

#[test]
fn a_backup_that_changes_constantly_is_reconciled_once_a_second_after_a_burst() {
    let (mut queue, start) = (Queue::new(4), Instant::now());
    let (mut now, mut reconciles) = (start, 0);
    while now < start + 60 * SECOND {
        queue.changed(key("hostile", 0), now);
        if let Some(key) = queue.next(now) {
            reconciles += 1;
            queue.changed(key.clone(), now);
            now += TOOK;
            queue.finished(&key, None, now);
        } else {
            now = queue.next_time().expect("the last change is not lost");
        }
    }
    assert!((79..=81).contains(&reconciles), "{reconciles}");
}

#[test]
fn a_backup_is_reconciled_at_the_earliest_time_and_at_once_after_a_change() {
    let (mut queue, now) = (Queue::new(4), Instant::now());
    let backup = key("one", 0);
    queue.changed(backup.clone(), now);
    assert_eq!(queue.next(now), Some(backup.clone()));
    queue.finished(&backup, Some(now + 60 * SECOND), now);
    assert_eq!((queue.next(now + 59 * SECOND), queue.next_time()), (None, Some(now + 60 * SECOND)));
    queue.changed(backup.clone(), now + SECOND);
    assert_eq!(queue.next(now + SECOND), Some(backup.clone()));
    queue.finished(&backup, Some(now + 60 * SECOND), now + SECOND);
    assert_eq!(queue.next(now + 60 * SECOND), Some(backup));
}

#[test]
fn deleted_backups_leave_nothing_in_the_queue() {
    let (mut queue, mut now) = (Queue::new(4), Instant::now());
    for number in 0..100_000 {
        queue.changed(key("hostile", number), now);
        let running = queue.next(now).unwrap();
        let goes_meanwhile = number % 2 == 0;
        if goes_meanwhile {
            queue.gone(&running);
        }
        queue.finished(&running, Some(now + 3600 * SECOND), now);
        if !goes_meanwhile {
            queue.gone(&running);
        }
        now += TOOK;
    }
    assert!(queue.places.is_empty() && queue.later.is_empty() && queue.busy.is_empty());
    assert!(queue.limits.len() < 2000, "{}", queue.limits.len());
}
