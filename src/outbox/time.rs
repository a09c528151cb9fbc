use std::fmt;
use std::time::{Duration, SystemTime};

use crate::rt::clamp_to_year_9999;

/// A point in time as stores keep it: milliseconds since 1970 in UTC.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use outrigger::outbox::Timestamp;
///
/// let at = Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_secs(2));
/// assert_eq!(at.plus(Duration::from_millis(5)), Timestamp(2_005));
/// assert_eq!(Timestamp(2_005).since(at), Duration::from_millis(5));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Later than every date that is stored.
    pub const NEVER: Self = Self(i64::MAX);

    /// This long after.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// This long before.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// The time from `earlier` to this; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(at: SystemTime) -> Self {
        match at.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => Self(millis(since)),
            Err(before) => Self(-millis(before.duration())),
        }
    }
}

/// At most the last second of the year 9999, so that it can be written as a date.
impl From<Timestamp> for SystemTime {
    fn from(at: Timestamp) -> Self {
        let span = Duration::from_millis(at.0.unsigned_abs());
        let years = span.min(LONGEST);
        clamp_to_year_9999(match at.0 < 0 {
            true => Self::UNIX_EPOCH - years,
            false => Self::UNIX_EPOCH + years,
        })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// Ten thousand years, which every platform's time has room for.
const LONGEST: Duration = Duration::from_secs(10_000 * 366 * 86_400);

/// Rounded up, so that nothing is due before its time.
fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}
