//! For tests of code that calls third parties: scripted services, a readiness probe, a recorder.
//!
//! Together with tokio's paused time and a seeded [`Rng`](crate::rt::Rng), a provider's worst day
//! takes milliseconds and is the same every time.
//!
//! ```
//! use outrigger::{Integration, testing::{Answer, Script}};
//! use http::{Request, StatusCode};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Script::new([Answer::status(503), Answer::status(200)]);
//! let crm = Integration::user_flow("crm").service(provider.clone()).build()?;
//!
//! let response = crm.send(Request::get("http://crm.test/").body(())?).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//! assert_eq!(provider.requests().len(), 2);
//! # Ok(()) }
//! ```
//!
//! # Testing your failure paths
//!
//! What a service does on each of a provider's bad days, one test each. Give your code an
//! [`Integration`](crate::Integration) over a [`Script`], in place of one over a client: a failure of
//! a script comes to the same [`ErrorKind`](crate::ErrorKind) and
//! [`Delivery`](crate::Delivery) as with the own client over a network.
//!
//! | failure | script | what comes of it |
//! |---|---|---|
//! | [the provider is down](#the-provider-is-down) | `Answer::status(503)` | the last answer, after the retries |
//! | [it is slow](#it-is-slow) | `.after(…)`, `Answer::hang()` | `Timeout(Phase::Attempt)`, then `Timeout(Phase::Call)` |
//! | [429 with `Retry-After`](#429-with-retry-after) | `Answer::status(429).header("retry-after", "30")` | a job waits; a person is told when to come back |
//! | [200 with an error inside](#200-with-an-error-inside) | `Answer::status(200).body("{…}")` | `Invalid` from `json`, or a [classifier](crate::outcome::Classify) |
//! | [it breaks midway](#it-breaks-midway) | `.breaks_after(bytes)`, `.stalls_after(bytes)` | an error of the body: `Transport(Fault::Closed)`, `Timeout(Phase::BodyIdle)` |
//! | [the answer of a POST is lost](#the-answer-of-a-post-is-lost) | `Answer::broken(ErrorKind::ConnectionReset)` | `Delivery::Unknown`; with a key that counts, another attempt |
//! | [its name does not resolve](#its-name-does-not-resolve) | `Answer::dns_failure()` | `Transport(Fault::Dns)`, `Delivery::NotSent` |
//! | [nobody listens](#nobody-listens) | `Answer::refused()`, `Answer::tls_failure()` | `Transport(Fault::Refused)` or `(Fault::Tls)`, `Delivery::NotSent` |
//! | [the kill switch is thrown](#the-kill-switch-is-thrown) | any | the fallback, or `Rejected(Rejection::Stopped)` |
//! | [the breaker is open](#the-breaker-is-open) | `Answer::refused()`, often enough | `Rejected(Rejection::CircuitOpen)`, at once |
//!
//! ## The provider is down
//!
//! A status is an answer, also after the last attempt.
//!
//! ```
//! use outrigger::{Integration, testing::{Answer, Script}};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Script::new([Answer::status(503)]);
//! let crm = Integration::user_flow("crm").service(provider.clone()).build()?;
//!
//! let response = crm.get("http://crm.test/customers/42").send().await?;
//! assert_eq!(response.status(), 503);
//! assert_eq!(provider.requests().len(), 2);
//! # Ok(()) }
//! ```
//!
//! ## It is slow
//!
//! In paused time, the seconds pass at once.
//!
//! ```
//! use std::time::Duration;
//! use outrigger::{Delivery, ErrorKind, Integration, outcome::Phase, testing::{Answer, Script}};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let slow = Answer::status(200).after(Duration::from_secs(20));
//! let crm = Integration::user_flow("crm").service(Script::new([slow])).build()?;
//!
//! let error = crm.get("http://crm.test/customers/42").send().await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Attempt));
//! assert_eq!((error.delivery(), error.attempts()), (Delivery::Unknown, 2));
//! # Ok(()) }
//! ```
//!
//! ## 429 with `Retry-After`
//!
//! A job obeys the header.
//!
//! ```
//! use std::time::Duration;
//! use outrigger::{Integration, testing::{Answer, Script}};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let limited = Answer::status(429).header("retry-after", "30");
//! let provider = Script::new([limited, Answer::status(202)]);
//! let mails = Integration::background("mails").service(provider).build()?;
//!
//! let began = tokio::time::Instant::now();
//! let response = mails.put("http://mails.test/drafts/7").send().await?;
//! assert_eq!(response.status(), 202);
//! assert!(began.elapsed() >= Duration::from_secs(30));
//! # Ok(()) }
//! ```
//!
//! ## 200 with an error inside
//!
//! Only who reads the body finds it; the feature `json` is needed here.
//!
//! ```
//! use outrigger::{Delivery, ErrorKind, Integration, ResponseExt, testing::{Answer, Script}};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #[derive(serde::Deserialize)]
//! struct Customer { name: String }
//!
//! let odd = Answer::status(200).body(r#"{"error": "try later"}"#);
//! let crm = Integration::user_flow("crm").service(Script::new([odd])).build()?;
//!
//! let response = crm.get("http://crm.test/customers/42").send().await?;
//! let error = response.json::<Customer>().await.map(|customer| customer.name).unwrap_err();
//! assert_eq!((error.kind(), error.delivery()), (ErrorKind::Invalid, Delivery::Answered));
//! # Ok(()) }
//! ```
//!
//! ## It breaks midway
//!
//! The head came, so the call has an answer, and nothing is tried again.
//!
//! ```
//! use outrigger::outcome::Fault;
//! use outrigger::{Delivery, ErrorKind, Integration, testing::{Answer, Script}};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let broken = Answer::status(200).body("all my customers").breaks_after(6);
//! let crm = Integration::user_flow("crm").service(Script::new([broken])).build()?;
//!
//! let response = crm.get("http://crm.test/customers").send().await?;
//! let error = response.into_body().text().await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Transport(Fault::Closed));
//! assert_eq!(error.delivery(), Delivery::Answered);
//! # Ok(()) }
//! ```
//!
//! ## The answer of a POST is lost
//!
//! The provider may have done it. Without a key it is not sent again, and the error says so.
//!
//! ```
//! use std::io::ErrorKind::ConnectionReset;
//! use outrigger::{Delivery, Integration, testing::{Answer, Script}};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let stripe = Script::new([Answer::broken(ConnectionReset), Answer::status(201)]);
//! let payments = Integration::user_flow("payments").service(stripe.clone()).build()?;
//!
//! let charge = || payments.post("http://stripe.test/charges").body("amount=1000");
//! let error = charge().send().await.unwrap_err();
//! assert_eq!((error.delivery(), error.attempts()), (Delivery::Unknown, 1));
//!
//! let again = Script::new([Answer::broken(ConnectionReset), Answer::status(201)]);
//! let payments = Integration::user_flow("payments").service(again.clone()).build()?;
//! let charge = payments.post("http://stripe.test/charges").body("amount=1000");
//! let response = charge.idempotency_key("order-1042").send().await?;
//! assert_eq!(response.status(), 201);
//! assert_eq!(again.requests()[1].headers()["idempotency-key"], "order-1042");
//! # Ok(()) }
//! ```
//!
//! ## Its name does not resolve
//!
//! Nothing was sent, so even a POST without a key is tried again.
//!
//! ```
//! use outrigger::outcome::Fault;
//! use outrigger::{Delivery, ErrorKind, Integration, testing::{Answer, Script}};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Script::new([Answer::dns_failure()]);
//! let payments = Integration::user_flow("payments").service(provider.clone()).build()?;
//!
//! let error = payments.post("http://stripe.test/charges").send().await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Transport(Fault::Dns));
//! assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 2));
//! assert!(provider.requests().is_empty());
//! # Ok(()) }
//! ```
//!
//! ## Nobody listens
//!
//! A restart of the provider is over soon.
//!
//! ```
//! use outrigger::{Integration, testing::{Answer, Script}};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Script::new([Answer::refused(), Answer::status(201)]);
//! let payments = Integration::user_flow("payments").service(provider.clone()).build()?;
//!
//! let response = payments.post("http://stripe.test/charges").send().await?;
//! assert_eq!(response.status(), 201);
//! assert_eq!((provider.begun(), provider.requests().len()), (2, 1));
//! # Ok(()) }
//! ```
//!
//! ## The kill switch is thrown
//!
//! A person has stopped the integration. The provider is not asked.
//!
//! ```
//! use outrigger::event::SwitchMode;
//! use outrigger::fallback::FallbackLayer;
//! use outrigger::{Integration, ResponseExt, testing::{Answer, Script}};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Script::new([Answer::status(200)]);
//! let rates = Integration::user_flow("rates")
//!     .fallback(FallbackLayer::value(http::Response::new("yesterday's")))
//!     .service(provider.clone())
//!     .build()?;
//! rates.kill_switch().set(SwitchMode::FallbackOnly, "ada", "wrong rates since noon");
//!
//! assert_eq!(rates.get("http://rates.test/eur").send().await?.text().await?, "yesterday's");
//! assert_eq!(provider.begun(), 0);
//! # Ok(()) }
//! ```
//!
//! ## The breaker is open
//!
//! For two seconds and ten attempts nothing answered, so the provider is not asked for a while.
//!
//! ```
//! use std::time::Duration;
//! use outrigger::event::BreakerState;
//! use outrigger::outcome::Rejection;
//! use outrigger::{Delivery, ErrorKind, Integration, testing::{Answer, Script}};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let down = Answer::refused().after(Duration::from_millis(300));
//! let crm = Integration::user_flow("crm").service(Script::new([down])).build()?;
//! for _ in 0..5 {
//!     crm.get("http://crm.test/customers/42").send().await.unwrap_err(); // two attempts each
//! }
//! assert_eq!(crm.breaker().state(), BreakerState::Open);
//!
//! let error = crm.get("http://crm.test/customers/42").send().await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::CircuitOpen));
//! assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
//! # Ok(()) }
//! ```
//!
//! ## Time
//!
//! `start_paused` moves all of it: limits, waits, the breaker's open time, rates. Dates move with it
//! where a layer was given a [`Clock::anchored`](crate::rt::Clock::anchored).
//!
//! Limits and waits are timers of tokio's, so nothing but tokio moves them. Paused time jumps ahead while a
//! socket is waited for, unless a blocking task runs: then it stands still, and moves by `advance` alone. So
//! a test with real sockets moves all limits and waits by hand (on one thread, as tokio pauses no other
//! runtime):
//!
//! ```
//! # #[cfg(feature = "hyper")]
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use outrigger::{Integration, outcome::Phase};
//! use tokio::{net::TcpListener, time::advance};
//!
//! // Time stands still until `held` is dropped.
//! let (held, until_dropped) = std::sync::mpsc::channel::<()>();
//! tokio::task::spawn_blocking(move || until_dropped.recv());
//!
//! let silent = TcpListener::bind("127.0.0.1:0").await?;
//! let crm = Integration::user_flow("crm").base_url(format!("http://{}", silent.local_addr()?));
//! let crm = crm.without_retry().build()?;
//! let call = tokio::spawn(crm.get("customers/42").send());
//! let (socket, _) = silent.accept().await?;
//! socket.readable().await?; // the request is here, and no time has passed
//!
//! advance(Duration::from_secs(4)).await; // an attempt has three seconds
//! let error = call.await?.unwrap_err();
//! assert_eq!(error.kind(), outrigger::ErrorKind::Timeout(Phase::Attempt));
//! # drop(held);
//! # Ok(()) }
//! # #[cfg(not(feature = "hyper"))]
//! # fn main() {}
//! ```
//!
//! Otherwise, limits and waits must be short enough to live through. A [`ManualClock`] moves dates alone.

mod answer;
mod clock;
mod probe;
mod recorder;
mod script;

pub use answer::Answer;
pub use clock::ManualClock;
pub use probe::ReadinessProbe;
pub use recorder::EventRecorder;
pub use script::{Script, SeenRequest};
