//! A copy that is kept here of what a provider has, and served while the provider is down.
//!
//! A [`LocalCopy`] is loaded by an async function of yours, through an [`Integration`](crate::Integration), in
//! the background and at an interval. Readers get the last copy at once, whatever the provider does: for price
//! lists, catalogues, exchange rates, feature flags, the contacts of a CRM.
//!
//! ```
//! use std::time::Duration;
//! use outrigger::local_copy::{Load, LoadError, Loaded, LocalCopy};
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::{Integration, ResponseExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! async fn load(shop: Integration, load: Load) -> Result<Loaded<Vec<String>>, LoadError> {
//!     // Asks on the condition that it has changed, and makes an error of any status but 2xx and 304.
//!     let Some(answer) = load.fetch(shop.get("http://shop.test/prices")).await? else {
//!         return Ok(Loaded::unchanged());
//!     };
//!     let headers = answer.headers().clone();
//!     let prices = answer.text().await?.lines().map(str::to_owned).collect();
//!     Ok(Loaded::new(prices).validators(&headers))
//! }
//!
//! let provider = Script::new([Answer::status(200).body("tea 3.20\ncoffee 4.10"), Answer::status(503)]);
//! let shop = Integration::background("shop").without_retry().service(provider).build()?;
//! let of = shop.clone();
//! let prices = LocalCopy::builder("prices", &shop, Vec::len, move |one| load(of.clone(), one))
//!     .every(Duration::from_secs(60))
//!     .start()?;
//!
//! prices.ready().await?; // at the start
//! assert!(prices.reload().await.is_err(), "the provider is down");
//! assert_eq!(prices.get()?.len(), 2);
//! # Ok(()) }
//! ```
//!
//! # The life of a copy
//!
//! Its age is the time since the begin of the last load that succeeded, by the monotonic clock or by the wall
//! clock: the one that says more decides, so that a machine that slept notices, within 30 s.
//!
//! | [state](CopyState) | when | [`get`](LocalCopy::get) |
//! |---|---|---|
//! | `empty` | no load has succeeded yet, and there was no snapshot | an error; [`ready`](LocalCopy::ready) waits |
//! | `current` | it is younger than two intervals | the copy |
//! | `late` | it is two intervals old: this is told, and alerts | the copy |
//! | `expired` | it is as old as [`max_age`](LocalCopyBuilder::max_age) allows, if you set one | an error that says since when |
//!
//! # Loads
//!
//! - **One at a time**, each [`every`](LocalCopyBuilder::every) plus or minus a tenth, from the begin of one to
//!   that of the next. Loads that were missed, because one was slow or the machine slept, are made good by one.
//! - **A load that fails changes nothing**, and only the provider's answer is a load: no cached one, and no
//!   fallback's. The next one begins after 1 s × 2ⁿ, at most the interval (full
//!   jitter, at least 100 ms). A loader that hangs is dropped after
//!   [`load_timeout`](LocalCopyBuilder::load_timeout); one that panics has failed.
//! - **By hand**: [`reload`](LocalCopy::reload), or the control of the copy's name in the
//!   [registry](crate::control), position `reload`.
//! - **A provider that says "not modified"** (304) has confirmed the copy: a success.
//! - **They end with the handle.** When the last clone is dropped, a load that runs is cancelled.
//!
//! Each process loads for itself. What fails is loaded again by itself: an integration that retries for hours does so within one load, until
//! `load_timeout`.
//!
//! # The guard
//!
//! Providers also fail by answering 200 and an empty list. What was loaded takes the place of the copy only if
//! the guard agrees. The built-in one refuses a copy without entries, also the first one, and one with fewer
//! than half of those before; [`guard`](LocalCopyBuilder::guard) sets one of yours. A refused load is a failed
//! one: the old copy stays, it is told, and it alerts. A guard that panics refuses, too. If the list is right, a
//! person lets it pass, within ten minutes and once, by [`accept`](LocalCopy::accept) or the control's position
//! `accept`. A list that has changed since he saw it (by its number of entries, or its `ETag`) doesn't pass.
//!
//! # Snapshots
//!
//! With [`snapshot`](LocalCopyBuilder::snapshot), each copy that is loaded or confirmed is written to a file, to
//! another name first, and renamed. A process that starts reads it before its first load, so that it has data
//! during an outage: with its true age, and marked as
//! [`is_from_snapshot`](crate::control::LocalCopyHealth::is_from_snapshot) until a load succeeds. The file has a
//! checksum, the format's version and the copy's name: one that is torn, or something else, is ignored and
//! told. One of the future, as after a clock was wrong, has an unknown age: it is late, or expired if there is a
//! `max_age`. If your encoding changes, let decoding fail. A file that can't be written is told, and costs no load.
//!
//! Only the file's owner can read it; what is in it is not encrypted. It is limited to 1 GiB.
//!
//! # What is told
//!
//! [`Event::LocalCopy`](crate::event::Event::LocalCopy), to the integration's subscribers, with the copy's
//! name: loaded (changed or not, with the number of entries), failed or refused, late, expired, and what became
//! of the snapshot. [`Health`](crate::control::Health) has the state, the age, the last success and the error;
//! [metrics](crate::telemetry) have them as gauges, and alerts ask these. No event, error or `Debug` shows
//! anything of the copy but its number of entries.
//!
//! # When not to use it
//!
//! - More than fits in memory twice: while it is loaded, the old copy and the new one exist. While a snapshot
//!   is written, its encoded form does, too.
//! - Answers to requests that differ from caller to caller: that is the layer [`cache`](crate::cache).
//! - Data that must not be a minute old: a balance, the last seat.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `every` | 5 min | lists change by the hour, and one request in five minutes is no load |
//! | `max_age` | none | old prices are better than none, and being late alerts |
//! | `load_timeout` | 5 min | longer than a list of many pages takes |
//! | `guard` | not empty, not fewer than half | what broke other people's catalogues |
//! | `snapshot` | none | where files may be written is yours to decide |

mod builder;
mod control;
mod error;
mod guard;
mod handle;
mod load;
mod load_error;
mod shared;
mod snapshot;
mod state;
mod task;

pub use builder::LocalCopyBuilder;
pub use error::LocalCopyError;
pub use handle::LocalCopy;
pub use load::{Load, Loaded};
pub use load_error::LoadError;

pub use crate::terms::local_copy::{CopyState, LoadFailure};
