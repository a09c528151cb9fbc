//! Tells when a call, or one attempt of it, begins and ends.
//!
//! [`ObserveLayer::call`] stands outside everything and sees what the caller sees;
//! [`ObserveLayer::attempt`] stands inside retries and limits and sees what the provider gets. The
//! end is the end of the answer's body, its error or its drop. A caller who goes away before the
//! answer is reported as [`Abandoned`](crate::event::End::Abandoned), neither a success nor a
//! failure; whether the provider may have acted is told all the same. With no subscriber, the layer reads no clock and emits nothing.
//!
//! # When not to use it
//!
//! Where nobody subscribes; it then does nothing.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `emitter` | nobody listens | events are of use to those who asked |
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
//! use outrigger::{event::{Emitter, Event, Origin, Subscriber}, observe::ObserveLayer};
//! use tower::ServiceBuilder;
//! # use outrigger::Body;
//! # let client = tower::service_fn(|_: http::Request<Body>| async {
//! #     Ok::<_, outrigger::Error>(http::Response::new(Body::empty()))
//! # });
//!
//! struct Print;
//! impl Subscriber for Print {
//!     fn on_event(&self, event: &Event, _: &Origin<'_>) {
//!         println!("{event:?}");
//!     }
//! }
//!
//! let service = ServiceBuilder::new()
//!     .layer(ObserveLayer::call(Emitter::named("stripe").with(Print)))
//!     .service(client);
//! # let _ = service;
//! ```

mod around;
mod layer;
mod report;

pub use around::ObservePattern;
pub use layer::{Observe, ObserveLayer};
