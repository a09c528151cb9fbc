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
    /// Half the answers are 5xx, all take ten times as long, and less than usual can be taken.
    Brownout,
    /// Takes fifteen requests a second and answers 429 to the others.
    RateLimited,
    /// Reads the request, acts on it, and doesn't answer for as long as this lasts.
    Hanging,
    /// Reads the request, acts on it, and resets the connection.
    Resetting,
    /// Ends every connection, and does nothing.
    Down,
    /// Answers all again, but can't take as much as usual yet.
    ComingBack,
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
        Phase::at(self.elapsed())
    }
}

impl Phase {
    /// The one that a time since the beginning belongs to.
    pub(crate) fn at(elapsed: Duration) -> Self {
        let mut left = elapsed.as_secs();
        for (phase, seconds) in PHASES {
            if left < seconds {
                return phase;
            }
            left -= seconds;
        }
        Self::Recovered
    }

    /// Waits until it is over.
    pub(crate) async fn end(self, script: &Script) {
        while script.phase() == self {
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Whether it has a good answer for every call.
    pub(crate) fn is_well(self) -> bool {
        matches!(self, Self::Healthy | Self::ComingBack | Self::Recovered)
    }

    /// Requests that the provider can take in a second: five times what it is asked, usually.
    pub(crate) fn capacity(self) -> f64 {
        match self {
            Self::Brownout => 28.0,
            Self::ComingBack => 40.0,
            _ => 100.0,
        }
    }

    /// Good answers that the provider has in a second.
    pub(crate) fn good_answers(self) -> f64 {
        match self {
            Self::Healthy | Self::ComingBack | Self::Recovered => self.capacity(),
            Self::Brownout => self.capacity() * GOOD_IN_BROWNOUT,
            Self::RateLimited => f64::from(ALLOWED_A_SECOND),
            Self::Hanging | Self::Resetting | Self::Down => 0.0,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Brownout => "brownout",
            Self::RateLimited => "rate limiting",
            Self::Hanging => "hanging",
            Self::Resetting => "resetting",
            Self::Down => "down",
            Self::ComingBack => "coming back",
            Self::Recovered => "recovered",
        }
    }
}

/// When the provider is able to answer again.
pub(crate) fn recovery() -> Duration {
    let before = PHASES.iter().take_while(|(phase, _)| *phase != Phase::ComingBack);
    Duration::from_secs(before.map(|(_, seconds)| seconds).sum())
}

/// Long enough healthy for what remembers the past to have one.
pub(crate) const PHASES: [(Phase, u64); 8] = [
    (Phase::Healthy, 30),
    (Phase::Brownout, 6),
    (Phase::RateLimited, 3),
    (Phase::Hanging, 7),
    (Phase::Resetting, 2),
    (Phase::Down, 20),
    (Phase::ComingBack, 2),
    (Phase::Recovered, 7),
];

/// The length of all phases.
pub(crate) const TOTAL: Duration = Duration::from_secs(77);
/// Three quarters of what the clients would like.
pub(crate) const ALLOWED_A_SECOND: u32 = 15;
/// The share of the good answers in the brownout.
pub(crate) const GOOD_IN_BROWNOUT: f64 = 0.5;
