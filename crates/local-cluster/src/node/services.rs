//! The names of Services, and their loopback addresses.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use parking_lot::RwLock;

/// How the name of a Service without an address is treated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Absent {
    /// It is replaced by an address on which no process listens, so that connections are refused.
    #[default]
    Refused,
    /// It is kept, so that it does not resolve.
    Unresolved,
}

/// Addresses of Services. Clones share one map, which may change while the node runs; a process keeps the addresses that
/// it was started with.
#[derive(Debug, Clone, Default)]
pub struct Services {
    state: Arc<RwLock<State>>,
}

#[derive(Debug, Default)]
struct State {
    addresses: BTreeMap<(String, Option<u16>), SocketAddr>,
    absent: Absent,
}

impl Services {
    /// Returns a map without any Service.
    pub fn new(absent: Absent) -> Self {
        let services = Self::default();
        services.set_absent(absent);
        services
    }

    /// Sets the address of all ports of a Service, named as `SERVICE.NAMESPACE`.
    pub fn set(&self, service: &str, address: SocketAddr) {
        self.write(|state| state.addresses.insert((service.to_owned(), None), address));
    }

    /// Sets the address of one port of a Service. It wins over that of [`Services::set`].
    pub fn set_port(&self, service: &str, port: u16, address: SocketAddr) {
        self.write(|state| state.addresses.insert((service.to_owned(), Some(port)), address));
    }

    /// Removes all addresses of a Service.
    pub fn remove(&self, service: &str) {
        self.write(|state| state.addresses.retain(|(name, _), _| name != service));
    }

    /// Sets how the names of Services without an address are treated.
    pub fn set_absent(&self, absent: Absent) {
        self.write(|state| state.absent = absent);
    }

    /// Replaces the host of each `http` and `https` URL in `text` that names a Service: `SERVICE.NAMESPACE.svc`, with or
    /// without `.cluster.local`.
    ///
    /// A URL of a Service whose name ends in `-data` gets the fragment `#data`. The program of a backup recognises a data node
    /// by its name, which is replaced here, or by that fragment. `refusing` is an address on which no process listens.
    pub(super) fn rewrite(&self, text: &str, refusing: SocketAddr) -> String {
        let mut rewritten = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((start, default_port)) = next_url(rest) {
            let (before, from_host) = rest.split_at(start);
            rewritten.push_str(before);
            let end =
                from_host.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',')).unwrap_or(from_host.len());
            let (url, after) = from_host.split_at(end);
            match self.rewrite_url(url, default_port, refusing) {
                Some(url) => rewritten.push_str(&url),
                None => rewritten.push_str(url),
            }
            rest = after;
        }
        rewritten.push_str(rest);
        rewritten
    }

    /// Rewrites a URL without its scheme; `None` if its host is not a Service, or stays.
    fn rewrite_url(&self, url: &str, default_port: u16, refusing: SocketAddr) -> Option<String> {
        let (authority, path) = url.split_at(url.find(['/', '?', '#']).unwrap_or(url.len()));
        let (user, host_and_port) = match authority.rsplit_once('@') {
            Some((user, host)) => (format!("{user}@"), host),
            None => (String::new(), authority),
        };
        let (host, port) = match host_and_port.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (host_and_port, default_port),
        };
        let (service, namespace) = service_and_namespace(host)?;
        let address = self.address(&format!("{service}.{namespace}"), port, refusing)?;
        let fragment = if service.ends_with("-data") && !path.contains('#') { "#data" } else { "" };
        Some(format!("{user}{address}{path}{fragment}"))
    }

    fn address(&self, service: &str, port: u16, refusing: SocketAddr) -> Option<SocketAddr> {
        let state = self.state.read();
        let find = |port| state.addresses.get(&(service.to_owned(), port)).copied();
        find(Some(port)).or_else(|| find(None)).or((state.absent == Absent::Refused).then_some(refusing))
    }

    fn write<T>(&self, change: impl FnOnce(&mut State) -> T) {
        change(&mut self.state.write());
    }
}

/// Returns where the authority of the first URL begins, and the default port of its scheme.
fn next_url(text: &str) -> Option<(usize, u16)> {
    let of = |scheme: &str, port| text.find(scheme).map(|start| (start + scheme.len(), port));
    of("http://", 80).into_iter().chain(of("https://", 443)).min()
}

/// Splits the name of a Service as DNS has it.
fn service_and_namespace(host: &str) -> Option<(&str, &str)> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let name = host.strip_suffix(".cluster.local").unwrap_or(host).strip_suffix(".svc")?;
    name.split_once('.').filter(|(_, namespace)| !namespace.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSING: &str = "127.0.0.1:1";

    fn rewrite(services: &Services, text: &str) -> String {
        services.rewrite(text, REFUSING.parse().unwrap())
    }

    #[test]
    fn names_of_services_become_addresses() {
        let services = Services::new(Absent::Refused);
        services.set("main-metadata.prod", "127.0.0.1:7001".parse().unwrap());
        services.set("main-data.prod", "127.0.0.1:7002".parse().unwrap());
        services.set_port("main-data.prod", 9, "127.0.0.1:7009".parse().unwrap());
        for (text, expected) in [
            ("--server=http://main-metadata.prod.svc:12377", "--server=http://127.0.0.1:7001"),
            ("http://main-metadata.prod.svc.cluster.local.:12377/a?b", "http://127.0.0.1:7001/a?b"),
            ("https://user:pass@main-metadata.prod.svc/", "https://user:pass@127.0.0.1:7001/"),
            ("http://main-data.prod.svc:12380", "http://127.0.0.1:7002#data"),
            ("http://main-data.prod.svc:9/", "http://127.0.0.1:7009/#data"),
            (
                "http://main-metadata.prod.svc http://main-data.prod.svc:1,",
                "http://127.0.0.1:7001 http://127.0.0.1:7002#data,",
            ),
            ("http://other.prod.svc:80", "http://127.0.0.1:1"),
            ("http://other-data.prod.svc", "http://127.0.0.1:1#data"),
            (
                "http://storage.example.com:9000 and http://127.0.0.1:5",
                "http://storage.example.com:9000 and http://127.0.0.1:5",
            ),
            ("--location=s3://main-metadata.prod.svc/x", "--location=s3://main-metadata.prod.svc/x"),
            ("main-metadata.prod.svc:12377", "main-metadata.prod.svc:12377"),
            ("http://", "http://"),
        ] {
            assert_eq!(rewrite(&services, text), expected, "{text}");
        }
    }

    #[test]
    fn the_map_may_change_and_names_may_stay() {
        let services = Services::new(Absent::Unresolved);
        assert_eq!(rewrite(&services, "http://main-data.prod.svc:1"), "http://main-data.prod.svc:1");
        services.clone().set("main-data.prod", "127.0.0.1:7002".parse().unwrap());
        assert_eq!(rewrite(&services, "http://main-data.prod.svc:1"), "http://127.0.0.1:7002#data");
        services.remove("main-data.prod");
        services.set_absent(Absent::Refused);
        assert_eq!(rewrite(&services, "http://main-data.prod.svc:1"), "http://127.0.0.1:1#data");
    }
}
