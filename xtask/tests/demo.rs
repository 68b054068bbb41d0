//! The demo behind a proxy: all that it needs is on loopback, so the proxy is never asked.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of the shell")]

#[path = "../../tests/support/connect_proxy.rs"]
mod connect_proxy;

use connect_proxy::ConnectProxy;
use local_cluster::{Binaries, S3Server};
use std::{net::TcpListener, path::Path, process::Command};

#[test]
fn the_demo_runs_behind_a_proxy_and_asks_it_for_nothing() {
    // the programs that are not there yet come through the real proxy
    Binaries::locate_or_build().unwrap();
    Binaries::kubectl().unwrap();
    drop(S3Server::start().unwrap());
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = ConnectProxy::start(nowhere);

    let xtask = Path::new(env!("CARGO_BIN_EXE_xtask"));
    let operator = xtask.with_file_name("antfly-backup-operator");
    assert!(operator.exists(), "build the operator first: cargo build --bins");
    let mut demo = Command::new(xtask);
    demo.args(["demo", "--once", "--operator"]).arg(operator).env("NO_PROXY", "example.com").env_remove("no_proxy");
    for variable in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        demo.env(variable, proxy.url());
    }
    let ended = demo.output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(proxy.requests(), Vec::<String>::new());
}
