use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use tower_service::Service;

use super::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::rt::Lock;
use crate::transport::hop;

/// A provider that answers as it is told: by [a list](Self::new), or by [a function](Self::by) of the
/// request. Clones are the same provider.
#[derive(Clone, Debug)]
pub struct Script {
    answers: Answers,
    seen: Arc<Mutex<Seen>>,
}

/// A request as the provider saw it, body included.
pub type SeenRequest = Request<Bytes>;

#[derive(Clone)]
enum Answers {
    InOrder(Arc<[Answer]>),
    By(Arc<Function>),
}

type Function = Mutex<Box<dyn FnMut(&SeenRequest) -> Answer + Send>>;

/// The answer to a request that has begun.
enum Next {
    Known(Answer),
    /// It depends on the request.
    By(Arc<Function>),
}

#[derive(Debug, Default)]
struct Seen {
    begun: usize,
    requests: Vec<SeenRequest>,
}

impl Script {
    /// The first request gets the first answer, and so on; the last one repeats.
    ///
    /// # Panics
    ///
    /// If there is no answer at all.
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Arc<[_]> = answers.into_iter().collect();
        assert!(!answers.is_empty(), "a script needs at least one answer");
        Self::of(Answers::InOrder(answers))
    }

    /// Each request gets what the function says of it: of its method, URI, headers, extensions and
    /// body, all of which was read before.
    ///
    /// It is called for one request at a time, in the order in which their bodies have been read.
    ///
    /// ```
    /// use outrigger::{Integration, ResponseExt, testing::{Answer, Script}};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut charged = Vec::new();
    /// let stripe = Script::by(move |request| match request.uri().path() {
    ///     "/charges" if charged.contains(request.body()) => Answer::status(409),
    ///     "/charges" => {
    ///         charged.push(request.body().clone());
    ///         Answer::status(201).body("charged")
    ///     }
    ///     _ => Answer::status(404),
    /// });
    /// let payments = Integration::user_flow("payments").service(stripe).build()?;
    ///
    /// let charge = || payments.post("http://stripe.test/charges").body("order=1042");
    /// assert_eq!(charge().send().await?.text().await?, "charged");
    /// assert_eq!(charge().send().await?.status(), 409);
    /// # Ok(()) }
    /// ```
    pub fn by(answer: impl FnMut(&SeenRequest) -> Answer + Send + 'static) -> Self {
        Self::of(Answers::By(Arc::new(Mutex::new(Box::new(answer)))))
    }

    /// The requests that reached the provider and whose bodies have been read, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.seen.locked().requests.clone()
    }

    /// How many requests there were, also those that were not read or never
    /// [reached](Answer::refused) the provider.
    #[must_use]
    pub fn begun(&self) -> usize {
        self.seen.locked().begun
    }

    fn of(answers: Answers) -> Self {
        Self { answers, seen: Arc::default() }
    }

    fn begin(&self) -> Next {
        let begun = {
            let mut seen = self.seen.locked();
            seen.begun += 1;
            seen.begun
        };
        match &self.answers {
            Answers::InOrder(answers) => Next::Known(answers[begun.min(answers.len()) - 1].clone()),
            Answers::By(function) => Next::By(Arc::clone(function)),
        }
    }

    /// The answer to a request that was read.
    fn answer(&self, next: Next, request: SeenRequest) -> Answer {
        let answer = match next {
            Next::Known(answer) => answer,
            Next::By(function) => function.locked()(&request),
        };
        if answer.is_reached() {
            self.seen.locked().requests.push(request);
        }
        answer
    }
}

impl<B> Service<Request<B>> for Script
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: fmt::Debug + Send,
{
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Response<Body>>> + Send>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let context = request.extensions().get::<Context>().cloned();
        let next = match self.begin() {
            Next::Known(unreached) if !unreached.is_reached() => {
                return Box::pin(unreached.give(context));
            }
            next => next,
        };
        let script = self.clone();
        hop::hand_over(context.as_ref());
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await;
            let body = body.map_err(|error| io::Error::other(format!("{error:?}")))?.to_bytes();
            let answer = script.answer(next, Request::from_parts(parts, body));
            if !answer.is_reached() {
                hop::take_back(context.as_ref());
            }
            answer.give(context).await
        })
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InOrder(answers) => fmt::Debug::fmt(answers, f),
            Self::By(_) => f.write_str("function"),
        }
    }
}
