//! Keys and certificates of one run.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

/// A certificate and its key, as PEM files.
#[derive(Debug, Clone)]
pub(super) struct KeyPairFiles {
    /// Certificate.
    pub(super) certificate: PathBuf,
    /// Private key, readable by its owner only.
    pub(super) key: PathBuf,
}

/// All key material of a run.
#[derive(Debug)]
pub(super) struct Certificates {
    /// Certificate of the authority that signed the others.
    pub(super) authority: PathBuf,
    /// The API server's certificate, valid for loopback.
    pub(super) server: KeyPairFiles,
    /// Client certificate of a cluster administrator.
    pub(super) admin: KeyPairFiles,
    /// Client certificate of kube-controller-manager.
    pub(super) controller_manager: KeyPairFiles,
    /// Private key that service-account tokens are signed with.
    pub(super) service_account_signing: PathBuf,
    /// The public key to it.
    pub(super) service_account_verification: PathBuf,
}

impl Certificates {
    /// Makes everything and writes it below `directory`, which must exist.
    ///
    /// # Errors
    /// When a file can't be written.
    pub(super) fn create(directory: &Path) -> Result<Self> {
        let authority = authority().context("make the certificate authority")?;
        let authority_file = directory.join("authority.crt");
        write_private(&authority_file, &authority.pem())?;
        let service_accounts = KeyPair::generate().context("make the service-account key")?;
        let service_account_signing = directory.join("service-accounts.key");
        write_private(&service_account_signing, &service_accounts.serialize_pem())?;
        let service_account_verification = directory.join("service-accounts.pub");
        write_private(&service_account_verification, &service_accounts.public_key_pem())?;
        let write = |name: &str, params: CertificateParams| write_signed(&authority, directory, name, params);
        Ok(Self {
            server: write("server", server()?)?,
            // RBAC lets this group do everything.
            admin: write("admin", client("local-admin", Some("system:masters")))?,
            // RBAC binds the controllers' roles to this name.
            controller_manager: write("controller-manager", client("system:kube-controller-manager", None))?,
            authority: authority_file,
            service_account_signing,
            service_account_verification,
        })
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "local control plane");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

fn server() -> Result<CertificateParams> {
    let mut params = CertificateParams::new(["127.0.0.1".to_owned(), "::1".to_owned(), "localhost".to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

/// Kubernetes takes the user from the common name and the groups from the organizations.
fn client(user: &str, group: Option<&str>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, user);
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn write_signed(
    authority: &CertifiedIssuer<'static, KeyPair>,
    directory: &Path,
    name: &str,
    params: CertificateParams,
) -> Result<KeyPairFiles> {
    let key = KeyPair::generate().with_context(|| format!("make the key of {name}"))?;
    let certificate = params.signed_by(&key, authority).with_context(|| format!("sign the certificate of {name}"))?;
    let files =
        KeyPairFiles { certificate: directory.join(format!("{name}.crt")), key: directory.join(format!("{name}.key")) };
    write_private(&files.certificate, &certificate.pem())?;
    write_private(&files.key, &key.serialize_pem())?;
    Ok(files)
}

/// Writes a file that only its owner can read.
pub(super) fn write_private(path: &Path, text: &str) -> Result<()> {
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("write {}", path.display()))
}
