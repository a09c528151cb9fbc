//! Around a call: which method is safe. Around an attempt: the status, wherever it stands.

use std::pin::pin;

use http_body::Frame;

use super::SafeMethods;
use super::status::{STATUS, class_in, is_grpc};
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};

/// Marks the calls of safe methods, for retry and hedge.
pub(super) struct MarkSafe(pub(super) SafeMethods);

/// Reads the status in the trailers, which the classifier doesn't see.
pub(super) struct ReadStatus(pub(super) SafeMethods);

impl Pattern for MarkSafe {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        attempt.request(|request| self.0.mark(request));
        next.run(call, attempt).await
    }
}

impl Pattern for ReadStatus {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let is_safe = attempt.request(|request| self.0.hold(request.uri().path()));
        let mut running = pin!(next.run(call, attempt));
        let mut held = attempt.head(running.as_mut()).await;
        let is_in_trailers =
            held.answer(|head| is_grpc(&head.headers) && !head.headers.contains_key(STATUS));
        if is_in_trailers != Some(true) {
            return held.hand_up().await;
        }
        if is_safe == Some(true) {
            held.first_frame().await;
            if let Some(trailers) = held.take_trailers() {
                // An answer without a message, as if it had come in the head alone.
                held.answer(|head| head.headers.extend(trailers));
            }
            return held.hand_up().await;
        }
        let mut running = match held.hand_up_head() {
            Ok(running) => running,
            Err(flow) => return flow,
        };
        loop {
            attempt.wanted().await;
            let flow = attempt.frame(running.as_mut()).await;
            let trailers = |frame: &Frame<W::Data>| frame.trailers_ref().and_then(class_in);
            if let Some(Some(class)) = attempt.last_frame(trailers) {
                attempt.end_as(class);
            }
            if let Some(flow) = flow {
                return flow;
            }
        }
    }
}
