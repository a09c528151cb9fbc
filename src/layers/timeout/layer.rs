use std::time::Duration;

use http::HeaderName;

use super::around::TimeoutPattern;
use crate::event::Emitter;
use crate::pattern::pattern_layer;
use crate::pattern::{Layered, Slot, Watched, Wiring};
use crate::settings::{ConfigError, Errors, validate};

/// Limits one attempt. See the [module](super).
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct TimeoutLayer {
    pub(crate) attempt: Option<Duration>,
    pub(crate) response_head: Option<Duration>,
    pub(crate) upload_stall: Option<Duration>,
    pub(crate) send_on: Option<HeaderName>,
    pub(crate) emitter: Emitter,
}

/// A service whose attempts end in time, made by a [`TimeoutLayer`]. The service that it wraps must
/// be `Clone`. That service gets requests with a [`RequestBody`](super::RequestBody).
pub type Timeout<S> = Layered<TimeoutPattern, S, Watched>;

impl TimeoutLayer {
    /// No limits; only the deadline of a layer further out applies.
    pub fn new() -> Self {
        Self::default()
    }

    /// The longest time from the attempt's start to the response head, upload included. The provider
    /// may have acted on an attempt that times out.
    pub fn attempt(mut self, limit: Duration) -> Self {
        self.attempt = Some(limit);
        self
    }

    /// The longest time from the end of the request's body to the response head; at most
    /// [`attempt`](Self::attempt), if both are set.
    pub fn response_head(mut self, limit: Duration) -> Self {
        self.response_head = Some(limit);
        self
    }

    /// The longest time without progress while the request's body is sent. A slow upload that makes
    /// progress is not ended.
    pub fn upload_stall(mut self, limit: Duration) -> Self {
        self.upload_stall = Some(limit);
        self
    }

    /// Tells the provider in this header how many milliseconds are left for this attempt: the
    /// sooner of the attempt's limit and the deadline. Without either, the header isn't sent.
    pub fn send_on(mut self, header: HeaderName) -> Self {
        self.send_on = Some(header);
        self
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("timeout", |errors| self.check_into(errors))
    }

    pub(crate) fn attempt_limit(&self) -> Option<Duration> {
        self.attempt
    }

    pub(crate) fn head_limit(&self) -> Option<Duration> {
        self.response_head
    }

    /// Whether a limit depends on the upload's progress.
    pub(super) fn watches_upload(&self) -> bool {
        self.response_head.is_some() || self.upload_stall.is_some()
    }
}

impl Slot for TimeoutLayer {
    fn adopt(self, wiring: &Wiring) -> Self {
        self.emitter(wiring.emitter.clone())
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        errors.refuse_zero("attempt", self.attempt);
        errors.refuse_zero("response_head", self.response_head);
        errors.refuse_zero("upload_stall", self.upload_stall);
        if let (Some(attempt), Some(head)) = (self.attempt, self.response_head)
            && head > attempt
        {
            errors.add(
                "response_head",
                format_args!("{head:?} is over the attempt's {attempt:?} and can never pass: lower it or raise the attempt"),
            );
        }
    }
}

pattern_layer!(TimeoutLayer => TimeoutPattern, Watched, |settings| TimeoutPattern::new(settings.clone()));
