use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::header::{AGE, DATE};
use http::response::Parts;
use http::{HeaderMap, StatusCode, Uri};

use super::around::SignPattern;
use super::shared::{Signing, moved, seconds_ahead};
use super::signer::{AnySigner, Sign};
use super::state::Heard;
use crate::control::SigningHealth;
use crate::event::Emitter;
use crate::outcome::{FollowedRedirect, ResponseHead};
use crate::pattern::{Destinations, Layered, Own, Slot, Wiring, pattern_layer};
use crate::rt::{Clock, callback};

/// Signs each attempt. See the [module](super).
///
/// Every service that is made from one layer, or from its clones, shares what is known of the
/// provider's clock. Each integration has that for itself.
#[derive(Clone)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct SignLayer {
    /// Absent if nothing is signed.
    pub(super) signer: Option<Arc<dyn AnySigner>>,
    pub(super) shared: Arc<Signing>,
    pub(super) settings: Settings,
}

#[derive(Clone, Default)]
pub(super) struct Settings {
    is_skew: Option<Arc<IsSkew>>,
    only_to: Destinations,
    pub(super) emitter: Emitter,
    clock: Clock,
}

type IsSkew = dyn Fn(&ResponseHead<'_>) -> bool + Send + Sync;

/// A service whose requests are signed, made by a [`SignLayer`]. Requests have an integration's
/// [`Body`](crate::Body), and the service that it wraps must be `Clone`.
pub type SignService<S> = Layered<SignPattern, S, Own>;

impl SignLayer {
    /// Signs with this: a function of a [`SigningInput`](super::SigningInput), or any other [`Sign`]. A
    /// closure names its argument's type: `|input: &SigningInput|`.
    pub fn new(signer: impl Sign) -> Self {
        Self { signer: Some(Arc::new(signer)), ..Self::disabled() }
    }

    /// No signatures: requests are sent as they are.
    pub fn disabled() -> Self {
        Self { signer: None, shared: Arc::default(), settings: Settings::default() }
    }

    /// What else says that the request was refused because the clocks differ: a 400 with
    /// `x-error: timestamp`, or a difference of less than five minutes. Only answers from 400 to 499 are
    /// shown to it, and it counts only if their `date` differs from the time of the signature by two seconds or
    /// more. If it panics, the answer isn't about the clock.
    pub fn skewed_when(
        mut self,
        is_skew: impl Fn(&ResponseHead<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.settings.is_skew = Some(Arc::new(is_skew));
        self
    }

    /// Signs only requests to these URIs; others are sent as they are. An integration with a base URL
    /// signs only requests to its origin, whatever this says.
    pub fn only_to(mut self, allowed: impl Fn(&Uri) -> bool + Send + Sync + 'static) -> Self {
        self.settings.only_to = self.settings.only_to.only(allowed);
        self
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.settings.emitter = emitter;
        self
    }

    /// The clock whose wall time is signed, and compared with the provider's; the system's by default.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = clock;
        self
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.signer.is_some()
    }

    pub(crate) fn health(&self) -> Option<SigningHealth> {
        self.signer.as_ref().map(|_| self.shared.health())
    }
}

impl Settings {
    pub(super) fn may_sign(&self, uri: &Uri) -> bool {
        self.only_to.allow(uri)
    }

    /// The time to sign with, if the provider's clock is so many seconds ahead.
    pub(super) fn time(&self, ahead: i64) -> SystemTime {
        moved(self.clock.wall(), ahead)
    }

    /// What an answer says to a request that was signed for a clock so many seconds ahead.
    pub(super) fn hear(&self, head: &Parts, signed_ahead: i64) -> Heard {
        // It is another request's.
        if FollowedRedirect::before(&head.extensions).is_some() {
            return Heard::Nothing;
        }
        if !head.status.is_client_error() {
            return if head.status.is_server_error() { Heard::Nothing } else { Heard::Accepted };
        }
        let is_by_user = self.is_skew.as_ref().is_some_and(|is_skew| {
            let head = ResponseHead {
                status: head.status,
                headers: &head.headers,
                extensions: &head.extensions,
            };
            callback::call("skew of a clock", || is_skew(&head)) == Some(true)
        });
        let is_refusal = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&head.status);
        if !is_by_user && !is_refusal {
            return Heard::Nothing;
        }
        let least = if is_by_user { NOTICEABLE } else { SKEWED };
        let ahead = date_of(&head.headers).map(|date| seconds_ahead(date, self.clock.wall()));
        let off = |ahead: &i64| ahead.saturating_sub(signed_ahead).unsigned_abs();
        Heard::Refused(ahead.filter(|ahead| off(ahead) >= least))
    }
}

impl Slot for SignLayer {
    fn adopt(mut self, wiring: &Wiring) -> Self {
        self.settings.emitter = wiring.emitter.clone();
        Self { shared: Arc::default(), ..self }
    }

    /// No file sets anything here.
    fn inherit(self, running: &Self) -> Self {
        running.clone()
    }
}

impl fmt::Debug for SignLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignLayer")
            .field("is_enabled", &self.is_enabled())
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

pattern_layer!(SignLayer => SignPattern, Own, |layer| SignPattern::new(layer.clone()));

/// When the provider wrote an answer, if nobody stored it meanwhile (RFC 9111, 5.1).
fn date_of(headers: &HeaderMap) -> Option<SystemTime> {
    let date = headers.get(DATE).filter(|_| !headers.contains_key(AGE))?;
    httpdate::parse_http_date(date.to_str().ok()?).ok()
}

/// More than 5 min are no slow answer's: what AWS tolerates is 5 min at least.
const SKEWED: u64 = 301;
/// A date has whole seconds: with less, another signature would hardly differ.
const NOTICEABLE: u64 = 2;
