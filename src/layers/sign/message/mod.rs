//! HTTP Message Signatures (RFC 9421): signs requests, checks answers and webhooks.
//!
//! ```
//! use http::Request;
//! use outrigger::sign::message::{Message, MessageSigner, MessageVerifier, SigningKey, VerifyingKey};
//! use outrigger::sign::SignLayer;
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::Integration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! const COVERED: [&str; 4] = ["@method", "@target-uri", "content-type", "content-digest"];
//!
//! let key = SigningKey::hmac_sha256("s3cr3t")?; // or `SigningKey::pkcs8` of a PEM
//! let signer = MessageSigner::new("key-7", key, COVERED)?;
//! let provider = Script::new([Answer::status(201)]);
//! let bank = Integration::user_flow("bank")
//!     .service(provider.clone())
//!     .sign(SignLayer::new(signer))
//!     .build()?;
//! let order = bank.post("https://bank.test/orders").header("content-type", "text/plain");
//! order.body("an order").send().await?;
//!
//! // What the provider does with it:
//! let key = VerifyingKey::hmac_sha256("s3cr3t")?;
//! let verifier = MessageVerifier::new([("key-7", key)], COVERED)?;
//! let (head, body) = provider.requests().remove(0).into_parts();
//! let now = std::time::SystemTime::now();
//! let verified = verifier.verify(&Message::request(&head).body(&body), now)?;
//! assert_eq!(verified.key_id(), "key-7");
//! # Ok(()) }
//! ```
//!
//! # What is supported
//!
//! | | |
//! |---|---|
//! | components | fields; `@method @target-uri @authority @scheme @request-target @path @query @query-param @status`; parameters `name` and `req` |
//! | algorithms | `hmac-sha256`, `ed25519`, `ecdsa-p256-sha256` |
//! | parameters | `created`, `expires`, `nonce`, `alg`, `keyid`, `tag`; when checked, `created` and `keyid` must be there, and others are covered but mean nothing |
//! | digests (RFC 9530) | `sha-256` is made; `sha-256` and `sha-512` are checked |
//!
//! The text that is signed is that of RFC 9421, 2.5. Its last line is the list of components with all its
//! parameters, in their order and with their types, serialized as RFC 9651 has it: for a sender that keeps to
//! that, exactly as it was sent.
//!
//! # What to cover
//!
//! `@method`, `@target-uri` (or `@authority`, `@path` and `@query`), `content-type` and `content-digest`, and
//! each field that the provider acts upon, such as `idempotency-key`. What isn't covered may be changed by
//! anybody on the way. Not `host` (that is `@authority`), nor what a proxy or the client changes: `connection`,
//! `accept-encoding`, `user-agent` behind some proxies.

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
