use std::time::{Duration, Instant, SystemTime};

/// The wall clock and the monotonic clock.
///
/// The monotonic clock is tokio's, which a test can pause. The wall clock is the system's unless it
/// was [anchored](Clock::anchored): then it moves with the monotonic clock, so that a test that
/// advances one advances both.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    wall: Wall,
}

/// Where the wall clock's time comes from.
#[derive(Clone, Copy, Debug, Default)]
enum Wall {
    #[default]
    System,
    Anchored(Instant, SystemTime),
    /// A test moves it.
    #[cfg(feature = "test-util")]
    Held(&'static std::sync::Mutex<SystemTime>),
}

impl Clock {
    /// The machine's own clock.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock whose wall time is `at` now, and moves with tokio's clock.
    #[must_use]
    pub fn anchored(at: SystemTime) -> Self {
        Self { wall: Wall::Anchored(now(), at) }
    }

    #[cfg(feature = "test-util")]
    pub(crate) fn held(time: &'static std::sync::Mutex<SystemTime>) -> Self {
        Self { wall: Wall::Held(time) }
    }

    /// The wall clock's time, to compare with dates that a provider sends.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
    pub fn wall(&self) -> SystemTime {
        match self.wall {
            Wall::System => SystemTime::now(),
            Wall::Anchored(since, at) => at + now().saturating_duration_since(since),
            #[cfg(feature = "test-util")]
            Wall::Held(time) => *super::Lock::locked(time),
        }
    }
}

/// The monotonic clock's time.
#[expect(clippy::disallowed_methods, reason = "the one place where the monotonic clock is read")]
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// `from + delay`; about a century later if the delay is too long to add.
pub(crate) fn after(from: Instant, delay: Duration) -> Instant {
    from.checked_add(delay).unwrap_or(from + CENTURY)
}

/// A duration for people to read: rounded up to the millisecond.
pub(crate) fn ceil_to_millis(wait: Duration) -> Duration {
    Duration::from_millis(u64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX))
}

/// Far enough to mean "never", near enough for every platform's clock.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
