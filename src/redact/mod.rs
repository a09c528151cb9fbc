//! Redaction: which parts of requests, answers and errors are shown in logs and on pages.
//!
//! Everything that leaves the service's memory passes through a [`Redactor`]. The
//! [`StandardRedactor`] shows the structure and no values: which fields, headers and keys there
//! were, of which type and how long. A value is shown only if its name is on one of the two lists
//! below, and if it looks like a word of a program. Whatever else you want to see, you ask for by
//! its name ([`show_field`], [`show_header`], [`show_query`]). What is secret by its looks is
//! hidden even there. Nothing else is guessed, in no language.
//!
//! ```
//! use http::{HeaderMap, HeaderValue};
//! use outrigger::event::Kept;
//! use outrigger::redact::{Redactor, StandardRedactor};
//!
//! let redactor = StandardRedactor::new().show_field("message").show_query("page");
//! let uri = "https://ada:pass@crm.test/v1/contacts/7?page=2&q=ada".parse()?;
//! assert_eq!(
//!     redactor.uri(&uri),
//!     "https://[redacted]@crm.test/v1/contacts/[redacted]?page=2&q=[redacted]"
//! );
//!
//! let mut headers = HeaderMap::new();
//! headers.insert("content-type", HeaderValue::from_static("application/json"));
//! let body = r#"{"error":{"code":"bad_card","message":"no ada@crm.test here"},"vorname":"Ada"}"#;
//! assert_eq!(
//!     redactor.body(&headers, &Kept::whole(body)).as_deref(),
//!     Some(r#"{"error":{"code":"bad_card","message":"no [redacted] here"},"vorname":"[string 3]"}"#)
//! );
//! # Ok::<(), http::uri::InvalidUri>(())
//! ```
//!
//! # What is shown
//!
//! | where | shown | instead of the rest |
//! |---|---|---|
//! | URLs | scheme, host, port; versions and words of the path that many APIs use (`/v1/orders`); the query's keys | `[redacted]` |
//! | headers | names; values of the list below | `[redacted]` |
//! | JSON | brackets, `true`, `false`, `null`; keys that look like a program's identifiers; values of the list below | `"[string 12]"`, `"[number 3]"`, `"[key 9]"`: type and length in characters; `[cut]` where it was cut, and after 32 KiB |
//! | forms | keys | `[redacted]` |
//! | other bodies | | `[application/xml, 312 bytes]`: media type and size |
//! | texts of unknown making, such as other crates' errors | | `[40 bytes]` |
//! | [ids](Redactor::id) by which calls are asked for | all but what is secret by its looks | `[redacted]` |
//!
//! A key is no identifier if it has other signs than letters, digits and `_`, more than three digits,
//! or a single word with a capital: it may be a person's name, a date, an account. Where one of an
//! object's keys can be nothing else (`"Ada Lovelace"`, `"2026-11-30"`), only those of the list are shown.
//!
//! # Fields whose values are shown
//!
//! `category`, `code`, `constraint`, `currency`, `decline_code`, `error`, `error_category`,
//! `error_code`, `error_reason`, `error_subcode`, `error_type`, `fault_code`, `field`, `field_name`,
//! `http_code`, `http_status`, `issue`, `kind`, `level`, `object`, `param`, `parameter`, `problem`,
//! `property`, `reason`, `reason_code`, `result_code`, `retry_after`, `rule`, `severity`, `status`,
//! `status_code`, `subcategory`, `subcode`, `subtype`, `token_type`, `type`; in any case, with any
//! separators.
//!
//! They are shown at the top of a body and where an error is described: within `causes`, `details`,
//! `error`, `errors`, `error_details`, `exception`, `extensions`, `failures`, `fault`, `faults`,
//! `field_violations`, `inner_error`, `invalid_params`, `issues`, `meta`, `problem`, `problems`,
//! `status`, `validation_errors`, `violations`, `warnings`. Within `patient`, a `status` is no error's.
//!
//! A value is a word of a program if it is made of letters of one case, or of words that are run
//! together, with `_` or `-` between and digits behind: `card_declined`, `NotFound`, `RATE_LIMITED`,
//! `E1001`. It has at most 40 signs and five digits. `Ada`, `1815-12-10`, `ada.lovelace`, `hunter2`
//! and `Hunter2xSecret` are none.
//!
//! # Headers whose values are shown
//!
//! - as they are: `accept`, `accept-encoding`, `accept-ranges`, `allow`, `cache-control`,
//!   `cf-cache-status`, `connection`, `content-encoding`, `host`, `keep-alive`, `pragma`, `server`, `te`,
//!   `trailer`, `transfer-encoding`, `upgrade`, `vary`, `via`, `x-cache`, `x-should-retry`;
//! - without its parameters, which may be a file's name: `content-type`;
//! - if they are numbers or dates: `age`, `content-length`, `date`, `deprecation`, `expires`,
//!   `last-modified`, `ratelimit` and all families of it, `retry-after`, `retry-after-ms`, `sunset`,
//!   `x-envoy-upstream-service-time`;
//! - as ids, if they have no spaces: `cf-ray`, `idempotency-key`, `paypal-debug-id`, `request-id`, `traceparent`,
//!   `x-amz-request-id`, `x-amzn-requestid`, `x-b3-traceid`, `x-cloud-trace-context`,
//!   `x-correlation-id`, `x-github-request-id`, `x-ms-request-id`, `x-request-id`, `x-trace-id`;
//! - as URLs: `location`.
//!
//! Values of more than 256 bytes, or with signs beyond ASCII, are not shown. Of `set-cookie`, `authorization`, `link`, `etag` and
//! all others, only the name is.
//!
//! # What is secret by its looks
//!
//! Numbers of cards (with spaces or dashes, by the issuer's digits, the length and the Luhn check),
//! e-mail addresses, what follows `Bearer` or `Basic`, JSON web tokens, keys with well-known prefixes,
//! PEM blocks, words with thirteen and more letters and digits in a row, and of URLs all but the host;
//! also percent-encoded or escaped.
//!
//! # Cost
//!
//! Each byte is read a few times, however deep it is nested: 64 KiB take less than a millisecond.
//!
//! # Limits
//!
//! Names and passwords have no looks: ask for free text (`message`) only where you know what a provider
//! writes into it. A name that is written as programs write, in the place of a word or a key of theirs
//! (`{"code":"ada"}`, `{"ada":1}`), is shown.
//!
//! [`show_field`]: StandardRedactor::show_field
//! [`show_header`]: StandardRedactor::show_header
//! [`show_query`]: StandardRedactor::show_query

mod asked;
mod body;
mod cards;
mod encoded;
mod form;
mod hidden;
mod json;
mod known;
mod media;
mod patterns;
#[cfg(feature = "json")]
mod pointer;
mod redactor;
pub(crate) mod sample;
mod standard;
mod text;
mod url;
mod words;

pub(crate) use media::is_name as is_media_type;
#[cfg(feature = "json")]
pub(crate) use pointer::shown_pointer;
pub use redactor::Redactor;
pub(crate) use sample::Kept;
pub use standard::StandardRedactor;
#[cfg(feature = "audit")]
pub(crate) use words::is_header_name;
#[cfg(feature = "json")]
pub(crate) use words::{is_id_key, is_word};
