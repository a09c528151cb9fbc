//! The driver of patterns: what a call's code holds is let go of, whenever and however the call ends.

mod provider;
mod random;
mod shape;
