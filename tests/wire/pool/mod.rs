//! The pool of the own client: its limits in number and in time, what it uses again, its figures.

mod acquire;
mod apart;
mod cancel;
mod dead;
mod faults;
mod figures;
mod http2;
mod left_behind;
mod limits;
mod panics;
mod reuse;
pub(crate) mod shop;
mod stalled;
mod streams;
mod time;
mod unnoticed;
mod warm_up;
