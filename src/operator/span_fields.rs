//! Keeps the fields of spans for JSON logs. json-subscriber keeps them, too, but overwrites the field `name` with the
//! name of the span.

use json_subscriber::FieldWriter;
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    span::{Attributes, Id},
};
use tracing_serde::fields::AsMap;
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// Keeps the fields of each span with the span.
pub struct SpanFields;

/// The fields that a span and those around it were made with. The innermost span wins.
#[derive(Clone, Default)]
struct Fields(Map<String, Value>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanFields {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields =
            span.parent().and_then(|parent| parent.extensions().get::<Fields>().cloned()).unwrap_or_default();
        if let Ok(Value::Object(own)) = serde_json::to_value(attributes.field_map()) {
            fields.0.extend(own);
        }
        span.extensions_mut().replace(fields);
    }
}

/// Writes the fields of the spans that an event is in, except those that the event has itself.
pub fn write<S>(event: &Event<'_>, context: &Context<'_, S>, writer: &mut FieldWriter<'_>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(span) = context.event_span(event) else { return };
    let extensions = span.extensions();
    for (key, value) in extensions.get::<Fields>().into_iter().flat_map(|fields| &fields.0) {
        if event.metadata().fields().field(key.as_str()).is_none() {
            let _ = writer.write_field(key, value); // a JSON value always has a JSON form
        }
    }
}
