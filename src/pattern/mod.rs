//! What a pattern is made of.

pub(crate) mod capacity;
pub(crate) mod keyed;
pub(crate) mod ownership;
pub(crate) mod ready;
