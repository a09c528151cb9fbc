//! Checks an answer before it counts as a success.
//!
//! A status of 200 doesn't say that a provider did what was asked: `{"ok": false}`, GraphQL's `errors`, a
//! login page after a redirect, a proxy's page, a field that is gone. A check looks at the answer's head
//! and the beginning of its body, and its verdict becomes the answer's [class](crate::outcome::Class), by
//! which all layers decide. So retry, breaker, rate limit, token, fallback, cache and metrics treat an
//! answer that failed its check as they treat a status that says the same.
//!
//! | verdict | class | repeated | breaker | caller gets, at a 2xx |
//! |---|---|---|---|---|
//! | `pass` | as the status says | | | the answer |
//! | `partial` | partial | no | success | the answer |
//! | `transient` | server error | as a 500 | failure | an error |
//! | `invalid` | invalid answer | as a 500 | failure | an error |
//! | `permanent` | client error | no | says nothing bad | the answer, with [`FailedCheck`] |
//! | `throttled` | throttled | after its wait, as a 429 | says nothing bad | the answer, with [`FailedCheck`] |
//! | `unauthorized` | unauthorized | once the [`token`](crate::token) is renewed: at a 4xx any call, else what is safe to repeat | says nothing bad | the answer, with [`FailedCheck`] |
//! | `unchecked` | as the status says | | | the answer |
//!
//! - **An error** is of kind [`Invalid`](crate::ErrorKind::Invalid), with delivery "answered": the provider
//!   may have acted. So a POST is repeated only under its key. The error's text and its source, a
//!   [`FailedCheck`], name the check, the status and the place in the body, and no value of it.
//! - **An answer that says why it was refused** stays an answer, as one with a status of 400 is, and has
//!   a [`FailedCheck`] among its extensions.
//!   [`error_for_status`](crate::ResponseExt::error_for_status) makes an error of it. So does any answer
//!   whose status says by itself that it failed.
//! - **The caller gets the same bytes**, frames and trailers, whatever was read for a check. At most
//!   [`body_cap`](ValidateLayer::body_cap) bytes are held back; a body that is larger passes as `unchecked`.
//!   A body that breaks while it is held back has reached nobody: the attempt failed, and may be repeated.
//! - **A slow body isn't cut because it is held back.** The limit on an attempt is for the head, and lets an
//!   answer go on whose body is being read here: so S3 may write white space for minutes before it says
//!   what became of a `CompleteMultipartUpload`. The limit on a body's silence
//!   ([`idle_timeout`](crate::idle_timeout)) and the [`deadline`](crate::deadline) bound it. A call that the
//!   deadline cuts then has delivery "unknown", never "not sent". Where the layers are composed one by one,
//!   with other layers between them, the limit on an attempt can't know, and cuts it.
//! - **What can't be checked passes**, and is counted: a body over the cap, a compressed one (the own
//!   client decompresses with the feature `decompression`), streams of events, parts, lines or gRPC; JSON
//!   that is right and can't be read here (over 127 levels deep, a number or a character out of range);
//!   and where a check panics. [`must_check`](ValidateLayer::must_check) makes such an answer `invalid` if its status is a
//!   2xx. Answers to HEAD, and those with a status of 1xx, 204, 205, 206 or 304, have no body of their own,
//!   and are not looked at.
//! - **A failed answer keeps its status.** Where the status is no success, the body is waited for at most a
//!   second; if it breaks off or is slow, the answer is handed up as it is, unchecked. So it is where the
//!   checks only tell.
//! - **A refused answer is no success to what keeps answers**: neither the [`cache`](crate::cache) nor a
//!   [local copy](crate::local_copy) stores it, and neither replaces a good one by it.
//! - **A new check** is added by [`report`](ValidateLayer::report): it tells what it would reject, and
//!   changes nothing. The mode of all checks can be changed while calls run, by a file:
//!   `[validate] mode = "report_only"`. The checks themselves are code: the table of an integration without
//!   any check has no effect, and is no mistake, because one file may be for several versions of the code.
//!
//! # Checks
//!
//! | check | looks at | feature |
//! |---|---|---|
//! | [`Media`] | the media type | |
//! | [`Size`] | the body's size | |
//! | [`function`] | whatever your function does | |
//! | [`Required`] | members that must be there | `json` |
//! | [`Decodes`] | whether your type can be made of it | `json` |
//! | [`StatusField`] | a member that says `ok`, with its codes; Slack's, and yours | `json` |
//! | [`graphql::GraphQl`] | GraphQL's data and errors | `json` |
//! | [`Problems`] | problems by RFC 9457 | `json` |
//! | [`Vendors`] | what well-known providers write into ambiguous answers | `json` |
//! | [`JsonSchema`] | a JSON Schema | `json-schema` |
//! | [`OpenApi`] | what an OpenAPI document says of an operation's answers | `json-schema` |
//!
//! Each is for answers with a 2xx unless it says otherwise, and can be limited by
//! [`when`](Check::when) or [`at`](Check::at), so that each endpoint has its own. Checks are asked in
//! order, up to the first that rejects. JSON is parsed once for all of them.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - inside [`retry`](crate::retry), [`circuit_breaker`](crate::circuit_breaker),
//!   [`rate_limit`](crate::rate_limit) and [`token`](crate::token), which act on the verdict;
//! - inside [`timeout`](crate::timeout) and outside [`idle_timeout`](crate::idle_timeout), so that a body
//!   that is held back is limited.
//!
//! # When not to use it
//!
//! For answers that are read as they come: to hold a body back costs the time of its first 64 KiB. For
//! what a decoder says anyway, unless it must count: a body that your type can't be made of fails in
//! [`json`](crate::ResponseExt::json) as well, but then the call was a success to retry and breaker.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | checks | none | what is right, only you know |
//! | `mode` | `enforce` | |
//! | `body_cap` | 64 KiB | larger answers are lists and files, and nobody should wait for their ends |
//! | `must_check` | no | a check that can't look isn't the provider's failure |
//! | `keep_samples` | none | bodies hold what is private |
//!
//! # Events
//!
//! [`AnswerPassed`](crate::event::Event::AnswerPassed),
//! [`AnswerRejected`](crate::event::Event::AnswerRejected),
//! [`AnswerUnchecked`](crate::event::Event::AnswerUnchecked): one for each check and answer. The metric is
//! `outrigger.validation.answers`, by check and verdict. [`Health`](crate::control::Health) has counts and
//! the last rejection, and [`Integration::validation`](crate::Integration::validation) the samples.
//!
//! # Example
//!
//! ```
//! use outrigger::Integration;
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::validate::{FailedCheck, Media, ValidateLayer};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let page = || Answer::status(200).header("content-type", "text/html").body("<h1>Log in</h1>");
//! let json = || Answer::status(200).header("content-type", "application/json").body("{}");
//! let provider = Script::new([page(), json(), page()]);
//! let crm = Integration::user_flow("crm")
//!     .validate(ValidateLayer::new().enforce(Media::json()))
//!     .service(provider.clone())
//!     .build()?;
//!
//! // The page was no answer of the provider's, and a GET is repeated.
//! let answer = crm.get("http://crm.test/contacts").send().await?;
//! assert_eq!(answer.headers()["content-type"], "application/json");
//!
//! // A POST is not: the provider may have acted.
//! let error = crm.post("http://crm.test/contacts").body("{}").send().await.unwrap_err();
//! let failed = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<FailedCheck>());
//! assert_eq!(failed.map(FailedCheck::check), Some("media"));
//! assert_eq!(provider.begun(), 3);
//! # Ok(()) }
//! ```

