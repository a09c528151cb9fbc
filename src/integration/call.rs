use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use http::{Method, Response};

use super::IntegrationWire;
use crate::body::Body;
use crate::context::{CallEnd, Carried, Context, Scope};
use crate::outcome::Error;
use crate::pattern::Running;
use crate::terms::Delivery;

/// A call to an integration. Dropping it cancels the call and frees everything that it holds.
#[must_use = "a call gets no further until it is awaited"]
pub struct Call(State);

enum State {
    Running(Running<IntegrationWire>),
    /// It was never sent.
    Refused(Option<Error>, Option<Box<Unreported>>),
}

/// A call that was never sent, before the reports of its scopes know of it.
struct Unreported {
    context: Context,
    method: Method,
    /// What the scope in which it was made has.
    made_in: Option<Arc<Carried>>,
}

impl Call {
    pub(super) fn running(running: Running<IntegrationWire>) -> Self {
        Self(State::Running(running))
    }

    pub(super) fn refused(error: Error) -> Self {
        Self(State::Refused(Some(error), None))
    }

    /// The same, of a request by this method; for the reports of the scopes that it is in.
    pub(super) fn unsent(error: Error, method: Method, context: Context) -> Self {
        context.call().count_attempts(0);
        let error = error.with_context(&context);
        let made_in = Scope::current_carried();
        Self(State::Refused(Some(error), Some(Box::new(Unreported { context, method, made_in }))))
    }
}

impl Future for Call {
    type Output = Result<Response<Body>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Running(running) => {
                let response = ready!(Pin::new(running).poll(cx));
                Poll::Ready(response.map(|response| response.map(Body::from)))
            }
            State::Refused(error, unreported) => {
                if let Some(unreported) = unreported.take() {
                    unreported.report();
                }
                Poll::Ready(Err(error.take().expect("polled after it was ready")))
            }
        }
    }
}

impl Unreported {
    fn report(&self) {
        let polled_in = Scope::current_carried();
        let scopes = [self.made_in.as_ref(), polled_in.as_ref()];
        let entry = Carried::report(scopes, &self.method, &self.context, false);
        if let Some(entry) = entry {
            entry.tell(CallEnd { delivery: Delivery::NotSent, attempts: 0, status: None });
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}
