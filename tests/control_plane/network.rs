//! The way to the API server: proxies, IPv6, and what is said when it cannot be reached.

use crate::support::{ACTIVE, Operator, Stage, connect_proxy::ConnectProxy, servers, unattended};
use anyhow::ensure;
use kube::config::Kubeconfig;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    thread,
};

/// A name of the API server that nobody resolves.
const NAME: &str = "https://api.example.invalid:6443";

/// Returns where the API server listens.
fn api_server(stage: &Stage) -> SocketAddr {
    let kubeconfig = Kubeconfig::read_from(stage.control_plane.kubeconfig()).unwrap();
    let server = kubeconfig.clusters[0].cluster.clone().unwrap().server.unwrap();
    server.trim_start_matches("https://").parse().unwrap()
}

/// Writes an administrator's kubeconfig with changes of its cluster.
fn kubeconfig(stage: &Stage, name: &str, changes: &Value) -> PathBuf {
    let text = fs::read_to_string(stage.control_plane.kubeconfig()).unwrap();
    let mut kubeconfig: Value = serde_saphyr::from_str(&text).unwrap();
    json_patch::merge(&mut kubeconfig["clusters"][0]["cluster"], changes);
    let path = stage.control_plane.directory().join(format!("{name}.kubeconfig"));
    fs::write(&path, kubeconfig.to_string()).unwrap();
    path
}

/// Starts an operator for a namespace with that kubeconfig and these variables.
async fn start(stage: &Stage, namespace: &str, changes: &Value, variables: &[(&str, &str)]) -> Operator {
    let mut command = Operator::command(&stage.control_plane);
    command.args(["run", "--http-address", "127.0.0.1:0", "--log-format", "json", "--namespace", namespace]);
    command.env("KUBECONFIG", kubeconfig(stage, namespace, changes)).envs(variables.iter().copied());
    Operator::spawn(&stage.control_plane, command).await
}

