//! Copies a share of the calls to another API, whose answers are not used (a dark launch).
//!
//! Before calls move to another provider, another version or another region, a copy of them goes
//! there: its answer is measured, [compared](MirrorLayer::compare) if that is asked for, and dropped.
//! The copy is a task of its own, which the real call doesn't wait for: it neither slows the call nor
//! fails it, whatever the other API or the functions given here do. (Code that blocks its thread also
//! blocks other tasks on it.)
//!
//! The target is mostly another [`Integration`](crate::Integration), with limits of its own. Without
//! [`prepare`](MirrorLayer::prepare), the copy calls **the same URI with the same headers**: a
//! function there changes the host, and removes or replaces the credentials.
//!
//! # What a copy carries
//!
//! The request as it came to this layer: method, URI, headers, extensions, and the body, shared and
//! not copied. A body that is a stream can't be read twice, so such a call isn't mirrored. The
//! correlation id goes with the copy; the call's [`Context`](crate::context::Context) and its
//! idempotency key don't, neither as an [`IdempotencyKey`](crate::IdempotencyKey) nor as a header:
//! under the same key, the provider could take the copy for the call.
//!
//! # Comparing
//!
//! The real answer is kept as its reader reads it, up to [`body_cap`](MirrorLayer::body_cap). An answer
//! that is dropped unread, or not read within the [`limit`](MirrorLayer::limit), is not compared.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - inside [`kill_switch`](crate::kill_switch), so that a stopped call isn't copied;
//! - outside [`retry`](crate::retry), so that a call is copied once, and compared by its final
//!   result;
//! - outside [`idempotency`](crate::idempotency), so that a copy has no key.
//!
//! Around a service, it takes requests with a [`Body`](crate::Body), which can be shared. The layer
//! adds no [`Context`](crate::context::Context) of its own to a request: events and copies carry a
//! correlation id if [`correlation`](crate::correlation) stands further out.
//!
//! # When not to use it
//!
//! For calls that change something, unless the target is a sandbox. For load tests: copies are skipped
//! when there are too many.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `concurrency` | 8 | bounds the tasks while the target hangs |
//! | `limit` | 30 s | the real call doesn't wait for a copy, so it may be slow |
//! | `choose` | GET, HEAD and OPTIONS | safe methods (RFC 9110, 9.2.1): a copied POST may charge twice |
//! | `prepare` | the same request | the changes depend on the other API |
//! | `compare` | nothing | most answers differ in a date or an id |
//! | `body_cap` | 64 KiB | what is compared is kept in memory |
//!
//! # Errors and events
//!
//! No errors of its own. Events: [`Mirrored`](crate::event::Event::Mirrored), once a copy is over;
//! [`MirrorSkipped`](crate::event::Event::MirrorSkipped).
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use http::{Request, Uri, header::AUTHORIZATION};
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::{Body, Ratio, mirror::MirrorLayer};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Script::new([Answer::status(200).body("1.08")]);
//! let next_provider = Script::new([Answer::status(200).body("1.09")]);
//! let mirror = MirrorLayer::new(next_provider, Ratio::percent(5))
//!     .prepare(|mut request| {
//!         *request.uri_mut() = Uri::from_static("https://api.next.example/v2/rates");
//!         request.headers_mut().remove(AUTHORIZATION);
//!         request
//!     })
//!     .compare(|real, copy| real.status() == copy.status() && real.body() == copy.body());
//! let share = mirror.handle();
//! let service = ServiceBuilder::new().layer(mirror).service(provider);
//!
//! share.set_share(Ratio::ONE);
//! let request = Request::get("https://api.example/v1/rates").body(Body::empty())?;
//! let response = service.oneshot(request).await?;
//! assert_eq!(Body::new(response.into_body()).text().await?, "1.08");
//!
//! // The copy is a task of its own.
//! tokio::time::sleep(Duration::from_millis(100)).await;
//! assert_eq!((share.mirrored(), share.agreed(), share.disagreed()), (1, 0, 1));
//! # Ok(()) }
//! ```

mod around;
mod copy;
mod handle;
mod layer;
mod real_answer;
mod request;
mod seen;
#[cfg(feature = "serde")]
mod settings;
mod state;

pub use around::MirrorPattern;
pub use handle::MirrorHandle;
pub use layer::{Mirror, MirrorLayer};
pub use seen::Seen;

#[cfg(feature = "serde")]
pub(crate) use settings::MirrorSettings;
