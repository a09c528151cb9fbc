//! Injected faults: what users would get, before the provider shows them.
//!
//! Right above the transport, a share of the calls gets a fault in place of the provider's answer, or
//! on top of it. Everything further out (limits, retries, breaker, fallback, alarms) behaves as it
//! would on the provider's worst day.
//!
//! | fault | what happens | sent |
//! |---|---|---|
//! | [`latency`](Plan::latency) | the request goes out late | yes |
//! | [`slow_body`](Plan::slow_body) | a pause before each frame of the answer's body | yes |
//! | [`status`](Plan::status) | an empty answer with this status | no |
//! | [`answer`](Plan::answer) | a 200 with a body of yours | no |
//! | [`reset`](Plan::reset) | the connection breaks | no |
//! | [`hang`](Plan::hang) | nothing, until a limit further out cuts it | no |
//!
//! One draw a call decides among the last four; the first two are drawn by themselves and combine
//! with each other and with those. An answer that was made here carries [`Rehearsed`] in its
//! extensions.
//!
//! A rehearsal is switched on and off by a [`RehearsalHandle`], and only where the layer
//! [allows](RehearsalLayer::allow) it. While it is off, a call costs one atomic load.
//!
//! # By request
//!
//! With [`header`](RehearsalLayer::header), a request asks for its own fault, whether or not a plan is
//! on, and the plan leaves it alone. The header never goes out. It may stand there more than once, as
//! faults combine:
//!
//! | value | fault |
//! |---|---|
//! | `status=503` | an answer with this status |
//! | `latency=2s` | the request goes out late; `ms`, `s` or `m` |
//! | `hang`, `reset` | no answer |
//! | `slow-body=100ms` | a pause before each frame |
//! | `answer={"ok":false}` | a 200 with this body, as `application/json` |
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand): inside everything else, right above the
//! transport, so that all limits meet its faults as if they were the provider's. A hang needs a
//! [`timeout`](crate::timeout) or a [`deadline`](crate::deadline) further out, or it never ends.
//! The layer adds no [`Context`](crate::context::Context) of its own to a request: its events and
//! errors carry the call's ids if a layer further out did so.
//!
//! # When not to use it
//!
//! Where nobody watches. The header, on requests whose headers come from outside: whoever sets it
//! decides what becomes of the call.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `allow` | no | nobody switches faults on by mistake |
//! | `plan` | none | a rehearsal begins when somebody says so |
//! | `header` | none: it passes untouched | requests may be made of what strangers sent |
//!
//! # Errors and events
//!
//! A reset is [`ErrorKind::Transport`](crate::ErrorKind::Transport) with
//! [`Fault::Reset`](crate::terms::Fault::Reset), delivery "unknown", as a real one would be; its text
//! says that it was rehearsed. A header that can't be read is
//! [`ErrorKind::Request`](crate::ErrorKind::Request), delivery "not sent". Events:
//! [`RehearsalChanged`](crate::event::Event::RehearsalChanged),
//! [`Rehearsed`](crate::event::Event::Rehearsed).
//!
//! # Example
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use outrigger::{Body, Error, Ratio, rehearsal::{Plan, RehearsalLayer}};
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = service_fn(|_: Request<Body>| async {
//!     Ok::<_, Error>(Response::new(Body::empty()))
//! });
//! let layer = RehearsalLayer::new().allow();
//! let rehearsal = layer.handle();
//! let mut service = ServiceBuilder::new().layer(layer).service(client);
//!
//! rehearsal.start(Plan::new().status(Ratio::ONE, StatusCode::SERVICE_UNAVAILABLE))?;
//! let response = service.ready().await?.call(Request::new(Body::empty())).await?;
//! assert_eq!(response.status(), 503);
//!
//! rehearsal.stop();
//! let response = service.ready().await?.call(Request::new(Body::empty())).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(()) }
//! ```

mod around;
mod handle;
mod header;
mod injection;
mod layer;
mod plan;
#[cfg(feature = "serde")]
mod settings;
mod state;

pub use around::RehearsalPattern;
pub use handle::RehearsalHandle;
pub use injection::Rehearsed;
pub use layer::{Rehearsal, RehearsalLayer};
pub use plan::Plan;

#[cfg(feature = "serde")]
pub(crate) use settings::RehearsalSettings;
