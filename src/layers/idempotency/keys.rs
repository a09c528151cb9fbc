//! Which key a call has.

use http::{HeaderValue, Method, Request};

use super::layer::{KeySource, KeyedMethods, Settings};
use super::profile::Honoured;
use crate::context::{Call, IdempotencyKey, KeyFact};
use crate::replay::{KEY_HEADER, is_key, is_safe, own_key};

/// The key that a request is to have.
#[derive(Debug)]
pub(super) enum CallKey {
    /// Its caller's.
    Own(HeaderValue),
    /// A generated one.
    Generated,
    /// Its caller's, in a header that this provider doesn't read.
    Elsewhere(HeaderValue),
}

impl Settings {
    pub(super) fn wanted<B>(&self, request: &mut Request<B>) -> Option<CallKey> {
        let generates = self.key_source() == KeySource::CallerOrGenerated;
        match self.own(request) {
            Some(own) => Some(CallKey::Own(own)),
            None if generates && self.methods().covers(request.method()) => {
                Some(CallKey::Generated)
            }
            // `own` has looked there.
            None if self.profile.header == Some(KEY_HEADER) => None,
            None => own_key(request, &KEY_HEADER).map(CallKey::Elsewhere),
        }
    }

    /// Assigns the key to the call, and returns what is to be written into the request. A key that
    /// isn't sent doesn't count.
    pub(super) fn assign(&self, wanted: CallKey, facts: &Call, sends: bool) -> Option<HeaderValue> {
        let is_known = self.profile.honoured == Honoured::All;
        let lifetime = self.profile.lifetime;
        let (value, from_caller, honoured) = match wanted {
            CallKey::Elsewhere(value) => {
                // It is sent as it is, and doesn't count.
                let (from_caller, honoured) = (true, false);
                facts.key.get_or_init(|| KeyFact { value, from_caller, honoured, lifetime });
                return None;
            }
            CallKey::Own(own) => (own, true, sends),
            CallKey::Generated => (facts.id_header(), false, is_known && sends),
        };
        let value = || self.profile.fit(value);
        let fact = || KeyFact { value: value(), from_caller, honoured, lifetime };
        Some(facts.key.get_or_init(fact).value.clone())
    }

    /// The caller's own key, from the extensions or from the header.
    fn own<B>(&self, request: &mut Request<B>) -> Option<HeaderValue> {
        let extension = match request.extensions().is_empty() {
            true => None,
            false => request.extensions_mut().remove::<IdempotencyKey>(),
        };
        extension.map(IdempotencyKey::into_header).or_else(|| {
            let header = self.profile.header.as_ref()?;
            request.headers().get(header).filter(|key| is_key(key)).cloned()
        })
    }
}

impl KeyedMethods {
    fn covers(self, method: &Method) -> bool {
        match *method {
            _ if is_safe(method) => false,
            Method::PUT | Method::DELETE => matches!(self, Self::Writing),
            _ => true,
        }
    }
}
