//! One third-party API, with everything that keeps it from hurting.
//!
//! An [`Integration`] is built from a preset and holds the composed stack in the one order. It is
//! cheap to clone, is called by `&self`, and is a `tower::Service` too.
//!
//! | setting | [`user_flow`](Integration::user_flow) | [`background`](Integration::background) | why |
//! |---|---|---|---|
//! | connect | 1 s | 3 s | |
//! | attempt, to the response head | 3 s | 30 s | two attempts must fit a person's wait |
//! | deadline with body | 8 s | 5 min (settable to hours) | |
//! | body idle | 3 s | 20 s | counted only while the caller polls |
//! | attempts | 2 | 5 | no more than one retry while a person waits |
//! | backoff | 50 ms × 2 ≤ 500 ms, full jitter | 1 s × 2 ≤ 60 s, full jitter | |
//! | `Retry-After` | if it fits the deadline, else fail now with the hint | ≤ 5 min, spread × 1–1.5 | |
//! | retry budget | 10 % of calls, floor 3 | 20 %, floor 3 | a retry never multiplies an outage |
//! | POST and PATCH | repeated only with the caller's key or provably unsent | the same; a key is made for each | |
//! | breaker | ≥ 80 % of ≥ 20 in 30 s, or 5 in a row below that; open 5 s × 2 ≤ 60 s ± 50 %; 3 probes, 2 succeed | off | a rejection throws away an answer that half of the calls would still get |
//! | concurrency | 64, queue 0 | 16, queue 64 for ≤ 30 s | shed for people, absorb for jobs |
//! | pool idle, time to live | 30 s, 5 min ± 20 % | the same | stale keep-alive, DNS moves |
//!
//! Settings are adjusted slot by slot and checked together: [`IntegrationBuilder::build`] names every
//! mistake at once.
//!
//! # The one order
//!
//! 1. `correlation`: all that follows carries its id.
//! 2. `observe(call)`: sees what the caller sees.
//! 3. `deadline`: queues, waits, attempts and body are all the caller's time.
//! 4. `idempotency`: outside retry, so that a call has one key.
//! 5. `retry`: each attempt passes everything below anew.
//! 6. `circuit_breaker`: inside retry, because it judges attempts; outside the bulkhead, because an
//!    open circuit must not queue.
//! 7. `bulkhead`: holds a place for as long as an attempt and its answer's body last.
//! 8. `observe(attempt)`: sees what the provider gets.
//! 9. `timeout`: the attempt's time, without the queue's.
//! 10. `idle_timeout`: the body's silence, right above the transport.
//! 11. the transport.

mod background;
mod builder;
mod call;
#[cfg(not(feature = "hyper"))]
#[path = "no_client.rs"]
mod client;
#[cfg(feature = "hyper")]
#[path = "hyper_client.rs"]
mod client;
mod edge;
mod handle;
mod health;
mod levers;
mod live;
mod overlay;
mod preset;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "serde")]
mod settings;
#[cfg(not(feature = "serde"))]
#[path = "no_settings.rs"]
mod settings;
mod slots;
mod stack;
mod target;
mod user_flow;

pub use builder::{IntegrationBuilder, Service, Source};
pub use call::Call;
pub use client::OwnClient;
pub use handle::Integration;
pub use preset::Preset;
#[cfg(feature = "serde")]
pub use settings::IntegrationConfig;