/// Requires that a backup is scheduled by that operator.
async fn requires_a_schedule(stage: &Stage, namespace: &str, operator: &Operator) {
    let room = stage.room(namespace).await.watched_by(operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
}

/// Waits until `/readyz` has one of these texts, and requires that the log has it, too.
async fn requires_cause(operator: &Operator, causes: &[&str]) -> String {
    let text = operator
        .eventually("the cause", async || {
            let (code, text) = operator.get("/readyz").await?;
            ensure!(code == 503 && causes.iter().any(|cause| text.contains(cause)), "{code}: {text}");
            Ok(text)
        })
        .await;
    let lines = operator.log_lines();
    let mut errors = lines.iter().filter_map(|line| line["error"].as_str());
    assert!(errors.any(|error| causes.iter().any(|cause| error.contains(cause))), "{}", operator.log());
    text
}

#[tokio::test]
async fn the_api_server_is_reached_through_the_proxy_of_the_environment() {
    let stage = unattended().await;
    for (namespace, variable) in [("proxied-upper", "HTTPS_PROXY"), ("proxied-lower", "https_proxy")] {
        let proxy = ConnectProxy::start(api_server(stage));
        let changes = json!({"server": NAME, "tls-server-name": "localhost"});
        let operator =
            start(stage, namespace, &changes, &[(variable, &proxy.url()), ("NO_PROXY", "other.invalid")]).await;
        requires_a_schedule(stage, namespace, &operator).await;
        let requests = proxy.requests();
        assert!(!requests.is_empty());
        assert!(requests.iter().all(|line| line == "CONNECT api.example.invalid:6443 HTTP/1.1"), "{requests:?}");
    }
}

#[tokio::test]
async fn preflight_goes_through_the_proxy_too() {
    let stage = unattended().await;
    let proxy = ConnectProxy::start(api_server(stage));
    let kubeconfig = kubeconfig(stage, "preflight", &json!({"server": NAME, "tls-server-name": "localhost"}));
    let mut command = Operator::command(&stage.control_plane);
    command.arg("preflight").env("KUBECONFIG", kubeconfig).env("HTTPS_PROXY", proxy.url());
    let output = command.output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(text.contains("Kubernetes") && !text.contains("cannot be read"), "{text}");
    assert!(proxy.requests().iter().all(|line| line == "CONNECT api.example.invalid:6443 HTTP/1.1"), "{text}");
    assert!(!proxy.requests().is_empty(), "{text}");
}

#[tokio::test]
async fn no_proxy_says_what_is_connected_to_directly() {
    let stage = unattended().await;
    let proxy = ConnectProxy::start(api_server(stage));
    let changes = json!({"server": NAME, "tls-server-name": "localhost"});
    let variables = [("HTTPS_PROXY", &*proxy.url()), ("NO_PROXY", "a.example, .invalid:6443")];
    let operator = start(stage, "not-proxied", &changes, &variables).await;
    requires_cause(&operator, &["lookup"]).await;
    assert_eq!(proxy.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn loopback_is_never_proxied() {
    let stage = unattended().await;
    let proxy = ConnectProxy::start(api_server(stage));
    let url = proxy.url();
    let variables = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].map(|name| (name, &*url));
    let operator = start(stage, "loopback", &json!({}), &variables).await;
    requires_a_schedule(stage, "loopback", &operator).await;
    assert_eq!(proxy.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn the_proxy_of_the_kubeconfig_comes_first() {
    let stage = unattended().await;
    let (proxy, other) = (ConnectProxy::start(api_server(stage)), ConnectProxy::start(api_server(stage)));
    let changes = json!({"proxy-url": proxy.url()});
    let operator = start(stage, "proxy-url", &changes, &[("HTTPS_PROXY", &other.url()), ("NO_PROXY", "*")]).await;
    requires_a_schedule(stage, "proxy-url", &operator).await;
    assert!(!proxy.requests().is_empty());
    assert_eq!(other.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_proxy_that_cannot_be_used_is_named_without_its_password() {
    let stage = unattended().await;
    for (changes, variable, expected) in [
        (json!({"server": NAME}), "ftp://user:secret@proxy", "HTTPS_PROXY: the scheme ftp"),
        (json!({"server": NAME, "proxy-url": "ftp://user:secret@proxy"}), "", "proxy-url of the kubeconfig's cluster"),
    ] {
        let kubeconfig = kubeconfig(stage, "bad-proxy", &changes);
        let mut command = Operator::command(&stage.control_plane);
        command
            .args(["run", "--http-address", "127.0.0.1:0"])
            .env("KUBECONFIG", kubeconfig)
            .env("HTTPS_PROXY", variable);
        let output = command.output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains(expected) && !errors.contains("secret"), "{errors}");
    }
}

#[tokio::test]
async fn why_the_api_server_cannot_be_reached_is_told() {
    let stage = unattended().await;
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = start(stage, "refused", &json!({"server": format!("https://{closed}")}), &[]).await;
    let refused = requires_cause(&refused, &["Connection refused"]).await;
    let unknown = start(stage, "unknown-host", &json!({"server": NAME}), &[]).await;
    let unknown = requires_cause(&unknown, &["failed to lookup address"]).await;
    // a certificate, but not that of the authority
    let other = stage.control_plane.certificate_authority().with_file_name("server.crt");
    let untrusted = start(stage, "wrong-authority", &json!({"certificate-authority": other}), &[]).await;
    let untrusted = requires_cause(&untrusted, &["invalid peer certificate"]).await;
    let dead = ConnectProxy::start(closed);
    let proxied =
        start(stage, "dead-proxy", &json!({"server": NAME, "proxy-url": format!("http://{closed}")}), &[]).await;
    requires_cause(&proxied, &["Connection refused"]).await;
    let broken = start(stage, "broken-tunnel", &json!({"server": NAME, "proxy-url": dead.url()}), &[]).await;
    requires_cause(&broken, &["tunnel error"]).await;
    for text in [&refused, &unknown, &untrusted] {
        for line in text.lines() {
            assert!(line.contains("cannot be") || line.contains("has not synced"), "{line}");
        }
    }
}

#[tokio::test]
async fn an_api_server_with_an_ipv6_address_is_reached() {
    // a host without IPv6 cannot show it
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else { return };
    let stage = unattended().await;
    let (address, target) = (listener.local_addr().unwrap(), api_server(stage));
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || forward(client, target));
        }
    });
    let operator = start(stage, "ipv6", &json!({"server": format!("https://{address}")}), &[]).await;
    requires_a_schedule(stage, "ipv6", &operator).await;

    // also by a proxy that is asked for it
    let proxy = ConnectProxy::start(target);
    let changes = json!({"server": "https://[fd00::1]:6443", "tls-server-name": "localhost"});
    let variables = [("HTTPS_PROXY", &*proxy.url()), ("NO_PROXY", "fd01::/16,[fd00::1]:443")];
    let operator = start(stage, "ipv6-proxied", &changes, &variables).await;
    requires_a_schedule(stage, "ipv6-proxied", &operator).await;
    assert!(proxy.requests().iter().all(|line| line == "CONNECT [fd00::1]:6443 HTTP/1.1"), "{:?}", proxy.requests());
}

/// The examples are accepted, and are about the Pods that the operator makes and the ports that these ask.
#[tokio::test]
async fn example_policies_are_about_the_pods_of_backups() {
    let stage = unattended().await;
    let room = stage.room("examples").await;
    let operator = Operator::start(&stage.control_plane, &["--namespace", "examples"]).await;
    let room = room.watched_by(&operator);
    let modes = ["Clustered", "Standalone", "Swarm"];
    let mut ports = BTreeSet::new();
    let mut labels = BTreeMap::new();
    for mode in modes {
        let name = mode.to_lowercase();
        room.apply_cluster_with(&name, json!({"mode": mode}), "Running").await;
        room.create_backup(&name, json!({"clusterRef": {"name": name}})).await;
        room.until(&name, ACTIVE).await;
        let cron_job = room.cron_jobs().get(&format!("{name}-cron")).await.unwrap();
        ports.extend(servers(&cron_job).iter().map(|url| url.rsplit(':').next().unwrap().parse::<i64>().unwrap()));
        labels = cron_job.spec.job_template.spec.unwrap().template.metadata.unwrap().labels.unwrap();
    }
    for file in ["tenant.yaml", "antfly.yaml"] {
        let path = format!("deploy/examples/network-policies/{file}");
        stage.kubectl(&["apply", "-n", "examples", "--dry-run=server", "-f", &path]);
        let text = fs::read_to_string(path).unwrap();
        let policies: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        let [tenant, antfly] = ["/spec/egress/1/ports", "/spec/ingress/0/ports"];
        let of_antfly = if file == "tenant.yaml" { policies[1].pointer(tenant) } else { policies[0].pointer(antfly) };
        let allowed = of_antfly.unwrap().as_array().unwrap().iter().map(|port| port["port"].as_i64().unwrap());
        assert_eq!(allowed.collect::<BTreeSet<_>>(), ports, "{file}");
        let selector = if file == "tenant.yaml" {
            &policies[1]["spec"]["podSelector"]["matchLabels"]
        } else {
            &policies[0]["spec"]["ingress"][0]["from"][0]["podSelector"]["matchLabels"]
        };
        for (key, value) in selector.as_object().unwrap() {
            assert_eq!(labels.get(key).map(String::as_str), value.as_str(), "{file}: {key}");
        }
    }
}

fn forward(mut client: TcpStream, target: SocketAddr) -> io::Result<()> {
    let mut server = TcpStream::connect(target)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut from_client, &mut to_server));
    io::copy(&mut server, &mut client)?;
    Ok(())
}
