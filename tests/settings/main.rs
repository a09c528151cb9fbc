//! Settings from files: what they say, what is wrong with them, and what becomes of them at run time.
#![expect(clippy::disallowed_methods, reason = "a test holds the paused clock itself")]

mod apply;
mod call;
mod health;
mod json_lines;
mod mistakes;
mod random;
mod round_trip;
mod samples;
mod sense;
