use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{HeaderValue, Method, Request};
use tower_service::Service;

use super::layer::{IdempotencyLayer, KeyedMethods, Minting, Settings};
use super::placement::{InHeader, PlaceKey};
use super::profile::Honoured;
use crate::context::{Context, IdempotencyKey, KeyFact};
use crate::replay::{KEY_HEADER, is_key, is_safe, own_key};

/// Gives unsafe calls a key. See the [module](super).
#[derive(Clone, Debug)]
pub struct Idempotency<S, P = InHeader> {
    inner: S,
    layer: Arc<IdempotencyLayer<P>>,
}

impl<S, P> Idempotency<S, P> {
    pub(super) fn new(inner: S, layer: Arc<IdempotencyLayer<P>>) -> Self {
        Self { inner, layer }
    }

    /// The caller's own key, from the extensions or from the header.
    fn own<B>(&self, request: &mut Request<B>) -> Option<HeaderValue> {
        let extension = match request.extensions().len() {
            0 => None,
            _ => request.extensions_mut().remove::<IdempotencyKey>(),
        };
        extension.map(IdempotencyKey::into_header).or_else(|| {
            let header = self.layer.settings.profile.header.as_ref()?;
            request.headers().get(header).filter(|key| is_key(key)).cloned()
        })
    }

    /// The key of this call, now in its context.
    fn key<B>(&self, request: &mut Request<B>) -> Option<HeaderValue>
    where
        P: PlaceKey<B>,
    {
        let settings = &self.layer.settings;
        let own = self.own(request);
        let mints = settings.minting() == Minting::Always;
        if own.is_none() && !(mints && settings.methods().cover(request.method())) {
            self.note_other(request);
            return None;
        }
        let said = own.is_some() || settings.profile.honoured == Honoured::All;
        let honoured = said && self.layer.placement.sends();
        let context = Context::of(request.extensions_mut(), settings.emitter.integration());
        let key = context.call().key.get_or_init(|| KeyFact {
            from_caller: own.is_some(),
            honoured,
            value: settings.profile.fit(own.unwrap_or_else(|| context.call().id_header().clone())),
            lifetime: settings.profile.lifetime,
        });
        Some(key.value.clone())
    }

    /// A key in a header in which this provider doesn't look for one is sent, and makes nothing safe.
    fn note_other<B>(&self, request: &mut Request<B>) {
        let Some(value) = own_key(request, &KEY_HEADER) else { return };
        let Settings { profile, emitter, .. } = &self.layer.settings;
        let (from_caller, honoured, lifetime) = (true, false, profile.lifetime);
        let context = Context::of(request.extensions_mut(), emitter.integration());
        context.call().key.get_or_init(|| KeyFact { value, from_caller, honoured, lifetime });
    }
}

impl<S, P, ReqBody> Service<Request<ReqBody>> for Idempotency<S, P>
where
    S: Service<Request<ReqBody>>,
    P: PlaceKey<ReqBody>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        if let Some(key) = self.key(&mut request) {
            request = self.layer.placement.place(request, &key);
        }
        self.inner.call(request)
    }
}

// === impl KeyedMethods ===

impl KeyedMethods {
    fn cover(self, method: &Method) -> bool {
        match *method {
            _ if is_safe(method) => false,
            Method::PUT | Method::DELETE => matches!(self, Self::Writing),
            _ => true,
        }
    }
}
