use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use http::Request;

use super::breaker::Breaker;
use super::layer::CircuitBreakerLayer;
use super::outcome_guard::OutcomeGuard;
use super::state::CallSafety;
use crate::context::{AttemptState, RequestHead};
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::replay::{is_idempotent, is_known_safe};

/// Stops calling a provider that is down, as code around a call: what a
/// [`CircuitBreakerLayer`](super::CircuitBreakerLayer) makes of its settings. See the
/// [module](super).
#[derive(Clone, Debug)]
pub struct CircuitBreakerPattern(Breakers);

#[derive(Clone, Debug)]
enum Breakers {
    None,
    One(Arc<Breaker>),
    Keyed(Arc<CircuitBreakerLayer>),
}

impl CircuitBreakerPattern {
    pub(super) fn new(layer: &CircuitBreakerLayer) -> Self {
        Self(match (layer.breaker(), &layer.config, &layer.map) {
            (Some(breaker), ..) => Breakers::One(breaker),
            (None, Some(_), Some(_)) => Breakers::Keyed(Arc::new(layer.clone())),
            _ => Breakers::None,
        })
    }
}

impl Pattern for CircuitBreakerPattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let breaker = self.0.of(attempt);
        // Declared before the inner future, so that it is dropped after it.
        let mut guard = match &breaker {
            Some(breaker) => {
                let began = || attempt.state(AttemptState::attempt_began);
                let admission = match breaker.shared.admit_closed(began) {
                    Some(admission) => admission,
                    None => breaker.admit(call, attempt, next).await?,
                };
                Some(OutcomeGuard::new(breaker, admission, call, attempt))
            }
            None => None,
        };
        let mut running = pin!(next.run(call, attempt));
        let Some(guard) = &mut guard else { return running.await };
        let held = {
            let mut head = pin!(attempt.head(running.as_mut()));
            let came = poll_fn(|cx| {
                if let Some(error) = guard.rejected_in_queue() {
                    // Dropping the inner future takes it out of its queue.
                    return Poll::Ready(Err(error));
                }
                let came = head.as_mut().poll(cx);
                guard.on_poll();
                came.map(Ok)
            });
            came.await?
        };
        guard.on_head(&held);
        let flow = held.hand_up().await;
        guard.on_end(&flow);
        flow
    }

    fn may_send(&self) -> bool {
        match &self.0 {
            Breakers::None => true,
            Breakers::One(breaker) => breaker.shared.admits_all(),
            // Which breaker it is depends on the request.
            Breakers::Keyed(_) => false,
        }
    }

    fn integration(&self) -> Option<&Arc<str>> {
        match &self.0 {
            Breakers::None => None,
            Breakers::One(breaker) => breaker.emitter.integration(),
            Breakers::Keyed(layer) => layer.emitter.integration(),
        }
    }
}

impl Breakers {
    fn of<W: Wire>(&self, attempt: &Attempt<W>) -> Option<Arc<Breaker>> {
        match self {
            Self::None => None,
            Self::One(breaker) => Some(Arc::clone(breaker)),
            Self::Keyed(layer) => {
                let map = layer.map.as_ref()?;
                let make = |_: &str, config: &_| Breaker::alone(layer, config);
                attempt.request(|request| map.of(&RequestHead::of(request), make)).flatten()
            }
        }
    }
}

/// Whether the request may be repeated without harm, whatever becomes of it.
pub(super) fn safety<B>(request: &Request<B>) -> CallSafety {
    match is_idempotent(request.method()) || is_known_safe(request.extensions()) {
        true => CallSafety::Safe,
        false => CallSafety::Unsafe,
    }
}
