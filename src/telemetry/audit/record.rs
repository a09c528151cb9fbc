use std::time::{Duration, SystemTime};

use http::{Method, StatusCode};

use crate::context::{CallId, SpanId, TraceId};
use crate::terms::Delivery;

/// What is known of one attempt, redacted; or of a call for which none was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuditRecord {
    /// When it began.
    pub at: SystemTime,
    /// The integration.
    pub integration: Option<String>,
    /// The call's id, the same for all its attempts.
    pub call_id: CallId,
    /// Which attempt it is; the first is 1. 0 where nothing went out for the call.
    pub attempt: u32,
    /// The id that ties the call to what caused it.
    pub correlation_id: Option<String>,
    /// The trace that the call belongs to.
    pub trace_id: Option<TraceId>,
    /// The span under which the attempt was sent.
    pub span_id: Option<SpanId>,
    /// The key that was sent. The provider knows the call by it if it honours keys.
    pub idempotency_key: Option<String>,
    /// What the business calls the operation.
    pub business_key: Option<String>,
    /// The method.
    pub method: Option<Method>,
    /// The host, without credentials.
    pub host: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// The path's template, where the request had one.
    pub template: Option<String>,
    /// How it ended: `answered`, `failed`, `abandoned`, `overtaken` (another request for the call was
    /// answered first); without an attempt also `refused`, or `answered_here`, by a fallback.
    pub end: &'static str,
    /// The answer's status, if there was an answer.
    pub status: Option<StatusCode>,
    /// The word for what went wrong, if anything did: `server_error`, `attempt_timeout`.
    pub error: Option<&'static str>,
    /// Whether the provider may have acted; left out where another request for the call was
    /// answered first, which tells.
    pub delivery: Option<Delivery>,
    /// Whether the answer's body was read to its end.
    pub body_read: bool,
    /// Until there was a connection, where that is known.
    pub acquired: Option<Duration>,
    /// Until the head of the answer, if there was one.
    pub head: Option<Duration>,
    /// In all, to the end of the answer's body.
    pub elapsed: Duration,
    /// The size of the request's body, where it was known beforehand.
    pub sent: Option<u64>,
    /// How much of the answer's body was read.
    pub received: u64,
    /// What was sent and answered, where it failed and somebody asked for it.
    pub exchange: Option<AuditExchange>,
}

/// What was sent and answered, redacted.
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

/// What may be shown of a body.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuditBody {
    /// What is shown of it; nothing where there was none.
    pub shown: Option<String>,
    /// How much there was of it, in bytes, as far as it came.
    pub total: u64,
    /// It came to its end.
    pub is_whole: bool,
}
