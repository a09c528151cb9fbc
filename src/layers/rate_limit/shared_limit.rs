use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::config::Quota;
use super::limiter::Limiter;
use super::share::RateShare;
use super::state::Schedule;

/// A rate limit whose rate several processes share, as a fleet sees it.
#[derive(Clone, Debug)]
pub(crate) struct SharedLimit(Arc<Limiter>);

/// What calls asked for since the limit was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestCounts {
    /// Those that went out, and those that were refused.
    pub(crate) done: u64,
    /// Those that wait for their turn.
    pub(crate) waiting: u32,
    /// For how long none may go yet, because the provider or somebody asked for a pause.
    pub(crate) paused_for: Duration,
}

impl SharedLimit {
    pub(super) fn new(limiter: &Arc<Limiter>) -> Self {
        Self(Arc::clone(limiter))
    }

    /// The account whose rate it shares, and that rate: `None` if it shares none.
    pub(crate) fn account(&self) -> Option<(Arc<str>, Quota)> {
        let set = |schedule: &Schedule| {
            let config = schedule.config();
            config.account.clone().zip(config.quota)
        };
        self.0.read(|schedule, _| set(schedule))
    }

    /// Keeps to this share from now on; without one, to what was set alone.
    pub(crate) fn set(&self, share: Option<RateShare>) {
        self.0.change(|schedule, now| schedule.set_share(share, now));
    }

    /// Who is told that a call has to wait, or is refused, because of the share.
    pub(crate) fn tell_shortage(&self, told: &Arc<Notify>) {
        self.0.state().shortage = Some(Arc::clone(told));
    }

    /// Whether it has a share.
    pub(crate) fn is_shared(&self) -> bool {
        self.0.read(|schedule, _| schedule.share.is_some())
    }

    pub(crate) fn counts(&self) -> RequestCounts {
        let (waiting, refused) = (self.0.waiting(), self.0.rejected());
        let paused_for = self.0.read(Schedule::paused_for).unwrap_or_default();
        RequestCounts { done: self.0.sent().saturating_add(refused), waiting, paused_for }
    }
}

/// Equal if it is one limit.
impl PartialEq for SharedLimit {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SharedLimit {}
