use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::Request;

use super::answer::AnswerObserver;
use super::layer::RateLimitLayer;
use super::limiter::{EnterOutcome, Grant, Limiter, Rejected};
use super::queue::{QueueEntry, QueueStep};
use super::resources::Target;
use crate::context::{AttemptState, Context};
use crate::event::Event;
use crate::outcome::Error;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::rt;
use crate::terms::Rejection;

/// Keeps to a provider's rate, as code around a call: what a
/// [`RateLimitLayer`](super::RateLimitLayer) makes of its settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct RateLimitPattern {
    settings: Arc<RateLimitLayer>,
}

impl RateLimitPattern {
    pub(super) fn new(settings: &RateLimitLayer) -> Self {
        Self { settings: Arc::new(settings.clone()) }
    }
}

impl Pattern for RateLimitPattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let settings = &*self.settings;
        let keyed = match &settings.limiters {
            Some(_) => attempt.request(|request| settings.keyed_limiter(request)).flatten(),
            None => None,
        };
        let limiter = keyed.as_ref().unwrap_or(&settings.limiter);
        // Declared before the inner future, so that it is dropped after it.
        let grant = match settings.is_disabled(limiter) {
            true => None,
            false => Some(match settings.enter(limiter, attempt) {
                EnterOutcome::Granted(grant) => grant,
                EnterOutcome::Rejected(rejected) => {
                    return Err(settings.reject(rejected, &attempt.context()));
                }
                EnterOutcome::Queued(entry, wait) => {
                    // A queued call needs no ready service; another call may.
                    next.release();
                    let queued = || Event::RateLimitQueued { wait };
                    settings.emitter.emit(Some(&attempt.context()), queued);
                    settings.wait(limiter, entry, call, attempt).await?
                }
            }),
        };
        let mut running = pin!(next.run(call, attempt));
        let Some(given) = &grant else { return running.await };
        let held = attempt.head(running.as_mut()).await;
        AnswerObserver::new(settings, limiter, attempt, given).observe(&held);
        // It is answered, so it is no longer in flight.
        drop(grant);
        held.hand_up().await
    }

    /// Grants go to calls and not by readiness: the inner service is polled ready when a call may go.
    fn may_send(&self) -> bool {
        self.settings.is_free()
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}

impl RateLimitLayer {
    fn enter<W: Wire>(&self, limiter: &Arc<Limiter>, attempt: &Attempt<W>) -> EnterOutcome {
        let line = |request: &mut Request<_>| (request.method().clone(), request.uri().clone());
        let (method, uri) = attempt.request(line).unwrap_or_default();
        let began = attempt.state(AttemptState::attempt_began);
        let latest = |now| attempt.context().latest_start(now, self.attempt);
        limiter.enter(Target::Line(method, uri), began, latest)
    }

    /// Waits for the call's grant, or returns the error if it must not be sent any more.
    async fn wait<W: Wire>(
        &self,
        limiter: &Limiter,
        mut entry: QueueEntry,
        call: &Call,
        attempt: &Attempt<W>,
    ) -> Result<Grant, Error> {
        let came = call.now();
        loop {
            if let Some(refusal) = attempt.refusal() {
                // The integration was stopped meanwhile.
                return Err(refusal);
            }
            let step = poll_fn(|cx| Poll::Ready(entry.poll_turn(cx.waker()))).await;
            let now = call.now();
            let due = match (step, entry.limit) {
                (QueueStep::Go(grant), _) => {
                    attempt.state(|state| state.set_attempt_began(now));
                    let waited = now.saturating_duration_since(came);
                    let released = || Event::RateLimitReleased { waited };
                    self.emitter.emit(Some(&attempt.context()), released);
                    return Ok(grant);
                }
                (QueueStep::StoppedUntil(at), _) => {
                    let wait = at.saturating_duration_since(now);
                    return Err(self.late(limiter, Some(wait), attempt));
                }
                // A pause began since it queued, and is longer than it can wait.
                (QueueStep::WaitUntil(at), Some(limit)) if at >= limit => {
                    let wait = at.saturating_duration_since(now);
                    return Err(self.late(limiter, Some(wait), attempt));
                }
                (QueueStep::WaitUntil(at), _) => Some(at),
                (QueueStep::Wait, Some(limit)) if now >= limit => {
                    return Err(self.late(limiter, None, attempt));
                }
                (QueueStep::Wait, limit) => limit,
            };
            call.until(due, woken()).await;
        }
    }

    /// Refuses a queued call.
    fn late<W: Wire>(
        &self,
        limiter: &Limiter,
        wait: Option<Duration>,
        attempt: &Attempt<W>,
    ) -> Error {
        limiter.count_rejected();
        self.reject(Rejected { wait, is_full: false }, &attempt.context())
    }

    fn reject(&self, rejected: Rejected, context: &Context) -> Error {
        let Rejected { wait: retry_after, is_full } = rejected;
        self.emitter.emit(Some(context), || Event::RateLimitRejected { retry_after });
        let detail = match retry_after {
            None => "no turn in the time allowed for it".to_owned(),
            Some(wait) if is_full => {
                let queue = self.config.queue;
                format!("{queue} calls wait already; come back in {:?}", rt::ceil_to_millis(wait))
            }
            Some(wait) => format!("come back in {:?}", rt::ceil_to_millis(wait)),
        };
        Error::rejected(Rejection::RateLimited, detail)
            .with_retry_after(retry_after)
            .with_context(context)
            .with_elapsed(context.elapsed())
    }
}

/// Pending once, so that it is ready when the call is woken.
async fn woken() {
    let mut has_waited = false;
    poll_fn(|_| match std::mem::replace(&mut has_waited, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}
