use std::fmt;
use std::time::Duration;

use crate::rt::Rng;

/// A share of a whole, exact to one millionth.
///
/// ```
/// use outrigger::Ratio;
///
/// assert_eq!(Ratio::percent(10), Ratio::per_million(100_000));
/// assert_eq!(Ratio::percent(10).to_string(), "10%");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio(u32);

impl Ratio {
    /// 0 %.
    pub const ZERO: Self = Self(0);
    /// 100 %.
    pub const ONE: Self = Self(MILLION);

    /// A share in percent. Some settings allow more than 100.
    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        Self(percent.saturating_mul(MILLION / 100))
    }

    /// A share in millionths.
    #[must_use]
    pub const fn per_million(parts: u32) -> Self {
        Self(parts)
    }

    /// The share in millionths.
    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Whether `part` of `whole` reaches this share. False if `whole` is zero.
    pub(crate) const fn is_reached_by(self, part: u64, whole: u64) -> bool {
        whole > 0 && part as u128 * MILLION as u128 >= whole as u128 * self.0 as u128
    }

    /// Draws at random, and returns true with the probability of this share.
    pub(crate) fn is_drawn(self, rng: &Rng) -> bool {
        rng.fraction() < self.fraction()
    }

    /// This share of a duration, to the nanosecond; at most `Duration::MAX`.
    pub(crate) fn of(self, whole: Duration) -> Duration {
        duration(whole.as_nanos() * u128::from(self.0) / u128::from(MILLION))
    }

    /// The duration of which `part` is this share, rounded down to the nanosecond.
    pub(crate) fn whole_of(self, part: Duration) -> Duration {
        let whole = (part.as_nanos() * u128::from(MILLION)).checked_div(u128::from(self.0));
        whole.map_or(Duration::MAX, duration)
    }

    /// The share as a fraction, for random numbers around a value.
    pub(crate) fn fraction(self) -> f64 {
        f64::from(self.0) / f64::from(MILLION)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0) / f64::from(MILLION / 100))
    }
}

/// A duration of `nanos` nanoseconds; at most `Duration::MAX`.
fn duration(nanos: u128) -> Duration {
    let seconds = u64::try_from(nanos / NANOS);
    seconds.map_or(Duration::MAX, |seconds| Duration::new(seconds, (nanos % NANOS) as u32))
}

const MILLION: u32 = 1_000_000;
const NANOS: u128 = 1_000_000_000;
