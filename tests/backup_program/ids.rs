//! Ids of backups.

use crate::program::{Again, BOTH, LOCATION, Program, stand_in};
use antfly_backup_operator::testing::backup::{JOB_NAME_VARIABLE, JOB_UID_VARIABLE, POD_UID_VARIABLE};
use antfly_stand_in::{Profile, StandIn};
use serde_json::Value;

/// Returns the names of the tables in the metadata whose payload exists.
fn restorable(antfly: &StandIn, id: &str) -> Vec<String> {
    let object = |name: &str| antfly.object(LOCATION, name).unwrap();
    let json = |name: &str| serde_json::from_slice::<Value>(&object(name).unwrap()).unwrap();
    let cluster = json(&format!("{id}-cluster-metadata.json"));
    assert_eq!(cluster["backup_id"], id);
    let tables = cluster["tables"].as_array().unwrap().iter();
    tables
        .map(|table| {
            let metadata = json(&format!("{}-metadata.json", table["table_backup_id"].as_str().unwrap()));
            for shard in metadata["shards"].as_array().unwrap() {
                let payload = format!("{}/store.bin", shard["snapshot_path"].as_str().unwrap());
                assert!(object(&payload).is_some(), "{payload}");
            }
            table["name"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn two_namespaces_with_the_same_name_location_and_time_make_two_backups() {
    for profile in BOTH {
        let antfly = stand_in(profile, &["orders", "users"], |_| {});
        let job = "daily-cron-29394840";
        let of = |job_uid, pod_uid| Program::new(&antfly).of(job, job_uid, pod_uid).start();
        let first = of("11111111-aaaa-bbbb-cccc-000000000000", "22222222-aaaa-bbbb-cccc-000000000000");
        let second = of("33333333-aaaa-bbbb-cccc-000000000000", "44444444-aaaa-bbbb-cccc-000000000000");
        let (first, second) = (first.wait(), second.wait());
        let ids = [&first, &second].map(|ended| {
            ended.assert_verified(&["orders", "users"]);
            ended.result.backup_id.clone()
        });
        assert_eq!(ids, [format!("{job}-11111111-22222222"), format!("{job}-33333333-44444444")]);
        let listed: Vec<String> =
            antfly.backups(LOCATION).unwrap().into_iter().map(|backup| backup.backup_id).collect();
        assert_eq!(listed, ids);
        for id in ids {
            let mut tables = restorable(&antfly, &id);
            tables.sort();
            assert_eq!(tables, ["orders", "users"]);
        }
    }
}

#[test]
fn two_pods_of_one_job_use_two_ids() {
    for profile in BOTH {
        let antfly = stand_in(profile, &["users"], |_| {});
        for pod in ["11111111", "22222222"] {
            Program::new(&antfly).of("daily", "00000000", pod).run().assert_verified(&["users"]);
        }
        assert_eq!(antfly.backups(LOCATION).unwrap().len(), 2);
    }
}

#[test]
fn an_id_without_one_of_its_parts_fails_for_good() {
    let antfly = stand_in(Profile::Today, &["users"], |_| {});
    for name in [JOB_NAME_VARIABLE, JOB_UID_VARIABLE, POD_UID_VARIABLE] {
        let ended = Program::new(&antfly).variable(name, "").run();
        ended.assert_failed("InvalidArguments", Again::Useless);
        ended.assert_error_has(name);
    }
    assert!(antfly.requests().is_empty());
}
