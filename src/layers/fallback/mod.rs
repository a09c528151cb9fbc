//! An answer of one's own where the provider has none.
//!
//! What a user gets while a provider is down is a decision of the business: yesterday's rates, an
//! empty list, "we'll mail you". It is given here, by value, by a function or by an async function
//! of what failed ([`Failed`]), for the outcomes that it was chosen for. The answer is marked
//! ([`FellBack`] in its extensions), told as an event, and recorded: a flow that went on with a
//! made-up answer must be repaired later, by somebody who knows which order it was and whether the
//! provider may have acted all the same. That is what a [`FallbackRecorder`] is given.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - outside everything that can fail, the [`deadline`](crate::deadline) and the
//!   [`kill_switch`](crate::kill_switch) too: it answers only for failures that reach it. What it
//!   answers is therefore not under the deadline; an async function has a
//!   [limit](FallbackLayer::limit) of its own;
//! - inside [`observe`](crate::observe), which tells what the caller got.
//!
//! How many attempts there were, and under which key, is known where [`retry`](crate::retry) and
//! [`idempotency`](crate::idempotency) stand further in.
//!
//! # When not to use it
//!
//! Where a made-up answer is worse than none: a charge, a booking, a signature. A failed write that
//! looks like a success is lost; show the failure, or keep the call and deliver it later.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | [`when`](FallbackLayer::when) | the provider failed, throttled or was not asked; never for errors of ours (4xx) | a fallback must not hide our own mistakes |
//! | [`limit`](FallbackLayer::limit) | 1 s | the caller has waited for the deadline already |
//! | [`record_to`](FallbackLayer::record_to) | nobody | |
//!
//! A kill switch that is off gets no fallback, and one that is set to fallback only gets it whatever
//! `when` says.
//!
//! # Errors and events
//!
//! No error of its own: a fallback that has no answer, or is too late with it, leaves the failure as
//! it was. Events: [`FellBack`](crate::event::Event::FellBack),
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
