//! Images, made without a base image, a registry or a Docker daemon.

mod archive;
mod executables;
mod platform;

pub use archive::{Image, ImageFile};
pub use executables::operator as operator_executable;
pub use platform::Platform;

use std::{env, fs, path::Path, process::Command};

use anyhow::{Context, Result};
use k8s_openapi::jiff::Timestamp;

use crate::cargo::repository;

/// Name of the operator's image, without a tag, as `deploy/` has it.
pub const OPERATOR_IMAGE: &str = "ghcr.io/antflydb/antfly-backup-operator";

/// The operator in its image;
const OPERATOR_PATH: &str = "antfly-backup-operator";

/// User and group of the operator's image: a number, so that `runAsNonRoot` can be checked.
const USER: &str = "65532:65532";

/// Builds the operator's image: one executable and the root certificates.
///
/// # Errors
/// The executable doesn't build.
pub fn operator(platform: Platform, reference: &str) -> Result<Image> {
    let created = created()?;
    let labels = [
        ("title", "antfly-backup-operator".to_owned()),
        (
            "description",
            "Turns AntflyBackup resources into CronJobs and keeps a status that tells the truth".to_owned(),
        ),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("licenses", env!("CARGO_PKG_LICENSE").to_owned()),
        ("source", env!("CARGO_PKG_REPOSITORY").to_owned()),
        ("created", created.to_string()),
    ];
    let labels = labels.into_iter().chain(git(&["rev-parse", "HEAD"]).map(|revision| ("revision", revision)));
    let executable = executables::operator(platform)?;
    let content = fs::read(&executable).with_context(|| format!("read {}", executable.display()))?;
    Ok(Image {
        reference: reference.to_owned(),
        platform,
        created,
        entrypoint: vec![format!("/{OPERATOR_PATH}")],
        user: Some(USER.to_owned()),
        environment: Vec::new(),
        labels: labels.map(|(name, value)| (format!("org.opencontainers.image.{name}"), value)).collect(),
        files: vec![ImageFile { path: OPERATOR_PATH.to_owned(), mode: 0o755, content }, root_certificates_file()],
    })
}

/// Builds the image of the stand-in for Antfly, for tests only.
///
/// # Errors
/// The executable doesn't build.
pub fn antfly_stand_in(platform: Platform, reference: &str) -> Result<Image> {
    of_one_program(platform, reference, &executables::antfly_stand_in(platform)?)
}

/// Builds the image of the S3 server that the tests use, [`local_cluster::S3Server`], for this machine.
///
/// # Errors
/// The executable doesn't build.
pub fn s3_server(reference: &str) -> Result<Image> {
    of_one_program(Platform::of_this_machine(), reference, &local_cluster::s3_program()?)
}

/// Returns an image that runs one statically linked program and has nothing else but the root certificates, for tests only.
fn of_one_program(platform: Platform, reference: &str, program: &Path) -> Result<Image> {
    let content = fs::read(program).with_context(|| format!("read {}", program.display()))?;
    let name = program.file_name().context("a program has a name")?.to_string_lossy().into_owned();
    Ok(Image {
        reference: reference.to_owned(),
        platform,
        created: Timestamp::UNIX_EPOCH,
        entrypoint: vec![format!("/{name}")],
        user: Some("10001:10001".to_owned()),
        environment: Vec::new(),
        labels: Default::default(),
        files: vec![ImageFile { path: name, mode: 0o755, content }, root_certificates_file()],
    })
}

/// Returns the creation time in the image, which a second build repeats: `SOURCE_DATE_EPOCH`
/// (<https://reproducible-builds.org/docs/source-date-epoch/>), else the time of the commit, else 1970.
fn created() -> Result<Timestamp> {
    let seconds = env::var("SOURCE_DATE_EPOCH").ok().or_else(|| git(&["log", "-1", "--format=%ct"]));
    let Some(seconds) = seconds else { return Ok(Timestamp::UNIX_EPOCH) };
    let parsed = seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    parsed.with_context(|| format!("SOURCE_DATE_EPOCH={seconds:?} is not a number of seconds since 1970"))
}

/// Returns the output of a git command in the repository, or `None` if it is not a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(repository()).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// Mozilla's root certificates, where OpenSSL, Go and rustls-native-certs look first on most systems.
fn root_certificates_file() -> ImageFile {
    ImageFile {
        path: "etc/ssl/certs/ca-certificates.crt".to_owned(),
        mode: 0o644,
        content: root_certificates().into_bytes(),
    }
}

/// Mozilla's root certificates in PEM.
fn root_certificates() -> String {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|certificate| pem::encode(&pem::Pem::new("CERTIFICATE", certificate.as_ref())))
        .collect()
}

/// Writes the files of an image into a directory, for other builders of images.
///
/// # Errors
/// A file cannot be written.
pub fn write_root(image: &Image, directory: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for file in &image.files {
        let path = directory.join(&file.path);
        let parent = path.parent().context("a file has a directory")?;
        fs::create_dir_all(parent).with_context(|| format!("make the directory {}", parent.display()))?;
        fs::write(&path, &file.content).with_context(|| format!("write {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(file.mode))
            .with_context(|| format!("set the permissions of {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dockerfile_gives_what_the_image_has() {
        let dockerfile = fs::read_to_string(repository().join("Dockerfile")).unwrap();
        for line in [format!("USER {USER}"), format!("ENTRYPOINT [\"/{OPERATOR_PATH}\"]")] {
            assert!(dockerfile.lines().any(|other| other == line), "the Dockerfile has no line {line:?}");
        }
        for label in ["title", "description", "version", "licenses", "source", "created", "revision"] {
            assert!(
                dockerfile.contains(&format!("org.opencontainers.image.{label}=")),
                "the Dockerfile has no {label}"
            );
        }
    }

    #[test]
    fn the_root_certificates_are_pem() {
        let certificates = pem::parse_many(root_certificates()).unwrap();
        assert!(certificates.len() > 50 && certificates.iter().all(|certificate| certificate.tag() == "CERTIFICATE"));
    }
}
