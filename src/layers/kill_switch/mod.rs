//! Lets people stop an integration while the service runs, and start it again.
//!
//! | mode | what happens to a call |
//! |---|---|
//! | [`SwitchMode::On`] | it goes out |
//! | [`SwitchMode::NoRetries`] | it goes out once: no retries, no hedges |
//! | [`SwitchMode::CacheOnly`] | it is refused here, and a [`cache`](crate::cache) further out answers if it can, stale within its window for errors |
//! | [`SwitchMode::FallbackOnly`] | it is refused here, and a fallback further out answers; an integration's [`cache`](crate::cache) gives nothing |
//! | [`SwitchMode::Off`] | it is refused, and no fallback answers |
//!
//! A refusal says who moved the switch, why and since when, and the call's key if its caller gave it
//! one. It costs no more than the error itself: the inner service isn't polled, and no connection is
//! used. Requests in flight finish; a call that waits further in, in a queue, for a connection or for its
//! next attempt, sends nothing more, and is counted and reported as a refused one.
//!
//! A [`KillSwitchHandle`] moves the switch from inside the process. From outside, a [`SwitchFile`] is
//! read periodically, an endpoint is [`Polled`], and a [`SwitchSource`] of your own can follow anything
//! else. The last setting counts. A source that can't be read moves nothing: an event is emitted, and
//! [`KillSwitchHandle::trouble`] says what is wrong. If it can be read again and has the same setting as
//! before, that moves nothing either. One switch for all instances of a service is a `fleet` (feature `fleet`).
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - outside everything that sends or waits, because a call that is stopped must neither queue nor
//!   be copied;
//! - inside [`fallback`](crate::fallback), which answers in the mode "fallback only";
//! - inside [`observe`](crate::observe), so that a refusal is reported as how the call ended.
//!
//! Calls that wait further in, for a permit, a turn or their next attempt, ask the switch again
//! before they are sent, if no layer in between replaces the request's extensions.
//!
//! # When not to use it
//!
//! To protect a provider or the service automatically: that is what
//! [`circuit_breaker`](crate::circuit_breaker) does.
//!
//! # The file
//!
//! ```text
//! off
//! who: ada
//! why: the provider moves its data centre until noon
//! ```
//!
//! The mode alone is enough. Empty lines and lines that begin with `#` are skipped. Write it to
//! another name and rename it, so that it is never read half written. If it is, a part of a mode's name
//! is an error, and not another mode.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | position | [`SwitchMode::On`] | calls run unless they are stopped |
//! | time for one read of a source | 10 s at most | a source that hangs is reported as an error |
//! | [`SwitchFile::every`] | 1 s | a person who moves a switch waits about that long to see it |
//!
//! # Errors and events
//!
//! [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) with [`Rejection::Stopped`],
//! [`Rejection::FallbackOnly`] or [`Rejection::CacheOnly`], delivery "not sent". Events:
//! [`KillSwitchChanged`](crate::event::Event::KillSwitchChanged),
//! [`KillSwitchRejected`](crate::event::Event::KillSwitchRejected),
//! [`KillSwitchSourceFailed`](crate::event::Event::KillSwitchSourceFailed).
//!
//! # Example
//!
//! ```
//! use http::{Request, Response};
//! use outrigger::{Body, Error, event::SwitchMode, kill_switch::KillSwitchLayer};
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = service_fn(|_: Request<Body>| async {
//!     Ok::<_, Error>(Response::new(Body::from("an invoice")))
//! });
//! let layer = KillSwitchLayer::new();
//! let switch = layer.handle();
//! let mut service = ServiceBuilder::new().layer(layer).service(client);
//!
//! switch.set(SwitchMode::Off, "ada", "invoices are wrong");
//! let error = service.ready().await?.call(Request::new(Body::empty())).await.unwrap_err();
//! assert!(error.to_string().ends_with("by ada: invoices are wrong"), "{error}");
//!
//! switch.set(SwitchMode::On, "ada", "mended");
//! let response = service.ready().await?.call(Request::new(Body::empty())).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(()) }
//! ```
//!
//! [`SwitchMode::On`]: crate::terms::SwitchMode::On
//! [`SwitchMode::NoRetries`]: crate::terms::SwitchMode::NoRetries
//! [`SwitchMode::CacheOnly`]: crate::terms::SwitchMode::CacheOnly
//! [`SwitchMode::FallbackOnly`]: crate::terms::SwitchMode::FallbackOnly
//! [`SwitchMode::Off`]: crate::terms::SwitchMode::Off
//! [`Rejection::Stopped`]: crate::terms::Rejection::Stopped
//! [`Rejection::FallbackOnly`]: crate::terms::Rejection::FallbackOnly
//! [`Rejection::CacheOnly`]: crate::terms::Rejection::CacheOnly

mod around;
mod file;
mod handle;
mod layer;
mod polled;
mod setting;
mod source;
mod state;

pub use around::KillSwitchPattern;
pub use file::SwitchFile;
pub use handle::{Following, KillSwitchHandle};
pub use layer::{KillSwitch, KillSwitchLayer};
pub use polled::Polled;
pub use setting::{InvalidSetting, SwitchSetting};
pub use source::{SourceError, SwitchSource};
pub use state::Position;
