use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::outcome::{Error, FailedCheck, foreign};
use crate::terms::{Class, Verdict};

/// Says whether another attempt could be better than this result.
///
/// It is the first of several questions: the layer also asks whether a repetition is safe, in time and
/// within the budget, whatever the policy says. If it panics, the [`StandardPolicy`] decides.
///
/// ```
/// use outrigger::retry::{FailedAttempt, RetryLayer, RetryPolicy, StandardPolicy};
///
/// /// This provider answers 404 for a second after a POST.
/// struct NotThereYet;
///
/// impl RetryPolicy for NotThereYet {
///     fn wants(&self, failed: &FailedAttempt<'_>) -> bool {
///         let is_missing = failed.status.is_some_and(|status| status == 404);
///         is_missing || StandardPolicy::new().wants(failed)
///     }
/// }
///
/// let retry = RetryLayer::new().policy(NotThereYet);
/// retry.check()?;
/// # Ok::<(), outrigger::ConfigError>(())
/// ```
pub trait RetryPolicy: Send + Sync + 'static {
    /// Whether another attempt could be better.
    fn wants(&self, failed: &FailedAttempt<'_>) -> bool;
}

/// A result that was no success, with its request, as a [`RetryPolicy`] sees it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FailedAttempt<'a> {
    /// The class of the result.
    pub class: Class,
    /// The status, where there was an answer.
    pub status: Option<StatusCode>,
    /// The answer's headers, where there was one.
    pub headers: Option<&'a HeaderMap>,
    /// The check that the answer failed, where there was one. See [`validate`](crate::validate).
    pub failed_check: Option<&'a FailedCheck>,
    /// The error, where there was none.
    pub error: Option<&'a Error>,
    /// The request's method. `failed.method.is_safe()` limits retries to safe requests (RFC 9110,
    /// 9.2.1).
    pub method: &'a Method,
    pub(super) sent: &'a [(HeaderName, HeaderValue)],
    /// Which attempt it was; the first is 1. A [`hedge`](crate::hedge)'s second request is one more.
    pub attempt: u32,
    /// The call has an [idempotency key that counts](crate::idempotency).
    pub keyed: bool,
    /// The key may have been used by an earlier call, because the caller brought it.
    pub key_from_caller: bool,
    /// It is not the first attempt, and all of them were answered with this status and a body of this
    /// size.
    pub is_same_again: bool,
}

impl<'a> FailedAttempt<'a> {
    /// The first value of one of the request's headers.
    #[must_use]
    pub fn request_header(&self, name: &HeaderName) -> Option<&'a HeaderValue> {
        self.sent.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether the provider said that the request should be repeated as it is, or should not, by a
    /// header of its own.
    ///
    /// Understood are all whose name ends in `-should-retry` (`Stripe-Should-Retry`, and the
    /// `x-should-retry` that the SDKs of OpenAI and Anthropic obey), and Adyen's `Transient-Error`,
    /// each `true` or `false`. Where two disagree, `false` holds. `grpc-retry-pushback-ms` says `false` if it
    /// is negative or no number (gRPC proposal A6).
    #[must_use]
    pub fn provider_says(&self) -> Option<bool> {
        let says = |(name, value): (&HeaderName, &HeaderValue)| {
            let (name, value) = (name.as_str(), value.as_bytes().trim_ascii());
            if name == "grpc-retry-pushback-ms" {
                return (!is_wait(value)).then_some(false);
            }
            if !name.ends_with("-should-retry") && name != "transient-error" {
                return None;
            }
            match (value.eq_ignore_ascii_case(b"true"), value.eq_ignore_ascii_case(b"false")) {
                (false, false) => None,
                (is_true, _) => Some(is_true),
            }
        };
        // `false` is less than `true`.
        self.headers?.iter().filter_map(says).min()
    }
}

/// Whether it is a number of milliseconds that gRPC knows: one of 31 bits.
fn is_wait(value: &[u8]) -> bool {
    let is_number = value.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(value).ok().and_then(|digits| digits.parse::<i32>().ok());
    is_number && number.is_some()
}

/// The default policy. See the [module](super).
///
/// The headers by which a provider decides itself are documented by Adyen (*API idempotency*,
/// `Transient-Error`) and obeyed by the official SDKs of Stripe (`Stripe-Should-Retry`), OpenAI and
/// Anthropic (`x-should-retry`).
#[derive(Clone, Copy, Debug, Default)]
pub struct StandardPolicy {
    conflicts: bool,
}

impl StandardPolicy {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Also retries 409 of calls without a key that counts, for providers that answer it to what may
    /// succeed a moment later.
    #[must_use]
    pub fn with_conflicts(mut self) -> Self {
        self.conflicts = true;
        self
    }

    fn wants_status(self, status: StatusCode, failed: &FailedAttempt<'_>) -> bool {
        match status {
            StatusCode::REQUEST_TIMEOUT
            | StatusCode::MISDIRECTED_REQUEST
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS => true,
            // With a key, 409 means that an earlier request is still running. If it can't be one of
            // this call (each was answered 409), it is another call's, or the key was used for
            // something else, and the same answer will come again.
            StatusCode::CONFLICT => {
                let asked = failed.headers.is_some_and(|headers| headers.contains_key(RETRY_AFTER));
                let runs = failed.attempt > 1 || failed.key_from_caller;
                self.conflicts || failed.keyed && runs && (asked || !failed.is_same_again)
            }
            _ => false,
        }
    }
}

impl RetryPolicy for StandardPolicy {
    fn wants(&self, failed: &FailedAttempt<'_>) -> bool {
        // Whatever the status: a 429 for an account without money.
        if failed.failed_check.is_some_and(|check| check.verdict() == Verdict::Permanent) {
            return false;
        }
        if let Some(says) = failed.provider_says() {
            return says;
        }
        match failed.class {
            // Another attempt would get the same certificate, or the same loop of redirects.
            Class::Transport(_) | Class::Other => !failed.error.is_some_and(foreign::is_final),
            Class::Timeout(_) | Class::Throttled | Class::Invalid => true,
            Class::ServerError => !matches!(
                failed.status,
                Some(StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED)
            ),
            Class::ClientError => {
                failed.status.is_some_and(|status| self.wants_status(status, failed))
            }
            Class::Success
            | Class::Partial
            | Class::Unauthorized
            | Class::Rejected(_)
            | Class::Request => false,
        }
    }
}
