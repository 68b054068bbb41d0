//! Which proxy a request goes through, by the environment: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, as Go's programs,
//! such as kubectl, read them (<https://pkg.go.dev/golang.org/x/net/http/httpproxy>).
//!
//! Pure: the environment is an argument.

use ipnet::IpNet;
use std::{fmt, net::IpAddr};
use url::{Host, Url};

/// Schemes of proxies: HTTP proxies that are asked to `CONNECT`, and SOCKS proxies.
const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

/// The proxies of an environment.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    https: Option<Setting>,
    http: Option<Setting>,
    direct: Vec<Direct>,
}

/// A variable that names a proxy.
#[derive(Clone)]
struct Setting {
    variable: &'static str,
    value: String,
}

// The value may contain a password.
impl fmt::Debug for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.variable)
    }
}

/// An entry of `NO_PROXY`: what is connected to directly. The port is text, and `None` is every port.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Direct {
    All,
    Network(IpNet),
    Address(IpAddr, Option<String>),
    Domain {
        /// Begins with a dot.
        suffix: String,
        /// Whether the domain itself counts, and not only its subdomains.
        itself: bool,
        port: Option<String>,
    },
}

impl Proxies {
    /// Reads the environment. Variables in upper case come first; an empty one counts as absent.
    pub fn from_environment(get: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: [&'static str; 2]| {
            let mut set = names.into_iter().filter_map(|variable| Some(Setting { variable, value: get(variable)? }));
            set.find(|setting| !setting.value.is_empty())
        };
        let direct = first(["NO_PROXY", "no_proxy"]).map(|setting| direct(&setting.value));
        Proxies {
            https: first(["HTTPS_PROXY", "https_proxy"]),
            http: first(["HTTP_PROXY", "http_proxy"]),
            direct: direct.unwrap_or_default(),
        }
    }

    /// Returns the proxy for a URL; `None` if it is connected to directly. Loopback always is.
    ///
    /// # Errors
    /// The variable that counts names no proxy that can be used.
    pub fn proxy_for(&self, target: &Url) -> Result<Option<Url>, String> {
        let setting = match target.scheme() {
            "https" => &self.https,
            "http" => &self.http,
            _ => return Ok(None),
        };
        let Some(setting) = setting.as_ref().filter(|_| !self.is_direct(target)) else { return Ok(None) };
        parse(&setting.value).map(Some).map_err(|error| format!("{}: {error}", setting.variable))
    }

    fn is_direct(&self, target: &Url) -> bool {
        let Some(host) = target.host() else { return true };
        let port = target.port_or_known_default().map(|port| port.to_string());
        let is_port = |wanted: &Option<String>| wanted.is_none() || *wanted == port;
        let (name, ip) = match host {
            Host::Domain(name) => (name.to_lowercase(), name.parse::<IpAddr>().ok()),
            Host::Ipv4(ip) => (ip.to_string(), Some(ip.into())),
            Host::Ipv6(ip) => (ip.to_string(), Some(ip.into())),
        };
        let ip = ip.map(|ip| ip.to_canonical());
        if name == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
            return true;
        }
        self.direct.iter().any(|entry| match entry {
            Direct::All => true,
            Direct::Network(network) => ip.is_some_and(|ip| network.contains(&ip)),
            Direct::Address(address, port) => ip == Some(*address) && is_port(port),
            Direct::Domain { suffix, itself, port } => {
                (name.ends_with(suffix.as_str()) || (*itself && name == suffix[1..])) && is_port(port)
            }
        })
    }
}

/// Parses the URL of a proxy. `http://` may be left out.
///
/// # Errors
/// Returns why it cannot be used, without the URL, which may contain a password.
pub fn parse(text: &str) -> Result<Url, String> {
    let with_host = |text: &str| Url::parse(text).ok().filter(Url::has_host);
    let text = text.trim();
    let without_scheme = || with_host(&format!("http://{text}")).filter(|_| !text.contains("://"));
    let url = with_host(text).or_else(without_scheme);
    let url = url.ok_or("it is no URL of a proxy, such as http://proxy.example.com:3128")?;
    if SCHEMES.contains(&url.scheme()) {
        Ok(url)
    } else {
        Err(format!("the scheme {} is none of {}", url.scheme(), SCHEMES.join(", ")))
    }
}

