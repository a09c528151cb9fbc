//! Signs each attempt, after all that changes it.
//!
//! A provider that wants signed requests wants them fresh: a signature covers the time, and one that is
//! minutes old is refused. The layer asks a [signer](Sign) for headers, once for each attempt, with the
//! request as it will be sent: with its idempotency key, its trace and its token. So a repetition, a hedge and
//! a message that an outbox delivers again are signed anew, over the same bytes.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand), in one [`layers`](crate::pattern::layers):
//!
//! - inside [`idempotency`](crate::idempotency), [`retry`](crate::retry), [`hedge`](crate::hedge) and
//!   [`token`](crate::token), whose headers it signs;
//! - inside [`timeout`](crate::timeout), which ends a signer that hangs;
//! - right above the service that sends: nothing may change the request after it.

mod around;
#[cfg(feature = "sign")]
mod encoding;
mod error;
#[cfg(feature = "sign")]
mod hmac;
mod input;
mod layer;
#[cfg(feature = "sign")]
pub mod message;
mod shared;
mod signer;
#[cfg(feature = "sign")]
mod trailer;

pub use around::SignPattern;
pub use error::SignError;
#[cfg(feature = "sign")]
pub use hmac::{HmacSigner, Part};
pub use input::{Signed, SigningBody, SigningInput};
pub use layer::{SignLayer, SignService};
pub use signer::Sign;

#[cfg(feature = "inbox")]
pub(crate) use encoding::hex;

#[cfg(feature = "sign")]
const EMPTY_SECRET: &str = "it is empty: is the variable that it comes from set?";
