use bytes::Bytes;
use http::{HeaderMap, Method};

use super::stored::StoredMessage;
use crate::redact::{Kept, Redactor};

/// What a person may see of a message's request and answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShownMessage {
    /// The request's method.
    pub method: Method,
    /// The request's URI.
    pub uri: String,
    /// The request's headers.
    pub headers: Vec<(String, String)>,
    /// The request's body, if any of it may be shown.
    pub body: Option<String>,
    /// The answer, if it was kept.
    pub answer: Option<ShownAnswer>,
    /// The key by which the request is [sealed](super::Seal), if that doesn't open it.
    pub sealed_by: Option<String>,
}

/// What a person may see of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShownAnswer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body, if any of it may be shown.
    pub body: Option<String>,
}

impl StoredMessage {
    /// The request and the answer as a redactor shows them.
    ///
    /// ```
    /// use outrigger::outbox::StoredMessage;
    /// use outrigger::redact::StandardRedactor;
    ///
    /// fn show(dead: &StoredMessage) {
    ///     let shown = dead.shown(&StandardRedactor::new());
    ///     println!("{} {}: {:?}", shown.method, shown.uri, shown.body);
    /// }
    /// ```
    #[must_use]
    pub fn shown(&self, redactor: &dyn Redactor) -> ShownMessage {
        let content = &self.content;
        ShownMessage {
            method: content.method.clone(),
            uri: redactor.uri(&content.uri),
            headers: headers(redactor, &content.headers),
            body: plain(
                redactor.body(&content.headers, &Kept::whole(content.body.to_vec())),
                &content.sealed_by,
            ),
            answer: self.answer.as_ref().map(|answer| ShownAnswer {
                status: answer.status,
                headers: headers(redactor, &answer.headers),
                body: plain(redactor.body(&answer.headers, &kept(&answer.body)), &answer.sealed_by),
            }),
            sealed_by: content.sealed_by.clone(),
        }
    }
}

fn headers(redactor: &dyn Redactor, headers: &HeaderMap) -> Vec<(String, String)> {
    let shown =
        headers.iter().map(|(name, value)| (name.to_string(), redactor.header(name, value)));
    shown.collect()
}

/// Nothing of what is sealed.
fn plain(body: Option<String>, sealed_by: &Option<String>) -> Option<String> {
    body.filter(|_| sealed_by.is_none())
}

/// Nobody knows whether it was cut at its cap.
fn kept(body: &Bytes) -> Kept {
    Kept::cut(body.to_vec(), body.len() as u64)
}
