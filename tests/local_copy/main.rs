//! Copies that outlive their provider, in paused time, and over real sockets where a network is part of it.
#![expect(clippy::disallowed_methods, reason = "a test holds the paused clock itself")]

mod bench;
mod clocks;
mod control;
mod guard;
mod loads;
mod readers;
mod settings;
mod snapshot;
mod told;
mod wire;
