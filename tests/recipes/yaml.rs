//! Every YAML block of the pages is applied by a server-side dry run, and is valid where it claims to be.

use crate::{
    blocks::{Block, Claim, blocks},
    exceptions::NOT_APPLIED,
    in_repository,
};
use antfly_backup_operator::testing::api::CRD;
use antfly_stand_in::{ANTFLY_CLUSTER_CRD, ANTFLY_RESTORE_CRD};
use local_cluster::{ControlPlane, apply_yaml};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// Folders that have no pages of the project.
const NO_PAGES: [&str; 3] = [".git", "target", "node_modules"];

/// Returns the pages of the repository. The changelog is of its time.
fn pages() -> Vec<String> {
    let mut pages = Vec::new();
    let mut folders = vec![PathBuf::from(in_repository(""))];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                folders.extend((!NO_PAGES.contains(&name.as_str())).then_some(path));
            } else if name.ends_with(".md") && name != "CHANGELOG.md" {
                pages.push(path.strip_prefix(in_repository("")).unwrap().display().to_string());
            }
        }
    }
    pages.sort();
    pages
}

/// A page and one of its blocks that is not an exception.
fn applied_blocks() -> Vec<(String, Block)> {
    let mut found = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(in_repository(&page)).unwrap();
        let blocks = blocks(&text).unwrap_or_else(|line| {
            panic!("{page}:{line}: the block has an object; write ```yaml, so that it is tested")
        });
        let is_applied =
            |block: &Block| !NOT_APPLIED.iter().any(|(of, first, _)| (*of, *first) == (&page, block.first_line()));
        found.extend(blocks.into_iter().filter(is_applied).map(|block| (page.clone(), block)));
    }
    found
}

/// What the blocks are applied to.
struct Stage {
    control_plane: ControlPlane,
    namespaces: BTreeSet<String>,
}

impl Stage {
    async fn start() -> Self {
        let control_plane = ControlPlane::start().await.unwrap();
        let client = control_plane.client().await.unwrap();
        for definition in [CRD, ANTFLY_CLUSTER_CRD, ANTFLY_RESTORE_CRD] {
            apply_yaml(&client, definition).await.unwrap();
        }
        Stage { control_plane, namespaces: BTreeSet::new() }
    }

    /// Applies what a block has, without storing it.
    fn check(&mut self, block: &Block) -> Result<(), String> {
        match block.claim()? {
            Claim::Kustomization => {
                let built = self.kustomized(&block.text)?;
                let objects: Vec<Value> = serde_saphyr::from_multiple(&built).map_err(|error| error.to_string())?;
                self.dry_run(&objects)
            }
            Claim::Objects { objects, refusal: None } => self.dry_run(&objects),
            Claim::Objects { objects, refusal: Some(message) } => match self.dry_run(&objects) {
                Ok(()) => Err(format!("is accepted, and the page says that it is refused: {message}")),
                Err(error) if error.contains(&message) => Ok(()),
                Err(error) => Err(format!("is refused, but not with {message:?}: {error}")),
            },
        }
    }

    /// Applies objects by a dry run, and their status by another.
    fn dry_run(&mut self, objects: &[Value]) -> Result<(), String> {
        for object in objects {
            if let Some(namespace) = object["metadata"]["namespace"].as_str() {
                self.ensure_namespace(namespace)?;
            }
            self.apply(object, &["--dry-run=server"])?;
            if object.get("status").is_some() {
                // The API server ignores a status but where the object is there, and the request is about its status.
                self.apply(object, &[])?;
                self.apply(object, &["--dry-run=server", "--subresource=status"])?;
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
                let kind = object["kind"].as_str().unwrap_or_default();
                self.kubectl(&["delete", kind, name, "-n", namespace], "")?;
            }
        }
        Ok(())
    }

    fn apply(&self, object: &Value, options: &[&str]) -> Result<String, String> {
        let arguments = [&["apply", "--server-side", "--validate=strict", "-f", "-"], options].concat();
        self.kubectl(&arguments, &object.to_string())
    }

