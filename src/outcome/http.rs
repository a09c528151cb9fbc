use std::fmt;
use std::sync::Arc;

use http::header::RETRY_AFTER;
use http::{HeaderName, StatusCode};

use super::classify::{Classify, Redirected, ResponseHead};
use super::waits::{LimitHeader, Told};
use crate::rt::Clock;
use crate::terms::Class;

/// The default classifier: your own rules first, then the status.
#[derive(Clone, Default)]
pub struct HttpClassifier {
    rules: Vec<Rule>,
    limit_headers: Vec<(HeaderName, LimitHeader)>,
}

type Rule = Arc<dyn Fn(&ResponseHead<'_>) -> Option<Class> + Send + Sync>;

impl HttpClassifier {
    /// A classifier without rules.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule, which is asked before the default. If it returns `None`, the next rule is
    /// asked.
    #[must_use]
    pub fn with<F>(mut self, rule: F) -> Self
    where
        F: Fn(&ResponseHead<'_>) -> Option<Class> + Send + Sync + 'static,
    {
        self.rules.push(Arc::new(rule));
        self
    }

    /// Adds a header by which this provider announces a wait or a limit. All headers that are added
    /// belong to one limit.
    ///
    /// ```
    /// use http::HeaderName;
    /// use outrigger::Integration;
    /// use outrigger::outcome::{HttpClassifier, LimitHeader};
    /// # use outrigger::testing::{Answer, Script};
    ///
    /// # fn main() -> Result<(), outrigger::ConfigError> {
    /// let classifier = HttpClassifier::new()
    ///     .limit_header(HeaderName::from_static("x-acme-backoff"), LimitHeader::WaitMillis)
    ///     .limit_header(HeaderName::from_static("x-acme-calls-left"), LimitHeader::Remaining);
    /// let acme = Integration::background("acme")
    ///     .classifier(classifier)
    /// #   .service(Script::new([Answer::status(200)]))
    ///     .build()?;
    /// # let _ = acme;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn limit_header(mut self, name: HeaderName, says: LimitHeader) -> Self {
        self.limit_headers.push((name, says));
        self
    }

    pub(crate) fn by_status(head: &ResponseHead<'_>, own: &[(HeaderName, LimitHeader)]) -> Class {
        let later = || head.headers.contains_key(RETRY_AFTER);
        match head.status {
            StatusCode::NOT_MODIFIED => Class::Success,
            // A redirect that the client didn't follow.
            status if status.is_redirection() => Class::ClientError,
            status if status.is_success() && is_redirected(head) => Class::ClientError,
            StatusCode::MULTI_STATUS => Class::Partial,
            StatusCode::UNAUTHORIZED => Class::Unauthorized,
            StatusCode::TOO_MANY_REQUESTS => Class::Throttled,
            status if REFUSALS.contains(&status.as_u16()) => Class::Throttled,
            StatusCode::SERVICE_UNAVAILABLE if later() => Class::Throttled,
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN if is_refusal(head, own) => {
                Class::Throttled
            }
            status if status.is_client_error() => Class::ClientError,
            status if status.is_server_error() => Class::ServerError,
            status if status.as_u16() < 400 => Class::Success,
            // 600 to 999: clients treat them as a server's error (RFC 9110, 15).
            _ => Class::ServerError,
        }
    }
}

impl Classify for HttpClassifier {
    fn response(&self, head: &ResponseHead<'_>) -> Class {
        let own = || Self::by_status(head, &self.limit_headers);
        self.rules.iter().find_map(|rule| rule(head)).unwrap_or_else(own)
    }

    fn limit_headers(&self) -> &[(HeaderName, LimitHeader)] {
        &self.limit_headers
    }
}

impl fmt::Debug for HttpClassifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClassifier").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

/// Whether a request that isn't safe was redirected, perhaps with another method.
fn is_redirected(head: &ResponseHead<'_>) -> bool {
    head.extensions.get::<Redirected>().is_some()
}

/// Whether an answer with an ambiguous status is about a limit.
fn is_refusal(head: &ResponseHead<'_>, own: &[(HeaderName, LimitHeader)]) -> bool {
    let told = Told::read(head.headers, own, &Clock::system());
    told.is_refusal() || head.status == StatusCode::FORBIDDEN && told.has_nothing_left()
}

/// Binance answers 418 to clients that ignore a 429; X and others answered 420 before 429 existed.
const REFUSALS: [u16; 2] = [418, 420];
