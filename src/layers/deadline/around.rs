use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Extensions;

use super::layer::DeadlineLayer;
use crate::context::{AttemptState, CallDeadline, CallLimit, Moment, Scope};
use crate::event::Event;
use crate::outcome::Error;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Unbegun, WholeAnswer, Wire};
use crate::rt;
use crate::terms::{Delivery, Phase};

/// Gives every call one limit in clock time, as code around a call: what a
/// [`DeadlineLayer`](super::DeadlineLayer) makes of its settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct DeadlinePattern {
    settings: DeadlineLayer,
}

impl Pattern for DeadlinePattern {
    // The wait for the inner service's readiness counts too.
    const READIES_IN_CALL: bool = true;
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        if let Some(deadline) = Scope::current_deadline() {
            // The call may be polled in another scope than it was made in.
            call.facts().end_by(deadline);
        }
        let due = call.facts().due();
        if due == Moment::NEVER {
            return next.run(call, attempt).await;
        }
        if call.moment() >= due {
            return Err(self.time_out(due, Delivery::NotSent, call, attempt));
        }
        let mut running = pin!(next.run(call, attempt));
        let Some(held) = call.until_moment(due, attempt.head(running.as_mut())).await else {
            let delivery = attempt.state(|state| {
                state.mark_call_cut();
                state.delivery_if_cut()
            });
            return Err(self.time_out(due, delivery, call, attempt));
        };
        match held.map_error(|error| error.with_elapsed(call.elapsed())).hand_up_head() {
            Ok(body) => self.read(due, body, call, attempt).await,
            Err(flow) => flow,
        }
    }

    /// An inherited deadline is that of the scope in which the call is made.
    fn begin<W: Wire>(&self, attempt: &Attempt<W>) {
        self.set_deadline(attempt);
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }

    fn may_answer_at_once(&self, next: bool) -> bool {
        next
    }

    fn answer_at_once(
        &self,
        call: &mut Unbegun<'_>,
        next: impl FnOnce(&mut Unbegun<'_>) -> Option<WholeAnswer>,
    ) -> Option<WholeAnswer> {
        let own = own_deadline(call.request.extensions(), call.started);
        let limit = self.limit(own.is_some(), call.started);
        match [own, limit].into_iter().flatten().all(|due| call.now < due) {
            true => next(call),
            false => None,
        }
    }
}

/// The deadline of a request with these extensions, whose call began then.
fn own_deadline(own: &Extensions, started: Instant) -> Option<Instant> {
    if own.is_empty() {
        return None;
    }
    let limit = || own.get::<CallLimit>().map(|limit| rt::after(started, limit.0));
    own.get::<CallDeadline>().map(|own| own.0).or_else(limit)
}

impl DeadlinePattern {
    pub(super) fn new(settings: DeadlineLayer) -> Self {
        Self { settings }
    }

    /// The sooner of the request's deadline, or else the layer's own, and those that it inherits.
    fn set_deadline<W: Wire>(&self, attempt: &Attempt<W>) {
        let facts = attempt.facts();
        let own = attempt.request(|request| own_deadline(request.extensions(), facts.started));
        let own = own.flatten();
        let limit = self.limit(own.is_some(), facts.started);
        for deadline in [own, limit, Scope::current_deadline()].into_iter().flatten() {
            facts.end_by(deadline);
        }
    }

    /// The layer's own deadline for a call that began then, and may have one itself.
    fn limit(&self, has_own: bool, started: Instant) -> Option<Instant> {
        let DeadlineLayer { limit, may_be_lengthened, .. } = self.settings;
        let limit = limit.filter(|_| !has_own || !may_be_lengthened);
        limit.map(|limit| rt::after(started, limit))
    }

    /// Runs `body` to its end, under the deadline.
    async fn read<W: Wire>(
        &self,
        due: Moment,
        mut body: Pin<&mut (impl Future<Output = Flow> + Send)>,
        call: &Call,
        attempt: &Attempt<W>,
    ) -> Flow {
        loop {
            attempt.wanted().await;
            let asked = call.moment();
            let frame = call.until_moment(due, attempt.frame(body.as_mut())).await;
            if let Some(Some(flow)) = frame {
                // A body that is complete is handed over, even if it is late.
                return flow;
            }
            if frame.is_some() && call.moment() < due {
                continue;
            }
            if asked < due {
                // The provider was late, and not the reader.
                attempt.state(AttemptState::mark_call_cut);
            }
            return Err(self.time_out(due, call.facts().delivery_of_answer(), call, attempt));
        }
    }

    /// The error when the deadline has passed, with its event.
    fn time_out<W: Wire>(
        &self,
        due: Moment,
        delivery: Delivery,
        call: &Call,
        attempt: &Attempt<W>,
    ) -> Error {
        // Rounded up, because an inherited deadline is at no round distance from the start.
        let limit = rt::ceil_to_millis(Duration::from_nanos(due.0));
        let (phase, context) = (Phase::Call, attempt.context());
        self.settings.emitter.emit(Some(&context), || Event::TimedOut { phase, limit });
        Error::timeout(phase, limit, delivery).with_context(&context).with_elapsed(call.elapsed())
    }
}
