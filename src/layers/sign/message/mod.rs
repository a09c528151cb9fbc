//! HTTP Message Signatures (RFC 9421): signs requests, checks answers and webhooks.

mod base;
mod component;
mod error;
mod key;
mod signer;
mod verifier;
mod view;

pub use component::Component;
pub use error::MessageError;
pub use key::{Algorithm, SigningKey, VerifyingKey};
pub use signer::{MessageSigner, StreamedBody};
pub use verifier::{MessageVerifier, Verification};
pub use view::Message;
