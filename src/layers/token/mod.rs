//! Gives each attempt a token, which outlives its issuer for a while.

mod around;
mod error;
mod handle;
mod issuer;
mod key_file;
mod layer;
#[cfg(feature = "oauth")]
pub mod oauth;
mod secret;
mod shared;
mod state;
mod windows;

pub use around::TokenPattern;
pub use error::TokenError;
pub use handle::TokenHandle;
pub use issuer::{Issuer, Token, TokenReason, TokenRequest};
pub use key_file::KeyFile;
pub use layer::{TokenLayer, TokenService};

pub use crate::terms::{TokenFailure, TokenState};
