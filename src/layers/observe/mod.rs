//! Tells when a call, or one attempt of it, begins and ends.
//!
//! [`ObserveLayer::call`] stands outside everything and sees what the caller sees;
//! [`ObserveLayer::attempt`] stands inside retries and limits and sees what the provider gets. The
//! end is the end of the answer's body, its error or its drop. If the caller drops the call before the
//! answer, it is reported as [`Abandoned`](crate::event::End::Abandoned), neither a success nor a
//! failure, with whether the provider may have acted. With no subscriber, the layer reads no clock and
//! emits nothing.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - [`ObserveLayer::call`] outside everything but [`correlation`](crate::correlation), whose id
//!   its events carry: what stands further out can change the answer unseen;
//! - [`ObserveLayer::attempt`] inside [`retry`](crate::retry), [`hedge`](crate::hedge) and the
//!   queues, so that it sees only what is sent, and outside [`timeout`](crate::timeout), so that a
//!   timeout is how an attempt ended.
//!
//! # When not to use it
//!
//! Without a subscriber: it then does nothing.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `emitter` | no subscriber | events cost nothing unless somebody listens |
//! | `classifier` | [`HttpClassifier`](crate::outcome::HttpClassifier) | |
//!
//! # Events
//!
//! [`CallStarted`](crate::event::Event::CallStarted) and
//! [`CallFinished`](crate::event::Event::CallFinished), or
//! [`AttemptStarted`](crate::event::Event::AttemptStarted),
//! [`AttemptAnswered`](crate::event::Event::AttemptAnswered) and
//! [`AttemptFinished`](crate::event::Event::AttemptFinished).
//!
//! # Example
//!
//! ```
//! use http::{Request, Response};
//! use outrigger::event::{Emitter, Event, Origin, Subscriber};
//! use outrigger::{Body, Error, observe::ObserveLayer};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! struct Print;
//! impl Subscriber for Print {
//!     fn on_event(&self, event: &Event, origin: &Origin<'_>) {
//!         println!("{:?}: {event:?}", origin.integration());
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = service_fn(|_: Request<Body>| async {
//!     Ok::<_, Error>(Response::new(Body::from("a balance")))
//! });
//! let service = ServiceBuilder::new()
//!     .layer(ObserveLayer::call(Emitter::named("stripe").with(Print)))
//!     .service(client);
//!
//! // Prints that the call began.
//! let response = service.oneshot(Request::new(Body::empty())).await?;
//! // Prints how it ended: its end is its body's.
//! assert_eq!(Body::new(response.into_body()).text().await?, "a balance");
//! # Ok(()) }
//! ```

mod around;
mod end_guard;
mod layer;

pub use around::ObservePattern;
pub use layer::{Observe, ObserveLayer};
