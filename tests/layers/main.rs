//! What each layer does, seen through its public face and in paused time.

mod breaker;
mod bulkhead;
mod call;
mod clock;
mod collected;
mod correlation;
mod debug;
mod fallback;
mod fault_injection;
mod hedge;
mod idempotency;
mod kill_switch;
mod mirror;
mod observe;
mod provider;
mod rate_limit;
mod readiness;
mod retry;
mod settings;
mod steps;
mod timeouts;
mod traces;
