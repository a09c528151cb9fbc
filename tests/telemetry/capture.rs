//! A `tracing` layer that keeps everything.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// What was told, in order.
#[derive(Clone, Default)]
pub(crate) struct Capture(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) spans: Vec<Span>,
    pub(crate) events: Vec<Said>,
}

/// One span.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) level: Level,
    pub(crate) parent: Option<u64>,
    pub(crate) fields: Fields,
    pub(crate) is_closed: bool,
}

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) level: Level,
    pub(crate) target: String,
    pub(crate) parent: Option<u64>,
    pub(crate) fields: Fields,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    texts: BTreeMap<&'static str, String>,
    /// Those that are whole numbers to OpenTelemetry.
    numbers: BTreeMap<&'static str, i64>,
}

impl Capture {
    /// Keeps what this thread tells from now on.
    pub(crate) fn here() -> (Self, DefaultGuard) {
        let capture = Self::default();
        let all = tracing_subscriber::registry().with(capture.clone());
        (capture, tracing::subscriber::set_default(all))
    }

    pub(crate) fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The spans of that name, in order.
    pub(crate) fn spans(&self, name: &str) -> Vec<Span> {
        self.told().spans.iter().filter(|span| span.name == name).cloned().collect()
    }

    /// The only call.
    pub(crate) fn call(&self) -> Span {
        let calls = self.spans("call");
        assert_eq!(calls.len(), 1, "{calls:#?}");
        calls[0].clone()
    }

    /// What was said at a level, and where.
    pub(crate) fn said(&self, level: Level) -> Vec<String> {
        let told = self.told();
        let said = told.events.iter().filter(|said| said.level == level);
        said.map(|said| said.fields.of("message").to_owned()).collect()
    }

    /// All of it as text.
    pub(crate) fn text(&self) -> String {
        format!("{:?}", self.told())
    }
}

impl Fields {
    /// A field's value; nothing if it was never set.
    pub(crate) fn of(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }

    /// A whole number, if the field was set to one.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.numbers.get(name).copied()
    }

    fn put(&mut self, field: &Field, value: String) {
        let before = self.texts.insert(field.name(), value);
        assert!(before.is_none(), "{} was {before:?} before", field.name());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.numbers.insert(field.name(), value);
        self.put(field, value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        panic!("{} = {value} would be a text to OpenTelemetry", field.name());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let span = context.span(id).unwrap();
        self.told().spans.push(Span {
            id: id.into_u64(),
            name: span.name(),
            level: *span.metadata().level(),
            parent: span.parent().map(|parent| parent.id().into_u64()),
            fields,
            is_closed: false,
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut told = self.told();
        values.record(&mut told.open(id).fields);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.told().events.push(Said {
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            parent: context.event_span(event).map(|span| span.id().into_u64()),
            fields,
        });
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.told().open(&id).is_closed = true;
    }
}

impl Told {
    /// Ids are used again once their spans are closed.
    fn open(&mut self, id: &Id) -> &mut Span {
        let open = |span: &&mut Span| span.id == id.into_u64() && !span.is_closed;
        self.spans.iter_mut().rev().find(open).unwrap()
    }
}
