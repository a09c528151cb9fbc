//! How files are opened here: regular ones alone, and none through a link where something is written.

#[cfg(any(feature = "audit", feature = "serde"))]
mod append;
mod read;

#[cfg(feature = "audit")]
pub(crate) use append::create_new;
#[cfg(any(feature = "audit", feature = "serde"))]
pub(crate) use append::{is_same, open_to_append};
pub(crate) use read::read_small;
