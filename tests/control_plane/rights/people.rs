//! What the users of a namespace may do with its AntflyBackups, by Kubernetes' own ClusterRoles.

use crate::support::{Room, attended};
use anyhow::ensure;
use serde_json::json;

const READ: [&str; 3] = ["get", "list", "watch"];
const WRITE: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// `kubectl auth can-i`; the answer, `yes` or `no`.
fn can(room: &Room<'_>, user: &str, arguments: &[&str]) -> String {
    let mut kubectl = room.kubectl_command();
    kubectl.args(["auth", "can-i"]).args(arguments).args(["--as", user, "-n", &room.namespace]);
    String::from_utf8(kubectl.output().unwrap().stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn who_may_view_or_edit_a_namespace_may_view_or_edit_its_backups_and_nobody_may_write_the_status() {
    let room = attended().await.room("people").await;
    for role in ["view", "edit", "admin"] {
        let clusterrole = format!("--clusterrole={role}");
        room.kubectl(&["create", "rolebinding", role, &clusterrole, &format!("--user={role}-user")]);
    }
    let backups = "antflybackups.antfly.io";
    for role in ["view", "edit", "admin"] {
        let user = format!("{role}-user");
        // Kubernetes adds the rules to its roles some time after they are there
        room.eventually(&format!("{role} to read"), async || {
            ensure!(can(&room, &user, &["get", backups]) == "yes", "not yet");
            Ok(())
        })
        .await;
        for verb in READ {
            assert_eq!(can(&room, &user, &[verb, backups]), "yes", "{role} {verb}");
        }
        for verb in WRITE {
            let expected = if role == "view" { "no" } else { "yes" };
            room.eventually(&format!("{role} {verb}: {expected}"), async || {
                ensure!(can(&room, &user, &[verb, backups]) == expected, "it is otherwise");
                Ok(())
            })
            .await;
        }
        for verb in READ.into_iter().chain(WRITE) {
            assert_eq!(can(&room, &user, &[verb, backups, "--subresource=status"]), "no", "{role} {verb} status");
        }
    }
    assert_eq!(can(&room, "somebody", &["get", backups]), "no");

    // and so it is
    room.create_backup("nightly", json!({})).await;
    let patch = |user: &str, arguments: &[&str]| {
        let mut kubectl = room.kubectl_command();
        kubectl.args(["patch", "antflybackup", "nightly", "--type=merge", "-n", &room.namespace, "--as", user]);
        kubectl.args(arguments).output().unwrap().status.success()
    };
    let suspend = ["-p", r#"{"spec": {"suspend": true}}"#];
    assert!(patch("edit-user", &suspend));
    assert!(!patch("view-user", &suspend));
    let lie = ["--subresource=status", "-p", r#"{"status": {"phase": "Active"}}"#];
    assert!(!patch("edit-user", &lie) && !patch("admin-user", &lie));
    // a status beside the spec is dropped
    assert!(patch("edit-user", &["-p", r#"{"spec": {"suspend": true}, "status": {"cronJobName": "lie"}}"#]));
    assert_ne!(room.backups().get("nightly").await.unwrap().data["status"]["cronJobName"], "lie");
}
