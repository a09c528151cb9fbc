//! What is sealed of a message, and how it stands in a store.

use bytes::Bytes;
use http::{HeaderMap, Request, Uri};

use super::seal::{Seal, Sealed};
use crate::outbox::batch::{request_from_bytes, request_to_bytes};
use crate::outbox::content::fingerprint;
use crate::outbox::error::{OutboxError, OutboxErrorKind};
use crate::outbox::head::{headers_from_bytes, headers_to_bytes};
use crate::outbox::id::MessageId;
use crate::outbox::stored::{Answer, Content, NewMessage, StoredMessage};
use crate::outcome::BoxError;
use crate::rt::callback;
use crate::terms::outbox::State;

impl NewMessage {
    /// The message with its URI, headers and body sealed, as [`SealedStore`](super::SealedStore) stores it.
    ///
    /// # Errors
    ///
    /// [`OutboxErrorKind::Seal`] if the function fails.
    pub fn sealed(mut self, seal: &dyn Seal) -> Result<Self, OutboxError> {
        let content = &mut self.content;
        let plain = request_to_bytes(&request_of(content));
        let sealed = close(seal, &plain, content.id, REQUEST)?;
        (content.uri, content.headers) = (Uri::default(), HeaderMap::new());
        // It would tell whether a body is one that is guessed.
        content.fingerprint = String::new();
        (content.body, content.sealed_by) = (sealed.bytes.into(), Some(sealed.key));
        Ok(self)
    }
}

impl StoredMessage {
    /// Opens all of it that can be opened. The rest stays sealed.
    pub(super) fn open(&mut self, seal: &dyn Seal) {
        let id = self.content.id;
        self.content.open(seal);
        if let Some(answer) = self.answer.take() {
            let kept = usize::try_from(self.content.keep_answer).unwrap_or(usize::MAX);
            let answer = answer.opened(seal, id);
            self.answer = match self.progress.state {
                // It was not cut when it was stored.
                State::Delivered => answer.cut(kept),
                _ => Some(answer),
            };
        }
        if let Some(request) = self.batch_request.take() {
            self.batch_request = Some(open_request(seal, id, request));
        }
    }
}

impl Content {
    fn open(&mut self, seal: &dyn Seal) {
        let Some(key) = &self.sealed_by else { return };
        let plain = open(seal, key, &self.body, self.id, REQUEST);
        let Some(request) = plain.and_then(|plain| request_from_bytes(&plain)) else { return };
        let (parts, body) = request.into_parts();
        (self.method, self.uri, self.headers) = (parts.method, parts.uri, parts.headers);
        (self.fingerprint, self.body, self.sealed_by) = (fingerprint(&body), body, None);
    }
}

impl Answer {
    pub(super) fn sealed(self, seal: &dyn Seal, of: MessageId) -> Result<Self, OutboxError> {
        let mut plain = headers_to_bytes(&self.headers);
        plain.extend_from_slice(END);
        plain.extend_from_slice(&self.body);
        let Sealed { key, bytes } = close(seal, &plain, of, ANSWER)?;
        let headers = HeaderMap::new();
        Ok(Self { status: self.status, headers, body: bytes.into(), sealed_by: Some(key) })
    }

    fn opened(self, seal: &dyn Seal, of: MessageId) -> Self {
        let Some(key) = &self.sealed_by else { return self };
        let Some(plain) = open(seal, key, &self.body, of, ANSWER) else { return self };
        let end = match plain.starts_with(END) {
            // Without headers, the empty line is the first.
            true => Some(0),
            false => plain.windows(4).position(|end| end == b"\r\n\r\n").map(|end| end + END.len()),
        };
        let Some(end) = end else { return self };
        let (headers, body) = (headers_from_bytes(&plain[..end]), plain.slice(end + END.len()..));
        Self { status: self.status, headers, body, sealed_by: None }
    }
}

/// A batch's request, sealed: a zero byte, the key's name, a zero byte, and the bytes. No plain one begins so.
pub(super) fn close_request(
    seal: &dyn Seal,
    of: MessageId,
    request: &[u8],
) -> Result<Bytes, OutboxError> {
    let Sealed { key, bytes } = close(seal, request, of, BATCH)?;
    Ok([&[0], key.as_bytes(), &[0], &bytes].concat().into())
}

fn open_request(seal: &dyn Seal, of: MessageId, request: Bytes) -> Bytes {
    let opened = parts_of(&request).and_then(|(key, bytes)| open(seal, key, bytes, of, BATCH));
    opened.unwrap_or(request)
}

/// The key that a batch's request is sealed by, if it is.
pub(in crate::outbox) fn key_of_request(request: &[u8]) -> Option<&str> {
    parts_of(request).map(|(key, _)| key)
}

fn parts_of(request: &[u8]) -> Option<(&str, &[u8])> {
    let rest = request.strip_prefix(&[0])?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    Some((std::str::from_utf8(&rest[..end]).ok()?, &rest[end + 1..]))
}

/// What a settling function sees: all of it opened.
pub(in crate::outbox) fn for_hook(
    seal: &dyn Seal,
    message: &StoredMessage,
    answer: &Answer,
) -> Result<(StoredMessage, Answer), BoxError> {
    let (mut message, answer) = (message.clone(), answer.clone());
    message.open(seal);
    let answer = answer.opened(seal, message.content.id);
    match answer.sealed_by.as_ref().or(message.content.sealed_by.as_ref()) {
        Some(key) => Err(format!("it is sealed by the key {key:?}, which doesn't open it").into()),
        None => Ok((message, answer)),
    }
}

fn request_of(content: &Content) -> Request<Bytes> {
    let mut request = Request::new(content.body.clone());
    *request.method_mut() = content.method.clone();
    *request.uri_mut() = content.uri.clone();
    *request.headers_mut() = content.headers.clone();
    request
}

fn close(seal: &dyn Seal, plain: &[u8], of: MessageId, part: &str) -> Result<Sealed, OutboxError> {
    let failed = |why: BoxError| {
        OutboxError::new(OutboxErrorKind::Seal, "it can't be sealed").with_source(why)
    };
    let sealed = callback::call("seal", || seal.seal(plain, &context(of, part)));
    let sealed = sealed.unwrap_or_else(|| Err("the function panicked".into())).map_err(failed)?;
    let is_name = (1..=LONGEST_NAME).contains(&sealed.key.len()) && !sealed.key.contains('\0');
    is_name
        .then_some(sealed)
        .ok_or_else(|| failed("a key's name must have 1 to 255 bytes, none of them zero".into()))
}

fn open(seal: &dyn Seal, key: &str, bytes: &[u8], of: MessageId, part: &str) -> Option<Bytes> {
    let opened = callback::call("seal", || seal.open(key, bytes, &context(of, part)));
    opened?.ok().map(Bytes::from)
}

/// What sealed bytes belong to.
fn context(of: MessageId, part: &str) -> Vec<u8> {
    format!("outrigger outbox 1 {part} {of}").into_bytes()
}

const REQUEST: &str = "request";
const ANSWER: &str = "answer";
const BATCH: &str = "batch";
const END: &[u8] = b"\r\n";
const LONGEST_NAME: usize = 255;
