//! Answers from what is stored: fresh, or stale instead of an error.
//!
//! It is a private cache by RFC 9111, with stale-while-revalidate and stale-if-error by RFC 5861. A GET or
//! HEAD is answered from it; other methods go past it and outdate what they may have changed.
//!
//! | what is stored | what a call gets | and |
//! |---|---|---|
//! | it is fresh | the stored answer | |
//! | stale, within stale-while-revalidate | the stored answer, at once | one fetch in the background |
//! | stale, and the provider answers | the provider's answer, or the stored one that it confirms (304) | it is stored |
//! | stale, within stale-if-error, and the provider fails | the stored answer | the provider isn't asked for this for 1 s × 2 ≤ 30 s, full jitter |
//! | nothing, or it may not be given | the answer or the error, unchanged | it is stored, if it may be |
//!
//! An answer says what was done: [`CacheOutcome`] in its extensions, `Age`, and `Cache-Status` (RFC 9211).
//! Show your users when it [is stale](CacheOutcome::is_stale).
//!
//! **Whose answers.** A key is the URI and a [`CachePartition`]: who asks. Give each tenant its own. Without
//! one, the request's credentials make the partition, by a hash that is secret to this process:
//! `Authorization`, `Cookie`, API keys, whatever is marked sensitive ([the list](CachePartition)). So a
//! rotated token finds nothing unless a partition is named. Name one too where a request says in another way
//! who asks, such as by a header `x-user`. Callers without any share what is stored, but no answer with
//! `Set-Cookie`. In an integration with [keyed tokens](crate::token#a-token-for-each-tenant), a call without
//! a named partition goes past the cache: whose token it is sent with is decided further in.
//!
//! **What is stored.** What RFC 9111, 3, allows, if it is of use: fresh, or confirmable, or within a window of
//! staleness. Never: `no-store`, `Set-Cookie` without a partition, `text/event-stream`, `Vary: *`, 206, a
//! body that broke, wasn't read, is over the [cap](CacheLayer::body_cap) or differs from its
//! `Content-Length`. Nor an answer that isn't what its status says: a 2xx that a classifier, a check or the
//! [token](crate::token) layer calls no success, a refusal of credentials by any status, and what came by a
//! redirect, whose freshness is that of another URI. What varies by request headers is kept for each, 16 for a URI; credentials don't count
//! there, because the partition stands for them.
//!
//! **Freshness.** `max-age`, else `Expires`, else [`fresh_for`](CacheLayer::fresh_for), else a tenth of the
//! time since `Last-Modified`, a day at most. `s-maxage`, `proxy-revalidate` and `private` are for shared
//! caches, and `Pragma` is ignored. An answer counts as older if either clock says so, the wall clock or the
//! monotonic one: after a machine was suspended nothing is fresh by mistake.
//!
//! **Errors** are 500, 502, 503, 504, timeouts, transport errors, and refusals of layers further in (open
//! breaker, full bulkhead, the kill switch's "off" and "cache only"). Within the window
//! of the [setting](CacheLayer::stale_if_error), also 429 and what [`stale_when`](CacheLayer::stale_when)
//! names. 401, 403, 404, 410 are answers. `no-cache` and `must-revalidate` forbid any staleness.
//!
//! **One fetch.** Calls for one key wait for one fetch, each under its own deadline, and its retries end by the
//! latest of these. It runs in a task of its
//! own, so a call that leaves harms no other. When nobody waits any more, it ends; where a stale answer could
//! be given, it first has a background fetch's time. They get its answer only if it was stored and may be given
//! without asking, or its error, unless a layer further in refused it; else each fetches its own at once, and calls
//! for this key don't wait for each other for 60 s. Where it varies, they wait once more, for one of their kind. A call that has a stale answer to fall back on waits for nine tenths of its time.
//!
//! **Outdated** are a URI, and the `Location` and `Content-Location` of the same origin, by an unsafe call
//! (POST, PUT, DELETE …) that succeeded or may have happened, as it may have after a 5xx, or a redirect, or if
//! an attempt before the last was sent; by hand: [`CacheHandle`]. That holds for all partitions. What is being fetched then isn't stored.
//!
//! **Groups** (RFC 9875): an answer's `Cache-Groups` names groups of its origin, such as `"rates"`. With one
//! answer that is outdated go all others of its groups, and those of the groups that the answer to an unsafe
//! call names in `Cache-Group-Invalidation`. An answer that names more than 128 is in none of them.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - inside [`deadline`](crate::deadline): who waits for another call's fetch waits in the caller's time;
//! - inside [`fallback`](crate::fallback), which answers where nothing is stored;
//! - outside [`kill_switch`](crate::kill_switch), [`retry`](crate::retry) and all that sends. In an
//!   integration, calls go past it while the switch is at "fallback only": who moves it there wants no answer of
//!   the provider's, however fresh. Composed by hand, it doesn't know, and gives what it may without asking.
//!
//! It can't be one of several [`layers`](crate::pattern::layers), because its fetches need the service that
//! it wraps. Outside of a tokio runtime, calls go past it. A background fetch has
//! [low priority](crate::bulkhead::Priority) in the bulkhead; the rate limit knows no priorities, and it
//! counts as any call there. While it waits there, or for its next attempt, a call that needs the provider's answer
//! doesn't wait for it: it goes itself, and the background fetch ends. One that is refused there is tried again after the same times
//! as one that failed, and keeps no call from asking the provider.
//!
//! # When not to use it
//!
//! Where an old answer is worse than none: a balance before a payment, a stock before an order. For large
//! files, and for answers that come for minutes, because those who wait for a fetch wait for its whole body;
//! it is read ahead of its caller up to the cap. [Bypass](CachePolicy::Bypass) the cache for such calls. For
//! answers that other processes must share: the store is this process's memory.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | [`fresh_for`](CacheLayer::fresh_for) | what answers say | the provider knows best |
//! | [`stale_while_revalidate`](CacheLayer::stale_while_revalidate), [`stale_if_error`](CacheLayer::stale_if_error) | what answers say | only the business knows how old is too old |
//! | [`max_bytes`](CacheLayer::max_bytes) | 64 MiB | small beside a service's memory |
//! | [`max_keys`](CacheLayer::max_keys) | 10,000 | 6 KiB each, an API's usual answer |
//! | [`body_cap`](CacheLayer::body_cap) | 1 MiB | larger answers are files |
//! | time for a background fetch | an integration's attempt limit, else 30 s | no caller waits for it |
//! | heuristic | 10 %, at most 24 h | RFC 9111, 4.2.2 |
//!
//! # Errors and events
//!
//! No error of its own; 504 for `only-if-cached` where nothing is stored. Events:
//! [`CacheAnswered`](crate::event::Event::CacheAnswered),
//! [`CacheRefreshed`](crate::event::Event::CacheRefreshed).
//!
//! # Example
//!
//! ```
//! # #[cfg(feature = "cache")]
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use outrigger::Integration;
//! use outrigger::cache::{CacheLayer, CacheOutcome};
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//!
//! let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
//! let provider = Script::new([Answer::status(200).body("1.08"), Answer::status(503)]);
//! let rates = Integration::user_flow("rates")
//!     .cache(CacheLayer::new().fresh_for(minutes(1)).stale_if_error(minutes(60)))
//!     .service(provider)
//!     .build()?;
//!
//! let rate = rates.get("http://rates.test/eur").send().await?;
//! assert_eq!(rate.into_body().text().await?, "1.08");
//!
//! tokio::time::sleep(minutes(5)).await;
//! let rate = rates.get("http://rates.test/eur").send().await?;
//! let outcome = rate.extensions().get::<CacheOutcome>().copied();
//! assert_eq!(outcome, Some(CacheOutcome::StaleIfError));
//! assert_eq!(rate.into_body().text().await?, "1.08");
//! # Ok(()) }
//! # #[cfg(not(feature = "cache"))]
//! # fn main() {}
//! ```

mod around;
mod ask;
mod asked;
mod body;
mod config;
mod fill;
mod flight;
mod give;
mod given;
mod handle;
#[cfg(feature = "cache")]
mod index;
mod invalidation;
mod key;
mod layer;
#[cfg(feature = "cache")]
mod memory;
mod origin;
mod overlap;
mod parts;
mod past;
mod pause;
#[cfg(feature = "serde")]
mod settings;
mod shared;
mod state;
mod store;
mod stored;

pub use around::CachePattern;
pub use config::CacheWindows;
pub use handle::CacheHandle;
pub use key::{CacheKey, CachePartition, CachePolicy};
pub use layer::{Cache, CacheLayer};
#[cfg(feature = "cache")]
pub use memory::InMemoryStore;
pub use store::CacheStore;
pub use stored::CacheEntry;

pub use crate::terms::CacheOutcome;

pub(crate) use origin::{Fetched, Origin};
#[cfg(feature = "serde")]
pub(crate) use settings::CacheSettings;
