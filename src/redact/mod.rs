//! Which headers, query keys and body fields are secret, and what is shown of the rest.
//!
//! What leaves the service's memory for a log or a page goes through a [`Redactor`] first. The
//! [`StandardRedactor`] hides by default, and shows what it was told to:
//!
//! ```
//! use http::{HeaderMap, HeaderValue};
//! use outrigger::event::Kept;
//! use outrigger::redact::{Redactor, StandardRedactor};
//!
//! let redactor = StandardRedactor::new().also_field("loyalty_number").show_query("page");
//! let uri = "https://ada:pass@crm.test/contacts/7?page=2&q=ada".parse()?;
//! assert_eq!(redactor.uri(&uri), "https://[redacted]@crm.test/[redacted]?page=2&q=[redacted]");
//!
//! let mut headers = HeaderMap::new();
//! headers.insert("content-type", HeaderValue::from_static("application/json"));
//! let body = Kept::whole(r#"{"code":"bad_card","card":{"number":"4242 4242 4242 4242"}}"#);
//! let shown = redactor.body(&headers, &body);
//! assert_eq!(shown.as_deref(), Some(r#"{"code":"bad_card","card":"[redacted]"}"#));
//! # Ok::<(), http::uri::InvalidUri>(())
//! ```
//!
//! # What is hidden
//!
//! | where | hidden | shown |
//! |---|---|---|
//! | headers | by name: credentials, cookies, sessions, signatures, client addresses; values that are no text | others, by what is found in them |
//! | URLs | credentials, the path, every query value, the fragment | scheme, host, port, the query's keys |
//! | JSON, forms, multipart | by name, with all that is inside; files | others, by what is found in them |
//! | other text | what follows a secret name (`password=…`, `"token": …`, `<pin>…`, `("token", …)`), what a field names so (`name: "token", value: …`), what a type says (`Token("…")`), what a sentence or a command says (`password is "…"`, `--token …`, `invalid token a1b2c3d`) | the rest, by what is found in it |
//! | anything else | all of it: no text, compressed, of an unknown type, CSV | its size |
//!
//! *What is found* in any text: card numbers (with spaces or dashes, by the issuer's digits, the
//! length and the Luhn check), e-mail addresses, URLs as above (but plain words of a path are shown, such as a problem's
//! type), `Bearer` and `Basic` credentials, JSON web tokens, keys with well-known prefixes, PEM
//! blocks; also percent-encoded or escaped.
//!
//! A name is secret if one of its words is (`x-shop-token`, `userPassword`, `card[number]`): what
//! opens something (password, token, secret, key, signature, session, …), what pays (card, cvc, iban,
//! account number) and who somebody is (name, e-mail, phone, address, birth, ssn, …). A key that opens nothing
//! is none: `idempotency-key`, `public_key`.
//!
//! In an id ([`Redactor::id`]), which support needs as it is, only e-mail addresses, tokens and keys by
//! their prefixes, and numbers that are a card's as they stand there are hidden.
//!
//! A body that was cut loses what was last in it: half a card number passes every check.
//!
//! # Limits
//!
//! A person's name in the middle of a sentence, a secret in a field named `note`, a password that nobody
//! quoted and that could be a word (`the password hunter`): nobody can tell. So bodies are kept only
//! where somebody asks for them, and only of failures.

mod block;
mod body;
mod cards;
mod debug;
mod encoded;
mod form;
mod hidden;
mod json;
mod multipart;
mod names;
mod pairs;
mod patterns;
mod prose;
mod redactor;
mod role;
mod standard;
mod text;
mod told;
mod url;

pub use redactor::Redactor;
pub use standard::StandardRedactor;
