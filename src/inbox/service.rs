use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use tower_service::Service;

use super::capacity::Place;
use super::error::InboxError;
use super::receive::Inbox;
use super::record::Received;
use crate::body::{Body, read};
use crate::rt;
use crate::terms::inbox::InboxErrorKind;

/// Answers 200 to what is recorded now or was before, and otherwise the status of the
/// [`InboxError`], with its text; a 503 with `retry-after` (RFC 9110, 10.2.3). It never fails.
impl<B> Service<Request<B>> for Inbox
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inbox = self.clone();
        Box::pin(async move {
            let received = inbox.read_and_record(request).await;
            Ok(inbox.answer(inbox.counted(received)))
        })
    }
}

impl Inbox {
    async fn read_and_record<B>(&self, request: Request<B>) -> Result<Received, InboxError>
    where
        B: http_body::Body,
    {
        let (head, body) = request.into_parts();
        self.precheck(&head)?;
        let length = announced(&head).max(body.size_hint().lower());
        if length > self.0.max_body as u64 {
            return Err(InboxError::new(InboxErrorKind::TooLarge));
        }
        let (due, mut place) = (self.due(), self.0.capacity.enter()?);
        let body = rt::until(Some(due), whole(body, length, self.0.max_body, &mut place)).await;
        let body = body.ok_or_else(|| InboxError::new(InboxErrorKind::BodyTimeout))??;
        self.verify_and_record(&head, body, due).await
    }

    fn answer(&self, received: Result<Received, InboxError>) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        let text = match received {
            Ok(Received::Answer(text)) => text,
            Ok(_) => return response,
            Err(error) => {
                let (status, headers) = (error.status(), response.headers_mut());
                if status == StatusCode::METHOD_NOT_ALLOWED {
                    headers.insert(ALLOW, HeaderValue::from_static("POST"));
                }
                if status == StatusCode::SERVICE_UNAVAILABLE {
                    // By then, what is under way now has ended.
                    let seconds = self.0.time_limit.as_secs_f64().ceil() as u64;
                    headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
                }
                *response.status_mut() = status;
                error.to_string()
            }
        };
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        *response.body_mut() = text.into();
        response
    }
}

/// The length that the head says, if it says one.
fn announced(head: &Parts) -> u64 {
    let length = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// The body's bytes as they arrive, of which so many were announced; not one more than is allowed is kept.
async fn whole<B: http_body::Body>(
    body: B,
    length: u64,
    most: usize,
    place: &mut Place<'_>,
) -> Result<Bytes, InboxError> {
    let mut bytes = BytesMut::new();
    read(body, |frame| {
        let frame = frame.map_err(|_| InboxError::new(InboxErrorKind::BodyFailed))?;
        if let Ok(mut data) = frame.into_data() {
            if data.remaining() > most - bytes.len() {
                return Err(InboxError::new(InboxErrorKind::TooLarge));
            }
            let is_last = (bytes.len() + data.remaining()) as u64 == length;
            match is_last {
                true => place.hold_last(data.remaining())?,
                false => place.hold(data.remaining())?,
            }
            bytes.extend_from_slice(&data.copy_to_bytes(data.remaining()));
        }
        Ok(())
    })
    .await?;
    place.hold_last(0)?;
    Ok(bytes.freeze())
}
