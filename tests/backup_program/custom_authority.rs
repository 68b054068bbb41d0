//! An object storage with a certificate of a private authority, perhaps behind a proxy.

use crate::{
    connect_proxy::ConnectProxy,
    program::{Ended, LOCATION, Program, stand_in},
    storage::{destination, storage},
};
use antfly_stand_in::Profile;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use std::{net::SocketAddr, sync::Arc, thread};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Makes an authority, and a server that speaks TLS with a certificate of it for `localhost` and `storage.invalid` and passes
/// all on to `target`. Returns the authority's certificate and the server's address.
fn tls_before(target: String) -> (String, SocketAddr) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let names = ["localhost".to_owned(), "storage.invalid".to_owned()];
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        runtime.block_on(async { serve(TcpListener::from_std(listener).unwrap(), acceptor, target).await });
    });
    (authority.pem(), address)
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, target: String) {
    while let Ok((client, _)) = listener.accept().await {
        let (acceptor, target) = (acceptor.clone(), target.clone());
        tokio::spawn(async move {
            let mut client = acceptor.accept(client).await.ok()?;
            let mut server = TcpStream::connect(target).await.ok()?;
            tokio::io::copy_bidirectional(&mut client, &mut server).await.ok()
        });
    }
}

/// Runs a backup that is read back from a storage with TLS, with these variables. They are made from the authority's
/// certificate and the storage's address.
fn run(name: &str, variables: impl FnOnce(&str, SocketAddr) -> Vec<(&'static str, String)>) -> Ended {
    let storage = storage();
    let antfly = stand_in(Profile::Today, &["orders"], |settings| settings.s3 = Some(destination(&storage)));
    let (authority, address) = tls_before(storage.endpoint().trim_start_matches("http://").to_owned());
    let program = Program::new(&antfly)
        .location(&format!("{LOCATION}/{name}"))
        .secret("keys")
        .variable("AWS_ENDPOINT_URL", &format!("https://localhost:{}", address.port()))
        .variable("AWS_REGION", storage.region())
        .variable("AWS_ACCESS_KEY_ID", storage.access_key())
        .variable("AWS_SECRET_ACCESS_KEY", storage.secret_key());
    let variables = variables(&authority, address);
    variables.iter().fold(program, |program, (name, value)| program.variable(name, value)).run()
}

/// Requires that the backup counts, and was not read back for that cause.
#[track_caller]
fn assert_unread(ended: &Ended, cause: &str) {
    ended.assert_verified(&["orders"]);
    let error = ended.result.read_back_error.as_deref().unwrap_or_default();
    assert!(error.contains(cause), "{cause:?} in {ended:#?}");
}

#[track_caller]
fn assert_read(ended: &Ended) {
    ended.assert_verified(&["orders"]);
    assert_eq!(ended.result.read_back_error, None, "{ended:#?}");
    assert!(ended.result.read_back_time.is_some(), "{ended:#?}");
}

#[test]
fn a_private_authority_must_be_given() {
    assert_unread(&run("no-authority", |_, _| Vec::new()), "certificate");
    assert_read(&run("authority", |authority, _| vec![("BACKUP_CA_BUNDLE", authority.to_owned())]));
    let (other, _) = tls_before(String::new());
    assert_unread(&run("other-authority", |_, _| vec![("BACKUP_CA_BUNDLE", other)]), "certificate");
}

#[test]
fn several_certificates_and_text_between_them_are_read() {
    let (other, _) = tls_before(String::new());
    let ended = run("several", |authority, _| {
        vec![("BACKUP_CA_BUNDLE", format!("# the old one\n{other}\n# the new one\r\n{authority}"))]
    });
    assert_read(&ended);
}

#[test]
fn what_is_no_certificate_is_told_and_the_backup_counts() {
    for (text, cause) in [
        ("", "spec.destination.caBundle: the key of the ConfigMap has no certificate in PEM form"),
        ("hello", "spec.destination.caBundle: the key of the ConfigMap has no certificate in PEM form"),
        ("-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n", "spec.destination.caBundle: certificate 1"),
    ] {
        assert_unread(&run("no-certificate", |_, _| vec![("BACKUP_CA_BUNDLE", text.to_owned())]), cause);
    }
}

#[test]
fn the_storage_is_read_through_the_proxy_and_antfly_is_not_asked_through_it() {
    for variable in ["HTTPS_PROXY", "https_proxy"] {
        let mut proxy = None;
        let ended = run("proxied", |authority, address| {
            let started = proxy.insert(ConnectProxy::start(address));
            vec![
                ("BACKUP_CA_BUNDLE", authority.to_owned()),
                ("AWS_ENDPOINT_URL", "https://storage.invalid:9000".to_owned()),
                (variable, started.url()),
                ("HTTP_PROXY", started.url()),
            ]
        });
        assert_read(&ended);
        let requests = proxy.unwrap().requests();
        assert!(requests.iter().all(|line| line == "CONNECT storage.invalid:9000 HTTP/1.1"), "{requests:?}");
        assert!(!requests.is_empty());
    }
}

#[test]
fn loopback_and_no_proxy_are_connected_to_directly() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let dead = format!("http://user:secret@{closed}");
    let ended = run("loopback", |authority, _| {
        vec![("BACKUP_CA_BUNDLE", authority.to_owned()), ("HTTPS_PROXY", dead.clone()), ("ALL_PROXY", dead.clone())]
    });
    assert_read(&ended);
    let named = |no_proxy: &'static str| {
        run("not-proxied", |_, _| {
            vec![
                ("AWS_ENDPOINT_URL", "https://storage.invalid:9000".to_owned()),
                ("HTTPS_PROXY", dead.clone()),
                ("NO_PROXY", no_proxy.to_owned()),
            ]
        })
    };
    assert_unread(&named(""), "refused");
    assert_unread(&named(".invalid"), "lookup");
    let ended = run("bad-proxy", |_, _| {
        let endpoint = ("AWS_ENDPOINT_URL", "https://storage.invalid:9000".to_owned());
        vec![endpoint, ("HTTPS_PROXY", "ftp://user:secret@proxy".to_owned())]
    });
    assert_unread(&ended, "HTTPS_PROXY: the scheme ftp");
}
