//! Backups by schedule, and several that write to one location.

use crate::{
    stage::{Blueprint, Whole},
    support::eventually,
};
use antfly_stand_in::Profile;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A backup of each minute, to a location that others have, too.
async fn each_minute(profile: Profile, namespace: &str) -> Whole {
    let mut blueprint = Blueprint::new(profile, namespace);
    blueprint.spec = json!({"schedule": "* * * * *"});
    blueprint.location = format!("s3://bucket/shared-{profile:?}");
    blueprint.build().await
}

/// Returns the records of completed runs of one scheduled time.
async fn records_of_one_time(wholes: [&Whole; 2]) -> [Value; 2] {
    eventually("two backups of one scheduled time", async || {
        let [first, second] = [wholes[0].nightly.status().await?, wholes[1].nightly.status().await?];
        let completed = |status: &Value| {
            let records = status["recentBackups"].as_array().cloned().unwrap_or_default();
            records.into_iter().filter(|record| record["status"] == "Completed").collect::<Vec<_>>()
        };
        let of_second = completed(&second);
        let pair = completed(&first).into_iter().find_map(|one| {
            let other = of_second.iter().find(|other| other["jobName"] == one["jobName"])?;
            Some([one, other.clone()])
        });
        pair.with_context(|| format!("there are none: {first} {second}"))
    })
    .await
}

/// Job name and scheduled time are the same, so only the UIDs distinguish the two.
async fn two_namespaces(profile: Profile, namespaces: [&str; 2]) {
    let [first, second] = [each_minute(profile, namespaces[0]).await, each_minute(profile, namespaces[1]).await];
    let records = records_of_one_time([&first, &second]).await;
    for whole in [&first, &second] {
        whole.nightly.suspend().await;
    }
    let ids: BTreeSet<_> = records.iter().map(|record| record["backupId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2, "{records:?}");
    for (whole, record) in [&first, &second].into_iter().zip(&records) {
        assert_eq!(record["trigger"], "Scheduled", "{record}");
        whole.assert_whole(record).await;
    }
    let listed: BTreeSet<_> =
        first.antfly.backups(&first.location).unwrap().into_iter().map(|backup| backup.backup_id).collect();
    assert!(ids.iter().all(|id| listed.contains(*id)), "{ids:?} in {listed:?}");
}

/// Servers of June silently replace a backup of the same id, those of today refuse it.
#[tokio::test]
async fn two_namespaces_one_name_one_location_one_time_two_backups() {
    tokio::join!(
        two_namespaces(Profile::June, ["twin-june-1", "twin-june-2"]),
        two_namespaces(Profile::Today, ["twin-today-1", "twin-today-2"]),
    );
}
