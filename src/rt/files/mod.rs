//! Opens files: only regular ones, and for writing never through a symbolic link.

mod append;
mod read;
mod replace;

#[cfg(feature = "audit")]
pub(crate) use append::create_new;
#[cfg(any(feature = "audit", feature = "serde"))]
pub(crate) use append::is_same;
#[cfg(any(feature = "audit", feature = "oauth", feature = "serde"))]
pub(crate) use append::open_to_append;
pub(crate) use read::read_small;
#[cfg(feature = "oauth")]
pub(crate) use replace::beside;
pub(crate) use replace::replace;
