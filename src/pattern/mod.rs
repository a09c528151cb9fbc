//! A pattern of your own: straight-line code around a call.
//!
//! Every layer of this crate is a [`Pattern`]: an async function that runs **from the request to the end
//! of the answer's body**. There is no second half, and nothing moves from the one to the other: what a
//! pattern holds in a local it holds until the body is over, breaks, is cut, or the caller leaves.
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
//! /// Prints what took longer than a limit, and when its body was over.
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
//! - Look at the request, or change it, before it runs what stands further in:
//!   [`Attempt::request`].
//! - Refuse: return an error without running anything.
//! - Bound: [`Call::until`] runs a future up to a time. A call has one timer, which is armed for the
//!   earliest of all limits; limits that start and end cost nothing.
//! - Look at the answer: [`Attempt::head`] gives a [`Held`], which is handed up, or dropped with all that
//!   stands further in. Then the pattern answers in its place: [`Attempt::play`].
//! - See the body: [`Held::hand_up_head`], then [`Attempt::wanted`] and [`Attempt::frame`] in turn.
//!
//! # Rules
//!
//! - Nothing is spawned inside, and no future is put where it is not polled whenever the pattern is (a
//!   `FuturesUnordered`): [`Call::until`] would not be woken. `select!` and `join!` are fine.
//! - No lock is held over an `.await`; the compiler refuses it ("future is not `Send`").
//! - A pattern runs nothing before its call is first polled.
//! - Locals are part of every call's memory: box what is large and rare.
//!
//! # Alone, and together
//!
//! As a layer, a pattern has a future, a timer and a place for the answer of its own, in memory that is
//! used again from call to call. Neighbours can be one layer: a tuple of two patterns is a pattern, the
//! first around the second. What a layer knows of a call reaches one further in through the request's
//! [`Context`](crate::context::Context), if the pattern [tells](Pattern::TELLS) it.

mod around;
mod attempt;
mod call;
pub(crate) mod capacity;
mod driver;
mod either;
mod held;
pub(crate) mod keyed;
mod layer;
mod layered;
pub(crate) mod ownership;
mod room;
mod saved;
mod slot;
mod unread;
mod wire;

pub use around::{Around, Flow, Next, Pattern};
pub use attempt::Attempt;
pub use call::{Call, Until};
pub use driver::{Answer, Running};
pub(crate) use driver::{Begin, start};
pub(crate) use either::{Either, either};
pub use held::Held;
pub(crate) use held::ReadOff;
pub(crate) use layer::pattern_layer;
pub use layer::{PatternLayer, ToPattern, layer};
pub use layered::Layered;
pub(crate) use layered::send;
pub(crate) use room::Rooms;
pub(crate) use slot::{Slot, Wiring};
pub use wire::{AsIs, LayerWire, Measured, Own, Replaying, Wire};

pub(crate) use wire::{Form, Nothing, Saved, sealed};
