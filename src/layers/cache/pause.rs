use std::time::{Duration, Instant};

/// A pause after something came to nothing, longer each time in a row.
#[derive(Debug, Default)]
pub(super) struct Pause {
    in_row: u32,
    /// When it last came to nothing.
    last: Option<Instant>,
    until: Option<Instant>,
}

impl Pause {
    pub(super) fn lasts(&self, now: Instant) -> bool {
        is_before(now, self.until)
    }

    /// Whether something came to nothing, and nothing has come of it since.
    pub(super) fn is_known(&self) -> bool {
        self.in_row > 0
    }

    /// Whether that was so recently that somebody may still care.
    pub(super) fn is_recent(&self, now: Instant) -> bool {
        is_before(now, self.until.map(|until| until + RECENT))
    }

    /// What began at `began` came to nothing: a pause of up to 1 s, which doubles each time in a row up to
    /// 30 s. `share` of it is drawn, from 0 to 1. What ran beside the last one says no more than that.
    pub(super) fn lengthen(&mut self, began: Instant, now: Instant, share: f64) {
        let is_beside = self.last.is_some_and(|last| began <= last);
        if is_beside && self.lasts(now) {
            return;
        }
        if !is_beside {
            self.in_row = self.in_row.saturating_add(1);
        }
        let doubled = self.in_row.saturating_sub(1).min(5);
        let longest = FIRST_QUIET.saturating_mul(1 << doubled).min(LONGEST_QUIET);
        self.last = Some(now);
        self.until = Some(now + longest.mul_f64(share.clamp(0.0, 1.0)).max(LEAST_QUIET));
    }
}

pub(super) fn is_before(now: Instant, end: Option<Instant>) -> bool {
    end.is_some_and(|end| now < end)
}

/// A provider that is down is asked about once a second at first, and about every 15 s later.
pub(super) const FIRST_QUIET: Duration = Duration::from_secs(1);
const LONGEST_QUIET: Duration = Duration::from_secs(30);
/// Full jitter may draw nothing, and then a failed fetch would be repeated at once.
const LEAST_QUIET: Duration = Duration::from_millis(100);
/// Much longer than a pause: what isn't asked for again for so long is of no interest.
const RECENT: Duration = Duration::from_secs(600);
