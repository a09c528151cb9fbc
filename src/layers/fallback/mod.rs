//! Answers in place of a provider that failed.
//!
//! What a user gets while a provider is down is a business decision: yesterday's rates, an empty list,
//! "we'll mail you". The answer is given as a value, or by a function or an async function of the failure
//! ([`Failed`]), for the outcomes that [`when`](FallbackLayer::when) chooses. It is marked
//! ([`FellBack`] in its extensions), emitted as an event, and recorded: a flow that continued with such
//! an answer must be repaired later, by somebody who knows which order it was and whether the provider
//! may have acted. A [`FallbackRecorder`] gets these facts.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - outside everything that can fail, the [`deadline`](crate::deadline) and the
//!   [`kill_switch`](crate::kill_switch) too: it answers only for failures that reach it. So its answer
//!   is not under the deadline; an async function has a [limit](FallbackLayer::limit) of its own;
//! - inside [`observe`](crate::observe), which reports what the caller got.
//!
//! It knows the number of attempts and the key only if [`retry`](crate::retry) and
//! [`idempotency`](crate::idempotency) are further in.
//!
//! # When not to use it
//!
//! If a substitute answer is worse than none: for a charge, a booking, a signature. A failed write that
//! looks like a success is lost; show the failure, or keep the call and deliver it later.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | [`when`](FallbackLayer::when) | the provider failed, throttled or was not asked; never for errors of ours (4xx) | a fallback must not hide our own mistakes |
//! | [`limit`](FallbackLayer::limit) | 1 s | the caller has waited for the deadline already |
//! | [`record_to`](FallbackLayer::record_to) | none | |
//! | [`label`](FallbackLayer::label) | none | only your words can say what it means to users |
//!
//! With a kill switch at "off" there is no fallback; at "fallback only" there is one, whatever `when`
//! says.
//!
//! # Errors and events
//!
//! No error of its own: if the fallback has no answer, or not in time, the failure is returned
//! unchanged. Events: [`FellBack`](crate::event::Event::FellBack),
//! [`FallbackFailed`](crate::event::Event::FallbackFailed).
//!
//! # Example
//!
//! ```
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::{Body, fallback::{Failed, FallbackLayer, FellBack}};
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rates = FallbackLayer::function(|failed: &Failed| {
//!     println!("no rates: {}", failed.class);
//!     Some(Response::new(Body::from(r#"{"EUR":1.0}"#)))
//! });
//! let down = Script::new([Answer::status(500)]);
//! let service = ServiceBuilder::new().layer(rates).service(down);
//!
//! let response = service.oneshot(Request::new(Body::empty())).await?;
//! assert_eq!(response.status(), 200);
//! assert!(response.extensions().get::<FellBack>().is_some());
//! # Ok(()) }
//! ```

mod answer;
mod around;
mod failed;
#[cfg(feature = "serde")]
mod json_lines;
mod layer;
mod record;
#[cfg(feature = "serde")]
mod settings;

pub use around::FallbackPattern;
pub use failed::{Failed, FellBack};
#[cfg(feature = "serde")]
pub use json_lines::JsonLines;
pub use layer::{Fallback, FallbackLayer};
pub use record::{FallbackRecord, FallbackRecorder};

#[cfg(feature = "serde")]
pub(crate) use settings::FallbackSettings;
