//! Gives each attempt a token, and keeps one while its issuer is down.
//!
//! A provider that wants OAuth 2 tokens or API keys is two third parties: the token's issuer fails on
//! days of its own. The layer asks an [`Issuer`] (any async function; OAuth 2 with the feature
//! `oauth`; [keys from a file](KeyFile)) and writes its token into each attempt's headers, marked
//! as sensitive.
//!
//! - **Before the token ends, it is renewed**, by one fetch in a task of its own, and nobody waits. If the
//!   fetch fails, the token is sent on and the fetch tried again, until the token ends.
//! - **Without a token, calls wait for one**: all for the same fetch, each under its own limits. A caller
//!   who leaves harms nobody. While the issuer fails, calls are refused at once with its error, and the
//!   time of the next fetch as [`retry_after`](crate::Error::retry_after). Nothing was sent, and a
//!   circuit breaker doesn't count it against the provider.
//! - **A token that the provider refuses** (by a 401, or by [a sign of its own](TokenLayer::refused_when))
//!   is replaced, and the call repeated once with the new one.
//!
//! # The life of a token
//!
//! Times are counted from when it was asked for, by the monotonic clock and by the wall clock: the one that
//! is ahead decides, so that a machine that slept notices.
//!
//! | lifetime | 60 s | 5 min | 1 h | 24 h | unknown |
//! |---|---|---|---|---|---|
//! | sent until so long before its end: a tenth, at most 30 s | 6 s | 30 s | 30 s | 30 s | no end |
//! | renewed so long before that: a fifth, at most 15 min; less up to a fifth of it, by chance | 12 s | 60 s | 12 min | 15 min | each 4 min |
//!
//! So an issuer may be down for that long (15 min, with tokens of a day) and nobody notices. Both limits
//! are settings: [`margin`](TokenLayer::margin) and [`renew_ahead`](TokenLayer::renew_ahead).
//!
//! | [state](TokenState) | a caller gets | then |
//! |---|---|---|
//! | `empty` | waits for the fetch | `fresh`, or `failing` |
//! | `fresh` | the token | `soft`, in time |
//! | `soft` | the token, at once; one fetch runs beside | `fresh`; after an error, `soft` with a back-off; `hard`, in time |
//! | `hard`, `refused` | waits for the fetch | `fresh`, or `failing` |
//! | `failing` | the issuer's error, until the back-off ends | as `empty` |
//! | `expired` | the ended token, at once; one fetch runs beside | `fresh`; `failing`, in time |
//!
//! There is an `expired` only with [`serve_expired`](TokenLayer::serve_expired), for APIs that accept a
//! token for a while after its end. It begins when a fetch has failed and the token has ended; while
//! nobody knows that the issuer is down, callers wait for the fetch. A
//! [settled](TokenFailure::Settled) error, a 401 and the setting's limit end it.
//!
//! After an error the next fetch waits 1 s × 2ⁿ ≤ 30 s (full jitter, at least 100 ms, and at most a quarter of
//! what the token still lives), or as long as the issuer asks, up to 5 min. The first error without a token to send
//! begins at 1 s again, so that callers soon notice that the issuer is back. After an error that only people
//! can end (a [settled](TokenFailure::Settled) one) it waits about a minute: secrets are rotated while
//! services run, so it never stops trying. A lifetime of less than a second is an error, and an issuer that
//! gives the same end again is asked again after a quarter of the window.
//!
//! # Refused tokens
//!
//! A 401 to a token that was replaced meanwhile repeats the call with the newer one. To the present one it
//! forces a fetch, unless the token is younger than a minute (then its age isn't the reason), a back-off
//! runs, or another was forced a moment ago (10 s, doubled each time up to 10 min): then the caller gets
//! the 401. A 403 never does: it is about rights.
//!
//! It is [`retry`](crate::retry) that repeats the call: at once, once a call, whatever the method is, because a
//! 401 says that nothing was done (RFC 9110, 15.5.2). It counts neither for `max_attempts` nor for the budget.
//! In an integration with [`grpc`](crate::IntegrationBuilder::grpc), the status UNAUTHENTICATED is a 401.
//! Without that layer, with a body that was not kept, with
//! [`RetryOverride::Never`](crate::retry::RetryOverride::Never) or while a kill switch forbids retries, the
//! answer is the 401.
//!
//! # Which requests carry it
//!
//! Those that have no header of that name; a caller's own credential stays, and what comes of it is the
//! caller's. In an integration with a [base URL](crate::IntegrationBuilder::base_url), only those to its
//! origin. The own client drops the token when it follows a redirect to another origin; switch redirects
//! off in a client of yours.
//!
//! # A token for each tenant
//!
//! [`TokenLayer::keyed`] keeps a token for each key, which it takes from a request's head, such as a
//! tenant in an extension, each with an issuer, a state and fetches of its own. In
//! [`Health`](crate::control::Health), `token` is the one that is worst off, and
//! [`keyed_tokens`](crate::Integration::keyed_tokens) reads, renews and invalidates each.
//! [`Integration::check`](crate::Integration::check) knows no keys, and fetches none.
//!
//! With a [cache](crate::cache), which stands outside and doesn't see the token, give each request the
//! tenant as its [`CachePartition`](crate::cache::CachePartition). In an integration, a call without one goes
//! past the cache; in layers that are composed by hand, tenants without one share what is stored.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - inside [`retry`](crate::retry) and [`hedge`](crate::hedge), so that each attempt has the token of
//!   its time, also after a long wait;
//! - inside [`timeout`](crate::timeout), which ends the wait for a token; without it or a
//!   [`deadline`](crate::deadline), that is [`fetch_timeout`](TokenLayer::fetch_timeout);
//! - the issuer's own calls go through a service of their own, never through this layer.
//!
//! # When not to use it
//!
//! For a credential that the caller has at hand, such as its user's session: set the header on the
//! request.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `header`, `scheme` | `authorization`, `Bearer` | RFC 6750, 2.1 |
//! | `fetch_timeout` | 5 s | longer than an issuer takes, shorter than a person waits |
//! | `margin` | 30 s | a request takes time, and two clocks differ |
//! | `renew_ahead` | 15 min | an outage of the issuer's that nobody notices |
//! | `serve_expired` | off | few APIs accept it |
//! | `refused_when` | a 401 alone | RFC 9110, 15.5.2 |
//!
//! In a file: `[token]` with `fetch_timeout`, `margin`, `renew_ahead` and `serve_expired`. A present token
//! keeps the times that were counted when it came.
//!
//! # Errors and events
//!
//! Without a token, the error is of kind [`Rejected`](crate::ErrorKind::Rejected) with
//! [`Rejection::NoToken`](crate::outcome::Rejection::NoToken), delivery "not sent". Events:
//! [`TokenRefreshed`](crate::event::Event::TokenRefreshed),
//! [`TokenRefreshFailed`](crate::event::Event::TokenRefreshFailed),
//! [`TokenServedExpired`](crate::event::Event::TokenServedExpired),
//! [`TokenMissing`](crate::event::Event::TokenMissing),
//! [`TokenRefused`](crate::event::Event::TokenRefused). They name a token by its number; no token is in any
//! event, error, span or `Debug`. [`Health`](crate::control::Health) has the state and when it ends, and
//! [`Integration::check`](crate::Integration::check) says at the start what is wrong.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use outrigger::Integration;
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::token::{Token, TokenError, TokenLayer};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! async fn from_the_vault() -> std::io::Result<String> {
//!     Ok("s3cr3t".to_owned()) // a request of yours
//! }
//!
//! let tokens = TokenLayer::new(|_| async {
//!     let token = from_the_vault().await.map_err(|_| TokenError::transient("the vault is away"))?;
//!     Ok(Token::new(token).expires_in(Duration::from_secs(3600)))
//! });
//! let provider = Script::new([Answer::status(200)]);
//! let crm = Integration::user_flow("crm").service(provider.clone()).token(tokens).build()?;
//!
//! crm.check().await?; // at the start
//! crm.get("http://crm.test/contacts").send().await?;
//! assert_eq!(provider.requests()[0].headers()["authorization"], "Bearer s3cr3t");
//! # Ok(()) }
//! ```

mod around;
mod cells;
mod config;
mod error;
mod forced;
mod handle;
mod issuer;
mod key_file;
mod layer;
#[cfg(feature = "oauth")]
pub mod oauth;
mod secret;
#[cfg(feature = "serde")]
mod settings;
mod shared;
mod state;
mod windows;

pub use around::TokenPattern;
pub use error::TokenError;
pub use handle::{KeyedTokens, TokenHandle};
pub use issuer::{Issuer, Token, TokenReason, TokenRequest};
pub use key_file::KeyFile;
pub use layer::{TokenLayer, TokenService};
#[cfg(feature = "serde")]
pub(crate) use settings::TokenSettings;

pub use crate::terms::{TokenFailure, TokenState};
