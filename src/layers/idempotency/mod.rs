//! A key by which the provider knows a repeated call for the same one.
//!
//! One key is made for each call and is the same on every attempt. With it, a POST whose answer was
//! lost can be sent again without charging a customer twice; without it, [`retry`](crate::retry)
//! repeats a POST only if it provably never arrived. The key is the first of: an
//! [`IdempotencyKey`](crate::IdempotencyKey) in the request's extensions, the header that the
//! request already has, the call's own id.
//!
//! # When not to use it
//!
//! With a provider that doesn't honour keys: a key that is ignored makes an unsafe repetition look
//! safe.
//!
//! # Provider profiles
//!
//! | profile | where | form | longest | remembered |
//! |---|---|---|---|---|
//! | [`KeyProfile::ietf`] | `Idempotency-Key` | quoted | 255 | 24 h |
//! | [`KeyProfile::stripe`] | `Idempotency-Key` | bare | 255 | 24 h |
//! | [`KeyProfile::adyen`] | `Idempotency-Key` | bare | 64 | 7 days |
//! | [`KeyProfile::paypal`] | `PayPal-Request-Id` | bare | 38 | 6 h |
//! | [`KeyProfile::square`] | the body, by a [hook](IdempotencyLayer::place_with) | bare | 45 | 24 h |
//! | [`KeyProfile::header`] | any header | bare | 255 | 24 h |
//!
//! (draft-ietf-httpapi-idempotency-key-header; the others by the providers' documentation, and the
//! shorter figure where products of one provider differ.) A key that is longer than the profile
//! takes is replaced by one derived from it, which is always the same.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `profile` | [`KeyProfile::header`] of `Idempotency-Key` | understood by most |
//! | `methods` | [`KeyedMethods::Unsafe`]: POST and PATCH | the others are idempotent by themselves (RFC 9110, 9.2.2) |
//! | minting | [`Minting::Always`] | see [`Minting::CallersOnly`] |
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

mod layer;
mod placement;
mod profile;
mod service;

pub use layer::{IdempotencyLayer, KeyedMethods, Minting};
pub use placement::{InHeader, PlaceKey};
pub use profile::KeyProfile;
pub use service::Idempotency;

#[cfg(feature = "serde")]
pub(crate) use profile::Form;