    fn ensure_namespace(&mut self, name: &str) -> Result<(), String> {
        if self.namespaces.insert(name.to_owned()) {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            self.apply(&namespace, &[])?;
        }
        Ok(())
    }

    /// Returns what kustomize makes of a `kustomization.yaml` that finds copies of `deploy/`.
    fn kustomized(&self, kustomization: &str) -> Result<String, String> {
        let folder = TempDir::new().unwrap();
        let overlay = folder.path().join("overlay");
        // kustomize follows no link out of its folder
        for copy in [folder.path().to_owned(), overlay.join("path/to")] {
            fs::create_dir_all(&copy).unwrap();
            for part in ["deploy", "schema"] {
                let copied = Command::new("cp").args(["-r", &in_repository(part)]).arg(&copy).status().unwrap();
                assert!(copied.success());
            }
        }
        fs::write(overlay.join("kustomization.yaml"), kustomization).unwrap();
        self.kubectl(&["kustomize", overlay.to_str().unwrap()], "")
    }

    fn kubectl(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut kubectl = self.control_plane.kubectl().unwrap();
        let mut child = kubectl
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let ended = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if ended.status.success() { Ok(text(&ended.stdout)) } else { Err(text(&ended.stderr)) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_yaml_block_of_the_pages_is_what_it_claims_to_be() {
    let mut stage = Stage::start().await;
    let blocks = applied_blocks();
    let mut faults = Vec::new();
    for (page, block) in &blocks {
        if let Err(error) = stage.check(block) {
            faults.push(format!("{page}:{}: the YAML block {error}", block.line));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(blocks.len() >= 9, "only {} blocks", blocks.len());
    what_is_wrong_in_a_block_is_found(&mut stage);
}

/// Blocks as somebody could add them, and what is said of each.
fn what_is_wrong_in_a_block_is_found(stage: &mut Stage) {
    for (text, fault) in [
        ("spec:\n  schedule: 0 25 * * *\n", Some("hour (the second field)")),
        ("spec:\n  tabels: []\n", Some("tabels")),
        ("spec:\n  suspend: yes\n  tables: [orders]\n", None),
        ("status:\n  phase: Splendid\n", Some("status.phase")),
        ("status:\n  recentBackups:\n  - backupId: a\n", Some("status.recentBackups[0]")),
        ("apiVersion: antfly.io/v1\nkind: AntflyBackup\nmetadata: {name: a}\n", Some("spec")),
        ("apiVersion: antfly.io/v1\nkind: AntflyBackups\nmetadata: {name: a}\n", Some("no matches for kind")),
        ("# refused: hour (the second field)\nspec:\n  schedule: 0 25 * * *\n", None),
        ("# refused: hour (the second field)\nspec:\n  schedule: 0 2 * * *\n", Some("is accepted")),
        ("# refused: hour (the second field)\nspec:\n  tabels: []\n", Some("is refused, but not with")),
        ("# kustomization.yaml\nresources: [path/to/deploy]\n", None),
        ("kind: Kustomization\nresources: [../deploy]\n", None),
        ("# kustomization.yaml\nresources: [path/to/nothing]\n", Some("path/to/nothing")),
        ("replicas: 2\n", Some("neither an object")),
    ] {
        let block = Block { line: 1, text: text.to_owned() };
        match (stage.check(&block), fault) {
            (Ok(()), None) => {}
            (Err(error), Some(fault)) => assert!(error.contains(fault), "{text}: {error}"),
            (result, _) => panic!("{text}: {result:?}"),
        }
    }
}

#[test]
fn every_exception_of_the_yaml_blocks_is_needed() {
    for (page, first, reason) in NOT_APPLIED {
        let text = fs::read_to_string(Path::new(&in_repository(page))).unwrap();
        let is_there = blocks(&text).unwrap().iter().any(|block| block.first_line() == first);
        assert!(is_there, "{page} has no YAML block that begins with {first:?} any more ({reason})");
    }
}
