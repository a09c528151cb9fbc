//! Injects faults, to test what users would get if the provider failed.
//!
//! Right above the transport, a share of the calls gets a fault instead of the provider's answer, or in
//! addition to it. Everything further out (limits, retries, breaker, fallback, alerts) behaves as it
//! would if the provider failed.
//!
//! | fault | what happens | sent |
//! |---|---|---|
//! | [`latency`](Plan::latency) | the request goes out late | yes |
//! | [`slow_body`](Plan::slow_body) | a pause before each frame of the answer's body | yes |
//! | [`status`](Plan::status) | an empty answer with this status | no |
//! | [`answer`](Plan::answer) | a 200 with a body of yours | no |
//! | [`reset`](Plan::reset) | the connection breaks | no |
//! | [`hang`](Plan::hang) | nothing, until a limit further out ends it | no |
//!
//! A call gets at most one of the last four; the first two are drawn independently, and combine with
//! each other and with those. An injected answer has [`Injected`] in its extensions.
//!
//! A [`FaultInjectionHandle`] starts and stops it, if the layer [allows](FaultInjectionLayer::allow)
//! it. While it is off, a call costs one atomic load.
//!
//! # By request
//!
//! With [`header`](FaultInjectionLayer::header), a request asks for its own fault, whether or not a plan is
//! on; the plan doesn't apply to it. The header is not sent. It may occur more than once, because faults
//! combine:
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
//! If no one watches the results. Don't use the header for requests whose headers come from outside: a
//! stranger could set it.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `allow` | no | faults can't be injected by mistake |
//! | `plan` | none | a handle starts it |
//! | `header` | none: it passes untouched | requests may have headers that strangers set |
//!
//! # Errors and events
//!
//! A reset is [`ErrorKind::Transport`](crate::ErrorKind::Transport) with
//! [`Fault::Reset`](crate::terms::Fault::Reset), delivery "unknown", as a real one would be; its text
//! says that it was injected. A header that can't be read is
//! [`ErrorKind::Request`](crate::ErrorKind::Request), delivery "not sent". Events:
//! [`FaultInjectionChanged`](crate::event::Event::FaultInjectionChanged),
//! [`Injected`](crate::event::Event::FaultInjected).
//!
//! # Example
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use outrigger::{Body, Error, Ratio, fault_injection::{Plan, FaultInjectionLayer}};
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = service_fn(|_: Request<Body>| async {
//!     Ok::<_, Error>(Response::new(Body::empty()))
//! });
//! let layer = FaultInjectionLayer::new().allow();
//! let fault_injection = layer.handle();
//! let mut service = ServiceBuilder::new().layer(layer).service(client);
//!
//! fault_injection.start(Plan::new().status(Ratio::ONE, StatusCode::SERVICE_UNAVAILABLE))?;
//! let response = service.ready().await?.call(Request::new(Body::empty())).await?;
//! assert_eq!(response.status(), 503);
//!
//! fault_injection.stop();
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

pub use around::FaultInjectionPattern;
pub use handle::FaultInjectionHandle;
pub use injection::Injected;
pub use layer::{FaultInjection, FaultInjectionLayer};
pub use plan::Plan;

// The former names.
#[doc(hidden)]
pub use self::{
    FaultInjection as Rehearsal, FaultInjectionHandle as RehearsalHandle,
    FaultInjectionLayer as RehearsalLayer, FaultInjectionPattern as RehearsalPattern,
    Injected as Rehearsed,
};

#[cfg(feature = "serde")]
pub(crate) use settings::FaultInjectionSettings;
