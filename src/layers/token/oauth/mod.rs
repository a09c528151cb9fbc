//! OAuth 2: client credentials (RFC 6749, 4.4) and refresh tokens (6749, 6; RFC 9700, 4.14).
//!
//! The requests go through a service of their own, best an [`Integration`](crate::Integration) of
//! the issuer's: never through one whose token they fetch.
//!
//! ```no_run
//! use std::time::Duration;
//! use outrigger::Integration;
//! use outrigger::token::{TokenLayer, oauth::ClientCredentials};
//!
//! # fn main() -> Result<(), outrigger::ConfigError> {
//! let issuer = Integration::user_flow("login").deadline(Duration::from_secs(4)).build()?;
//! let credentials = ClientCredentials::new(issuer, "https://login.example/token", "shop", "secret")
//!     .scope("orders:write")
//!     .scope("orders:read");
//!
//! let orders = Integration::user_flow("orders")
//!     .base_url("https://orders.example/v1")
//!     .token(TokenLayer::new(credentials))
//!     .build()?;
//! # let _ = orders;
//! # Ok(()) }
//! ```
//!
//! # Errors
//!
//! | answer | failure |
//! |---|---|
//! | no answer, 5xx, 429, `temporarily_unavailable`, no JSON (a page of HTML, at 200 too), no `access_token` | transient |
//! | 401, any other error code of RFC 6749, 5.2: `invalid_client`, `unauthorized_client`, `invalid_scope` … | settled |
//! | `invalid_grant` for a refresh token that nobody has changed meanwhile | needs login |
//!
//! Redirects are not followed, and an answer of more than 64 KiB is none. Any 2xx is taken for a 200. A token's lifetime is
//! `expires_in` (a number or a text), else what its JWT says (`exp` − `iat`, or `exp` − the answer's
//! `Date`; it is read, not verified), else unknown.

mod answer;
mod client;
mod client_credentials;
mod encoding;
mod file_store;
mod refresh_token;
mod store;

pub use client_credentials::ClientCredentials;
pub use file_store::FileStore;
pub use refresh_token::RefreshToken;
pub use store::{MemoryStore, StoredToken, TokenStore};
