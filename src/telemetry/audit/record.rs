use std::time::{Duration, SystemTime};

use http::{Method, StatusCode};

use crate::context::{CallId, SpanId, TraceId};
use crate::terms::Delivery;

/// The redacted facts of one attempt, or of a call that made none.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuditRecord {
    /// When the attempt or call began.
    pub at: SystemTime,
    /// The integration.
    pub integration: Option<String>,
    /// The call's id, the same for all its attempts.
    pub call_id: CallId,
    /// The attempt's number; the first is 1. 0 if the call sent nothing.
    pub attempt: u32,
    /// The id that connects the call with what caused it.
    pub correlation_id: Option<String>,
    /// The trace that the call belongs to.
    pub trace_id: Option<TraceId>,
    /// The attempt's span.
    pub span_id: Option<SpanId>,
    /// The idempotency key. A provider that honours keys recognises the call by it.
    pub idempotency_key: Option<String>,
    /// The business's own name for the operation.
    pub business_key: Option<String>,
    /// The method.
    pub method: Option<Method>,
    /// The host, without credentials.
    pub host: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// The path's template, if the request had one.
    pub template: Option<String>,
    /// How it ended: `answered`, `failed`, `abandoned`, `overtaken` (another request for the call was
    /// answered first); without an attempt also `refused`, or `answered_here`, by a fallback.
    pub end: &'static str,
    /// The answer's status, if there was an answer.
    pub status: Option<StatusCode>,
    /// The word for what went wrong, if anything did: `server_error`, `attempt_timeout`.
    pub error: Option<&'static str>,
    /// Whether the provider may have acted. Absent if another request for the call was answered
    /// first, whose record has it.
    pub delivery: Option<Delivery>,
    /// Whether the answer's body was read to its end.
    pub body_read: bool,
    /// The time until there was a connection, if known.
    pub acquired: Option<Duration>,
    /// The time until the head of the answer, if there was one.
    pub head: Option<Duration>,
    /// The total time, to the end of the answer's body.
    pub elapsed: Duration,
    /// The size of the request's body, if it was known beforehand.
    pub sent: Option<u64>,
    /// How many bytes of the answer's body were read.
    pub received: u64,
    /// URL, headers and bodies, if the attempt failed and they were asked for.
    pub exchange: Option<AuditExchange>,
}

/// A redacted request and its answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuditExchange {
    /// The request's URI.
    pub uri: String,
    /// The request's headers, in order.
    pub request_headers: Vec<(String, String)>,
    /// The request's body.
    pub request_body: AuditBody,
    /// The answer's headers, in order.
    pub response_headers: Vec<(String, String)>,
    /// The answer's body.
    pub response_body: AuditBody,
}

/// A redacted body.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuditBody {
    /// The part that may be shown; `None` if there was no body.
    pub shown: Option<String>,
    /// The number of bytes sent or received.
    pub total: u64,
    /// Whether it came to its end.
    pub is_whole: bool,
}
