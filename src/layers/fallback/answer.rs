use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use super::failed::Failed;
use crate::body::Body;

/// Where the answer comes from.
#[derive(Clone)]
pub(super) enum Answer {
    Value(Arc<Response<Bytes>>),
    Function(Arc<Function>),
    Async(Arc<AsyncFunction>),
}

type Function = dyn Fn(&Failed) -> Option<Response<Body>> + Send + Sync;
type AsyncFunction = dyn Fn(Failed) -> AnswerFuture + Send + Sync;

/// The future of an answer. Boxed, because it is made only for a call that failed.
type AnswerFuture = Pin<Box<dyn Future<Output = Option<Response<Body>>> + Send>>;

impl Answer {
    pub(super) fn later<F, R>(function: F) -> Self
    where
        F: Fn(Failed) -> R + Send + Sync + 'static,
        R: Future<Output = Option<Response<Body>>> + Send + 'static,
    {
        Self::Async(Arc::new(move |failed| Box::pin(function(failed))))
    }

    /// The answer, now.
    pub(super) fn value(value: &Response<Bytes>) -> Response<Body> {
        let mut response = Response::new(value.body().clone().into());
        *response.status_mut() = value.status();
        *response.version_mut() = value.version();
        response.headers_mut().clone_from(value.headers());
        response.extensions_mut().clone_from(value.extensions());
        response
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "value",
            Self::Function(_) => "function",
            Self::Async(_) => "async function",
        })
    }
}
