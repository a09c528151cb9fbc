use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Response};

use super::answer::Answer;
use super::around::FallbackPattern;
use super::failed::{Failed, Switched};
use super::record::FallbackRecorder;
use crate::body::Body;
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
    /// Absent where failures stay failures.
    pub(super) answer: Option<Answer>,
    when: Option<Arc<Chosen>>,
    pub(crate) limit: Duration,
    pub(super) recorder: Option<Arc<dyn FallbackRecorder>>,
    pub(super) key_header: HeaderName,
    pub(super) classifier: SharedClassifier,
    pub(super) emitter: Emitter,
    pub(super) clock: Clock,
}

/// A service that has something to fall back on, made by a [`FallbackLayer`]. The service that it
/// wraps must be `Clone`.
pub type Fallback<S> = Layered<FallbackPattern, S>;

/// Says for which failures there is a fallback.
type Chosen = dyn Fn(&Failed) -> bool + Send + Sync;

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

    /// For which failures it answers, in place of the default; where it panics, the default holds.
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
    pub fn when<F>(mut self, chosen: F) -> Self
    where
        F: Fn(&Failed) -> bool + Send + Sync + 'static,
    {
        self.when = Some(Arc::new(chosen));
        self
    }

    /// How long an async function may take, 1 s by default. One that is late has no answer: the
    /// failure stays.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Who keeps what is needed to repair the flow; nobody by default. It is called for each answer
    /// of a fallback, on the call's task, so it must not block.
    pub fn record_to(mut self, recorder: impl FallbackRecorder) -> Self {
        self.recorder = Some(Arc::new(recorder));
        self
    }

    /// In which header callers bring keys of their own: `Idempotency-Key`, or what an integration's
    /// profile says. A call that is stopped before it is sent is recorded under such a key.
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

    /// What records are dated by; the system's clock by default.
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

    /// Whether it is to answer for this failure.
    pub(super) fn answers(&self, failed: &Failed) -> bool {
        match (Switched::of(failed), &self.when) {
            (Switched::Must, _) => true,
            (Switched::MustNot, _) => false,
            (Switched::No, Some(chosen)) => callback::call("fallback condition", || chosen(failed))
                .unwrap_or_else(|| failed.is_worth_a_fallback()),
            (Switched::No, None) => failed.is_worth_a_fallback(),
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
            .field("limit", &self.limit)
            .field("is_recorded", &self.recorder.is_some())
            .finish_non_exhaustive()
    }
}

pattern_layer!(FallbackLayer => FallbackPattern, AsIs, |settings| FallbackPattern::new(settings));
