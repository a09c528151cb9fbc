use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::response::Parts;
use http::{Response, StatusCode};
use tokio::sync::watch;

use super::config::CacheConfig;
use super::shared::Shared;
use crate::context::Stop;
use crate::event::Emitter;
use crate::freshness::Failure;
use crate::outcome::{
    Error, ErrorKind, FailedCheck, FollowedRedirect, SharedClassifier, class_of_error,
    class_of_head,
};
use crate::terms::{Class, Rejection, SwitchMode};

/// What a pattern is made of.
pub(super) struct Settings {
    pub(super) shared: Arc<Shared>,
    pub(super) config: CacheConfig,
    pub(super) classifier: SharedClassifier,
    pub(super) emitter: Emitter,
    /// How long a background refresh may take.
    pub(super) fetch_limit: Duration,
    /// How long a call may take, if that is limited: what waits further in is told so.
    pub(super) call_limit: Option<Duration>,
    /// What stands further in decides whose answer a call gets: without a named partition, it goes past.
    pub(super) needs_partition: bool,
    /// The integration's kill switch, which stands further in.
    pub(super) switch: Option<Arc<dyn Stop>>,
}

/// Background refreshes end when all of these are gone.
#[derive(Clone, Debug)]
pub(super) struct Alive(Arc<watch::Sender<()>>);

/// Ready once all of them are.
pub(super) struct Ended(watch::Receiver<()>);

// === impl Settings ===

impl Settings {
    /// Whether a person wants the fallback's answers, and none of the provider's, however old.
    pub(super) fn is_switched_to_fallback(&self) -> bool {
        self.switch.as_ref().is_some_and(|switch| switch.mode() == SwitchMode::FallbackOnly)
    }

    /// Whether an answer is a failure, for which a stored one may stand in.
    pub(super) fn failure_of<B>(&self, answer: &Response<B>) -> Option<Failure> {
        let (status, extensions) = (answer.status(), answer.extensions());
        let class = class_of_head(&self.classifier, status, answer.headers(), extensions);
        self.failure_of_class(status, class)
    }

    /// The class of an answer by its head.
    pub(super) fn class_of(&self, head: &Parts) -> Class {
        class_of_head(&self.classifier, head.status, &head.headers, &head.extensions)
    }

    /// Whether an answer of this class is a failure.
    pub(super) fn failure_of_class(&self, status: StatusCode, class: Class) -> Option<Failure> {
        let by_header = matches!(
            status,
            StatusCode::INTERNAL_SERVER_ERROR
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        );
        let by_setting = self.config.is_stale_when(class);
        (by_header || by_setting).then_some(Failure { by_header, by_setting })
    }

    /// For which windows an error is a failure.
    pub(super) fn failure_of_error(&self, error: &Error) -> Failure {
        match error.kind() {
            // A person wants the fallback's answer.
            ErrorKind::Rejected(Rejection::FallbackOnly) => {
                Failure { by_header: false, by_setting: false }
            }
            // A person wants what is stored, or at least no call.
            ErrorKind::Rejected(Rejection::CacheOnly | Rejection::Stopped) => Failure::ANY,
            kind => {
                let class = class_of_error(&self.classifier, error);
                let is_ours = matches!(kind, ErrorKind::Request | ErrorKind::TooLarge);
                Failure { by_header: !is_ours, by_setting: self.config.is_stale_when(class) }
            }
        }
    }
}

/// Whether an answer is what its status says. Stored, another one would come back without the word that it is
/// a refusal, a failure, or a part of the whole; and a refusal of credentials holds for these alone, which the
/// key doesn't know.
pub(super) fn is_as_it_says(head: &Parts, class: Class) -> bool {
    let is_told = match class {
        Class::Success => true,
        Class::Unauthorized | Class::Partial => false,
        // A redirect that nobody followed.
        Class::ClientError => !head.status.is_success(),
        _ => head.status.is_client_error() || head.status.is_server_error(),
    };
    is_told && head.extensions.get::<FailedCheck>().is_none()
}

/// Whether another URI than the caller's gave it.
pub(super) fn is_redirected(head: &Parts) -> bool {
    FollowedRedirect::before(&head.extensions).is_some()
}

// === impl Alive ===

impl Alive {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(())))
    }

    pub(super) fn subscribe(&self) -> Ended {
        Ended(self.0.subscribe())
    }
}

impl Ended {
    pub(super) async fn ended(mut self) {
        // Nothing is ever sent: it only ends.
        while self.0.changed().await.is_ok() {}
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("config", &self.config).finish_non_exhaustive()
    }
}
