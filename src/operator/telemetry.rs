//! Logs.

use super::{
    options::LogFormat,
    span_fields::{self, SpanFields},
};
use std::io::{IsTerminal, stderr};
use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, fmt::MakeWriter, layer::SubscriberExt as _, registry::LookupSpan, util::SubscriberInitExt as _,
};

/// Starts to log to standard error. `RUST_LOG` selects what is logged; the default is `info`.
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
        logs.with(json(stderr)).init();
    } else {
        logs.with(text(stderr, stderr().is_terminal())).init();
    }
}

/// Writes a JSON object a line. The fields of spans, such as `namespace` and `name`, stand beside those of the event.
fn json<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = json_subscriber::fmt::layer().with_writer(writer).flatten_event(true);
    let mut layer = layer.with_current_span(false).with_span_list(false);
    layer.inner_layer_mut().add_multiple_dynamic_fields(span_fields::write);
    SpanFields.and_then(layer)
}

/// Writes lines for people, which begin with the fields of spans.
fn text<S, W>(writer: W, in_colour: bool) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(in_colour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;
    use serde_json::{Value, json as value};
    use std::{io, sync::Arc};
    use tracing::{error_span, warn};

    /// A writer that keeps what is written.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Logs a line within the span of a reconcile and within another one.
    fn logged(layer: impl Layer<tracing_subscriber::Registry> + Send + Sync, written: &Written) -> String {
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let _reconcile = error_span!("reconcile", namespace = "shop", name = "nightly").entered();
            let _request = error_span!("request", verb = "patch", attempt = 1).entered();
            warn!(error = ?"no", attempt = 2, "a write failed");
        });
        String::from_utf8(written.0.lock().clone()).unwrap()
    }

    #[test]
    fn a_line_of_json_has_namespace_and_name_beside_the_message() {
        let written = Written::default();
        let writer = written.clone();
        let line = logged(json(move || writer.clone()), &written);
        assert_eq!(line.matches(r#""attempt""#).count(), 1, "{line}");
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["attempt"], 2, "{line}");
        let fields = ["namespace", "name", "verb", "message", "error", "level"].map(|field| line[field].clone());
        let expected = value!(["shop", "nightly", "patch", "a write failed", "\"no\"", "WARN"]);
        assert_eq!(Value::from(fields.to_vec()), expected, "{line}");
        assert!(line["timestamp"].is_string() && line["target"].is_string(), "{line}");
    }

    #[test]
    fn a_line_for_people_has_namespace_and_name() {
        let written = Written::default();
        let writer = written.clone();
        let line = logged(text(move || writer.clone(), false), &written);
        assert!(
            line.contains(r#"reconcile{namespace="shop" name="nightly"}"#) && line.contains("a write failed"),
            "{line}"
        );
    }
}
