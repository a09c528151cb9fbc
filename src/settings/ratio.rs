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
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The whole.
    pub const ONE: Self = Self(MILLION);

    /// So many of a hundred; over a hundred is allowed where the setting allows it.
    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        Self(percent.saturating_mul(MILLION / 100))
    }

    /// So many of a million.
    #[must_use]
    pub const fn per_million(parts: u32) -> Self {
        Self(parts)
    }

    /// The share in millionths.
    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Whether `part` of `whole` reaches this share; never, of nothing.
    pub(crate) const fn is_reached_by(self, part: u64, whole: u64) -> bool {
        whole > 0 && part as u128 * MILLION as u128 >= whole as u128 * self.0 as u128
    }

    /// Whether a draw falls into this share: never into none, always into the whole.
    pub(crate) fn is_drawn(self, rng: &Rng) -> bool {
        rng.fraction() < self.fraction()
    }

    /// This share of a duration, to the nanosecond; the longest there is where it is longer.
    pub(crate) fn of(self, whole: Duration) -> Duration {
        duration(whole.as_nanos() * u128::from(self.0) / u128::from(MILLION))
    }

    /// What this share of is `part`, rounded down to the nanosecond.
    pub(crate) fn whole_of(self, part: Duration) -> Duration {
        let whole = (part.as_nanos() * u128::from(MILLION)).checked_div(u128::from(self.0));
        whole.map_or(Duration::MAX, duration)
    }

    /// The share as a fraction of one, for drawing around a value.
    pub(crate) fn fraction(self) -> f64 {
        f64::from(self.0) / f64::from(MILLION)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0) / f64::from(MILLION / 100))
    }
}

/// So many nanoseconds, as far as a duration can hold them.
fn duration(nanos: u128) -> Duration {
    let seconds = u64::try_from(nanos / NANOS);
    seconds.map_or(Duration::MAX, |seconds| Duration::new(seconds, (nanos % NANOS) as u32))
}

const MILLION: u32 = 1_000_000;
const NANOS: u128 = 1_000_000_000;
