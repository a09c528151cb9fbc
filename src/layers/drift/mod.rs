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
//! # What it notices in bodies
//!
//! With the feature `json`, and only if `shapes` are switched on, it learns the shape of each
//! endpoint's answers: which places there are, of which JSON types, and which fields are always there. An
//! endpoint is a method, a template and the class of the status (2xx, 4xx); the first 128 are learned, with
//! 2,000 places and words each at most. A shape is learned from the first 200 answers, over an hour at least, and then
//! compared:
//!
//! | kind | told when |
//! |---|---|
//! | `new_field` | a tenth of 200 answers have a field that the shape hasn't. A field that fewer have is an optional one, and is added silently |
//! | `field_gone` | 200 answers in a row lack a field that was in every object |
//! | `type_changed`, `new_null` | one answer has it; then the shape is changed accordingly, so it is told once. The alert leaves `new_null` and `new_value` out: a rare one may just not have been met before |
//! | `new_value` | one answer has a word that the field never had, of a field that had at most 20 words in 200 texts. A word is what a program writes: `card_declined`, no number, id, name or sentence |
//!
//! `detail` says where: `2xx: /data/*/price`, in which `*` is an item of an array. `{}` is an entry of an object
//! that is a table: one whose keys are numbers, dates, addresses or ids, or with over 50 keys. An object that was
//! learned with fields stays one: a key that is an id, or the 51st, is passed over there. The keys of tables are
//! in no output, and neither is any value. (A key that is a name and is written as programs write, such as
//! `ada`, looks like a field.)
//!
//! The body is copied while its caller reads it, up to 64 KiB; nothing waits for that. A body that is
//! longer (1 MiB can be set), encoded (gzip), broken, dropped unread or no JSON is not looked at. A body is parsed when it is
//! over, in the call's task. Of an endpoint's answers the first ten in a
//! second are looked at, and then every tenth.
//!
//! What was learned is this process's. `DriftHandle::export` gives it as `Shapes`, a file for the
//! repository, and `DriftHandle::import` compares with that file from the first answer on.
//! `Shapes::changes` compares two files: the example `contract_check` does so in CI.
//!
//! # Who is told, and how often
//!//!
//! A [`Drift`] is told once for each host, endpoint and kind: as an event, again after 24 hours, and when it
//! says something else (8 times a day at most, for texts with a date or an id in them). Of several dates that
//! were told within a day, health and the gauge have the earliest; of texts, the one that was said last. At most 14
//! links, warnings and notices of one answer are read. The endpoint is the
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
//! of an answer: it never stops a wrong one. Shapes are of no use where answers have no fixed fields, and
//! where an endpoint has fewer than some hundred answers before a process ends: import a file there.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | in the presets | off | a decision of those who read it |
//! | `shapes` | off | not everybody wants bodies looked at |
//! | answers, time | 200, an hour | a field that is in one answer of fifty is met with 98 %; answers of one minute may be of one customer |
//! | `body_cap` | 64 KiB | an API's usual answer has 6 |
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
