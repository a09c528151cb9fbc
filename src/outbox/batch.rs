use std::fmt;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use http::Request;

use super::head::{headers_from_bytes, headers_to_bytes};
use super::message::is_credential;
use super::stored::{Answer, StoredMessage};
use crate::outcome::BoxError;
use crate::rt::callback;

/// How a lane sends several messages in one request.
///
/// A batch is what is due when the lane has a place, at most as many as this allows: under load it is full, and otherwise
/// nobody waits for it to be. A low [`concurrency`](super::Lane::concurrency) makes batches larger. The batch has an
/// idempotency key of its own; those of its messages are for your function to put into the request, if the provider
/// takes them.
///
/// Until the provider has answered for its messages, a batch stays together: it is repeated with the same messages, the same
/// bytes and the same key, whatever crashes, and what the lane does about an
/// [unknown outcome](super::Lane::unknown_outcome) is done for all of it. That is so also if one of its messages was called
/// off meanwhile, or is dead: its bytes are sent again with the others', and if the provider has done it, that counts.
///
/// A batch can't be repeated if its request was not stored yet when that happened, if one of its messages was edited,
/// erased or removed, or if the lane sends no batches any more. Then each message is dealt with by itself: it is sent anew if
/// no attempt may have had an effect; else [`Probe`](super::UnknownOutcome::Probe) is asked, and without one it is
/// parked as [`UnknownOutcome`](super::DeadReason::UnknownOutcome).
///
/// A message that may have been done by itself, before the lane had batches, is sent by itself with its own key. One that is
/// at its last attempt, or has less time left than a lease, is a batch of one, because it could not be repeated with others.
///
/// Before you give a lane batches, stop the workers of versions that don't know them: they would send the messages of a
/// batch one by one, with other keys.
///
/// ```
/// use outrigger::outbox::{Batch, ItemVerdict};
///
/// let batch = Batch::new(
///     100,
///     |messages| {
///         let bodies: Vec<_> = messages.iter().map(|message| &message.content.body[..]).collect();
///         Ok(http::Request::post("/v1/mails/batch").body(bodies.join(&b'\n').into())?)
///     },
///     |messages, answer| {
///         let lines = answer.body.split(|byte| *byte == b'\n');
///         let verdicts = lines.map(|line| match line {
///             b"ok" => ItemVerdict::Delivered,
///             b"busy" => ItemVerdict::Retryable,
///             _ => ItemVerdict::Rejected,
///         });
///         verdicts.take(messages.len()).collect()
///     },
/// );
/// # let _ = batch;
/// ```
#[derive(Clone)]
#[must_use]
pub struct Batch {
    pub(super) most: usize,
    request: Arc<MakeRequest>,
    verdicts: Arc<Judge>,
}

/// What a provider says of one message of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ItemVerdict {
    /// It was done.
    Delivered,
    /// It was not done, and may be later: it is sent again by the lane's schedule, in another batch.
    Retryable,
    /// It was refused for good: it is dead.
    Rejected,
}

type MakeRequest = dyn Fn(&[StoredMessage]) -> Result<Request<Bytes>, BoxError> + Send + Sync;
type Judge = dyn Fn(&[StoredMessage], &Answer) -> Vec<ItemVerdict> + Send + Sync;

impl Batch {
    /// Batches of at most so many messages.
    ///
    /// `request` makes the request of messages, in the order in which they were enqueued. It is stored before it is sent, so
    /// it must not hold credentials. If the function fails or panics, the messages are tried again by the schedule.
    ///
    /// `verdicts` reads an answer: one verdict for each message, in the same order. It sees successes, and refusals of
    /// the whole (4xx), of which at most 1 MiB of the body. Of a success, any other number of verdicts, or a panic,
    /// says that nobody knows what was done. Of a refusal, it says that all were refused; if an earlier attempt of the batch
    /// may have been done, they are parked as [`UnknownOutcome`](super::DeadReason::UnknownOutcome). The messages are those of
    /// the request, also if some of them came to their end meanwhile.
    pub fn new<R, V>(most: usize, request: R, verdicts: V) -> Self
    where
        R: Fn(&[StoredMessage]) -> Result<Request<Bytes>, BoxError> + Send + Sync + 'static,
        V: Fn(&[StoredMessage], &Answer) -> Vec<ItemVerdict> + Send + Sync + 'static,
    {
        Self { most, request: Arc::new(request), verdicts: Arc::new(verdicts) }
    }

    /// The request, or `None` of a function that panicked.
    pub(super) fn request(
        &self,
        messages: &[StoredMessage],
    ) -> Option<Result<Request<Bytes>, BoxError>> {
        let made = callback::call("batch", || (self.request)(messages))?;
        Some(made.and_then(|request| {
            match request.headers().iter().find(|(name, value)| is_credential(name, value)) {
                Some((name, _)) => Err(format!(
                    "a batch is stored, so it can't have the header {name}: let the integration add it"
                )
                .into()),
                None => Ok(request),
            }
        }))
    }

    /// One verdict for each message; `None` if the function doesn't give that.
    pub(super) fn verdicts(
        &self,
        messages: &[StoredMessage],
        answer: &Answer,
    ) -> Option<Vec<ItemVerdict>> {
        let verdicts = callback::call("batch", || (self.verdicts)(messages, answer))?;
        (verdicts.len() == messages.len()).then_some(verdicts)
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("most", &self.most).finish_non_exhaustive()
    }
}

/// A request as it is stored: a line with its method and its URI, its headers, an empty line and its body.
pub(super) fn request_to_bytes(request: &Request<Bytes>) -> Bytes {
    let mut bytes = BytesMut::new();
    for part in [request.method().as_str(), " ", &request.uri().to_string(), "\r\n"] {
        bytes.put_slice(part.as_bytes());
    }
    bytes.put_slice(&headers_to_bytes(request.headers()));
    bytes.put_slice(b"\r\n");
    bytes.put_slice(request.body());
    bytes.freeze()
}

/// The request that [`request_to_bytes`] wrote.
pub(super) fn request_from_bytes(bytes: &Bytes) -> Option<Request<Bytes>> {
    let line = bytes.windows(2).position(|end| end == b"\r\n")?;
    let (method, uri) = std::str::from_utf8(&bytes[..line]).ok()?.split_once(' ')?;
    // Without headers, the empty line follows at once.
    let head = bytes[line..].windows(4).position(|end| end == b"\r\n\r\n")? + line;
    let mut request = Request::new(bytes.slice(head + 4..));
    *request.method_mut() = method.parse().ok()?;
    *request.uri_mut() = uri.parse().ok()?;
    *request.headers_mut() = headers_from_bytes(&bytes[line + 2..head.max(line + 2)]);
    Some(request)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_request_is_read_as_it_was_written(
            headers in proptest::collection::vec(("x-[a-z]{1,5}", "[!-~]{0,9}"), 0..4),
            body in proptest::collection::vec(any::<u8>(), 0..50),
        ) {
            let mut request = Request::put("https://api.example/v1/batch?a=b");
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let request = request.body(Bytes::from(body)).unwrap();
            let read = request_from_bytes(&request_to_bytes(&request)).unwrap();
            prop_assert_eq!(read.method(), request.method());
            prop_assert_eq!(read.uri(), request.uri());
            prop_assert_eq!(read.headers(), request.headers());
            prop_assert_eq!(read.body(), request.body());
        }
    }
}
