use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, Response, StatusCode};

use super::load_error::LoadError;
use crate::body::Body;
use crate::fallback::FellBack;
use crate::integration::{RequestBuilder, ResponseExt};
use crate::terms::Class;

/// One load: what a loader is given.
#[derive(Clone)]
pub struct Load {
    /// The validators of the present copy, as a request's headers.
    pub(super) conditions: HeaderMap,
}

/// What a loader has loaded.
#[must_use = "what was loaded becomes the copy when a loader returns it"]
pub struct Loaded<T> {
    /// Absent: nothing has changed.
    pub(super) value: Option<T>,
    pub(super) conditions: HeaderMap,
}

pub(super) type Loader<T> = Arc<dyn Fn(Load) -> Loading<T> + Send + Sync>;
type Loading<T> = Pin<Box<dyn Future<Output = Result<Loaded<T>, LoadError>> + Send>>;

impl Load {
    /// Sends a request for the document that the copy is made of, on the condition that it has changed: with
    /// the [validators](Loaded::validators) of the present copy (RFC 9110, 13.1). `None` if it has not: the
    /// provider answered 304. It goes past the [cache](crate::cache), whose answers may be old.
    ///
    /// For a list of several pages, send the requests without this, past the cache too
    /// ([`CachePolicy::Bypass`](crate::cache::CachePolicy)), and make an error of an answer with
    /// [`FellBack`] in its extensions.
    ///
    /// # Errors
    ///
    /// There is no answer, or one of another status than 2xx, or one that failed its check or that the
    /// integration's classifier calls no success, or a fallback's.
    pub async fn fetch(
        &self,
        request: RequestBuilder,
    ) -> Result<Option<Response<Body>>, LoadError> {
        let request = request.headers(self.conditions.clone()).past_cache();
        let answer = request.send().await?.error_for_status()?;
        if let Some(fell_back) = answer.extensions().get::<FellBack>() {
            return Err(LoadError::new(format!("a fallback answered: {}", fell_back.class)));
        }
        match answer.status() {
            StatusCode::NOT_MODIFIED if !self.conditions.is_empty() => Ok(None),
            status if status.is_success() => match answer.extensions().get::<Class>() {
                Some(class) if *class != Class::Success => {
                    Err(LoadError::new(format!("the answer is no success: {class}")))
                }
                _ => Ok(Some(answer)),
            },
            status => Err(LoadError::new(format!("the answer's status is {}", status.as_u16()))),
        }
    }
}

impl<T> Loaded<T> {
    /// Another copy.
    pub fn new(value: T) -> Self {
        Self { value: Some(value), conditions: HeaderMap::new() }
    }

    /// The present copy is still right.
    pub fn unchanged() -> Self {
        Self { value: None, conditions: HeaderMap::new() }
    }

    /// Keeps `ETag` and `Last-Modified` of the answer that it was made of, for the next
    /// [fetch](Load::fetch).
    pub fn validators(mut self, headers: &HeaderMap) -> Self {
        for (of, condition) in [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)] {
            if let Some(value) = headers.get(of) {
                self.conditions.insert(condition, value.clone());
            }
        }
        self
    }
}

/// Doesn't show the validators.
impl fmt::Debug for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_conditional = !self.conditions.is_empty();
        f.debug_struct("Load").field("is_conditional", &is_conditional).finish()
    }
}

/// Shows nothing of the value.
impl<T> fmt::Debug for Loaded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("is_changed", &self.value.is_some()).finish_non_exhaustive()
    }
}

pub(super) fn boxed<T, F, R>(loader: F) -> Loader<T>
where
    F: Fn(Load) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Loaded<T>, LoadError>> + Send + 'static,
{
    let loader = Arc::new(loader);
    Arc::new(move |load| {
        let loader = Arc::clone(&loader);
        // In the future, so that a panic of the function itself is caught with those of its future.
        Box::pin(async move { loader(load).await })
    })
}
