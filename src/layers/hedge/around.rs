use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use super::layer::{After, HedgeLayer};
use super::plan::{HedgePlan, delivery_of};
use crate::context::AttemptState;
use crate::pattern::{Attempt, Call, Either, Flow, Held, Next, Pattern, Wire, either};
use crate::rt;
use crate::terms::Delivery;

/// Sends a second request beside one that is slow, as code around a call: what a
/// [`HedgeLayer`](super::HedgeLayer) makes of its settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct HedgePattern {
    pub(super) settings: Arc<HedgeLayer>,
}

impl HedgePattern {
    pub(super) fn new(settings: Arc<HedgeLayer>) -> Self {
        Self { settings }
    }
}

impl Pattern for HedgePattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        if let After::Never = self.settings.after {
            return next.run(call, attempt).await;
        }
        let plan = HedgePlan::of(&self.settings, call, attempt);
        if plan.delay.is_some() {
            attempt.save(BODY_CAP);
        }
        let mut first = pin!(Some(next.run(call, attempt)));
        if let Some(held) = until_slow(call, attempt, plan.delay, running(&mut first)).await {
            plan.judge(&held);
            return held.hand_up().await;
        }
        let Some((hedged, permit)) = plan.begin_hedge() else {
            let held = attempt.head(running(&mut first)).await;
            plan.judge(&held);
            return held.hand_up().await;
        };
        let mut second = plan.hedged_attempt(&hedged, permit);
        // Boxed, because few calls have one, and its size would be part of every call.
        let mut hedged_run = Box::pin(next.run(call, &hedged));
        let heads = {
            let one = pin!(attempt.head(running(&mut first)));
            let two = pin!(hedged.head(hedged_run.as_mut()));
            either(one, two).await
        };
        match heads {
            Either::First(held) if plan.judge(&held) => {
                let lost = second.supersede();
                drop(hedged_run);
                drop(second);
                plan.finish(false);
                plan.annotate(&held, lost);
                held.hand_up().await
            }
            Either::First(held) => {
                // A failed answer is kept: the second request may bring a better one.
                let better = hedged.head(hedged_run.as_mut()).await;
                match second.end(&better) {
                    Ok(()) => {
                        let failed = delivery_of(&held);
                        plan.win(Some(failed));
                        drop(held);
                        first.set(None);
                        plan.annotate(&better, failed);
                        attempt.follow(&hedged, better).await
                    }
                    Err(delivery) => {
                        drop(better);
                        drop(hedged_run);
                        drop(second);
                        plan.return_first(held, delivery).await
                    }
                }
            }
            Either::Second(better) => match second.end(&better) {
                Ok(()) => {
                    plan.win(None);
                    first.set(None);
                    plan.annotate(&better, Delivery::Unknown);
                    attempt.follow(&hedged, better).await
                }
                Err(delivery) => {
                    drop(better);
                    drop(hedged_run);
                    drop(second);
                    // The first request may still succeed.
                    let held = attempt.head(running(&mut first)).await;
                    plan.judge(&held);
                    plan.return_first(held, delivery).await
                }
            },
        }
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}

/// The first request's head, or `None` once it is slow: after `delay` from when it was sent.
async fn until_slow<'a, W: Wire, F: Future<Output = Flow>>(
    call: &Call,
    attempt: &'a Attempt<W>,
    delay: Option<Duration>,
    running: Pin<&'a mut F>,
) -> Option<Held<'a, W, F>> {
    let Some(delay) = delay else { return Some(attempt.head(running).await) };
    let mut head = pin!(attempt.head(running));
    loop {
        let due = rt::after(attempt.state(AttemptState::attempt_began), delay);
        if let Some(held) = call.until(due, head.as_mut()).await {
            return Some(held);
        }
        let now = call.now();
        let is_waiting = attempt.state(|state| {
            let is_waiting = state.is_waiting();
            if is_waiting {
                // It is still queued: its time hasn't begun.
                state.set_attempt_began(now);
            }
            is_waiting
        });
        let began = attempt.state(AttemptState::attempt_began);
        if !is_waiting && now >= rt::after(began, delay) {
            return None;
        }
    }
}

fn running<'a, F>(first: &'a mut Pin<&mut Option<F>>) -> Pin<&'a mut F> {
    first.as_mut().as_pin_mut().expect("the first goes on until the second has won")
}

/// How much of a request's body is kept for a second request, in bytes.
const BODY_CAP: usize = 1 << 20;