/// Returns the URL of a proxy without its login, for the log.
pub fn without_login(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// Reads `NO_PROXY`. Empty entries are skipped; `*` anywhere is everything.
fn direct(list: &str) -> Vec<Direct> {
    let entries = list.split(',').map(|entry| entry.trim().to_lowercase());
    entries.filter(|entry| !entry.is_empty()).filter_map(|entry| entry_of(&entry)).collect()
}

fn entry_of(entry: &str) -> Option<Direct> {
    if entry == "*" {
        return Some(Direct::All);
    }
    if let Ok(network) = entry.parse::<IpNet>() {
        return Some(Direct::Network(network));
    }
    let (host, port) = split_port(entry);
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Some(Direct::Address(ip.to_canonical(), port));
    }
    let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
    let (itself, name) = match host.strip_prefix('.') {
        Some(name) => (false, name),
        None => (true, host),
    };
    // a name beyond ASCII is written in the URL as its ASCII form
    let name = if name.is_ascii() { name.to_owned() } else { Host::parse(name).ok()?.to_string() };
    (!name.is_empty()).then(|| Direct::Domain { suffix: format!(".{name}"), itself, port })
}

/// Splits `HOST:PORT`. An IPv6 address with a port is in brackets; one without brackets has none.
fn split_port(entry: &str) -> (&str, Option<String>) {
    match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || (host.starts_with('[') && host.ends_with(']')) => {
            (host, (!port.is_empty()).then(|| port.to_owned()))
        }
        _ => (entry, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(environment: &[(&str, &str)], target: &str) -> Result<Option<String>, String> {
        let get = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let proxy = Proxies::from_environment(get).proxy_for(&Url::parse(target).unwrap())?;
        Ok(proxy.map(|proxy| proxy.to_string()))
    }

    fn is_direct(no_proxy: &str, target: &str) -> bool {
        proxy(&[("HTTPS_PROXY", "http://p:1"), ("HTTP_PROXY", "http://p:1"), ("NO_PROXY", no_proxy)], target)
            .unwrap()
            .is_none()
    }

    #[test]
    fn the_variable_is_that_of_the_scheme_and_upper_case_comes_first() {
        let both =
            [("HTTPS_PROXY", "http://upper:1"), ("https_proxy", "http://lower:1"), ("HTTP_PROXY", "http://plain:1")];
        assert_eq!(proxy(&both, "https://a.example").unwrap().unwrap(), "http://upper:1/");
        assert_eq!(proxy(&both[1..], "https://a.example").unwrap().unwrap(), "http://lower:1/");
        assert_eq!(proxy(&both, "http://a.example").unwrap().unwrap(), "http://plain:1/");
        let empty =
            [("HTTPS_PROXY", ""), ("https_proxy", "http://lower:1"), ("NO_PROXY", ""), ("no_proxy", "b.example")];
        assert_eq!(proxy(&empty, "https://a.example").unwrap().unwrap(), "http://lower:1/");
        assert_eq!(proxy(&empty, "https://b.example").unwrap(), None);
        assert_eq!(
            proxy(&[("ALL_PROXY", "http://all:1")], "https://a.example").unwrap(),
            None,
            "Go has no such variable"
        );
        assert_eq!(proxy(&[], "https://a.example").unwrap(), None);
    }

    #[test]
    fn a_proxy_may_lack_its_scheme_and_a_bad_one_is_named_without_its_password() {
        for (value, expected) in [
            ("proxy:3128", "http://proxy:3128/"),
            ("10.0.0.1:3128", "http://10.0.0.1:3128/"),
            ("user:pass@proxy:3128", "http://user:pass@proxy:3128/"),
            ("https://proxy", "https://proxy/"),
            ("socks5://[fd00::1]:1080", "socks5://[fd00::1]:1080"),
            ("socks5h://proxy:1080", "socks5h://proxy:1080"),
        ] {
            assert_eq!(proxy(&[("HTTPS_PROXY", value)], "https://a.example").unwrap().unwrap(), expected, "{value}");
        }
        let bad = proxy(&[("HTTPS_PROXY", "ftp://user:secret@proxy")], "https://a.example").unwrap_err();
        assert_eq!(bad, "HTTPS_PROXY: the scheme ftp is none of http, https, socks5, socks5h");
        let bad = proxy(&[("https_proxy", "http://:secret@:1")], "https://a.example").unwrap_err();
        assert!(bad.starts_with("https_proxy: it is no URL") && !bad.contains("secret"), "{bad}");
        let unused = [("HTTPS_PROXY", "ftp://proxy"), ("NO_PROXY", "a.example")];
        assert_eq!(proxy(&unused, "https://a.example").unwrap(), None);
        let url = parse("http://user:pass@proxy:3128/path").unwrap();
        assert_eq!(without_login(&url), "http://proxy:3128");
    }

    #[test]
    fn loopback_is_never_proxied() {
        for target in [
            "https://localhost:6443",
            "https://LOCALHOST",
            "https://127.0.0.1:1",
            "https://127.9.9.9",
            "http://[::1]:1",
        ] {
            assert!(is_direct("", target), "{target}");
        }
        for target in ["https://localhost.example", "https://128.0.0.1", "https://[::2]", "https://a.localhost"] {
            assert!(!is_direct("", target), "{target}");
        }
    }

    #[test]
    fn no_proxy_means_what_it_means_to_go() {
        for (no_proxy, target, expected) in [
            ("*", "https://a.example", true),
            ("x, *", "https://10.0.0.1", true),
            ("example.com", "https://example.com", true),
            ("example.com", "https://a.example.com", true),
            ("example.com", "https://notexample.com", false),
            ("EXAMPLE.com", "https://A.Example.COM", true),
            (".example.com", "https://a.example.com", true),
            (".example.com", "https://example.com", false),
            ("*.example.com", "https://b.a.example.com", true),
            ("*.example.com", "https://example.com", false),
            ("*example.com", "https://a.example.com", false),
            ("example.com:6443", "https://example.com:6443", true),
            ("example.com:6443", "https://example.com", false),
            ("example.com:443", "https://example.com", true),
            ("example.com:80", "http://example.com", true),
            ("bücher.example", "https://xn--bcher-kva.example", true),
            (" , ,a.example , ", "https://a.example", true),
            ("10.0.0.0/8", "https://10.96.0.1", true),
            ("10.0.0.0/8", "https://11.0.0.1", false),
            ("10.1.2.3/8", "https://10.96.0.1", true),
            ("10.0.0.0/8", "https://ten.example", false),
            ("10.96.0.1", "https://10.96.0.1:6443", true),
            ("10.96.0.1:443", "https://10.96.0.1", true),
            ("10.96.0.1:443", "https://10.96.0.1:6443", false),
            ("fd00::/8", "https://[fd00::1]", true),
            ("fd00::1", "https://[fd00:0::1]:6443", true),
            ("[fd00::1]:6443", "https://[fd00::1]:6443", true),
            ("[fd00::1]:6443", "https://[fd00::1]", false),
            ("[fd00::1]", "https://[fd00::1]", true),
            ("10.96.0.1", "https://[::ffff:10.96.0.1]", true),
            (":443", "https://a.example", false),
            ("a b", "https://a.example", false),
            (".svc,.cluster.local", "https://kubernetes.default.svc", true),
        ] {
            assert_eq!(is_direct(no_proxy, target), expected, "{no_proxy} {target}");
        }
    }
}
