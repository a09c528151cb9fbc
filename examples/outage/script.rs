use std::time::Duration;

use tokio::time::{Instant, sleep};

/// What the provider goes through, and when it began to.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    start: Instant,
}

/// How the provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Answers in 20 ms.
    Healthy,
    /// Half the answers are 5xx, and all take ten times as long.
    Brownout,
    /// Takes ten requests a second and answers 429 to the others.
    RateLimited,
    /// Reads the request, acts on it, and doesn't answer for as long as this lasts.
    Hanging,
    /// Reads the request, acts on it, and resets the connection.
    Resetting,
    /// Ends every connection, and does nothing.
    Outage,
    /// Healthy again.
    Recovered,
}

impl Script {
    pub(crate) fn starting_now() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn phase(&self) -> Phase {
        let mut left = self.elapsed().as_secs();
        for (phase, seconds) in PHASES {
            if left < seconds {
                return phase;
            }
            left -= seconds;
        }
        Phase::Recovered
    }
}

impl Phase {
    /// Waits until it is over.
    pub(crate) async fn end(self, script: &Script) {
        while script.phase() == self {
            sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Brownout => "brownout",
            Self::RateLimited => "rate limiting",
            Self::Hanging => "hanging",
            Self::Resetting => "resetting",
            Self::Outage => "down",
            Self::Recovered => "recovered",
        }
    }
}

const PHASES: [(Phase, u64); 7] = [
    (Phase::Healthy, 3),
    (Phase::Brownout, 6),
    (Phase::RateLimited, 4),
    (Phase::Hanging, 4),
    (Phase::Resetting, 3),
    (Phase::Outage, 20),
    (Phase::Recovered, 14),
];

/// The length of all phases.
pub(crate) const TOTAL: Duration = Duration::from_secs(54);
