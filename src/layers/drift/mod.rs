//! Notices in a provider's answers that its API changes, before that hurts.
//!
//! It watches. It refuses no call, changes no answer and delays nothing.
//!
//! # What it notices in headers
//!
//! | header | what is read | [kind](DriftKind) |
//! |---|---|---|
//! | `Deprecation` (RFC 9745) | `@1688169599`; the older forms `true` and an HTTP date; past or to come. What says it without a date that can be read is told without one; `false`, `?0` and `0` say nothing | `deprecation` |
//! | `Sunset` (RFC 8594) | an HTTP date in its three forms, or an ISO 8601 one; `detail` says if it is earlier than the deprecation | `sunset` |
//! | `Link` (RFC 8288) with `rel` `deprecation`, `sunset`, `successor-version` | a URL, relative to the request's; the query is dropped | `deprecation_link`, `sunset_link`, `successor_version` |
//! | `Warning` (RFC 7234, 5.5) with the code 299 | its text | `warning` |
//! | `X-Shopify-API-Deprecated-Reason`, and [those you name](DriftLayer::notice_header) | its text | `notice` |
//! | `Content-Type` of a success | a media type that this endpoint's answers never had; only for requests with a [`PathTemplate`](crate::context::PathTemplate); three types an endpoint at most | `media_type` |
//!
//! Texts have at most 200 characters, no control characters, and nothing that is [secret by its
//! looks](crate::redact). Of several dates in one answer, the earliest counts. Values of over 4 KiB, and
//! values that are marked sensitive, are not read.
//!
//! # Who is told, and how often
//!
//! A [`Drift`] is told once for each host, endpoint and kind: as an event, again after 24 hours, and when it
//! says something else (8 times a day at most, for texts with a date or an id in them). The endpoint is the
//! method and the [`PathTemplate`](crate::context::PathTemplate) of the request. Without a template it is
//! the method alone, because a path may hold ids and names. So give templates.
//!
//! [`DriftHandle::drifts`] and [`Health::drifts`](crate::control::Health::drifts) list what was seen within 35
//! days: longer than between two runs of a monthly job. The list has 1,000 entries at most; the one that was
//! not seen for the longest time goes first. All of it is in this process's memory: a process that starts
//! tells anew.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand): inside [`retry`](crate::retry) and
//! [`hedge`](crate::hedge), so that it sees every answer, and outside
//! [`idle_timeout`](crate::idle_timeout).
//!
//! # When not to use it
//!
//! Where nobody reads what it tells: give it alerts (the file `examples/observability/rules.yml` has them),
//! or a subscriber. For APIs whose version you deploy yourself: their tests tell you sooner. It is no check
//! of an answer: it never stops a wrong one.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | in the presets | off | a decision of those who read it |
//! | `notice_header` | `X-Shopify-API-Deprecated-Reason` | the one that is documented and has no standard |
//!
//! # Errors and events
//!
//! No error of its own. Event: [`DriftNoticed`](crate::event::Event::DriftNoticed), with the whole of it as
//! [`Origin::drift`](crate::event::Origin::drift). Metrics: `outrigger.drift.noticed`,
//! `outrigger.drift.endpoints`, `outrigger.drift.sunset`.
//!
//! # Example
//!
//! ```
//! use outrigger::Integration;
//! use outrigger::drift::{DriftKind, DriftLayer};
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let old = Answer::status(200)
//!     .header("deprecation", "@1688169599")
//!     .header("sunset", "Sun, 30 Jun 2024 23:59:59 GMT");
//! let crm = Integration::user_flow("crm").service(Script::new([old])).drift(DriftLayer::new()).build()?;
//!
//! crm.get("http://crm.test/v1/customers/7").template("/v1/customers/{id}").send().await?;
//! let drifts = crm.drift().drifts();
//! assert_eq!(drifts[0].kind, DriftKind::Deprecation);
//! assert_eq!(drifts[0].endpoint, "GET /v1/customers/{id}");
//! assert_eq!(drifts[1].kind, DriftKind::Sunset);
//! # Ok(()) }
//! ```

mod around;
mod config;
mod fields;
mod handle;
mod layer;
#[cfg(feature = "serde")]
mod settings;
#[cfg_attr(not(feature = "json"), path = "no_shapes.rs")]
mod shapes;
mod shared;
mod signal;
mod state;

pub use around::DriftPattern;
pub use handle::DriftHandle;
pub use layer::{DriftLayer, DriftService};
#[cfg(feature = "json")]
pub use shapes::{ShapeChange, ShapeConfig, Shapes, ShapesError};

pub use crate::event::Drift;
pub use crate::terms::DriftKind;

#[cfg(feature = "serde")]
pub(crate) use settings::DriftSettings;
