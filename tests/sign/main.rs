//! What signs requests, what checks signatures, and what becomes of clocks that differ.
#![expect(clippy::disallowed_methods, reason = "a test holds the paused clock itself")]

mod attempts;
mod bench;





mod skew;



