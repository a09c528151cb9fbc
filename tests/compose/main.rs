//! The layers together: the one order, the presets, the builder, and what stands between them.
#![expect(clippy::disallowed_methods, reason = "a test holds the paused clock itself")]

mod abandoned;
mod adjust;
mod background;
mod call;
mod classifier;
mod client;
mod control;
mod controlled;
mod earlier;
mod facts;
mod grpc;
mod handles;
mod integration;
mod order;
mod panicking;
mod panics;
mod pins;
mod plain;
mod provider;
mod rotating;
mod scope;
mod scripted;
mod settings;
mod third_party;
mod user_flow;
