//! What the console shows, to whom, what it lets them do, and what it keeps from them.
#![expect(clippy::disallowed_methods, reason = "a test holds the paused clock itself")]

mod access;
mod acts;
mod away;
mod bench;
mod browser;
#[cfg(feature = "inbox")]
mod find;
mod foreign;
mod forgery;
mod live;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod many;
mod pages;
mod robots;
mod texts;
mod told;
mod words;
