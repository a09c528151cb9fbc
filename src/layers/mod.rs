//! One folder a pattern, all of one shape.

pub mod bulkhead;
pub mod cache;
pub mod circuit_breaker;
pub mod correlation;
pub mod deadline;
pub mod drift;
pub mod fallback;
pub mod fault_injection;
pub mod hedge;
pub mod idempotency;
pub mod idle_timeout;
pub mod kill_switch;
pub mod mirror;
pub mod observe;
pub mod rate_limit;
pub mod retry;
pub mod sign;
pub mod timeout;
pub mod token;
pub mod validate;
