//! A pattern of your own: straight-line code around a call.
//!
//! Every layer of this crate is a [`Pattern`]: an async function that runs **from the request to
//! the end of the answer's body**. So a local variable of a pattern lives until the body has ended
//! or broken, a limit has cut it, or the caller has left.
//!
//! ```
//! use std::pin::pin;
//! use std::time::Duration;
//!
//! use outrigger::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::{Body, Integration};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! /// Prints calls that took longer than a limit, and when their bodies ended.
//! struct PrintSlow(Duration);
//!
//! impl Pattern for PrintSlow {
//!     async fn around<W: Wire>(
//!         &self,
//!         call: &Call,
//!         attempt: &Attempt<W>,
//!         next: &impl Next<W>,
//!     ) -> Flow {
//!         let path = attempt.request(|request| request.uri().path().to_owned());
//!         let mut running = pin!(next.run(call, attempt));
//!         // The answer's head, or an error. Nobody further out sees it yet.
//!         let held = attempt.head(running.as_mut()).await;
//!         if call.elapsed() > self.0 {
//!             let status = held.answer(|head| head.status);
//!             println!("{path:?} took {:?} to answer {status:?}", call.elapsed());
//!         }
//!         // Hands it up, and runs on to the end of the body.
//!         let flow = held.hand_up().await;
//!         if call.elapsed() > self.0 {
//!             println!("{path:?} was over after {:?}", call.elapsed());
//!         }
//!         flow
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Script::new([Answer::status(200).after(Duration::from_secs(2))]);
//!
//! // As a tower layer, around any service:
//! let service = ServiceBuilder::new()
//!     .layer(outrigger::pattern::layer(PrintSlow(Duration::from_secs(1))))
//!     .service(client.clone());
//! service.oneshot(http::Request::new(Body::empty())).await?;
//!
//! // In an integration, around every call or around every attempt:
//! let crm = Integration::user_flow("crm")
//!     .around_call(PrintSlow(Duration::from_secs(5)))
//!     .around_attempt(PrintSlow(Duration::from_secs(1)))
//!     .service(client)
//!     .build()?;
//! crm.send(http::Request::get("http://crm.test/").body(Body::empty())?).await?;
//! # Ok(()) }
//! ```
//!
//! # What a pattern can do
//!
//! - Read or change the request, before it runs the inner patterns: [`Attempt::request`].
//! - Refuse: return an error without running anything.
//! - Set a limit: [`Call::until`] runs a future up to a time. A call has one timer, set to the
//!   earliest of all limits, so that starting and ending a limit costs nothing.
//! - Read the answer: [`Attempt::head`] returns a [`Held`], which the pattern hands up, or drops
//!   together with the inner patterns. After that it may answer itself: [`Attempt::play`].
//! - See the body: [`Held::hand_up_head`], then [`Attempt::wanted`] and [`Attempt::frame`] in turn.
//!
//! # Rules
//!
//! - A pattern spawns no tasks. Each of its futures must be polled whenever the pattern is, or
//!   [`Call::until`] isn't woken: `select!` and `join!` do that, a `FuturesUnordered` doesn't.
//! - A pattern holds no lock over an `.await`. The compiler refuses it ("future is not `Send`").
//! - A pattern does nothing before its call is first polled.
//! - Local variables are part of every call's memory: put large, rare ones into a `Box`.
//!
//! # Alone, and together
//!
//! As a layer, a pattern has its own future, timer and answer, in memory that is reused from call
//! to call. Two patterns can share one layer: a tuple of two patterns is a pattern, the first
//! around the second. Inner layers read a call's facts from the request's
//! [`Context`](crate::context::Context), if the pattern [puts them there](Pattern::TELLS).

mod answer;
mod around;
mod at_once;
mod attempt;
mod call;
mod call_box;
pub(crate) mod capacity;
mod destinations;
mod driver;
mod either;
mod held;
mod inner;
pub(crate) mod keyed;
mod layer;
mod layered;
pub(crate) mod ownership;
mod reported;
mod request;
mod saved;
mod slot;
mod unread;
mod wire;

pub use around::{Around, Flow, Next, Pattern};
pub(crate) use at_once::{Unbegun, WholeAnswer};
pub use attempt::Attempt;
pub use call::{Call, Until};
pub(crate) use call_box::CallBoxes;
pub(crate) use destinations::Destinations;
pub use driver::Running;
pub(crate) use driver::{Begin, start, start_waiting};
pub(crate) use either::{Either, OneOf, either};
pub use held::Held;
pub(crate) use held::ReadOff;
pub use inner::InnerService;
pub(crate) use layer::pattern_layer;
pub use layer::{Layers, PatternLayer, ToPattern, layer, layers};
pub use layered::Layered;
pub(crate) use layered::send;
pub(crate) use slot::{Slot, Wiring};
pub use wire::{AsIs, LayerWire, Measured, Own, Replaying, Watched, Wire};

pub use crate::body::Answer;
