//! The enums that all modules use. Each has a `name`: one word for it, wherever it is shown.

#[macro_use]
mod named;

mod breaker_state;
mod cache_outcome;
mod class;
mod close_cause;
mod credential;
mod delivery;
mod drift_kind;
mod fault;
#[cfg(feature = "fleet")]
pub(crate) mod fleet;
mod gave_up;
#[cfg(feature = "inbox")]
pub(crate) mod inbox;
mod injected_fault;
mod instance_state;
pub(crate) mod local_copy;
#[cfg(feature = "outbox")]
pub(crate) mod outbox;
mod phase;
mod redirect_to;
mod rejection;
mod replace_cause;
#[cfg(feature = "console")]
mod right;
mod source_problem;
mod status;
mod switch_mode;
mod token_failure;
mod token_state;
mod verdict;

pub use breaker_state::BreakerState;
pub use cache_outcome::CacheOutcome;
pub use class::Class;
pub use close_cause::CloseCause;
pub use credential::Credential;
pub use delivery::Delivery;
pub use drift_kind::DriftKind;
pub use fault::Fault;
pub use gave_up::GaveUp;
pub use injected_fault::InjectedFault;
pub use instance_state::InstanceState;
pub use phase::Phase;
pub use redirect_to::RedirectTo;
pub use rejection::Rejection;
pub use replace_cause::ReplaceCause;
#[cfg(feature = "console")]
pub use right::{ActOutcome, ActRefusal, Right};
pub use source_problem::SourceProblem;
pub use status::Status;
pub use switch_mode::SwitchMode;
pub use token_failure::TokenFailure;
pub use token_state::TokenState;
pub use verdict::{Unchecked, Verdict};
