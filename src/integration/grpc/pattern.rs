//! Around a call: which method is safe. Around an attempt: the status, wherever it stands.

use std::pin::pin;

use http::HeaderMap;
use http_body::Frame;

use super::SafeMethods;
use super::status::{STATUS, class_in, is_grpc};
use crate::outcome::leave_class;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::terms::Class;

/// Marks the calls of safe methods, for retry and hedge.
pub(super) struct MarkSafe(pub(super) SafeMethods);

/// Holds a safe method's answer back until its first message or its trailers are here.
pub(super) struct HoldSafe(pub(super) SafeMethods);

/// Reads the status in the trailers, which a classifier doesn't see.
pub(super) struct ReadTrailers;

impl Pattern for MarkSafe {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        next.run(call, attempt).await
    }

    /// Before the call takes a key from its scope, which is for one that isn't safe.
    fn begin<W: Wire>(&self, attempt: &Attempt<W>) {
        attempt.request(|request| self.0.mark(request));
    }
}

impl Pattern for HoldSafe {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let is_safe = attempt.request(|request| self.0.hold(request.uri().path()));
        let mut running = pin!(next.run(call, attempt));
        let mut held = attempt.head(running.as_mut()).await;
        if is_safe == Some(true) && held.answer(|head| is_in_trailers(&head.headers)) == Some(true)
        {
            held.first_frame().await;
            let is_empty = held.is_over() && held.has_no_data();
            held = held.or_broken();
            if let Some(trailers) = held.take_trailers() {
                // An answer without a message, as if it had come in the head alone.
                held.answer(|head| head.headers.extend(trailers));
            }
            held.answer(|head| {
                if is_empty && !head.headers.contains_key(STATUS) {
                    leave_class(Class::ServerError, &mut head.extensions);
                }
            });
        }
        held.hand_up().await
    }
}

impl Pattern for ReadTrailers {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let mut running = pin!(next.run(call, attempt));
        let held = attempt.head(running.as_mut()).await;
        if held.answer(|head| is_in_trailers(&head.headers)) != Some(true) {
            return held.hand_up().await;
        }
        let mut running = match held.hand_up_head() {
            Ok(running) => running,
            Err(flow) => return end_without(flow, attempt),
        };
        let mut has_status = false;
        loop {
            attempt.wanted().await;
            let flow = attempt.frame(running.as_mut()).await;
            let trailers = |frame: &Frame<W::Data>| frame.trailers_ref().and_then(class_in);
            if let Some(Some(class)) = attempt.last_frame(trailers) {
                attempt.end_as(class);
                has_status = true;
            }
            match flow {
                Some(flow) if has_status => return flow,
                Some(flow) => return end_without(flow, attempt),
                None => {}
            }
        }
    }
}

/// An answer that ended without a status.
fn end_without<W: Wire>(flow: Flow, attempt: &Attempt<W>) -> Flow {
    attempt.end_as(Class::ServerError);
    flow
}

fn is_in_trailers(head: &HeaderMap) -> bool {
    is_grpc(head) && !head.contains_key(STATUS)
}
