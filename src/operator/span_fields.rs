//! Keeps the fields of spans for JSON logs. json-subscriber keeps them, too, but overwrites the field `name` with the
//! name of the span.

use json_subscriber::FieldWriter;
use std::{collections::BTreeMap, fmt::Debug};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// Keeps the fields of each span with the span.
pub struct SpanFields;

/// The fields that a span was made with.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanFields {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().replace(fields);
    }
}

/// Writes the fields of the spans that an event is in. The innermost span wins, and the event itself before it.
pub fn write<S>(event: &Event<'_>, context: &Context<'_, S>, writer: &mut FieldWriter<'_>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut all = BTreeMap::new();
    for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
        if let Some(fields) = span.extensions().get::<Fields>() {
            all.extend(fields.0.clone());
        }
    }
    for (key, value) in all {
        if event.metadata().fields().field(key).is_none() {
            let _ = writer.write_field(key, value); // a string always has a JSON form
        }
    }
}
