use crate::settings::{Errors, Ratio};

/// How a limit finds out by itself how many calls a provider can take.
///
/// See the [module](crate::bulkhead#a-limit-that-finds-itself) for how each way works and what it
/// can't do.
///
/// ```
/// use outrigger::bulkhead::{Adaptive, BulkheadLayer};
///
/// let bulkhead = BulkheadLayer::new(16).adaptive(Adaptive::aimd().min(4).max(64));
/// bulkhead.check()?;
/// # Ok::<(), outrigger::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it moves nothing until a bulkhead is given it"]
pub struct Adaptive {
    pub(crate) way: Way,
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) decrease: Ratio,
}

/// Which machine moves the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Aimd,
    Gradient,
}

impl Adaptive {
    /// By what the provider says: one place more after a good round, a tenth less on an overload.
    pub fn aimd() -> Self {
        Self::by(Way::Aimd)
    }

    /// By how long it takes: fewer places while answers take longer than they used to.
    pub fn gradient() -> Self {
        Self::by(Way::Gradient)
    }

    /// The fewest places; 1 by default, since to stop altogether is a circuit breaker's work.
    pub fn min(mut self, places: u32) -> Self {
        self.min = places;
        self
    }

    /// The most places that it grows to; 200 by default.
    pub fn max(mut self, places: u32) -> Self {
        self.max = places;
        self
    }

    /// What the limit is multiplied by on an overload; 90 % by default.
    pub fn decrease(mut self, factor: Ratio) -> Self {
        self.decrease = factor;
        self
    }

    /// The limit that the provider's overload leaves of this one.
    pub(super) fn lowered(&self, limit: u32) -> u32 {
        let left = (f64::from(limit) * self.decrease.fraction()) as u32;
        // A tenth of less than ten is no place: one goes all the same.
        left.min(limit.saturating_sub(1)).max(self.min)
    }

    pub(crate) fn check_into(&self, concurrency: u32, field: &str, errors: &mut Errors<'_>) {
        let Self { min, max, decrease, .. } = *self;
        let mut add = |setting: &str, problem: String| {
            errors.add(&format!("{field}.{setting}"), problem);
        };
        if min == 0 {
            add("min", "zero places let nothing through: allow at least one".into());
        }
        if min > max {
            add("max", format!("{max} is under the fewest, {min}: raise it or lower the fewest"));
        } else if concurrency > 0 && !(min..=max).contains(&concurrency) {
            let problem = format!(
                "it begins with {concurrency}, which is not in {min} to {max}: widen that or begin within it"
            );
            add(if concurrency < min { "min" } else { "max" }, problem);
        }
        if decrease == Ratio::ZERO || decrease >= Ratio::ONE {
            add(
                "decrease",
                format!(
                    "{decrease} of the limit is no decrease to work with: give it a share between none and all"
                ),
            );
        }
    }

    fn by(way: Way) -> Self {
        Self { way, min: 1, max: DEFAULT_MAX, decrease: DEFAULT_DECREASE }
    }
}

/// What Netflix's concurrency-limits allows at the most; more than most accounts are given.
const DEFAULT_MAX: u32 = 200;
/// Enough to follow a provider down in a few rounds, little enough to stay near what it can take.
const DEFAULT_DECREASE: Ratio = Ratio::percent(90);
