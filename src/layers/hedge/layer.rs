use std::sync::Arc;
use std::time::Duration;

use super::around::HedgePattern;
use super::handle::HedgeHandle;
use super::latency_quantile::LatencyQuantile;
use super::state::Counters;
use crate::event::Emitter;
use crate::outcome::{Classify, SharedClassifier};
use crate::pattern::pattern_layer;
use crate::pattern::{Layered, Replaying, Slot, Wiring};
use crate::replay::budget::RetryBudget;
use crate::rt;
use crate::settings::{ConfigError, Errors, Ratio, validate};

/// Sends a second request beside one that is slow. See the [module](super).
///
/// Every service that is made from one layer, or from its clones, shares what it has learned and its
/// budget. So does an integration that was built with it, but for the budget; of several, all do if a
/// handle was taken before, otherwise the first.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct HedgeLayer {
    pub(super) after: After,
    pub(super) least: Duration,
    pub(super) budget: RetryBudget,
    pub(super) counters: Arc<Counters>,
    pub(super) classifier: SharedClassifier,
    pub(super) emitter: Emitter,
}

/// A service that sends a second request if the first is slow, made by a [`HedgeLayer`]. The
/// service that it wraps must be `Clone`. That service gets requests with a
/// [`ReplayBody`](crate::body::ReplayBody).
pub type Hedge<S> = Layered<HedgePattern, S, Replaying>;

/// When the second request goes out.
#[derive(Clone, Debug)]
pub(super) enum After {
    Never,
    Fixed(Duration),
    Quantile(Ratio, Arc<LatencyQuantile>),
}

impl HedgeLayer {
    /// A second request goes out once the first has taken longer than this share of recent ones; 95 %
    /// is usual. There are none until 100 requests are known.
    pub fn quantile(quantile: Ratio) -> Self {
        let latencies = Arc::new(LatencyQuantile::new(quantile, rt::now()));
        Self { after: After::Quantile(quantile, latencies), ..Self::disabled() }
    }

    /// A second request goes out once the first has taken so long.
    pub fn after(delay: Duration) -> Self {
        Self { after: After::Fixed(delay), ..Self::disabled() }
    }

    /// No second requests: calls pass as they come.
    pub fn disabled() -> Self {
        Self {
            after: After::Never,
            least: Duration::from_millis(1),
            budget: RetryBudget::default(),
            counters: Arc::default(),
            classifier: SharedClassifier::default(),
            emitter: Emitter::new(),
        }
    }

    /// The shortest delay that can be learned, 1 ms by default, so that a very fast provider doesn't
    /// get every request twice.
    pub fn at_least(mut self, delay: Duration) -> Self {
        self.least = delay;
        self
    }

    /// The share of calls that may have a second request.
    ///
    /// Inside a [`retry`](crate::retry) layer, give it that layer's budget: calls are counted there,
    /// and another budget would have its floor only.
    ///
    /// ```
    /// use outrigger::Ratio;
    /// use outrigger::hedge::HedgeLayer;
    /// use outrigger::retry::{RetryBudget, RetryLayer};
    ///
    /// // A retry and a second request cost the same, and both are paid from here.
    /// let budget = RetryBudget::new(Ratio::percent(20), 10);
    /// let retry = RetryLayer::new().budget(budget.clone());
    /// let hedge = HedgeLayer::quantile(Ratio::percent(95)).budget(budget);
    /// hedge.check()?;
    /// retry.check()?;
    /// # Ok::<(), outrigger::ConfigError>(())
    /// ```
    pub fn budget(mut self, budget: RetryBudget) -> Self {
        self.budget = budget;
        self
    }

    /// What results mean.
    pub fn classifier(mut self, classifier: impl Classify) -> Self {
        self.classifier = SharedClassifier::new(classifier);
        self
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// A handle that reads the delay and the counts.
    #[must_use]
    pub fn handle(&self) -> HedgeHandle {
        self.counters.ownership.share();
        HedgeHandle::new(self.clone())
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("hedge", |errors| self.check_into(errors))
    }

    /// The fixed delay, where there is one.
    pub(crate) fn fixed(&self) -> Option<Duration> {
        match &self.after {
            After::Fixed(delay) => Some(*delay),
            _ => None,
        }
    }

    /// The quantile, where there is one.
    pub(crate) fn quantile_set(&self) -> Option<Ratio> {
        match &self.after {
            After::Quantile(quantile, _) => Some(*quantile),
            _ => None,
        }
    }

    /// The same layer with another delay.
    pub(crate) fn set_to(mut self, after: Option<Duration>, quantile: Option<Ratio>) -> Self {
        self.after = match (after, quantile) {
            (Some(delay), _) => After::Fixed(delay),
            (None, Some(quantile)) => Self::quantile(quantile).after,
            (None, None) => After::Never,
        };
        self
    }

    pub(crate) fn least(&self) -> Duration {
        self.least
    }

    /// Whether there may be second requests at all.
    pub(crate) fn is_enabled(&self) -> bool {
        !matches!(self.after, After::Never)
    }

    /// The present delay before a second request.
    pub(super) fn delay(&self) -> Option<Duration> {
        match &self.after {
            After::Never => None,
            After::Fixed(delay) => Some(*delay),
            After::Quantile(_, latencies) => latencies.delay().map(|delay| delay.max(self.least)),
        }
    }
}

impl Slot for HedgeLayer {
    /// It keeps the latencies and counts, unless another integration has them.
    fn adopt(mut self, wiring: &Wiring) -> Self {
        if !self.counters.ownership.adopt() {
            self.counters = Arc::default();
            if let After::Quantile(quantile, _) = self.after {
                self.after =
                    After::Quantile(quantile, Arc::new(LatencyQuantile::new(quantile, rt::now())));
            }
        }
        let Wiring { emitter, classifier } = wiring.clone();
        Self { emitter, classifier, ..self }
    }

    /// These settings, with the counts, and the latencies if the quantile is the same.
    fn inherit(mut self, running: &Self) -> Self {
        if let (After::Quantile(new, latencies), After::Quantile(old, known)) =
            (&mut self.after, &running.after)
            && new == old
        {
            latencies.clone_from(known);
        }
        self.counters = Arc::clone(&running.counters);
        self
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        match &self.after {
            After::Never => {}
            After::Fixed(delay) => errors.refuse_zero("after", Some(*delay)),
            After::Quantile(quantile, _) if *quantile == Ratio::ZERO => {
                errors.add("quantile", "0% would double every call: use 95%, or more than 50%");
            }
            After::Quantile(quantile, _) if *quantile >= Ratio::ONE => errors.add(
                "quantile",
                format_args!("no request takes longer than {quantile} of them: use 95%"),
            ),
            After::Quantile(..) => {}
        }
    }
}

pattern_layer!(HedgeLayer => HedgePattern, Replaying, |settings| HedgePattern::new(Arc::new(settings.clone())));
