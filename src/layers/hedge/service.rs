use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::future::{Plan, ResponseFuture};
use super::layer::{After, HedgeLayer};
use crate::context::Context;
use crate::outcome::{BoxError, Error};
use crate::replay::budget::CallUnderWay;
use crate::replay::{Memories, Memory, ReplayBody, Steer, has_honoured_key, is_safe};

/// Sends a second request beside one that is slow. See the [module](super).
#[derive(Clone, Debug)]
pub struct Hedge<S> {
    inner: S,
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Arc<HedgeLayer>,
    pub(super) memories: Memories,
}

impl<S> Hedge<S> {
    pub(super) fn new(inner: S, settings: Arc<HedgeLayer>) -> Self {
        Self { inner, shared: Arc::new(Shared { settings, memories: Memories::default() }) }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Hedge<S>
where
    S: Service<Request<ReplayBody<ReqBody>>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    ReqBody: Body + Send + Unpin + 'static,
{
    type Response = Response<ResBody>;
    type Error = Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| Error::from_inner(error, None).unsent())
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let settings = &self.shared.settings;
        if let After::Never = settings.after {
            return ResponseFuture::plain(self.inner.call(request.map(ReplayBody::once)));
        }
        let context = Context::of(request.extensions_mut(), settings.emitter.integration());
        let under_way = settings.earn(&context);
        let delay = settings.delay().filter(|_| may_double(&request, &context));
        let safe = is_safe(request.method());
        let (memory, request) = match delay {
            None => (None, request.map(ReplayBody::once)),
            Some(_) => {
                let mut memory = Memory::take(&self.shared.memories);
                memory.service.get_or_insert_with(|| self.inner.clone());
                let request = memory.remember(request, BODY_CAP);
                (Some(memory), request)
            }
        };
        let plan = Plan::new(context, Arc::clone(&self.shared), safe, delay, memory, under_way);
        ResponseFuture::planned(self.inner.call(request), plan)
    }
}

impl HedgeLayer {
    /// A call pays for the hedges of others, unless a retry layer outside has seen to it.
    fn earn(&self, context: &Context) -> Option<CallUnderWay> {
        context.attempts_counted().is_none().then(|| self.budget.begin_call())
    }
}

/// Whether a second request may go out beside this one.
fn may_double<B>(request: &Request<B>, context: &Context) -> bool {
    // Most calls carry their context and nothing else.
    let others = request.extensions().len() > 1;
    let steer = others.then(|| request.extensions().get::<Steer>()).flatten();
    let keyed = || has_honoured_key(request, context);
    match steer {
        Some(Steer::Never) => false,
        // Its other attempt is the retry layer's.
        Some(Steer::Once) if context.attempts_counted().is_some() => false,
        Some(Steer::Safe) => context.attempt() == 1,
        // PUT and DELETE may be repeated, but not beside each other: one that was overtaken may be
        // carried out after the caller's next one.
        _ => context.attempt() == 1 && (is_safe(request.method()) || keyed()),
    }
}

/// How much of a request's body is kept for a second request, in bytes.
const BODY_CAP: usize = 1 << 20;
