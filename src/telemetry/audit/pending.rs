use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::record::{AuditBody, AuditExchange, AuditRecord};
use crate::context::{CallTarget, Context, CorrelationId, Exchange, TraceContext};
use crate::event::{AttemptDetail, End, Event, Origin};
use crate::redact::{Kept, Redactor, is_header_name};
use crate::telemetry::error_type::error;

/// A record before it is redacted.
pub(super) struct PendingRecord {
    record: AuditRecord,
    exchange: Option<Exchange>,
}

impl PendingRecord {
    /// The record of an event, if it needs one. For a failed attempt, it has at most `body_cap`
    /// bytes of each body.
    pub(super) fn of(
        event: &Event,
        origin: &Origin<'_>,
        wall: SystemTime,
        body_cap: Option<usize>,
    ) -> Option<Self> {
        let context = origin.context()?;
        let (end, elapsed, detail, attempt) = match *event {
            Event::AttemptFinished { end, elapsed, detail } => {
                (end, elapsed, detail, context.attempt())
            }
            // No attempt was sent or recorded, so the call itself must be.
            Event::CallFinished { end, elapsed, attempts: 0 } if !context.call().is_noted() => {
                (end, elapsed, AttemptDetail::default(), 0)
            }
            _ => return None,
        };
        let record = record(origin, context, wall, (attempt, end, elapsed, detail));
        // Another subscriber may have asked for a longer exchange, or for one that isn't wanted
        // here.
        let body_cap = body_cap.filter(|_| has_failed(end));
        let exchange = body_cap.and_then(|cap| Some(origin.exchange()?.up_to(cap)));
        Some(Self { record, exchange })
    }

    /// The size of the exchange that it holds.
    pub(super) fn exchange_bytes(&self) -> usize {
        self.exchange.as_ref().map_or(0, Exchange::size)
    }

    pub(super) fn take_exchange(&mut self) -> Option<Exchange> {
        self.exchange.take()
    }

    /// The redacted record.
    pub(super) fn redacted(&self, redactor: &dyn Redactor) -> AuditRecord {
        let mut record = self.record.clone();
        // The template is written by the application and needs no redaction.
        let ids =
            [&mut record.correlation_id, &mut record.idempotency_key, &mut record.business_key];
        for id in ids.into_iter().flatten() {
            *id = redactor.id(id);
        }
        record.exchange = self.exchange.as_ref().map(|exchange| redact(exchange, redactor));
        record
    }

    /// The record without everything that might hold a secret, for when the redactor has panicked.
    pub(super) fn bare(&self) -> AuditRecord {
        let mut record = self.record.clone();
        record.correlation_id = None;
        record.idempotency_key = None;
        record.business_key = None;
        record
    }
}

fn record(
    origin: &Origin<'_>,
    context: &Context,
    wall: SystemTime,
    (attempt, end, elapsed, detail): (u32, End, Duration, AttemptDetail),
) -> AuditRecord {
    let (target, key) = (context.target(), context.idempotency_key());
    AuditRecord {
        at: wall.checked_sub(elapsed).unwrap_or(wall),
        integration: origin.integration().map(Into::into),
        call_id: context.call_id(),
        attempt,
        correlation_id: context.correlation_id().map(CorrelationId::as_str).map(Into::into),
        trace_id: context.trace().map(TraceContext::trace_id),
        span_id: context.span_id().filter(|_| attempt > 0),
        idempotency_key: key.map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned()),
        business_key: target.and_then(|target| Some(target.business_key()?.as_str().into())),
        method: target.map(|target| target.method().clone()),
        host: target.and_then(|target| target.host().map(Into::into)),
        port: target.and_then(CallTarget::port),
        template: target.and_then(|target| Some(target.path_template()?.as_str().into())),
        end: match end {
            End::Answered { .. } if attempt == 0 => "answered_here",
            End::Failed { .. } if attempt == 0 => "refused",
            end => end.name(),
        },
        status: match end {
            End::Answered { status, .. } => Some(status),
            // The head arrived, and then the body broke.
            End::Failed { .. } => detail.head.and_then(|_| context.last_status()),
            End::Abandoned { .. } | End::Overtaken => None,
        },
        error: error(end),
        delivery: end.delivery(),
        body_read: matches!(end, End::Answered { body_read: true, .. }),
        acquired: detail.acquired,
        head: detail.head,
        elapsed,
        sent: detail.sent,
        received: detail.received,
        exchange: None,
    }
}

fn has_failed(end: End) -> bool {
    match end {
        End::Answered { class, .. } => !class.is_success(),
        End::Failed { .. } => true,
        End::Abandoned { .. } | End::Overtaken => false,
    }
}

fn redact(exchange: &Exchange, redactor: &dyn Redactor) -> AuditExchange {
    let headers = |headers: &HeaderMap| {
        let shown = |(name, value): (&HeaderName, &HeaderValue)| {
            let plain = Some(name.as_str()).filter(|name| is_header_name(name));
            (plain.unwrap_or("[redacted]").to_owned(), redactor.header(name, value))
        };
        headers.iter().map(shown).collect()
    };
    let body = |headers: &HeaderMap, kept: &Kept| AuditBody {
        shown: redactor.body(headers, kept),
        total: kept.total,
        is_whole: kept.is_whole,
    };
    AuditExchange {
        uri: redactor.uri(&exchange.uri),
        request_headers: headers(&exchange.request_headers),
        request_body: body(&exchange.request_headers, &exchange.request_body),
        response_headers: headers(&exchange.response_headers),
        response_body: body(&exchange.response_headers, &exchange.response_body),
    }
}
