//! A page for people (feature `console`): how every integration is, what users get, and the controls.
//!
//! A product manager reads what is down since when and stops an integration with a reason. Support finds an
//! order by its key, sees what happened to it and sends a dead message again. Who is on call sees whose
//! fault it is. The [runbook](crate::runbook) says what each figure means.
//!
//! ```
//! use std::net::SocketAddr;
//! use outrigger::Integration;
//! use outrigger::console::{Console, OpenOnLoopback, Recent};
//! use outrigger::control::Registry;
//!
//! # fn main() -> Result<(), outrigger::ConfigError> {
//! let recent = Recent::new();
//! let registry = Registry::new().subscriber(recent.clone());
//! let payments = Integration::user_flow("payments").register(&registry).build()?;
//!
//! let console = Console::builder(&registry, OpenOnLoopback).recent(recent).build()?;
//! // axum: Router::new().nest_service("/ops", console)
//! # let _ = (payments, console);
//! # Ok(()) }
//! ```
//!
//! # Mounting
//!
//! [`Console`] is a `tower::Service` over `http`, without a build step and without files. All pages have one
//! path, the one where it is mounted, and are told apart by the query: links are relative to it, so that
//! they work under every prefix. With JavaScript, the overview changes while one looks, and says so when it can't; without it, it is
//! loaded again every 15 s, and everything else works as with it.
//!
//! The overview says so of an integration that answers, but failed one call in twenty of the last five minutes (of twenty
//! calls at least), or most of three or more.
//!
//! | address | page |
//! |---|---|
//! | `?` | all integrations, worst first, with their last hour; the outbox's lanes |
//! | `?integration=payments` | one integration: controls, how it is, its last failures |
//! | `?find=order+1042` | the life of what has this business key, order key, correlation id, call id, idempotency key, message id, provider's request id of a message, or provider's id of a webhook: calls with their attempts and what a fallback gave, messages, webhooks and acts in time order |
//! | `?lane=mailer` | a lane's messages, with a filter; pause, replay or discard what it finds |
//! | `?message=…` | one message: attempts, acts, request and answer (redacted), replay, edit, discard, erase |
//! | `?instances` | all instances, where the registry has a fleet (feature `fleet`): who obeys, who doesn't and for how long |
//! | `?settings=payments` | what the fleet says of an integration's settings, by whom and why, and a form that changes them, in TOML |
//! | `?acts` | what people did; `?acts=csv` for a spreadsheet |
//!
//! All that show how something is are answered in JSON to whoever accepts `application/json` and not `text/html`, with the same
//! rights. A robot acts by a POST of `application/json` with a form's fields (`act`, `why` and the others), an
//! `authorization: Bearer …` that the host's [`Access`] knows, and no cookie. The rights, the limit, the record and the refusals are
//! those of forms; the answer says what came of it.
//!
//! # Who may do what
//!
//! The host logs people in. Its [`Access`] says who sends a request and which of the seven [rights](Right) they have, for each
//! integration and each lane. Nothing is allowed by default. [`ReadOnly`] lets everybody look who reaches it;
//! [`OpenOnLoopback`] is for a developer's machine, and needs the [`Peer`]'s address.
//!
//! | act | right | asks for |
//! |---|---|---|
//! | set a control: kill switch, circuit breaker, fault injection | `Steer` | why; until when (a time in the browser's zone), and whether it is then set back by itself |
//! | change the settings of all instances, where there is a fleet | `Configure` | why; the settings in TOML. All that is wrong is shown at once beside what was written, and nothing is stored |
//! | pause or resume a lane | `Steer` | why, until when |
//! | send dead messages again, one or all that match; edit one | `Replay` | why |
//! | give up, call off, erase | `Discard` | why; for many, their number typed |
//! | show a request unredacted | `Reveal` | why |
//!
//! A control that is set back by itself goes to where it was before, unless somebody has set it since.
//!
//! Where the registry has a fleet (feature `fleet`), controls are set for all instances: the page says so, and afterwards who
//! obeys. The fleet keeps the time, and sets them back. While its database is away, the console sets nothing, not even on its own
//! instance: what one of forty does would look like what all do. What can't wait is set on each instance by its handle.
//!
//! Each act is recorded [before it runs and after](RecordAct), refused ones too, and told to the registry's subscribers when it
//! has come to its end: [`Event::ConsoleActed`](crate::event::Event::ConsoleActed), of the integration or the lane, the metric `outrigger.console.acts`, a line in
//! `tracing`. What is refused before its right is known, such as a forged form, is
//! [`Event::ConsoleRefused`](crate::event::Event::ConsoleRefused) and `outrigger.console.refused`. Once an act has begun, it comes to its
//! end even if the browser leaves. An act on many messages is frozen
//! to those that were dead when the page was made, and runs one after the other in the background, in order;
//! it can be watched and stopped. A person may do 20 acts a minute.
//!
//! # Other languages
//!
//! The pages are in English, or in the language of the host's [`Words`], given by
//! [`ConsoleBuilder::words`]: it looks a text up by the English one, and chooses its form by a number. What it doesn't have
//! stays English. JSON, the record of acts, health and the words of metrics (`server_error`, `fallback-only`) are the same in every
//! language, and so are the library's error texts on the pages.
//!
//! # Security
//!
//! - Forms are taken only from pages of the same origin (`sec-fetch-site`, `origin`; tower-http's `csrf`), and only
//!   with a token that is made for this person, this act and this hour. GET and HEAD change nothing.
//! - The content security policy allows nothing inline and nothing from elsewhere. Answers aren't stored, framed or
//!   sniffed, and pages send other sites no `referer`, because their addresses have keys in them.
//! - What providers wrote is escaped, cut at 16,384 characters, and shown without control characters and without signs that
//!   turn the direction of writing. Requests and answers pass through the [redactor](ConsoleBuilder::redactor).
//!
//! # When not to use it
//!
//! - There is more than one process, and no fleet: each shows and steers itself. Only the outbox, over PostgreSQL, is one for all.
//!   With a fleet, controls are one for all, too; figures and acts are still of the process that shows them.
//! - Figures over days: that is your metrics system's; the console knows the last hour of this process.

mod access;
mod act;
mod acts;
mod answer;
mod asked;
mod assets;
mod builder;
mod configure;
mod find;
mod form;
mod form_token;
mod inner;
mod json;
mod lanes;
mod life;
mod live;
mod minutes;
mod page;
mod read;
mod recent;
mod respond;
mod route;
mod service;
mod set;
mod steps;
mod task;
mod until;
mod wanted;
mod words;

pub use access::{Access, Actor, OpenOnLoopback, Peer, ReadOnly, Scope};
pub use acts::{ActResult, ConsoleAct, RecordAct};
pub use builder::ConsoleBuilder;
pub use recent::Recent;
pub use service::Console;
pub use words::{Text, TextFault, Words, check_words};

pub use crate::terms::{ActOutcome, ActRefusal, Right};
