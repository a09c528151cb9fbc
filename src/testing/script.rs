use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower_service::Service;

use crate::body::Body;
use crate::context::Context;
use crate::rt::{self, Lock};
use crate::transport::hop;

/// A provider that answers by a script: the first request gets the first answer, and so on; the
/// last one repeats.
#[derive(Clone, Debug)]
pub struct Script(Arc<Mutex<State>>);

/// One answer of a [`Script`].
#[derive(Clone, Debug)]
pub struct Answer {
    delay: Duration,
    outcome: Outcome,
}

/// A request as the provider saw it, body included.
pub type SeenRequest = Request<Bytes>;

#[derive(Clone, Debug)]
enum Outcome {
    Response { status: StatusCode, headers: Vec<(HeaderName, HeaderValue)>, body: Bytes },
    Broken(io::ErrorKind),
    Hang,
}

#[derive(Debug)]
struct State {
    answers: Vec<Answer>,
    begun: usize,
    requests: Vec<SeenRequest>,
}

// === impl Answer ===

impl Answer {
    /// An empty answer with this status.
    ///
    /// # Panics
    ///
    /// If it is no status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("a status is 100 to 999");
        let outcome = Outcome::Response { status, headers: Vec::new(), body: Bytes::new() };
        Self { delay: Duration::ZERO, outcome }
    }

    /// No answer: the connection fails with this fault.
    #[must_use]
    pub fn broken(how: io::ErrorKind) -> Self {
        Self { delay: Duration::ZERO, outcome: Outcome::Broken(how) }
    }

    /// No answer, ever.
    #[must_use]
    pub fn hang() -> Self {
        Self { delay: Duration::ZERO, outcome: Outcome::Hang }
    }

    /// Delays the answer.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// A header of the answer.
    ///
    /// # Panics
    ///
    /// If `value` is no header's value.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header's value");
        if let Outcome::Response { headers, .. } = &mut self.outcome {
            headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// Sets the body of the answer.
    #[must_use]
    pub fn body(mut self, text: impl Into<Bytes>) -> Self {
        if let Outcome::Response { body, .. } = &mut self.outcome {
            *body = text.into();
        }
        self
    }

    async fn give(self, context: Option<Context>) -> io::Result<Response<Body>> {
        if !self.delay.is_zero() {
            rt::sleep_until(rt::after(rt::now(), self.delay)).await;
        }
        match self.outcome {
            Outcome::Hang => std::future::pending().await,
            Outcome::Broken(how) => {
                // It is of this one request: what it proves is proven.
                let error = hop::failed(context.as_ref(), io::Error::from(how));
                Err(io::Error::new(how, error))
            }
            Outcome::Response { status, headers, body } => {
                let mut response = Response::new(body.into());
                *response.status_mut() = status;
                response.headers_mut().extend(headers);
                hop::answered(context.as_ref(), &mut response);
                Ok(response)
            }
        }
    }
}

// === impl Script ===

impl Script {
    /// Answers in this order.
    ///
    /// # Panics
    ///
    /// If there is no answer at all.
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Vec<_> = answers.into_iter().collect();
        assert!(!answers.is_empty(), "a script needs at least one answer");
        Self(Arc::new(Mutex::new(State { answers, begun: 0, requests: Vec::new() })))
    }

    /// The requests whose bodies have been read, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.0.locked().requests.clone()
    }

    /// How many requests have come, read or not.
    #[must_use]
    pub fn begun(&self) -> usize {
        self.0.locked().begun
    }

    fn next(&self) -> Answer {
        let mut state = self.0.locked();
        let at = state.begun.min(state.answers.len() - 1);
        state.begun += 1;
        state.answers[at].clone()
    }
}

impl<B> Service<Request<B>> for Script
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: std::fmt::Debug + Send,
{
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Response<Body>>> + Send>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (answer, script) = (self.next(), self.clone());
        let context = request.extensions().get::<Context>().cloned();
        hop::hand_over(context.as_ref());
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await;
            let body = body.map_err(|error| io::Error::other(format!("{error:?}")))?.to_bytes();
            script.0.locked().requests.push(Request::from_parts(parts, body));
            answer.give(context).await
        })
    }
}
