use std::sync::Arc;
use std::time::Duration;

use super::around::HedgePattern;
use super::delay::Learned;
use super::handle::HedgeHandle;
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

/// A service whose slow requests get a second one beside them, made by a [`HedgeLayer`]. The
/// service that it wraps must be `Clone`. That service gets requests with a
/// [`ReplayBody`](crate::body::ReplayBody).
pub type Hedge<S> = Layered<HedgePattern, S, Replaying>;

/// When the second request goes out.
#[derive(Clone, Debug)]
pub(super) enum After {
    Never,
    Fixed(Duration),
    Quantile(Ratio, Arc<Learned>),
}

impl HedgeLayer {
    /// A second request goes out once the first has taken longer than this share of them lately; 95
    /// % is usual. Nothing is doubled until 100 requests are known.
    pub fn quantile(quantile: Ratio) -> Self {
        let learned = Arc::new(Learned::new(quantile, rt::now()));
        Self { after: After::Quantile(quantile, learned), ..Self::disabled() }
    }

    /// A second request goes out once the first has taken so long, whatever is usual.
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

    /// The shortest delay that can be learned, 1 ms by default: a provider that answers at once
    /// isn't sent everything twice.
    pub fn at_least(mut self, delay: Duration) -> Self {
        self.least = delay;
        self
    }

    /// How much of the calls may have a second request.
    ///
    /// Inside a [`retry`](crate::retry) layer, give it that layer's budget: calls pay into it there,
    /// and a budget of one's own would have its floor and nothing more.
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

    /// The same, at another time.
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

    /// How long the first request has, as things stand.
    pub(super) fn delay(&self) -> Option<Duration> {
        match &self.after {
            After::Never => None,
            After::Fixed(delay) => Some(*delay),
            After::Quantile(_, learned) => learned.delay().map(|delay| delay.max(self.least)),
        }
    }
}

impl Slot for HedgeLayer {
    /// It has what was learned and counted here, unless that is another integration's.
    fn adopt(mut self, wiring: &Wiring) -> Self {
        if !self.counters.ownership.adopt() {
            self.counters = Arc::default();
            if let After::Quantile(quantile, _) = self.after {
                self.after = After::Quantile(quantile, Arc::new(Learned::new(quantile, rt::now())));
            }
        }
        let Wiring { emitter, classifier } = wiring.clone();
        Self { emitter, classifier, ..self }
    }

    /// These settings, with what was counted, and what was learned of the same quantile.
    fn inherit(mut self, running: &Self) -> Self {
        if let (After::Quantile(new, learned), After::Quantile(old, known)) =
            (&mut self.after, &running.after)
            && new == old
        {
            learned.clone_from(known);
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
