//! Many calls at once, on several threads, and many one after the other: nobody waits for ever, no bound is
//! passed, and nothing is left behind.
#![expect(clippy::disallowed_methods, reason = "a test holds the clock itself")]

mod budget;
mod leaks;
mod provider;
mod queues;
mod threads;
