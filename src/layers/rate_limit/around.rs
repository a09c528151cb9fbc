use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::Request;

use super::heed::Lesson;
use super::layer::RateLimitLayer;
use super::limiter::{Entry, Limiter, Rejected, Turn};
use super::queue::{Step, Ticket};
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
        // Let go of after what stands further in.
        let turn = match settings.is_disabled(limiter) {
            true => None,
            false => Some(settings.turn(limiter, call, attempt, next).await?),
        };
        let mut running = pin!(next.run(call, attempt));
        let Some(given) = &turn else { return running.await };
        let held = attempt.head(running.as_mut()).await;
        Lesson::new(settings, limiter, attempt, given).heed(&held);
        // It is answered, so it is not under way any more.
        drop(turn);
        held.hand_up().await
    }

    /// Turns are given to calls, not to those who may call: the inner service is asked when it is the
    /// call's turn.
    fn may_send(&self) -> bool {
        self.settings.is_free()
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}

impl RateLimitLayer {
    /// The call's turn, at once or after a wait.
    async fn turn<W: Wire>(
        &self,
        limiter: &Arc<Limiter>,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Result<Turn, Error> {
        let line = |request: &mut Request<_>| (request.method().clone(), request.uri().clone());
        let (method, uri) = attempt.request(line).unwrap_or_default();
        let began = attempt.state(AttemptState::attempt_began);
        let latest = |now| attempt.context().latest_start(now, self.attempt);
        match limiter.enter(Target::Line(method, uri), began, latest) {
            Entry::Now(turn) => Ok(turn),
            Entry::Rejected(rejected) => Err(self.reject(rejected, &attempt.context())),
            Entry::Queued(ticket, wait) => {
                // Others may need what is kept ready sooner.
                next.release();
                let queued = || Event::RateLimitQueued { wait };
                self.emitter.emit(Some(&attempt.context()), queued);
                self.wait(limiter, ticket, call, attempt).await
            }
        }
    }

    /// Waits until it is the call's turn; the error if it must not be sent any more.
    async fn wait<W: Wire>(
        &self,
        limiter: &Limiter,
        mut ticket: Ticket,
        call: &Call,
        attempt: &Attempt<W>,
    ) -> Result<Turn, Error> {
        let came = call.now();
        loop {
            if let Some(refusal) = attempt.refusal() {
                // Somebody stopped the integration meanwhile: no turn is taken.
                return Err(refusal);
            }
            let step = poll_fn(|cx| Poll::Ready(ticket.step(cx.waker()))).await;
            let now = call.now();
            let due = match (step, ticket.limit) {
                (Step::Go(turn), _) => {
                    attempt.state(|state| state.set_attempt_began(now));
                    let waited = now.saturating_duration_since(came);
                    let released = || Event::RateLimitReleased { waited };
                    self.emitter.emit(Some(&attempt.context()), released);
                    return Ok(turn);
                }
                (Step::StoppedUntil(at), _) => {
                    let wait = at.saturating_duration_since(now);
                    return Err(self.late(limiter, Some(wait), attempt));
                }
                // Everybody was stopped since it queued, for longer than it can wait.
                (Step::WaitUntil(at), Some(limit)) if at >= limit => {
                    let wait = at.saturating_duration_since(now);
                    return Err(self.late(limiter, Some(wait), attempt));
                }
                (Step::WaitUntil(at), _) => Some(at),
                (Step::Wait, Some(limit)) if now >= limit => {
                    return Err(self.late(limiter, None, attempt));
                }
                (Step::Wait, limit) => limit,
            };
            call.until(due, woken()).await;
        }
    }

    /// Refuses a call that had queued.
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

/// Ready as soon as somebody has woken the call.
async fn woken() {
    let mut has_waited = false;
    poll_fn(|_| match std::mem::replace(&mut has_waited, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}
