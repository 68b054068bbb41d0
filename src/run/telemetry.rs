//! Logs.

use super::LogFormat;
use std::io::{IsTerminal, stderr};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Begins to log to standard error. `RUST_LOG` selects what; without it, all from `info` on.
///
/// As JSON, the fields of spans, such as `namespace` and `name`, stand beside those of the event.
pub fn start_logging(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,kube_client=warn,kube_runtime=warn,tower=warn,hyper_util=warn"));
    let as_json = match format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !stderr().is_terminal(),
    };
    let logs = tracing_subscriber::registry().with(filter);
    if as_json {
        let json = json_subscriber::fmt::layer().with_writer(stderr).flatten_event(true);
        logs.with(json.with_current_span(false).flatten_span_list_on_top_level(true)).init();
    } else {
        logs.with(tracing_subscriber::fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal())).init();
    }
}
