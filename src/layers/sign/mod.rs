//! Signs each attempt, after all that changes it.
//!
//! A provider that wants signed requests wants them fresh: a signature covers the time, and one that is
//! minutes old is refused. The layer asks a [signer](Sign) for headers, once for each attempt, with the
//! request as it will be sent: with its idempotency key, its trace and its token. So a repetition, a hedge and
//! a message that an outbox delivers again are signed anew, over the same bytes.
//!
//! | signer | signs | feature |
//! |---|---|---|
//! | a function of a [`SigningInput`], or any async [`Sign`] | what you want: a KMS, AWS's SigV4 ([the guide](crate::guide::signatures)) | |
//! | `HmacSigner` | parts of the request by a list, with HMAC-SHA256 | `sign` |
//! | `message::MessageSigner` | HTTP Message Signatures (RFC 9421), with HMAC, Ed25519 or ECDSA | `sign` |
//!
//! `message::MessageVerifier` checks the signatures of answers, and of webhooks in an inbox.
//!
//! # Clocks that differ
//!
//! A provider refuses a signature whose time isn't now. An answer is taken for that if it is a 401 or 403 and
//! its `date` differs by more than five minutes from the time that was signed, or by two seconds and
//! [a sign of the provider's own](SignLayer::skewed_when). An answer with an `age` was stored somewhere, and
//! its `date` isn't now: it says nothing of clocks. Then:
//!
//! - from now on, attempts are signed with the provider's time: this machine's, and the difference. If the
//!   first that is signed so is refused, too, the difference wasn't the reason, and the earlier one is back;
//! - [`retry`](crate::retry) repeats the call: at once, once a call, whatever the method is, because a 401 or
//!   403 says that nothing was done (RFC 9110, 15.5.2 and 15.5.4). It counts neither for `max_attempts` nor for
//!   the budget. It is the same repetition that a refused [token](crate::token) has: a call has one of both;
//! - [`Event::ClockSkewed`](crate::event::Event::ClockSkewed) is told, and
//!   [health](crate::control::SigningHealth) and the gauge `outrigger.signing.clock_ahead` have the difference.
//!   Set the machine's clock: the next refusal corrects it back.
//!
//! A difference of more than a day isn't believed: otherwise whoever can write an answer's `date` could have
//! requests signed for any time. A clock of the wrong time zone is at most 14 hours off.
//!
//! # Bodies
//!
//! A signer gets [all bytes](SigningBody::Whole) of a body that is in memory, however large. A stream is
//! [told as one](SigningBody::Stream): a scheme that needs its bytes refuses the request, one that doesn't
//! (AWS's `UNSIGNED-PAYLOAD`) signs the rest.
//!
//! # Which requests are signed
//!
//! All; in an integration with a [base URL](crate::IntegrationBuilder::base_url), only those to its origin. A
//! header that the signer writes replaces the caller's. Signatures are marked as sensitive, so that no record
//! shows them. The own client drops them when it follows a redirect to another origin; within the origin, it
//! sends the old signature to the new URL, which the provider refuses. That refusal says nothing of the clock,
//! and the call isn't repeated for it: the first request may have been carried out. A client of yours must not
//! add what is signed, nor follow redirects.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand), in one [`layers`](crate::pattern::layers):
//!
//! - inside [`idempotency`](crate::idempotency), [`retry`](crate::retry), [`hedge`](crate::hedge) and
//!   [`token`](crate::token), whose headers it signs;
//! - inside [`timeout`](crate::timeout), which ends a signer that hangs;
//! - right above the service that sends: nothing may change the request after it.
//!
//! # When not to use it
//!
//! - An SDK signs by itself: put the integration [below it](crate::guide::through_an_sdk), and set no signer,
//!   because a request that is signed above `retry` is repeated with its old signature.
//! - A proxy or a sidecar signs.
//! - The signature is a part of the URL (a presigned one): make the URL before the call.
//! - The provider takes a bearer token over TLS, and nothing asks for more: that is [`token`](crate::token).
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `signer` | none | keys and schemes are the provider's |
//! | `skewed_when` | a 401 or 403 whose `date` is more than 5 min off | AWS, Azure and most others tolerate 5 to 15 min |
//! | largest difference | a day | see above |
//!
//! A file of settings sets nothing here: keys are secrets, and schemes are code.
//!
//! # Errors and events
//!
//! Without a signature, the error is of kind [`Request`](crate::ErrorKind::Request), delivery "not sent", and
//! the call isn't repeated. Events: [`Signed`](crate::event::Event::Signed), with the key's id,
//! [`SigningFailed`](crate::event::Event::SigningFailed) and
//! [`ClockSkewed`](crate::event::Event::ClockSkewed). No secret and no signature is in any event, error, span
//! or `Debug`. [`Health`](crate::control::Health) says why the last request could not be signed, if it couldn't.
//!
//! # Example
//!
//! ```
//! use http::{HeaderMap, HeaderName, HeaderValue};
//! use outrigger::Integration;
//! use outrigger::sign::{SignError, SignLayer, Signed, SigningInput};
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let signer = |input: &SigningInput| -> Result<Signed, SignError> {
//!     let text = format!("{} {} {}", input.method, input.uri, input.unix_seconds());
//!     let signature = HeaderValue::from(text.len()); // an HMAC of yours
//!     Ok(Signed::new(HeaderMap::from_iter([(HeaderName::from_static("x-signature"), signature)])))
//! };
//! let provider = Script::new([Answer::status(200)]);
//! let bank = Integration::user_flow("bank")
//!     .service(provider.clone())
//!     .sign(SignLayer::new(signer))
//!     .build()?;
//!
//! bank.get("http://bank.test/accounts").send().await?;
//! assert!(provider.requests()[0].headers().contains_key("x-signature"));
//! # Ok(()) }
//! ```

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
mod state;
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
