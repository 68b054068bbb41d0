use super::*;
use crate::cluster::views::Cluster;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

const RULES: [CrossNamespaceClusters; 3] =
    [CrossNamespaceClusters::Allow, CrossNamespaceClusters::Consent, CrossNamespaceClusters::Deny];

fn cluster(uid: &str, consent: &str) -> ClusterLookup {
    let annotations = json!({"antfly.io/backup-from-namespaces": consent});
    let object = json!({"metadata": {"name": "main", "namespace": "prod", "uid": uid, "annotations": annotations}});
    ClusterLookup::Found(Arc::new(Cluster::from_value(&object).unwrap()))
}

/// A backup of `namespace` of the cluster prod/main.
fn backup(namespace: &str, accepted: Option<&str>, pinned: Option<&PinnedCluster>) -> StoredBackup {
    let annotations: Value = accepted.map(|uid| json!({"antfly.io/accept-cluster-uid": uid})).into();
    let status: Value = pinned.map(|pinned| json!({"phase": "Active", "pinnedCluster": pinned})).into();
    StoredBackup::from_value(json!({
        "apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "status": status,
        "metadata": {"name": "nightly", "namespace": namespace, "uid": "b", "annotations": annotations},
        "spec": {"clusterRef": {"name": "main", "namespace": "prod"}, "schedule": "@daily",
            "destination": {"location": "s3://tidewater/ledgers"}},
    }))
    .unwrap()
}

fn pinned_to(uid: &str) -> PinnedCluster {
    PinnedCluster { namespace: "prod".to_owned(), name: "main".to_owned(), uid: uid.to_owned() }
}

/// What a backup of `namespace` comes to: the UID of the cluster that it uses, and the UID that is pinned from then on.
fn seen(backup: &StoredBackup, found: ClusterLookup, rule: CrossNamespaceClusters) -> (Option<String>, Option<String>) {
    let admitted = admitted(backup, found, rule);
    let pin = pin(backup, &admitted, rule).map(|pin| pin.uid);
    let used = match admitted {
        ClusterLookup::Found(cluster) => Some(cluster.uid().to_owned()),
        _ => None,
    };
    (used, pin)
}

#[test]
fn only_the_uid_of_the_cluster_that_is_there_accepts_it() {
    let pinned = pinned_to("one");
    let rule = CrossNamespaceClusters::Consent;
    for accepted in [None, Some(""), Some("one"), Some("tw"), Some("two "), Some("twoo"), Some("TWO")] {
        let backup = backup("jobs", accepted, Some(&pinned));
        assert_eq!(seen(&backup, cluster("two", "jobs"), rule), (None, Some("one".to_owned())), "{accepted:?}");
    }
    let two = Some("two".to_owned());
    let accepting = backup("jobs", Some("two"), Some(&pinned));
    assert_eq!(seen(&accepting, cluster("two", "jobs"), rule), (two.clone(), two.clone()));
    assert_eq!(seen(&accepting, cluster("two", "others"), rule), (None, Some("one".to_owned())), "without consent");
    // it stays, and accepts no later one
    let after = backup("jobs", Some("two"), Some(&pinned_to("two")));
    assert_eq!(seen(&after, cluster("three", "jobs"), rule), (None, two));
}

#[test]
fn a_pin_outlives_the_cluster_and_its_consent() {
    let backup = backup("jobs", None, Some(&pinned_to("one")));
    let one = Some("one".to_owned());
    let gone = [ClusterLookup::NotFound, ClusterLookup::NoSuchKind, ClusterLookup::NotWatched, cluster("one", "")];
    for found in gone {
        assert_eq!(seen(&backup, found, CrossNamespaceClusters::Consent), (None, one.clone()));
    }
    assert_eq!(seen(&backup, cluster("one", "*"), CrossNamespaceClusters::Consent), (one.clone(), one));
}

#[test]
fn a_message_about_a_replaced_cluster_has_both_uids_and_the_annotation_that_is_wrong() {
    let backup = backup("jobs", Some("three\u{1b}[31m"), Some(&pinned_to("one")));
    let admitted = admitted(&backup, cluster("two", "*"), CrossNamespaceClusters::Consent);
    let message = crate::cluster::lookup::cluster_message(&admitted, "jobs", "prod", "main");
    for part in ["its UID is two, and was one", "has \"three [31m\"", "antfly.io/accept-cluster-uid=two"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(admitted.reason(), "ClusterReplaced");
}

proptest! {
    /// Without consent the owner of a backup learns nothing of a cluster: all that he may see is as if there were none.
    #[test]
    fn a_cluster_that_may_not_be_used_is_as_one_that_is_not_there(
        rule in prop::sample::select(&RULES[1..]), uid in "[a-c]", accepted in prop::option::of("[a-c]"),
        pinned in prop::option::of("[a-c]"), consent in "(job|jobs-2|\\*,a|)",
    ) {
        let pinned = pinned.map(|uid| pinned_to(&uid));
        let backup = backup("jobs", accepted.as_deref(), pinned.as_ref());
        let told = |found| {
            let admitted = admitted(&backup, found, rule);
            let message = crate::cluster::lookup::cluster_message(&admitted, "jobs", "prod", "main");
            (admitted.reason(), message, pin(&backup, &admitted, rule))
        };
        prop_assert_eq!(told(cluster(&uid, &consent)), told(ClusterLookup::NotFound));
    }

    /// A backup's own namespace, and the default, have no pin and no refusal.
    #[test]
    fn nothing_is_pinned_in_the_own_namespace_nor_by_default(
        rule in prop::sample::select(&RULES[..]), uid in "[a-c]", pinned in prop::option::of("[a-c]"), consent in "(jobs|)",
    ) {
        let pinned = pinned.map(|uid| pinned_to(&uid));
        let own = backup("prod", None, pinned.as_ref());
        prop_assert_eq!(seen(&own, cluster(&uid, &consent), rule), (Some(uid.clone()), None));
        let default = backup("jobs", None, pinned.as_ref());
        let allow = CrossNamespaceClusters::default();
        prop_assert_eq!(seen(&default, cluster(&uid, &consent), allow), (Some(uid), None));
    }

    /// However clusters come and go, a backup uses none but the first one and those that its annotation named by then.
    #[test]
    fn a_backup_uses_no_cluster_that_nobody_accepted(
        steps in prop::collection::vec((prop::option::of(("[a-e]", "(jobs|x)")), prop::option::of("[a-e]")), 1..12),
    ) {
        let (mut pinned, mut first): (Option<PinnedCluster>, Option<String>) = (None, None);
        let mut accepted = Vec::new();
        for (present, annotation) in steps {
            accepted.extend(annotation.clone());
            let backup = backup("jobs", annotation.as_deref(), pinned.as_ref());
            let found = present.as_ref().map_or(ClusterLookup::NotFound, |(uid, consent)| cluster(uid, consent));
            let (used, pin) = seen(&backup, found, CrossNamespaceClusters::Consent);
            if let Some(used) = used {
                let first = first.get_or_insert_with(|| used.clone());
                prop_assert!(used == *first || accepted.contains(&used), "{} is used", used);
                prop_assert_eq!(pin.as_ref(), Some(&used));
            }
            pinned = pin.map(|uid| pinned_to(&uid));
        }
    }
}
