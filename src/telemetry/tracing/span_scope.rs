use std::fmt;
use std::sync::Arc;

use tracing::Span;
use tracing::field::{DisplayValue, display};
use tracing::span::Id;

use super::open::{OpenSpans, SpanKey};
use super::target::TargetAttributes;
use crate::context::{CallId, Context, CorrelationId};
use crate::event::{Drift, Origin};

/// The scope of an event: its call, its attempt, the span that it belongs to.
pub(super) struct SpanScope<'a> {
    pub(super) open: &'a OpenSpans,
    origin: &'a Origin<'a>,
}

/// The span that an event belongs to, kept open while the event is recorded.
pub(super) struct Parent(Option<Arc<Span>>);

/// Records one event, with the ids of its call.
///
/// Integers are `i64`, because OpenTelemetry's bridge turns other types into texts.
macro_rules! record {
    ($scope:expr, $level:ident, $text:literal $(, $name:literal = $value:expr)* $(,)?) => {{
        let scope = $scope;
        if ::tracing::enabled!(target: "outrigger", ::tracing::Level::$level) {
            let parent = scope.parent();
            ::tracing::event!(
                target: "outrigger",
                parent: parent.id(),
                ::tracing::Level::$level,
                {
                    message = $text,
                    "outrigger.integration" = scope.integration(),
                    "outrigger.call_id" = scope.call_id(),
                    "outrigger.correlation_id" = scope.correlation_id(),
                    "outrigger.attempt" = scope.attempt().map(i64::from),
                    $($name = $value,)*
                }
            );
        }
    }};
}
/// Makes a span of a call or of an attempt, with what both have, and with fields of its own.
macro_rules! open_span {
    ($scope:expr, $parent:expr, $name:literal, $kind:literal, $title:expr $(, $field:literal = $value:expr)* $(,)?) => {{
        let (scope, parent) = ($scope, $parent);
        let target = scope.target();
        ::tracing::span!(
            target: "outrigger",
            parent: parent.id(),
            ::tracing::Level::INFO,
            $name,
            "otel.name" = ::tracing::field::display(SpanName { integration: $title, target }),
            "otel.kind" = $kind,
            "otel.status_code" = Empty,
            "http.request.method" = target.method(),
            "http.request.method_original" = target.method_original(),
            "http.response.status_code" = Empty,
            "server.address" = target.host(),
            "server.port" = target.port(),
            "url.scheme" = target.scheme(),
            "url.template" = target.template(),
            "error.type" = Empty,
            "outrigger.integration" = scope.integration(),
            "outrigger.call_id" = scope.call_id(),
            "outrigger.correlation_id" = scope.correlation_id(),
            "outrigger.trace_id" = scope.trace_id(),
            $($field = $value,)*
            "outrigger.end" = Empty,
            "outrigger.delivery" = Empty,
        )
    }};
}

pub(super) use {open_span, record};

impl<'a> SpanScope<'a> {
    pub(super) fn new(open: &'a OpenSpans, origin: &'a Origin<'a>) -> Self {
        Self { open, origin }
    }

    pub(super) fn context(&self) -> Option<&'a Context> {
        self.origin.context()
    }

    pub(super) fn target(&self) -> TargetAttributes<'a> {
        TargetAttributes(self.context().and_then(Context::target))
    }

    pub(super) fn key(&self) -> Option<SpanKey> {
        Some(self.open.key(self.context()?.call_id(), self.integration()))
    }

    pub(super) fn integration(&self) -> Option<&'a str> {
        self.origin.integration()
    }

    pub(super) fn call_id(&self) -> Option<DisplayValue<CallId>> {
        Some(display(self.context()?.call_id()))
    }

    pub(super) fn drift(&self) -> Option<&'a Drift> {
        self.origin.drift()
    }

    pub(super) fn correlation_id(&self) -> Option<&'a str> {
        self.context()?.correlation_id().map(CorrelationId::as_str)
    }

    pub(super) fn trace_id(&self) -> Option<DisplayValue<impl fmt::Display>> {
        Some(display(self.context()?.trace()?.trace_id()))
    }

    pub(super) fn attempt(&self) -> Option<u32> {
        Some(self.context()?.attempt())
    }

    /// The attempt's span, or the call's, or the one that is current.
    pub(super) fn parent(&self) -> Parent {
        Parent(self.key().zip(self.attempt()).and_then(|(key, attempt)| {
            self.open.attempt(key, attempt).or_else(|| self.open.call(key))
        }))
    }
}

impl Parent {
    /// The one that is current.
    pub(super) const CURRENT: Self = Self(None);

    pub(super) fn of_call(scope: &SpanScope<'_>) -> Self {
        Self(scope.key().and_then(|key| scope.open.call(key)))
    }

    pub(super) fn id(&self) -> Option<Id> {
        match &self.0 {
            Some(span) => span.id(),
            None => Span::current().id(),
        }
    }
}
