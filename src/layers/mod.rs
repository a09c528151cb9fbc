//! One folder a pattern, all of one shape.

pub mod bulkhead;
pub mod circuit_breaker;
pub mod correlation;
pub mod deadline;
pub mod idempotency;
pub mod idle_timeout;
pub mod mirror;
pub mod observe;
pub mod rehearsal;
pub mod retry;
pub mod timeout;
