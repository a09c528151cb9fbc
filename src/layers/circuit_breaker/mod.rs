//! Stops calling a provider that is down, and notices when it is back.
//!
//! By default it costs no answers: it opens only when *nothing* answers, tries the provider twice a
//! second with a real call, and closes at the first success.
//!
//! | state | lets through | becomes |
//! |---|---|---|
//! | closed | everything | open, after ten failures in a row and two seconds without a success |
//! | open | nothing | half-open, when the time to the next probe is over |
//! | half-open | one probe at a time | closed, when it succeeds; open, when it fails |
//!
//! **Opening.** Attempts that fail one after the other are counted; any success ends the row. For
//! those that failed without a head, a successful head is one: answers that are streamed may take
//! minutes. Bodies that break off, or that a deadline cuts, are a row of their own, until a body has
//! come to its end. Ten in a row happen once in a thousand calls where half of them fail. Two seconds
//! without a success, counted from when the first of the row was sent, make that right at any rate:
//! after an idle hour, ten failures of one instant are no outage yet. Where a silence of half that
//! time, with ten failures in it, has ended by itself in the last minute, few calls succeed, and it
//! waits for twice as long. Rules over a window can be set instead or beside it: a share of failures,
//! a number of failures, a share of slow calls; they count a success when its body has ended. A
//! success never opens it. From the tenth failure in a row on, no call is [retried](crate::retry).
//!
//! With a fleet (feature `fleet`), what most other instances found is a hint: then three failures in a row and a
//! quarter of that time open it.
//!
//! **Open.** A call becomes a probe when the open time has passed since the last one, and no probe
//! is in flight that is younger than its limit. A provider that refuses gets two requests a second
//! from each instance; one that hangs gets one. Calls that can be repeated without harm go first; a
//! POST becomes a probe only if none of those has come for two open times more, so that few
//! outcomes are unknown. What the safe calls ask may be all that is down, so one POST goes beside
//! them after ten open times, and again after twice as long, up to a minute. Any success closes it,
//! however late it comes, unless slowness opened it and the answer was slow. A failure changes
//! nothing; its `Retry-After` moves the next probe, by ten seconds at most. A probe that is
//! dropped, or refused further in, lets another go at once. One that its caller dropped after
//! [`abandoned_after`](CircuitBreakerLayer::abandoned_after) or at its deadline has failed.
//!
//! **What counts.** A result counts in the state in which its call began. 4xx are not failures, a
//! 503 is one even with a `Retry-After`, and a 429 is one only for a probe. A call that a layer
//! further in refused doesn't count. An HTTP/2 stream that the peer refuses, or a connection that it
//! closes in an orderly way, counts as a failure in a row but in no rate, and the first after a
//! success not at all: a server that closes a connection after a number of requests works, and one
//! that does nothing else is down. A passed deadline doesn't count if the call was queued further in
//! for longer than it waited for the provider. A call that is still queued further in when the
//! breaker opens is refused, or held, like any other.
//!
//! **People and jobs.** [`WhenOpen::Refuse`] refuses a call at once: a person is waiting.
//! [`WhenOpen::Hold`] lets a job's call wait until the provider answers; one of the held calls is the
//! probe. When the breaker closes, they go in the order in which they came: one at a time, and twice
//! as many each second, up to 1,024. A held call costs memory and no time: only calls that may go are
//! woken. The number of held calls has no limit; each waits until its deadline, if it has one. A kill
//! switch ends a held call when it may go. One task wakes all of them, on the runtime of the first
//! that was held; if that runtime no longer runs it, the next call on another runtime spawns another.
//!
//! The window slides: it holds the results of the last seconds (in 32 steps, so exact to 3 %) or of
//! the last calls. For [`BreakerHandle::open_for`], an outage that begins within ten seconds of the
//! end of another continues it, so that a provider that flaps counts as one outage.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - inside [`retry`](crate::retry) and [`hedge`](crate::hedge), because it judges attempts, not
//!   calls;
//! - outside [`rate_limit`](crate::rate_limit) and [`bulkhead`](crate::bulkhead): an open circuit
//!   neither queues nor spends quota;
//! - outside [`timeout`](crate::timeout), whose errors are failures to it.
//!
//! The layer adds no [`Context`](crate::context::Context) of its own to a request. Only if a layer
//! further out adds one, a retry or a deadline for example, does it know that a call is still queued
//! further in: such a call is refused when the breaker opens, and its time in the queue doesn't count
//! as the provider's. If the breaker holds calls, a retry with
//! [`Rejections::Wait`](crate::retry::Rejections::Wait) around it brings such a call back.
//!
//! # When not to use it
//!
//! With a window's rules, where a provider that fails half of its calls still gives useful answers:
//! while the breaker is open, every refusal throws one away.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `consecutive` | 10 | at half of all calls failing, ten in a row come once in a thousand |
//! | `no_success_for` | 2 s | longer than a restart, shorter than people wait |
//! | `failure_rate`, `failures`, `slow_calls` | off | a brownout still gives useful answers |
//! | `window`, `minimum` | 30 s, 20 calls | for those rules: long against an attempt, short against an outage |
//! | `when_open` | [`WhenOpen::Refuse`] | a person is waiting |
//! | `open_for` | 450 ms ± 10 %, without growth | recovery is noticed within half a second, for little more than two requests a second |
//! | `open_growth`, `open_times` | 1, none | fewer probes in a long outage delay the recovery by seconds |
//! | `probes` | 1, which must succeed | an answer is the proof that it answers |
//! | `probe_limit` | 1 s | a provider that hangs gets one request a second |
//! | `retry_after_cap` | 10 s | maintenance may end early, and one request in ten seconds does no harm |
//! | `abandoned_after` | 1 s | a caller that drops its call sooner says nothing about the provider |
//! | `throttled` | [`Throttled::ProbesOnly`] | a 429 is an answer of a healthy provider |
//!
//! # Errors and events
//!
//! [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) with
//! [`Rejection::CircuitOpen`](crate::terms::Rejection::CircuitOpen), delivery "not sent". Its text says
//! since when nothing answers, how many attempts failed and when the next try is, which
//! [`retry_after`](crate::Error::retry_after) says too. Events:
//! [`BreakerChanged`](crate::event::Event::BreakerChanged),
//! [`BreakerRejected`](crate::event::Event::BreakerRejected),
//! [`BreakerWouldReject`](crate::event::Event::BreakerWouldReject),
//! [`BreakerHeld`](crate::event::Event::BreakerHeld),
//! [`BreakerReleased`](crate::event::Event::BreakerReleased).
//!
//! # Coming from another library
//!
//! | there | here |
//! |---|---|
//! | Polly: `FailureRatio` of `SamplingDuration`, `MinimumThroughput` | `failure_rate(ratio, minimum).window(..)` |
//! | resilience4j: count-based window, `failureRateThreshold` | `window_of_calls(n).failure_rate(ratio, minimum)` |
//! | resilience4j: `transitionToForcedOpenState`, `reset` | `handle().force_open()`, `handle().reset()` |
//! | failsafe-go: n failures of the last m, n within t | `window_of_calls(m).failures(n)`, `window(t).failures(n)` |
//! | semian: `error_threshold` in `error_threshold_timeout`, `error_timeout`, `success_threshold` | `window(t).failures(n)`, `open_for(..)`, `probes(n, n)` |
//! | Envoy: `consecutive_5xx`, ejection time that grows | `consecutive(..).no_success_for(0 s)`, `open_times([..])` |
//!
//! Those close after a number of successes in a row. Here, a late success counts too.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use http::Request;
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::{Body, circuit_breaker::CircuitBreakerLayer, event::BreakerState};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let breaker = CircuitBreakerLayer::new()
//!     .no_success_for(Duration::from_millis(100))
//!     .open_for(Duration::from_secs(1), Duration::from_secs(5))
//!     .open_growth(1.5);
//! breaker.check()?;
//!
//! let handle = breaker.handle();
//! let down = Script::new([Answer::status(500).after(Duration::from_millis(20))]);
//! let service = ServiceBuilder::new().layer(breaker).service(down.clone());
//! for _ in 0..20 {
//!     // Ten are answered with a 500; the others are refused here.
//!     let _ = service.clone().oneshot(Request::new(Body::empty())).await;
//! }
//! assert_eq!((handle.state(), down.begun()), (BreakerState::Open, 10));
//! # Ok(()) }
//! ```

mod around;
mod breaker;
mod config;
mod consecutive;
mod handle;
mod held_queue;
#[cfg(all(test, feature = "fleet"))]
mod hinted;
#[cfg(all(test, outrigger_loom))]
mod interleavings;
mod keyed;
mod layer;
mod manual;
mod outage;
mod outcome_guard;
mod probes;
mod release;
mod serve;
#[cfg(feature = "serde")]
mod settings;
mod shared;
mod state;
mod waiting;
mod window;

pub use around::CircuitBreakerPattern;
pub use config::{BreakerConfig, Consecutive, Mode, Throttled, WhenOpen};
pub use handle::{BreakerCounts, BreakerHandle, KeyedBreakers};
pub use layer::{CircuitBreaker, CircuitBreakerLayer};

#[cfg(feature = "serde")]
pub(crate) use settings::BreakerSettings;