mod around;
mod check;
mod config;
#[cfg(feature = "json")]
mod decode;
mod finding;
#[cfg(all(feature = "json", any(fuzzing, test)))]
#[cfg_attr(fuzzing, doc(hidden))]
pub mod fuzzing;
#[cfg(feature = "json")]
pub mod graphql;
#[cfg(feature = "json")]
mod json;
mod judge;
mod layer;
mod media;
#[cfg(feature = "json-schema")]
mod openapi;
#[cfg(feature = "json")]
mod path;
mod prefix;
#[cfg(feature = "json")]
mod problem;
mod report;
#[cfg(feature = "json")]
mod required;
#[cfg(feature = "json-schema")]
mod schema;
#[cfg(feature = "serde")]
mod settings;
mod size;
#[cfg(feature = "json")]
mod status_field;
#[cfg(feature = "json")]
mod vendors;
#[cfg(feature = "json")]
mod xml;

pub use around::ValidatePattern;
pub use check::{Answered, Check, Function, Named, When, function};
pub use config::Mode;
#[cfg(feature = "json")]
pub use decode::{Checked, Decodes, Lenient};
pub use finding::Finding;
pub use layer::{Validate, ValidateLayer};
pub use media::Media;
#[cfg(feature = "json-schema")]
pub use openapi::OpenApi;
pub use prefix::Prefix;
#[cfg(feature = "json")]
pub use problem::{Problem, Problems};
pub use report::{Sample, ValidateHandle};
#[cfg(feature = "json")]
pub use required::Required;
#[cfg(feature = "json-schema")]
pub use schema::JsonSchema;
pub use size::Size;
#[cfg(feature = "json")]
pub use status_field::StatusField;
#[cfg(feature = "json")]
pub use vendors::{Row, Vendors};

#[cfg(feature = "json")]
pub(crate) use decode::{decode, fault_of};

#[cfg(feature = "serde")]
pub(crate) use settings::ValidateSettings;

pub use crate::outcome::FailedCheck;
pub use crate::terms::{Unchecked, Verdict};
