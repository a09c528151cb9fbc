//! Opens files: only regular ones, and for writing never through a symbolic link.

#[cfg(any(feature = "audit", feature = "oauth", feature = "serde"))]
mod append;
mod read;

#[cfg(any(feature = "audit", feature = "oauth"))]
pub(crate) use append::create_new;
#[cfg(any(feature = "audit", feature = "serde"))]
pub(crate) use append::{is_same, open_to_append};
pub(crate) use read::read_small;
