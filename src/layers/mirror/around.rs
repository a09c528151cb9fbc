use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::oneshot;
use tower_service::Service;

use super::copy::CopyTask;
use super::layer::MirrorLayer;
use super::real_answer::RealAnswer;
use super::request::copy;
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
        let real_answer = if self.is_drawn() { self.mirror(attempt) } else { None };
        let mut running = pin!(next.run(call, attempt));
        let Some(mut real_answer) = real_answer else { return running.await };
        let held = attempt.head(running.as_mut()).await;
        held.answer(|head| real_answer.answered(head));
        let mut running = match held.hand_up_head() {
            Ok(running) => running,
            Err(flow) => return real_answer.end(flow),
        };
        // If the copy has timed out meanwhile, nothing more is kept.
        while real_answer.is_wanted() {
            attempt.wanted().await;
            let flow = attempt.frame(running.as_mut()).await;
            attempt.last_frame(|frame| real_answer.read(frame));
            if let Some(flow) = flow {
                return real_answer.end(flow);
            }
        }
        drop(real_answer);
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
        let share = self.settings.state.share();
        share > Ratio::ZERO && share.is_drawn(&self.settings.rng)
    }

    /// Sends a copy, and returns what collects the real answer for it.
    fn mirror<W, B>(&self, attempt: &Attempt<W>) -> Option<Box<RealAnswer>>
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
            // If the choice panics, the call is not copied.
            let chosen = || (settings.choose)(&RequestHead::of(request));
            if !callback::call("mirror choice", chosen).unwrap_or(false) {
                return None;
            }
            let real_answer = self.send_copy(request, &context);
            if real_answer.is_none() {
                settings.state.skip();
                settings.emitter.emit(Some(&context), || Event::MirrorSkipped);
            }
            real_answer.flatten()
        })?
    }

    /// `None` if there is no permit or the body can't be copied; `Some(None)` if nothing is compared.
    fn send_copy<B>(
        &self,
        request: &Request<Body>,
        context: &Context,
    ) -> Option<Option<Box<RealAnswer>>>
    where
        T: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        T::Error: Into<BoxError>,
        T::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let settings = &self.settings;
        // The permit first, so that calls cost little while the target hangs.
        let permit = settings.state.try_acquire(settings.concurrency)?;
        let copied = copy(request, context, settings.key_header.as_ref())?;
        let (sender, real) = match &settings.compare {
            Some(_) => Some(oneshot::channel()).unzip(),
            None => (None, None),
        };
        let task = CopyTask::new(Arc::clone(settings), context.clone(), permit);
        let real_answer = sender.map(|sender| Box::new(RealAnswer::new(sender, settings.body_cap)));
        rt::spawn(task.run(copied, real)).then_some(real_answer)
    }
}
