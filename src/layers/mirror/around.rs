use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::oneshot;
use tower_service::Service;

use super::copy::CopyTask;
use super::layer::MirrorLayer;
use super::request::copy;
use super::watch::Watch;
use crate::body::Body;
use crate::context::{Context, RequestHead};
use crate::event::Event;
use crate::outcome::BoxError;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::rt::{self, callback};
use crate::settings::Ratio;

/// Copies calls to another service, as code around a call: what a
/// [`MirrorLayer`](super::MirrorLayer) makes of its settings. See the [module](super).
#[derive(Debug)]
pub struct MirrorPattern<T> {
    settings: Arc<MirrorLayer<T>>,
}

impl<T, B> Pattern for MirrorPattern<T>
where
    T: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError>,
    T::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let watch = if self.is_drawn() { self.mirror(attempt) } else { None };
        let mut running = pin!(next.run(call, attempt));
        let Some(mut watch) = watch else { return running.await };
        let held = attempt.head(running.as_mut()).await;
        held.answer(|head| watch.answered(head));
        let mut running = match held.hand_up_head() {
            Ok(running) => running,
            Err(flow) => return watch.end(flow),
        };
        // A copy that was cut meanwhile has no ear for it: nothing more is kept.
        while watch.is_heard() {
            attempt.wanted().await;
            let flow = attempt.frame(running.as_mut()).await;
            attempt.last_frame(|frame| watch.read(frame));
            if let Some(flow) = flow {
                return watch.end(flow);
            }
        }
        drop(watch);
        running.await
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}

impl<T> MirrorPattern<T> {
    pub(crate) fn new(settings: MirrorLayer<T>) -> Self {
        Self { settings: Arc::new(settings) }
    }

    fn is_drawn(&self) -> bool {
        let share = self.settings.tally.share();
        share > Ratio::ZERO && share.is_drawn(&self.settings.rng)
    }

    /// Sends a copy on its way; what comes back watches the real answer for it.
    fn mirror<W, B>(&self, attempt: &Attempt<W>) -> Option<Box<Watch>>
    where
        W: Wire,
        T: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        T::Error: Into<BoxError>,
        T::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let settings = &self.settings;
        let context = attempt.context();
        attempt.lend(|request| {
            // A choice that panics is none: the real call goes on.
            let chosen = || (settings.choose)(&RequestHead::of(request));
            if !callback::call("mirror choice", chosen).unwrap_or(false) {
                return None;
            }
            let watch = self.send_copy(request, &context);
            if watch.is_none() {
                settings.tally.skip();
                settings.emitter.emit(Some(&context), || Event::MirrorSkipped);
            }
            watch.flatten()
        })?
    }

    /// Nothing, if there is no place or no copy of the body; no watch, if nothing is compared.
    fn send_copy<B>(&self, request: &Request<Body>, context: &Context) -> Option<Option<Box<Watch>>>
    where
        T: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        T::Error: Into<BoxError>,
        T::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let settings = &self.settings;
        // The place first: a target that hangs makes the rest cheap.
        let place = settings.tally.enter(settings.concurrency)?;
        let copied = copy(request, context, settings.key_header.as_ref())?;
        let (tell, real) = match &settings.compare {
            Some(_) => Some(oneshot::channel()).unzip(),
            None => (None, None),
        };
        let task = CopyTask::new(Arc::clone(settings), context.clone(), place);
        let watch = tell.map(|tell| Box::new(Watch::new(tell, settings.body_cap)));
        rt::spawn(task.run(copied, real)).then_some(watch)
    }
}
