use std::fmt;

use super::around::ObservePattern;
use crate::event::Emitter;
use crate::outcome::{Classify, SharedClassifier};
use crate::pattern::{Layered, Measured, pattern_layer};

/// Tells when a call or an attempt begins and ends. See the [module](super).
#[derive(Clone)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct ObserveLayer {
    pub(super) what: Observed,
    pub(super) classifier: SharedClassifier,
    pub(super) emitter: Emitter,
}

/// A service whose calls or attempts are observed, made by a [`ObserveLayer`]. The service that it
/// wraps must be `Clone`.
pub type Observe<S> = Layered<ObservePattern, S, Measured>;

/// What is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Observed {
    Call,
    Attempt,
}

impl ObserveLayer {
    /// Observes whole calls, from their start to the end of their answers' bodies, and tells
    /// `emitter`.
    pub fn call(emitter: Emitter) -> Self {
        Self { what: Observed::Call, classifier: SharedClassifier::default(), emitter }
    }

    /// Observes single attempts, each from its start to the end of its answer's body, and tells
    /// `emitter`.
    pub fn attempt(emitter: Emitter) -> Self {
        Self { what: Observed::Attempt, ..Self::call(emitter) }
    }

    /// What results mean; [`HttpClassifier`](crate::outcome::HttpClassifier) by default.
    pub fn classifier(self, classifier: impl Classify) -> Self {
        self.shared_classifier(SharedClassifier::new(classifier))
    }

    pub(crate) fn shared_classifier(mut self, classifier: SharedClassifier) -> Self {
        self.classifier = classifier;
        self
    }
}

impl fmt::Debug for ObserveLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObserveLayer").field("what", &self.what).finish_non_exhaustive()
    }
}

pattern_layer!(ObserveLayer => ObservePattern, Measured, |settings| ObservePattern::new(settings));
