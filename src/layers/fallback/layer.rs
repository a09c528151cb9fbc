use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Response};

use super::answer::Answer;
use super::around::FallbackPattern;
use super::failed::{Failed, SwitchRule};
use super::record::FallbackRecorder;
use crate::body::Body;
use crate::control::FallbackHealth;
use crate::event::Emitter;
use crate::outcome::{Classify, SharedClassifier};
use crate::pattern::{AsIs, pattern_layer};
use crate::pattern::{Layered, Slot, Wiring};
use crate::replay::KEY_HEADER;
use crate::rt::{Clock, callback};
use crate::settings::{ConfigError, Errors, validate};

/// Answers in the provider's place. See the [module](super).
#[derive(Clone)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct FallbackLayer {
    /// Absent if there is no fallback.
    pub(super) answer: Option<Answer>,
    when: Option<Arc<Condition>>,
    label: Option<Arc<str>>,
    pub(crate) limit: Duration,
    pub(super) recorder: Option<Arc<dyn FallbackRecorder>>,
    pub(super) key_header: HeaderName,
    pub(super) classifier: SharedClassifier,
    pub(super) emitter: Emitter,
    pub(super) clock: Clock,
}

/// A service with a fallback, made by a [`FallbackLayer`]. The service that it wraps must be `Clone`.
pub type Fallback<S> = Layered<FallbackPattern, S>;

/// Decides for which failures there is a fallback.
type Condition = dyn Fn(&Failed) -> bool + Send + Sync;

impl FallbackLayer {
    /// Always this answer, for every failure that [`when`](Self::when) chooses. Its body is shared,
    /// not copied.
    pub fn value<B: Into<Bytes>>(answer: Response<B>) -> Self {
        Self::of(Answer::Value(Arc::new(answer.map(Into::into))))
    }

    /// What a function answers; `None` leaves the failure as it is, and so does a panic.
    pub fn function<F>(function: F) -> Self
    where
        F: Fn(&Failed) -> Option<Response<Body>> + Send + Sync + 'static,
    {
        Self::of(Answer::Function(Arc::new(function)))
    }

    /// What an async function answers within the [limit](Self::limit); `None` leaves the failure as
    /// it is, and so does a panic, of the function or of its future.
    pub fn async_function<F, R>(function: F) -> Self
    where
        F: Fn(Failed) -> R + Send + Sync + 'static,
        R: Future<Output = Option<Response<Body>>> + Send + 'static,
    {
        Self::of(Answer::later(function))
    }

    /// No fallback: failures stay failures, and the layer does nothing.
    pub fn disabled() -> Self {
        Self {
            answer: None,
            when: None,
            label: None,
            limit: Duration::from_secs(1),
            recorder: None,
            key_header: KEY_HEADER,
            classifier: SharedClassifier::default(),
            emitter: Emitter::new(),
            clock: Clock::system(),
        }
    }

    fn of(answer: Answer) -> Self {
        Self { answer: Some(answer), ..Self::disabled() }
    }

    /// For which failures it answers, instead of the default. If it panics, the default applies.
    ///
    /// ```
    /// use http::Response;
    /// use outrigger::{Delivery, fallback::FallbackLayer};
    ///
    /// // An empty list, but only where the request never left.
    /// let fallback = FallbackLayer::value(Response::new("[]"))
    ///     .when(|failed| failed.delivery == Delivery::NotSent);
    /// fallback.check()?;
    /// # Ok::<(), outrigger::ConfigError>(())
    /// ```
    pub fn when<F>(mut self, condition: F) -> Self
    where
        F: Fn(&Failed) -> bool + Send + Sync + 'static,
    {
        self.when = Some(Arc::new(condition));
        self
    }

    /// What users get then, in the words of those who run the service: `pay later`. Health and the console show
    /// it.
    pub fn label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// How long an async function may take, 1 s by default. If it takes longer, the failure is
    /// returned.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Records what is needed to repair the flow; none by default. It is called for each answer of a
    /// fallback, on the call's task, so it must not block.
    pub fn record_to(mut self, recorder: impl FallbackRecorder) -> Self {
        self.recorder = Some(Arc::new(recorder));
        self
    }

    /// The header in which callers bring keys of their own: `Idempotency-Key`, or that of an
    /// integration's profile. The record of a call that was stopped before it was sent has this key.
    pub fn key_header(mut self, header: HeaderName) -> Self {
        self.key_header = header;
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

    /// The clock for the dates of records; the system's by default.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("fallback", |errors| self.check_into(errors))
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.answer.is_some()
    }

    /// `None` if it has no answer.
    pub(crate) fn health(&self) -> Option<FallbackHealth> {
        let label = self.label.as_ref().map(ToString::to_string);
        self.answer.is_some().then_some(FallbackHealth { label })
    }

    /// Whether it is to answer for this failure.
    pub(super) fn answers(&self, failed: &Failed) -> bool {
        match (SwitchRule::of(failed), &self.when) {
            (SwitchRule::MustAnswer, _) => true,
            (SwitchRule::MustNot, _) => false,
            (SwitchRule::No, Some(condition)) => {
                callback::call("fallback condition", || condition(failed))
                    .unwrap_or_else(|| failed.is_worth_a_fallback())
            }
            (SwitchRule::No, None) => failed.is_worth_a_fallback(),
        }
    }
}

impl Slot for FallbackLayer {
    fn adopt(self, wiring: &Wiring) -> Self {
        let Wiring { emitter, classifier } = wiring.clone();
        Self { emitter, classifier, ..self }
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        errors.refuse_zero("limit", Some(self.limit));
    }
}

impl fmt::Debug for FallbackLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackLayer")
            .field("answer", &self.answer)
            .field("label", &self.label)
            .field("limit", &self.limit)
            .field("is_recorded", &self.recorder.is_some())
            .finish_non_exhaustive()
    }
}

pattern_layer!(FallbackLayer => FallbackPattern, AsIs, |settings| FallbackPattern::new(settings));
