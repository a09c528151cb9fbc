use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, Method};
use http_body::SizeHint;

use super::judge::{Asked, Judge};
use super::layer::ValidateLayer;
use super::media::essence;
use super::prefix::Prefix;
use crate::body::Allowance;
use crate::outcome::{Error, ErrorKind, FailedCheck};
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::rt;
use crate::terms::{Class, Unchecked};

/// Checks answers, as code around a call: what a [`ValidateLayer`](super::ValidateLayer) makes of its
/// settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct ValidatePattern {
    layer: Arc<ValidateLayer>,
}

impl ValidatePattern {
    pub(super) fn new(layer: ValidateLayer) -> Self {
        Self { layer: Arc::new(layer) }
    }
}

impl Pattern for ValidatePattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        // The answer to a HEAD has no body, and a head that is another's.
        let asked = attempt.request(|request| Asked::of(request));
        let is_looked_at = |asked: &Asked| asked.method != Method::HEAD && self.layer.is_enabled();
        let Some(asked) = asked.filter(is_looked_at) else {
            return next.run(call, attempt).await;
        };
        let judge = Judge { layer: &self.layer, asked };
        let mut running = pin!(next.run(call, attempt));
        let mut held = attempt.head(running.as_mut()).await;
        let chosen = held.lend_answer(|head| judge.choose(head)).unwrap_or_default();
        if chosen.checks == 0 {
            return held.hand_up().await;
        }
        let announced = if held.is_over() { SizeHint::with_exact(0) } else { attempt.size_hint() };
        let cap = self.layer.config.body_cap;
        let obstacle = held.answer(|head| obstacle(&head.headers, &announced, cap)).flatten();
        let mut is_late = false;
        if chosen.reads_body && obstacle.is_none() {
            // Only a check that may turn a success down is worth more than a short wait.
            let patience = (!chosen.is_decisive).then(|| rt::after(call.now(), PATIENCE));
            let mut left = Allowance::new(cap).with_frames(cap / BYTES_A_FRAME);
            is_late = call.until(patience, held.read_ahead(&mut left)).await.is_none();
            if chosen.is_decisive {
                // Nothing of it has reached anybody: it is the attempt that failed.
                held = held.or_broken();
            }
        } else if self.wants_first(obstacle, &announced) {
            // Whether there is a body at all, or what a sample shows of it.
            let patience = rt::after(call.now(), PATIENCE);
            let _ = call.until(patience, held.first_frame()).await;
        }
        let rejected = {
            let (bytes, is_whole) = held.read_so_far();
            let missing = match (is_whole, held.is_broken() || is_late) {
                _ if obstacle.is_some() => obstacle,
                (_, true) => Some(Unchecked::Incomplete),
                (true, false) => None,
                (false, false) => Some(Unchecked::TooLarge),
            };
            let is_read = is_whole && !held.is_broken();
            let size = if is_read { SizeHint::with_exact(bytes.len() as u64) } else { announced };
            let body = Prefix::new(&bytes, missing, size);
            held.lend_answer(|head| judge.judge(chosen, head, &body, attempt)).flatten()
        };
        match rejected {
            None => held.hand_up().await,
            Some((failed, class)) => {
                held.discard();
                Err(error_of(failed, class, call, attempt))
            }
        }
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.layer.emitter.integration()
    }
}

impl ValidatePattern {
    /// Whether the first part of a body is waited for that no check reads.
    fn wants_first(&self, obstacle: Option<Unchecked>, announced: &SizeHint) -> bool {
        match (obstacle, announced.exact()) {
            (None, None) => true,
            (_, Some(0)) | (Some(Unchecked::Encoded | Unchecked::Streamed), _) => false,
            _ => self.layer.redactor.is_some(),
        }
    }
}

/// The error in the place of an answer that says that it succeeded, and failed its check.
fn error_of<W: Wire>(
    failed: FailedCheck,
    class: Class,
    call: &Call,
    attempt: &Attempt<W>,
) -> Error {
    let error = Error::new(ErrorKind::Invalid, call.facts().delivery_of_answer())
        .with_detail(failed.to_string())
        .with_source(Box::new(failed))
        .with_context(&attempt.context())
        .with_elapsed(call.elapsed());
    error.class_or(|| class);
    error
}

/// Why a body isn't read, if so.
fn obstacle(headers: &HeaderMap, size: &SizeHint, cap: usize) -> Option<Unchecked> {
    let is_plain = |coding: &[u8]| {
        coding.trim_ascii().is_empty() || coding.trim_ascii().eq_ignore_ascii_case(b"identity")
    };
    let is_streamed = essence(headers).is_some_and(|essence| {
        let essence = essence.to_ascii_lowercase();
        STREAMS.iter().any(|stream| essence.starts_with(stream))
            || STREAM_ENDS.iter().any(|stream| essence.ends_with(stream))
    });
    match () {
        () if headers
            .get_all(CONTENT_ENCODING)
            .iter()
            .any(|coding| !is_plain(coding.as_bytes())) =>
        {
            Some(Unchecked::Encoded)
        }
        () if is_streamed => Some(Unchecked::Streamed),
        () if size.lower() > cap as u64 => Some(Unchecked::TooLarge),
        () => None,
    }
}

/// Media types of bodies whose parts are wanted as they come: how they begin.
const STREAMS: [&str; 5] = [
    "text/event-stream",
    "multipart/",
    "application/grpc",
    "application/connect+",
    "application/stream+",
];
/// And how they end: lines of JSON under their several names, sequences (RFC 7464), events of AWS.
const STREAM_ENDS: [&str; 6] =
    ["ndjson", "jsonl", "jsonlines", "json-seq", "+seq", "vnd.amazon.eventstream"];
/// How long the body of an answer is waited for whose status says enough, or whose checks only tell.
const PATIENCE: Duration = Duration::from_secs(1);
/// A body in smaller pieces costs more for the pieces than for its bytes.
const BYTES_A_FRAME: usize = 4;
