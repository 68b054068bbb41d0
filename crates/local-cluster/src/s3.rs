//! A real S3 server on loopback, for tests and the demo: versitygw over a temporary directory.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{
    go::{Module, Program, plain_flags},
    process::ManagedProcess,
};

/// The module that pins the server.
const MODULE: Module = Module {
    name: "s3",
    what: "S3 server",
    files: &[
        ("go.mod", include_str!("../go-modules/s3/go.mod")),
        ("go.sum", include_str!("../go-modules/s3/go.sum")),
        ("tools.go", include_str!("../go-modules/s3/tools.go")),
    ],
    versioned_by: "github.com/versity/versitygw",
    flags: plain_flags,
    way_out: "",
};

const VERSITYGW: Program = Program { name: "versitygw", package: "github.com/versity/versitygw/cmd/versitygw" };

const ACCESS_KEY: &str = "test-access-key";
const SECRET_KEY: &str = "test-secret-key-of-the-s3-server";
const REGION: &str = "us-east-1";
/// Path that the server answers without a signature.
const HEALTH: &str = "/health";

/// How long a start may take: far longer than it takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
/// Time between two checks whether the server answers.
const INTERVAL: Duration = Duration::from_millis(50);
/// How many ports are tried: another process may take one between its choice and the server's start.
const ATTEMPTS: usize = 5;

/// Returns the path of the server's program, which is linked statically. The first call on a machine builds it.
///
/// Blocks.
///
/// # Errors
/// When it does not build.
pub fn program() -> Result<PathBuf> {
    Ok(MODULE.ensure(&[VERSITYGW])?.join(VERSITYGW.name))
}

/// A running S3 server; dropping it ends it and removes its data.
///
/// It takes path-style requests for the region `us-east-1`, signed with its only key. For an unreachable
/// server, drop it and keep using its endpoint.
#[derive(Debug)]
pub struct S3Server {
    // dropped first: the server ends before its data goes
    process: ManagedProcess,
    address: SocketAddr,
    directory: TempDir,
}

impl S3Server {
    /// Starts a server on a loopback port and waits until it answers. The first call on a machine builds it.
    ///
    /// Blocks.
    ///
    /// # Errors
    /// When the server does not build, ends, or does not answer in time; the message quotes its log.
    pub fn start() -> Result<Self> {
        let program = program()?;
        let mut failure = None;
        for _ in 0..ATTEMPTS {
            let mut server = Self::spawn(&program)?;
            match server.wait_until_ready() {
                Ok(()) => return Ok(server),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.context("no start was tried")?)
    }

    fn spawn(program: &PathBuf) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("s3-").tempdir().context("make a directory for S3 objects")?;
        let (objects, metadata) = (directory.path().join("objects"), directory.path().join("metadata"));
        for path in [&objects, &metadata] {
            fs::create_dir(path).with_context(|| format!("make the directory {}", path.display()))?;
        }
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .context("choose a loopback port for the S3 server")?;
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("ROOT_ACCESS_KEY", ACCESS_KEY)
            .env("ROOT_SECRET_KEY", SECRET_KEY)
            .args(["--port", &address.to_string(), "--region", REGION, "--health", HEALTH])
            // not every file system has extended attributes
            .args(["posix", "--sidecar"])
            .args([&metadata, &objects]);
        let process = ManagedProcess::spawn("versitygw", command, directory.path().join("versitygw.log"))?;
        Ok(Self { process, address, directory })
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let answers = is_healthy(self.address);
            // another server may have taken the port
            self.process.ensure_running()?;
            if answers {
                return Ok(());
            }
            if begun.elapsed() > LIMIT {
                bail!("versitygw does not answer at {}\n{}", self.address, self.process.log_tail());
            }
            std::thread::sleep(INTERVAL);
        }
    }

    /// Returns the URL to send requests to, such as `http://127.0.0.1:7070`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the access key.
    pub fn access_key(&self) -> &'static str {
        ACCESS_KEY
    }

    /// Returns the secret access key.
    pub fn secret_key(&self) -> &'static str {
        SECRET_KEY
    }

    /// Returns the region that requests must be signed for.
    pub fn region(&self) -> &'static str {
        REGION
    }

    /// Makes a bucket; no error if it is there.
    ///
    /// # Errors
    /// When its directory can't be made.
    pub fn create_bucket(&self, name: &str) -> Result<()> {
        let path = self.directory.path().join("objects").join(name);
        fs::create_dir_all(&path).with_context(|| format!("make the directory {}", path.display()))
    }

    /// Requests that it has answered, one a line, for people.
    pub fn log_tail(&self) -> String {
        self.process.log_tail()
    }
}

/// Returns whether a server reports there that it is healthy.
fn is_healthy(address: SocketAddr) -> bool {
    let request = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
        stream.set_read_timeout(Some(LIMIT))?;
        write!(stream, "GET {HEALTH} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    request().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 "))
}
