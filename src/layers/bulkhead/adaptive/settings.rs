use crate::settings::{Errors, Ratio};

/// How a limit adapts to the number of calls that a provider can handle.
///
/// See the [module](crate::bulkhead#an-adaptive-limit) for how each algorithm works, and its limits.
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
    pub(crate) algorithm: Algorithm,
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) decrease: Ratio,
}

/// The algorithm that moves the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Aimd,
    Gradient,
}

impl Adaptive {
    /// By the provider's refusals and timeouts: one permit more after a round of answers, a tenth less on
    /// an overload.
    pub fn aimd() -> Self {
        Self::by(Algorithm::Aimd)
    }

    /// By latency: fewer permits while answers take longer than before.
    pub fn gradient() -> Self {
        Self::by(Algorithm::Gradient)
    }

    /// The fewest permits; 1 by default, because stopping all calls is a circuit breaker's task.
    pub fn min(mut self, permits: u32) -> Self {
        self.min = permits;
        self
    }

    /// The most permits; 200 by default.
    pub fn max(mut self, permits: u32) -> Self {
        self.max = permits;
        self
    }

    /// What the limit is multiplied by on an overload; 90 % by default.
    pub fn decrease(mut self, factor: Ratio) -> Self {
        self.decrease = factor;
        self
    }

    /// The limit after an overload.
    pub(super) fn lowered(&self, limit: u32) -> u32 {
        let left = (f64::from(limit) * self.decrease.fraction()) as u32;
        // At least by one, even if a tenth of the limit is less.
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

    fn by(algorithm: Algorithm) -> Self {
        Self { algorithm, min: 1, max: DEFAULT_MAX, decrease: DEFAULT_DECREASE }
    }
}

/// The default of Netflix's concurrency-limits; more than most accounts allow.
const DEFAULT_MAX: u32 = 200;
/// Lowers the limit in a few rounds if it must, and stays near what the provider can handle.
const DEFAULT_DECREASE: Ratio = Ratio::percent(90);
