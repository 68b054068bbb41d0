//! Where the API server is, who this process is to it, and through which proxy it is reached.

use crate::proxy::{self, Proxies};
use anyhow::{Context as _, anyhow};
use kube::{
    Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use std::env;
use url::Url;

/// Keeps kube from reading the proxy in the environment, where it applies `NO_PROXY` to the proxy's own address. What it
/// makes of this URL is replaced.
const NOT_FROM_THE_ENVIRONMENT: &str = "http://proxy.invalid";

/// Returns the configuration: that of the kubeconfig, if there is one, else that of the Pod.
///
/// The proxy is that of kubectl: `proxy-url` of the kubeconfig's cluster, else the one that `HTTPS_PROXY` and `NO_PROXY`
/// give for the API server, also in a Pod.
///
/// # Errors
/// There is neither, or the proxy cannot be used.
pub async fn load() -> anyhow::Result<Config> {
    let (mut config, of_kubeconfig) = read().await?;
    config.apply_debug_overrides();
    let proxy = match of_kubeconfig {
        Some(url) => {
            let bad = |error: String| anyhow!("proxy-url of the kubeconfig's cluster: {error}");
            Some(proxy::parse(&url).map_err(bad)?)
        }
        None => {
            let server = config.cluster_url.to_string();
            let server =
                Url::parse(&server).with_context(|| format!("the API server's address {server:?} is no URL"))?;
            Proxies::from_environment(|name| env::var(name).ok()).proxy_for(&server).map_err(anyhow::Error::msg)?
        }
    };
    if let Some(proxy) = &proxy {
        tracing::info!(proxy = proxy::without_login(proxy), "the API server is reached through a proxy");
    }
    let uri = proxy.map(|proxy| proxy.as_str().parse()).transpose();
    config.proxy_url = uri.map_err(|_| anyhow!("the URL of the proxy has characters that no URL has"))?;
    Ok(config)
}

/// Reads the configuration, and `proxy-url` of the kubeconfig's cluster.
async fn read() -> anyhow::Result<(Config, Option<String>)> {
    let of_kubeconfig = match Kubeconfig::read() {
        Ok(mut kubeconfig) => {
            let proxy = replace_proxies(&mut kubeconfig);
            let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
            config.map(|config| (config, proxy))
        }
        Err(error) => Err(error),
    };
    of_kubeconfig.or_else(|kubeconfig| {
        Config::incluster().map(|config| (config, None)).map_err(|in_cluster| {
            let context = "no Kubernetes configuration: set KUBECONFIG, or run in a Pod";
            anyhow!("kubeconfig: {kubeconfig}; in a Pod: {in_cluster}").context(context)
        })
    })
}

/// Takes `proxy-url` out of all clusters. Returns that of the current context's cluster; empty counts as absent.
fn replace_proxies(kubeconfig: &mut Kubeconfig) -> Option<String> {
    let current = kubeconfig.current_context.as_deref().unwrap_or_default();
    let context = kubeconfig.contexts.iter().find(|context| context.name == current);
    let cluster = context.and_then(|context| context.context.as_ref()).map(|context| context.cluster.clone());
    let mut of_current = None;
    for named in &mut kubeconfig.clusters {
        let Some(details) = &mut named.cluster else { continue };
        let proxy = details.proxy_url.replace(NOT_FROM_THE_ENVIRONMENT.to_owned());
        if Some(&named.name) == cluster.as_ref() {
            of_current = proxy.filter(|proxy| !proxy.is_empty());
        }
    }
    of_current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_is_that_of_the_current_context() {
        let yaml = |proxy: &str| {
            format!(
                "{{current-context: b, contexts: [{{name: a, context: {{cluster: one}}}}, {{name: b, context: {{cluster: two}}}}], \
                 clusters: [{{name: one, cluster: {{server: 'https://one', proxy-url: 'http://first:1'}}}}, \
                 {{name: two, cluster: {{server: 'https://two'{proxy}}}}}]}}"
            )
        };
        let read = |proxy: &str| {
            let mut kubeconfig = Kubeconfig::from_yaml(&yaml(proxy)).unwrap();
            let of_current = replace_proxies(&mut kubeconfig);
            assert!(kubeconfig.clusters.iter().all(|cluster| {
                cluster.cluster.as_ref().unwrap().proxy_url.as_deref() == Some(NOT_FROM_THE_ENVIRONMENT)
            }));
            of_current
        };
        assert_eq!(read(", proxy-url: 'socks5://second:1'").as_deref(), Some("socks5://second:1"));
        assert_eq!(read(", proxy-url: ''"), None);
        assert_eq!(read(""), None);
    }
}
