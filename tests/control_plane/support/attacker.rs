//! Somebody who may do in a namespace of his own what an editor may, and there writes what a kubelet and controllers report.

use super::Room;
use serde_json::{Value, json};
use std::{io::Write as _, process::Stdio};

/// Name of the ServiceAccount.
const NAME: &str = "attacker";

/// Keeps the garbage collector from deleting what names an owner that is not in its namespace.
const FINALIZER: &str = "example.com/keep";

/// Acts by his own RBAC.
pub struct Attacker<'a> {
    room: &'a Room<'a>,
}

impl<'a> Attacker<'a> {
    /// Gives an account rights in the namespace of the room, and nowhere else.
    pub async fn of(room: &'a Room<'a>) -> Self {
        let verbs = ["get", "list", "create", "update", "patch", "delete"];
        let rules = [
            json!({"apiGroups": ["batch"], "resources": ["jobs", "jobs/status", "cronjobs"], "verbs": verbs}),
            json!({"apiGroups": [""], "resources": ["pods", "pods/status", "events"], "verbs": verbs}),
            json!({"apiGroups": ["antfly.io"], "resources": ["antflybackups"], "verbs": verbs}),
        ];
        room.create_account(NAME, &rules).await;
        Attacker { room }
    }

    /// Makes an object in his namespace that nobody else deletes; returns it.
    pub fn create(&self, mut object: Value) -> Value {
        object["metadata"]["namespace"] = json!(self.room.namespace);
        if object["kind"] != "Event" {
            object["metadata"]["finalizers"] = json!([FINALIZER]);
        }
        serde_json::from_str(&self.kubectl(&["create", "-f", "-", "-o", "json"], &object.to_string())).unwrap()
    }

    /// Writes the status of an object of his.
    pub fn report(&self, kind: &str, name: &str, status: &Value) {
        self.kubectl(&["patch", kind, name, "--subresource=status", "--type=merge", "-p", &status.to_string()], "");
    }

    fn kubectl(&self, arguments: &[&str], input: &str) -> String {
        let mut kubectl = self.room.kubectl_command();
        let account = format!("--as=system:serviceaccount:{}:{NAME}", self.room.namespace);
        kubectl.args(arguments).args(["-n", &self.room.namespace, &account]);
        kubectl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut kubectl = kubectl.spawn().unwrap();
        kubectl.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = kubectl.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }
}
