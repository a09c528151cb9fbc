use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use http::header::RETRY_AFTER;

use super::class::Class;
use super::classify::{Classify, ResponseHead};

/// The default classifier: by status, after any rules of one's own.
#[derive(Clone, Default)]
pub struct HttpClassifier {
    rules: Vec<Rule>,
}

type Rule = Arc<dyn Fn(&ResponseHead<'_>) -> Option<Class> + Send + Sync>;

impl HttpClassifier {
    /// The default alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A rule that is asked before the default; `None` leaves the question to the next.
    #[must_use]
    pub fn with<F>(mut self, rule: F) -> Self
    where
        F: Fn(&ResponseHead<'_>) -> Option<Class> + Send + Sync + 'static,
    {
        self.rules.push(Arc::new(rule));
        self
    }

    pub(crate) fn by_status(head: &ResponseHead<'_>) -> Class {
        let later = || head.headers.contains_key(RETRY_AFTER);
        let none_left = || head.headers.get(REMAINING).is_some_and(|left| left.as_bytes() == b"0");
        match head.status {
            StatusCode::MULTI_STATUS => Class::Partial,
            StatusCode::UNAUTHORIZED => Class::Unauthorized,
            StatusCode::TOO_MANY_REQUESTS => Class::Throttled,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::FORBIDDEN if later() => Class::Throttled,
            StatusCode::FORBIDDEN if none_left() => Class::Throttled,
            status if status.is_client_error() => Class::ClientError,
            status if status.is_server_error() => Class::ServerError,
            status if status.as_u16() < 400 => Class::Success,
            // 600 to 999: RFC 9110, 15 has a client treat them as a server's error.
            _ => Class::ServerError,
        }
    }
}

impl Classify for HttpClassifier {
    fn response(&self, head: &ResponseHead<'_>) -> Class {
        self.rules.iter().find_map(|rule| rule(head)).unwrap_or_else(|| Self::by_status(head))
    }
}

impl fmt::Debug for HttpClassifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClassifier").field("rules", &self.rules.len()).finish()
    }
}

/// By which a 403 of a spent quota differs from one of missing rights.
const REMAINING: &str = "x-ratelimit-remaining";
