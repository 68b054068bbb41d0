//! Images, and the executables of this machine that replace them.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use k8s_openapi::api::core::v1::Container;
use parking_lot::RwLock;

/// The executable that replaces an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The executable.
    executable: PathBuf,
    /// Its path inside the image: what a container's `command` begins with, if it has one.
    path_in_image: String,
    /// The arguments of the entrypoint, before those of the container.
    arguments: Vec<OsString>,
}

impl Program {
    /// Returns an image whose entrypoint `path_in_image` is `executable`.
    pub fn new(executable: impl Into<PathBuf>, path_in_image: &str) -> Self {
        let executable = executable.into();
        // Processes start in another directory.
        let executable = std::path::absolute(&executable).unwrap_or(executable);
        Self { executable, path_in_image: path_in_image.to_owned(), arguments: Vec::new() }
    }

    /// Returns an image whose entrypoint is `/bin/sh -c`: its container's `args` are a script, `$0`, `$1`, ….
    pub fn shell() -> Self {
        Self { arguments: vec!["-c".into()], ..Self::new("/bin/sh", "/bin/sh") }
    }

    /// Returns the executable and its arguments. `command` and `args` are the container's, expanded.
    ///
    /// # Errors
    /// A container runtime's message for a `command` that the image does not have.
    pub(super) fn command_line(&self, command: &[String], args: &[String]) -> Result<(&Path, Vec<OsString>), String> {
        let mut arguments = match command {
            [] => self.arguments.clone(),
            [program, arguments @ ..] if *program == self.path_in_image => {
                arguments.iter().map(OsString::from).collect()
            }
            [program, ..] => {
                return Err(format!(
                    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create \
                     failed: unable to start container process: error during container init: exec: \"{program}\": \
                     executable file not found in $PATH"
                ));
            }
        };
        arguments.extend(args.iter().map(OsString::from));
        Ok((&self.executable, arguments))
    }
}

/// The images that the node knows. Clones share one map, which may change while the node runs.
#[derive(Debug, Clone, Default)]
pub struct Images(Arc<RwLock<BTreeMap<String, Program>>>);

impl Images {
    /// Makes an image known, or replaces it.
    pub fn set(&self, image: &str, program: Program) {
        self.0.write().insert(image.to_owned(), program);
    }

    /// Returns the executable that replaces a container's image.
    ///
    /// # Errors
    /// The kubelet's reason and message for an image that cannot be pulled.
    pub(super) fn find(&self, container: &Container) -> Result<Program, (&'static str, String)> {
        let image = container.image.as_deref().unwrap_or_default();
        if let Some(program) = self.0.read().get(image) {
            return Ok(program.clone());
        }
        Err(match container.image_pull_policy.as_deref() {
            Some("Never") => {
                ("ErrImageNeverPull", format!("Container image \"{image}\" is not present with pull policy of Never"))
            }
            _ => (
                "ErrImagePull",
                format!(
                    "failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found"
                ),
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_command_replaces_the_entrypoint() {
        let shell = Program::shell();
        let line = |command: &[&str], args: &[&str]| {
            let line = shell.command_line(&texts(command), &texts(args));
            line.map(|(executable, arguments)| (executable.to_owned(), arguments))
        };
        let expected = |arguments: &[&str]| Ok(("/bin/sh".into(), arguments.iter().map(OsString::from).collect()));
        assert_eq!(line(&[], &["true"]), expected(&["-c", "true"]));
        assert_eq!(line(&["/bin/sh"], &["x.sh"]), expected(&["x.sh"]));
        assert_eq!(line(&["/bin/sh", "-e"], &["x.sh"]), expected(&["-e", "x.sh"]));
        assert!(line(&["/bin/bash"], &[]).unwrap_err().contains("exec: \"/bin/bash\""));
    }

    #[test]
    fn an_executable_is_found_from_every_directory() {
        let program = Program::new("target/operator", "/operator");
        let (executable, _) = program.command_line(&[], &[]).unwrap();
        assert_eq!(executable, std::env::current_dir().unwrap().join("target/operator"));
    }

    #[test]
    fn an_unknown_image_cannot_be_pulled() {
        let images = Images::default();
        let mut container = Container { image: Some("example.com/a:1".to_owned()), ..Container::default() };
        assert_eq!(images.find(&container).unwrap_err().0, "ErrImagePull");
        container.image_pull_policy = Some("Never".to_owned());
        assert_eq!(images.find(&container).unwrap_err().0, "ErrImageNeverPull");
        images.clone().set("example.com/a:1", Program::shell());
        assert_eq!(images.find(&container), Ok(Program::shell()));
    }
}
