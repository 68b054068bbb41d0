//! Logs. No text in them has control and format characters: whoever wrote it could hide or forge lines with those.

use super::{
    options::LogFormat,
    span_fields::{self, SpanFields},
};
use crate::text::{one_line, shown_json};
use std::io::{self, IsTerminal, stderr};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer,
    field::MakeExt as _,
    fmt::{MakeWriter, format::debug_fn},
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
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
    let layer = json_subscriber::fmt::layer().with_writer(Shown(writer)).flatten_event(true);
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
    let fields = debug_fn(|out, field, value| {
        let value = one_line(&format!("{value:?}"));
        match field.name() {
            "message" => write!(out, "{value}"),
            name => write!(out, "{name}={value}"),
        }
    });
    tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(in_colour).fmt_fields(fields.delimited(" "))
}

/// Makes writers of lines of JSON whose texts can be shown.
struct Shown<M>(M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Shown<M> {
    type Writer = ShownLines<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        ShownLines(self.0.make_writer())
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        ShownLines(self.0.make_writer_for(metadata))
    }
}

/// Writes lines of JSON whose texts can be shown. Each write is whole lines.
struct ShownLines<W>(W);

impl<W: io::Write> io::Write for ShownLines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in String::from_utf8_lossy(bytes).split_inclusive('\n') {
            let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
            self.0.write_all(format!("{}{end}", shown_json(text)).as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::has_unseen;
    use parking_lot::Mutex;
    use serde_json::{Value, json as value};
    use std::sync::Arc;
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

    /// Logs foreign text in every way.
    fn log_foreign_text(layer: impl Layer<tracing_subscriber::Registry> + Send + Sync) {
        let odd = "a\u{1b}[2K\u{202e}\u{85}\r\nb";
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let _request = error_span!("request", %odd, quoted = odd, debug = ?odd).entered();
            warn!(error = %odd, text = odd, cause = ?odd, "{odd}; trying again");
        });
    }

    #[test]
    fn no_line_has_control_and_format_characters_of_others() {
        let written = Written::default();
        let writer = written.clone();
        log_foreign_text(json(move || writer.clone()));
        let writer = written.clone();
        log_foreign_text(text(move || writer.clone(), false));
        let lines = String::from_utf8(written.0.lock().clone()).unwrap();
        assert_eq!(lines.lines().count(), 2, "{lines:?}");
        assert!(lines.lines().all(|line| !has_unseen(line)), "{lines:?}");
        let of_json: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        let fields = of_json.as_object().unwrap();
        assert!(fields.values().filter_map(Value::as_str).all(|text| !has_unseen(text)), "{of_json:#}");
        assert_eq!(of_json["error"], "a [2K    b");
        assert!(lines.contains("a [2K b; trying again"), "{lines:?}");
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
