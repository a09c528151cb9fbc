use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response};
use tower_service::Service;

use super::error::InboxError;
use super::receive::Inbox;
use super::record::Received;
use crate::body::{Body, read};
use crate::rt;
use crate::terms::inbox::InboxErrorKind;

/// Answers 200 to what is recorded now or was before, and otherwise the status of the
/// [`InboxError`], with its text. It never fails.
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
            Ok(answer(inbox.counted(received)))
        })
    }
}

impl Inbox {
    async fn read_and_record<B>(&self, request: Request<B>) -> Result<Received, InboxError>
    where
        B: http_body::Body,
    {
        let (head, body) = request.into_parts();
        if head.method != Method::POST {
            return Err(InboxError::new(InboxErrorKind::Method));
        }
        let due = self.due();
        let body = rt::until(Some(due), whole(body, self.0.max_body)).await;
        let body = body.ok_or_else(|| InboxError::new(InboxErrorKind::BodyTimeout))??;
        self.verify_and_record(&head, body, due).await
    }
}

/// The body's bytes as they arrive; not one more than is allowed is kept.
async fn whole<B: http_body::Body>(body: B, most: usize) -> Result<Bytes, InboxError> {
    let too_large = || InboxError::new(InboxErrorKind::TooLarge);
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let mut bytes = BytesMut::new();
    read(body, |frame| {
        let frame = frame.map_err(|_| InboxError::new(InboxErrorKind::BodyFailed))?;
        if let Ok(mut data) = frame.into_data() {
            if data.remaining() > most - bytes.len() {
                return Err(too_large());
            }
            bytes.extend_from_slice(&data.copy_to_bytes(data.remaining()));
        }
        Ok(())
    })
    .await?;
    Ok(bytes.freeze())
}

fn answer(received: Result<Received, InboxError>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let text = match received {
        Ok(Received::Answer(text)) => text,
        Ok(_) => return response,
        Err(error) => {
            *response.status_mut() = error.status();
            if error.kind() == InboxErrorKind::Method {
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            }
            error.to_string()
        }
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    *response.body_mut() = text.into();
    response
}
