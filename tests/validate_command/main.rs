//! `validate`, run as a process on files, folders and standard input.
#![allow(clippy::unwrap_used, reason = "tests, helpers included")]

#[path = "../support/command.rs"]
mod command;
mod inputs;
mod kubectl;
mod positions;
mod random;
mod report;
mod yaml;

use command::{Ended, command};
use std::{fs, path::Path};
use tempfile::TempDir;

/// A valid AntflyBackup.
const BACKUP: &str = "\
apiVersion: antfly.io/v1
kind: AntflyBackup
metadata:
  name: nightly
  namespace: production
spec:
  clusterRef:
    name: main
  schedule: 0 2 * * *
  destination:
    location: s3://my-bucket/path
";

/// The same, but for its schedule, which is in line 9 and column 13.
fn refused() -> String {
    BACKUP.replace("0 2 * * *", "0 25 * * *")
}

/// A folder with files.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, text)| folder.write(name, text.as_bytes()));
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Runs `validate` with these arguments in the folder.
    fn validate(&self, arguments: &[&str]) -> Ended {
        command(&["validate"]).args(arguments).current_dir(self.path()).output().unwrap().into()
    }
}

/// Returns the beginning of each line, up to the field: `FILE:LINE:COLUMN: error: FIELD`.
fn places(printed: &str) -> Vec<String> {
    printed.lines().map(|line| line.splitn(4, ": ").take(3).collect::<Vec<_>>().join(": ")).collect()
}
