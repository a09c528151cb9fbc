use std::sync::Arc;
use std::time::{Duration, Instant};

use super::limiter::Limiter;
use super::queue::Waiter;
use crate::rt;

/// Sees to it that nobody holds up the queue who isn't there when it is their turn.
///
/// A call may be kept without being polled: beside a branch of a `select!` that runs, in a task that
/// waits for something else. Nobody in the queue need be polled for others to see that, so this is a
/// task of its own, for as long as there is a queue. Whoever has its turn and hasn't been polled for
/// a while after being called goes out of the queue, and back to its place as soon as it is polled.
/// Then the next are called, twice as many each time, and all of them who aren't there either go with
/// the first who isn't: those between them are held up once, and not once for each.
///
/// Places further in that are shared may become more by others' calls, which know nothing of this
/// queue: whoever is called learns of that, too.
#[derive(Debug)]
pub(super) struct RollCall {
    limiter: Arc<Limiter>,
    /// The first of the queue, in their order, who were called the last time.
    called: Vec<Arc<Waiter>>,
    many: usize,
    is_over: bool,
}

impl RollCall {
    /// Begins with those who wait now.
    pub(super) fn begin(limiter: &Arc<Limiter>) {
        let limiter = Arc::clone(limiter);
        let mut call = Self { limiter, called: Vec::new(), many: 1, is_over: false };
        // Outside of a runtime nobody has a timer, and so nobody waits.
        rt::spawn(async move {
            while let Some(next) = call.look() {
                rt::sleep_until(next).await;
            }
        });
    }

    /// Who isn't there, and who is called next; when to look again, if there is a queue.
    fn look(&mut self) -> Option<Instant> {
        let now = rt::now();
        let mut state = self.limiter.state();
        let free_at = state.first_may_go_at(now);
        let is_open = free_at.is_some_and(|at| at <= now);
        let mut missing = std::mem::take(&mut self.called);
        missing.retain(|waiter| waiter.is_called() && !waiter.has_left());
        if !is_open || !missing.first().is_some_and(|first| state.is_first(first)) {
            missing.clear();
        }
        state.pass_over(&missing);
        if !missing.is_empty() {
            self.many = (self.many * 2).min(MOST);
        }
        if is_open {
            self.called = state.call(self.many);
        }
        self.is_over = !state.needs_watch();
        state.is_watched = !self.is_over;
        drop(state);
        // Those who were passed over, too: what happened while they were, they weren't told.
        missing.iter().chain(&self.called).for_each(|waiter| waiter.wake());
        let soon = rt::after(now, A_WHILE);
        let next = match free_at {
            _ if is_open => soon,
            // Whoever makes room tells the first, and not us; or it comes of others' calls, and nobody
            // tells.
            None => rt::after(now, A_WHILE / 4),
            Some(at) => at.clamp(rt::after(now, A_WHILE / 4), soon),
        };
        (!self.is_over).then_some(next)
    }
}

impl Drop for RollCall {
    fn drop(&mut self) {
        if !self.is_over {
            // The runtime that it ran on ends, and with it those who wait there, but maybe no others.
            self.limiter.state().is_watched = false;
        }
    }
}

/// How many are called at once: a second's work is not to wake them.
const MOST: usize = 1_024;
/// How long after its turn came somebody may be polled at the latest, about: longer than a busy
/// runtime takes to poll whom it has woken, and short for those behind.
const A_WHILE: Duration = Duration::from_secs(1);
