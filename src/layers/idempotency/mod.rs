//! A key by which the provider recognises a repeated call.
//!
//! Each call has one key, which is the same on every attempt. It is the first of: an
//! [`IdempotencyKey`](crate::IdempotencyKey) in the request's extensions, the header that the
//! request already has, the call's own id.
//!
//! # Which keys count
//!
//! If the provider honours the key, it is safe to send a POST again whose answer was lost. Most
//! providers ignore keys: they do the work again. So a key *counts*, for [`retry`](crate::retry) and
//! [`hedge`](crate::hedge), only if it was declared that this provider honours it:
//!
//! - by the caller, who brings the key in the extensions or in the header;
//! - by the integration, with the profile of a provider that does, or with
//!   [`KeyProfile::honours_keys`]. Then generated keys count too.
//!
//! A key that doesn't count is sent too: it costs nothing, and a provider may use it. The POST is sent
//! once, whether its answer was lost or was a failure: a 503 or a 429 doesn't prove that nothing was
//! done. The call ends with that answer, or with
//! [`Delivery::Unknown`](crate::Delivery::Unknown), and with [`GaveUp::NotSafe`](crate::terms::GaveUp).
//! What to do then: ask the provider whether it happened; look up whether it honours keys, and declare
//! it; or mark a POST that does no harm when it is done twice with
//! [`RetryOverride::Safe`](crate::retry::RetryOverride). A job that must be repeated until it is done needs one of the
//! three. Attempts that provably did nothing are repeated without any key.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - outside [`retry`](crate::retry) and [`hedge`](crate::hedge): they look for a key that counts
//!   before they send the first request, and don't see one that is added further in;
//! - inside [`mirror`](crate::mirror), so that a copy has no key;
//! - outside a layer that signs requests, because the signature covers the key.
//!
//! By hand, it gives the key of a [`Scope`](crate::context::Scope) to all requests of the scope that have the
//! first one's method and URI: unlike an integration, it doesn't compare bodies. So open a scope with a key
//! around one request. And it asks for the scope when it is called: below a service that calls it from a task of
//! its own, such as tower's `Buffer`, there is none.
//!
//! # When not to use it
//!
//! If the provider refuses requests with headers or fields that it doesn't know.
//!
//! # Provider profiles
//!
//! | profile | where | form | max_len | lifetime | generated keys count |
//! |---|---|---|---|---|---|
//! | [`KeyProfile::stripe`] | `Idempotency-Key` | bare | 255 | 24 h | yes |
//! | [`KeyProfile::adyen`] | `Idempotency-Key` | bare | 64 | 7 days | yes |
//! | [`KeyProfile::paypal`] | `PayPal-Request-Id` | bare | 38 | 6 h | yes |
//! | [`KeyProfile::square`] | the body, by a [hook](IdempotencyLayer::place_with) | bare | 45 | 24 h | with a hook |
//! | [`KeyProfile::ietf`] | `Idempotency-Key` | quoted | 255 | 24 h | with [`honours_keys`](KeyProfile::honours_keys) |
//! | [`KeyProfile::header`] | any header | bare | 255 | 24 h | with [`honours_keys`](KeyProfile::honours_keys) |
//!
//! (draft-ietf-httpapi-idempotency-key-header; the others by the providers' documentation, and the
//! smaller figure if products of one provider differ.) A key that is longer than `max_len` is replaced
//! by one derived from it, which is always the same. After its lifetime, a key doesn't make a repetition
//! safe any more.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `profile` | [`KeyProfile::header`] of `Idempotency-Key` | understood by most |
//! | `methods` | [`KeyedMethods::Unsafe`]: POST and PATCH | the others are idempotent by themselves (RFC 9110, 9.2.2) |
//! | `key_source` | [`KeySource::CallerOrGenerated`] | a key that is ignored does no harm |
//!
//! In an [`Integration`](crate::Integration), `methods` and `key_source` are the preset's if they aren't
//! set: a profile only says what its provider does with keys.
//!
//! # Example
//!
//! ```
//! use outrigger::{Body, idempotency::{IdempotencyLayer, KeyProfile}};
//! use http::{Method, Request, Response};
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = service_fn(|request: Request<Body>| async move {
//!     assert!(request.headers().contains_key("idempotency-key"));
//!     Ok::<_, outrigger::Error>(Response::new(Body::empty()))
//! });
//! let mut service = ServiceBuilder::new()
//!     .layer(IdempotencyLayer::new(KeyProfile::stripe()))
//!     .service(provider);
//!
//! let charge = Request::builder().method(Method::POST).body(Body::empty())?;
//! service.ready().await?.call(charge).await?;
//! # Ok(()) }
//! ```

mod around;
mod keys;
mod layer;
mod placement;
mod profile;
mod service;
#[cfg(feature = "serde")]
mod settings;

pub use around::IdempotencyPattern;
#[doc(hidden)]
pub use layer::KeySource as Minting;
pub use layer::{IdempotencyLayer, KeySource, KeyedMethods};
#[doc(hidden)]
pub use placement::WriteKey as PlaceKey;
pub use placement::{InHeader, WriteKey};
pub use profile::KeyProfile;
pub use service::Idempotency;

#[cfg(feature = "serde")]
pub(crate) use settings::IdempotencySettings;
