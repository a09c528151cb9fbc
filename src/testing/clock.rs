use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use crate::rt::{Clock, Lock};

/// A wall clock that a test moves by hand, whether tokio's time is paused or not.
///
/// It moves dates, in every layer and subscriber that is given its [`clock`](Self::clock): what a
/// date in `Retry-After` or of a rate limit's reset is measured against where the answer has no
/// `Date`; when a kill switch was moved; the dates of fallbacks' records and of the audit.
///
/// It moves no limit and no wait. These are timers of tokio's: only paused time moves them, also
/// [by hand beside real sockets](crate::testing#time).
///
/// Clones are the same clock. Each clock takes some bytes until the process ends.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use outrigger::event::SwitchMode;
/// use outrigger::{Integration, testing::{Answer, ManualClock, Script}};
///
/// # fn main() -> Result<(), outrigger::ConfigError> {
/// let (noon, hour) = (SystemTime::UNIX_EPOCH, Duration::from_secs(3600));
/// let clock = ManualClock::at(noon);
/// let crm = Integration::user_flow("crm")
///     .kill_switch(|switch| switch.clock(clock.clock()))
///     .service(Script::new([Answer::status(200)]))
///     .build()?;
///
/// clock.advance(hour);
/// crm.kill_switch().set(SwitchMode::Off, "ada", "they move their data centre");
/// assert_eq!(crm.kill_switch().position().since(), noon + hour);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ManualClock(&'static Mutex<SystemTime>);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: SystemTime) -> Self {
        // A `Clock` is copied freely and belongs to nobody.
        Self(Box::leak(Box::new(Mutex::new(now))))
    }

    /// The clock to give to a layer.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock::held(self.0)
    }

    /// Its time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        *self.0.locked()
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        *self.0.locked() += by;
    }

    /// Sets it, back as well, as a machine's clock is.
    pub fn set(&self, now: SystemTime) {
        *self.0.locked() = now;
    }
}
