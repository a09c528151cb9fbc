//! The events of all layers, as one enum.
//!
//! A [`Subscriber`] receives each [`Event`] as it happens, on the task in which it happens. So it
//! must be quick and must not block. Without subscribers, no event is built.
//!
//! ```
//! use outrigger::event::{Emitter, Event, Origin, Subscriber};
//!
//! struct Print;
//!
//! impl Subscriber for Print {
//!     fn on_event(&self, event: &Event, origin: &Origin<'_>) {
//!         println!("{:?}: {event:?}", origin.integration());
//!     }
//! }
//!
//! let emitter = Emitter::named("stripe").with(Print);
//! # let _ = emitter;
//! ```

mod drift;
mod emitter;
mod facts;
mod kind;
mod short_text;
mod subscriber;

pub use drift::Drift;
pub use emitter::Emitter;
pub use facts::{AttemptDetail, End};
pub use kind::Event;
pub use short_text::ShortText;
pub use subscriber::{Interest, Origin, Subscriber};

pub use crate::context::recording::Exchange;
pub use crate::redact::sample::Kept;
pub use crate::terms::local_copy::{LoadFailure, LocalCopyEvent, SnapshotProblem};
pub use crate::terms::{
    BreakerState, CloseCause, DriftKind, InjectedFault, RedirectTo, ReplaceCause, SourceProblem,
    SwitchMode, TokenFailure, Unchecked, Verdict,
};

pub(crate) use emitter::WeakEmitter;
