use tracing::dispatcher::{self, Dispatch};
use tracing::subscriber::NoSubscriber;
use tracing::{Level, event};

use super::record::{AuditExchange, AuditRecord};
use super::sink::AuditSink;
use crate::outcome::BoxError;
use crate::rt::clamp_to_year_9999;
use crate::terms::Delivery;

/// Emits each record as an event with the target `outrigger::audit`, at `INFO` (feature `tracing`).
///
/// The event goes to the `tracing` subscriber that was the default when this was made, or if there
/// was none, to the global default. The request and the answer are in the field `exchange`, as
/// JSON.
#[derive(Clone, Debug)]
#[must_use = "a sink does nothing until an audit writes to it"]
pub struct TracingSink {
    to: Dispatch,
}

impl TracingSink {
    /// Emits to the subscriber that is the default here.
    pub fn new() -> Self {
        Self { to: dispatcher::get_default(Dispatch::clone) }
    }
}

impl Default for TracingSink {
    fn default() -> Self {
        Self::new()
    }
}

impl AuditSink for TracingSink {
    fn write(&mut self, record: &AuditRecord) -> Result<(), BoxError> {
        match self.to.is::<NoSubscriber>() {
            true => tell(record),
            false => dispatcher::with_default(&self.to, || tell(record)),
        }
        Ok(())
    }
}

fn tell(record: &AuditRecord) {
    let exchange = record.exchange.as_ref();
    // OpenTelemetry's bridge turns other integer types into texts.
    let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    event!(target: "outrigger::audit", Level::INFO, {
        message = "attempt",
        at = %humantime::format_rfc3339_micros(clamp_to_year_9999(record.at)),
        integration = record.integration,
        call_id = %record.call_id,
        attempt = i64::from(record.attempt),
        correlation_id = record.correlation_id,
        trace_id = record.trace_id.map(tracing::field::display),
        span_id = record.span_id.map(tracing::field::display),
        idempotency_key = record.idempotency_key,
        business_key = record.business_key,
        method = record.method.as_ref().map(http::Method::as_str),
        host = record.host,
        port = record.port.map(i64::from),
        template = record.template,
        end = record.end,
        status = record.status.map(|status| i64::from(status.as_u16())),
        error = record.error,
        delivery = record.delivery.map(Delivery::name),
        body_read = record.body_read,
        acquired = record.acquired.map(|time| time.as_secs_f64()),
        head = record.head.map(|time| time.as_secs_f64()),
        elapsed = record.elapsed.as_secs_f64(),
        sent = record.sent.map(size),
        received = size(record.received),
        exchange = exchange.map(AuditExchange::to_json),
    });
}
