//! What a provider does, and when.

use std::time::{Duration, SystemTime};

/// What a [`Provider`](super::Provider) does: phases, one after the other, and how it works in all of
/// them. After the last phase it is well.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(super) seed: u64,
    pub(super) phases: Vec<Phase>,
    pub(super) service_time: Duration,
    pub(super) capacity: Option<u32>,
    pub(super) frames: u32,
    pub(super) honours_keys: bool,
    pub(super) cancels: bool,
    pub(super) dates: bool,
    pub(super) done_unanswered: f64,
}

/// A mode and how long it lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Phase {
    pub(crate) mode: Mode,
    pub(crate) lasts: Duration,
}

/// How a provider is for a while. A request is served by the mode in which it arrives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    /// It does what it's asked to and answers 200 after the service time.
    Ok,
    /// So many of its answers are 500, each after `slow` instead of the service time where that is
    /// set. Half of the failures come after the work was done. The others are as in [`Mode::Ok`].
    Errors {
        /// Of one.
        share: f64,
        /// How long a failure takes.
        slow: Option<Duration>,
    },
    /// It reads the request, after which the connection is reset; see
    /// [`Plan::done_unanswered`] for whether it does the work.
    Reset,
    /// It answers 503 to everything, at once, and does nothing.
    Unavailable {
        /// `Retry-After`, in whole seconds.
        retry_after: Option<Duration>,
    },
    /// It reads the request and is silent until the phase ends; then the connection is reset.
    Hang,
    /// It reads the request and is silent for ever, also when the phase is over.
    Stuck,
    /// It takes so many requests in each second of its clock, as in [`Mode::Ok`], and answers 429 to
    /// the others, at once, without doing them.
    Limited {
        /// How many a second.
        per_second: u32,
        /// `Retry-After`, in whole seconds.
        retry_after: Option<Duration>,
    },
    /// So many requests are answered 503 with `Retry-After`, at once, and not done. The others are as
    /// in [`Mode::Ok`].
    OddUnavailable {
        /// Of one.
        share: f64,
        /// In whole seconds.
        retry_after: Duration,
    },
    /// One of its endpoints answers 500 without doing anything. Which endpoint a request goes to is
    /// told by the number that its path ends with, modulo `of`; the failing one has number 0.
    Endpoint {
        /// How many endpoints there are.
        of: u64,
    },
    /// It comes back: so many requests are served as in [`Mode::Ok`], the others are answered 503 at
    /// once, without `Retry-After`, and not done.
    Warming {
        /// Of one.
        share: f64,
    },
    /// It does the work and answers 200 after the service time; then the body comes a byte at a time.
    Drip {
        /// How many bytes.
        frames: u32,
        /// The silence before each.
        gap: Duration,
    },
    /// The connection is refused: the request was truly not sent.
    Refuse,
    /// As [`Mode::Ok`], but every answer takes so long.
    Slow {
        /// In place of the service time.
        answer: Duration,
    },
}

impl Plan {
    /// A provider that is well, takes 20 ms, has no bound on its capacity, honours idempotency keys
    /// and does its work to the end though its caller goes away.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            phases: Vec::new(),
            service_time: Duration::from_millis(20),
            capacity: None,
            frames: 1,
            honours_keys: true,
            cancels: false,
            dates: false,
            done_unanswered: 0.5,
        }
    }

    /// Another phase after those that it has.
    pub(crate) fn then(mut self, mode: Mode, lasts: Duration) -> Self {
        self.phases.push(Phase { mode, lasts });
        self
    }

    /// How long the work takes from when it begins.
    pub(crate) fn service_time(mut self, time: Duration) -> Self {
        self.service_time = time;
        self
    }

    /// How many requests it can work on in a second. Those that come faster wait in a queue without
    /// an end, each for its `1 / per_second`; the service time comes on top. What it turns away at once
    /// (429, 503) costs nothing.
    pub(crate) fn capacity(mut self, per_second: u32) -> Self {
        self.capacity = Some(per_second);
        self
    }

    /// In how many frames the bodies of its answers come, all ready at once; one by default, none
    /// for empty bodies.
    pub(crate) fn frames(mut self, frames: u32) -> Self {
        self.frames = frames;
        self
    }

    /// Whether it does a request under an idempotency key that it knows no second time.
    pub(crate) fn honours_keys(mut self, honours: bool) -> Self {
        self.honours_keys = honours;
        self
    }

    /// It notices when a caller goes away, and then doesn't begin the work.
    pub(crate) fn cancels(mut self, cancels: bool) -> Self {
        self.cancels = cancels;
        self
    }

    /// It says when to come back as a date, and not in seconds: by its own clock, which begins at
    /// [`epoch`] and is in the answer's `Date` too.
    pub(crate) fn dates(mut self, dates: bool) -> Self {
        self.dates = dates;
        self
    }

    /// How many of the requests that it reads but doesn't answer are done all the same, of one; a half
    /// by default.
    pub(crate) fn done_unanswered(mut self, share: f64) -> Self {
        self.done_unanswered = share;
        self
    }

    /// Whether it honours idempotency keys.
    pub(crate) fn does_honour_keys(&self) -> bool {
        self.honours_keys
    }

    /// Other phases than those that it has.
    pub(crate) fn with_phases(self, phases: Vec<Phase>) -> Self {
        Self { phases, ..self }
    }

    /// The phases.
    pub(crate) fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// The mode after so much time, and when its phase ends; the last one doesn't.
    pub(super) fn at(&self, elapsed: Duration) -> (Mode, Option<Duration>) {
        let mut end = Duration::ZERO;
        for phase in &self.phases {
            end += phase.lasts;
            if elapsed < end {
                return (phase.mode, Some(end));
            }
        }
        (Mode::Ok, None)
    }

    /// All the phases together.
    pub(crate) fn length(&self) -> Duration {
        self.phases.iter().map(|phase| phase.lasts).sum()
    }
}

/// When a provider's wall clock begins: 30 November 2026, 00:00:00 UTC.
pub(crate) fn epoch() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_996_800)
}
