//! Stops calling a provider that is down, and notices when it is back.
//!
//! | state | lets through | becomes |
//! |---|---|---|
//! | closed | everything | open, when too much of the window failed or was slow |
//! | open | nothing | half-open, when its time is over |
//! | half-open | a few probes | closed, when enough succeed; open, when they can't any more |
//!
//! A probe that hangs for its whole limit opens it again. It is measured from when it left: one that
//! waits in a queue of ours makes room for another after as long. Where its good answer is still
//! being read then, it has succeeded.
//!
//! The window slides: of the last seconds (in 32 steps, so exact to 3 %) or of the last calls. A
//! result counts in the state in which its call began, and nowhere else. 4xx are not failures, a
//! 503 is one whatever it says of coming back; 429
//! speaks only against a probe. What a layer further in refused is no result at all. A call that its
//! caller dropped is counted as abandoned; it is a failure if its deadline had passed or it had
//! waited for long, because then the provider is why it was dropped. A deadline that passed says
//! nothing where queues further in had the call for longer than the provider.
//!
//! # When not to use it
//!
//! Where nobody waits: a background job loses nothing by trying a dead provider, and a breaker costs
//! it the answers that the provider still gives. At half of the calls failing, every rejection throws
//! an answer away: that is why the default opens only at 80 %.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `window` | 30 s | long against an attempt, short against an outage |
//! | `failure_rate` | 80 % of at least 20 calls | a brownout still gives useful answers |
//! | `consecutive` | 5, while the window holds fewer than 20 | a rate means nothing at low volume |
//! | `slow_calls` | off | a slow answer is an answer |
//! | `open_for` | 5 s × 2 ≤ 60 s ± 50 % | callers that opened together don't come back together |
//! | `probes` | 3, of which 2 must succeed, each within 10 s | one success may be luck |
//! | `abandoned_after` | 1 s | sooner, the caller's leaving says nothing of the provider |
//! | `throttled` | [`Throttled::ProbesOnly`] | a 429 is an answer of a healthy provider |
//!
//! # Errors and events
//!
//! [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) with
//! [`Rejection::CircuitOpen`](crate::outcome::Rejection::CircuitOpen), delivery "not sent";
//! [`retry_after`](crate::Error::retry_after) says when to come back. Events:
//! [`BreakerChanged`](crate::event::Event::BreakerChanged),
//! [`BreakerRejected`](crate::event::Event::BreakerRejected),
//! [`BreakerWouldReject`](crate::event::Event::BreakerWouldReject).
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use outrigger::{Ratio, circuit_breaker::{CircuitBreakerLayer, Consecutive}};
//! use tower::ServiceBuilder;
//! # use outrigger::Body;
//! # let client = tower::service_fn(|_: http::Request<Body>| async {
//! #     Ok::<_, outrigger::Error>(http::Response::new(Body::empty()))
//! # });
//!
//! let breaker = CircuitBreakerLayer::new()
//!     .window_of_calls(100)
//!     .failure_rate(Ratio::percent(50), 10)
//!     .consecutive(Consecutive::Always(5))
//!     .open_for(Duration::from_secs(5), Duration::from_secs(60));
//! breaker.check()?;
//!
//! let handle = breaker.handle();
//! let service = ServiceBuilder::new().layer(breaker).service(client);
//! assert_eq!(handle.state(), outrigger::event::BreakerState::Closed);
//! # let _ = service;
//! # Ok::<(), outrigger::ConfigError>(())
//! ```

mod breaker;
mod config;
mod future;
mod gate;
mod handle;
mod held;
mod hold;
mod keyed;
mod layer;
mod pass;
mod probes;
mod service;
mod state;
mod window;

pub use config::{BreakerConfig, Consecutive, Mode, Throttled, WhenOpen};
#[cfg(feature = "serde")]
pub(crate) use config::{SlowRule, WindowSize};
pub use future::ResponseFuture;
pub use handle::{BreakerCounts, BreakerHandle, KeyedBreakers};
pub use layer::CircuitBreakerLayer;
pub use pass::Pass;
pub use service::CircuitBreaker;
