use std::future::poll_fn;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use tokio::sync::oneshot;
use tower_service::Service;

use super::layer::MirrorLayer;
use super::real_answer::RealResult;
use super::seen::{CappedBody, Seen};
use super::state::CopyPermit;
use crate::body::{Body, read};
use crate::context::Context;
use crate::event::Event;
use crate::outcome::{BoxError, Error, ErrorKind, class_of_error, class_of_response};
use crate::rt;
use crate::rt::callback;
use crate::terms::{Class, Delivery, Phase};

/// One copy, in a task of its own.
pub(super) struct CopyTask<T> {
    settings: Arc<MirrorLayer<T>>,
    /// The real call's, for the event.
    context: Context,
    /// Released when the task ends.
    _permit: CopyPermit,
}

impl<T> CopyTask<T> {
    pub(super) fn new(settings: Arc<MirrorLayer<T>>, context: Context, permit: CopyPermit) -> Self {
        Self { settings, context, _permit: permit }
    }
}

impl<T, B> CopyTask<T>
where
    T: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError>,
    T::Future: Send,
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
{
    pub(super) async fn run(
        self,
        request: Request<Body>,
        real: Option<oneshot::Receiver<RealResult>>,
    ) {
        let (began, limit) = (rt::now(), self.settings.limit);
        let due = rt::after(began, limit);
        let timed_out = || Err(Error::timeout(Phase::Call, limit, Delivery::Unknown));
        let fetched = callback::run("mirror target", self.fetch(request));
        let fetched = async { fetched.await.unwrap_or_else(panicked) };
        let result = rt::until(Some(due), fetched).await.unwrap_or_else(timed_out);
        let elapsed = rt::now().saturating_duration_since(began);
        let (class, copy) = result.unwrap_or_else(|error| {
            let class = self.class_of(&error);
            (class, Seen::Failed { class })
        });
        let agrees = self.compare(real, copy, due).await;
        self.settings.state.finish(agrees);
        let event = || Event::Mirrored { class, elapsed, agrees };
        self.settings.emitter.emit(Some(&self.context), event);
    }

    /// The copy's answer, read to its end.
    async fn fetch(&self, mut request: Request<Body>) -> Result<(Class, Seen), Error> {
        if let Some(prepare) = &self.settings.prepare {
            request = prepare(request);
        }
        let mut target = self.settings.target.clone();
        let ready = poll_fn(|cx| target.poll_ready(cx)).await;
        ready.map_err(|error| Error::from_inner(error, None).unsent())?;
        let response = target.call(request).await;
        let mut response = response.map_err(|error| Error::from_inner(error, None))?;
        let class = class_of_response(&self.settings.classifier, &mut response);
        let (head, body) = response.into_parts();
        let cap = self.settings.compare.as_ref().map_or(0, |_| self.settings.body_cap);
        let mut kept = CappedBody::new(cap);
        read(body, |frame: Result<Frame<Bytes>, _>| {
            let frame = frame.map_err(|error| Error::from_body(error, None))?;
            if let Some(chunk) = frame.data_ref() {
                kept.add(chunk);
            }
            Ok::<_, Error>(())
        })
        .await?;
        Ok((class, kept.answered(head.status, head.headers)))
    }

    /// Whether both agree; `None` if the real answer wasn't read in time.
    async fn compare(
        &self,
        real: Option<oneshot::Receiver<RealResult>>,
        copy: Seen,
        due: Instant,
    ) -> Option<bool> {
        let compare = self.settings.compare.as_ref()?;
        let real = rt::until(Some(due), real?).await?.ok()?;
        let compared = || {
            let real = match real {
                RealResult::Answered { status, headers, kept } => kept.answered(status, headers),
                RealResult::Failed(error) => Seen::Failed { class: self.class_of(&error) },
            };
            compare(&real, &copy)
        };
        callback::call("mirror comparison", compared)
    }

    fn class_of(&self, error: &Error) -> Class {
        class_of_error(&self.settings.classifier, error)
    }
}

/// If user code panicked, the copy has failed.
fn panicked<R>() -> Result<R, Error> {
    Err(Error::new(ErrorKind::Other, Delivery::Unknown).with_detail("the copy panicked"))
}
