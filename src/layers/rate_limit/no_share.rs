//! Nothing gives shares without the feature `fleet`.

use std::time::{Duration, Instant};

use super::state::{Schedule, ShareNow};

/// There is none.
#[derive(Clone, Copy, Debug)]
pub(super) enum ShareBucket {}

impl Schedule {
    pub(super) fn count_sleep(&mut self, _: Instant) {}

    pub(super) fn share_ready_at(&self, _: Instant) -> Option<Instant> {
        self.share.map(|share| match share {})
    }

    pub(super) fn share_interval(&self, _: Instant) -> Option<Duration> {
        self.share.map(|share| match share {})
    }

    pub(super) fn share_now(&self, _: Instant) -> Option<ShareNow> {
        self.share.map(|share| match share {})
    }

    pub(super) fn take_share(&mut self, _: Instant) {}
}
