use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::future::ResponseFuture;
use super::layer::RetryLayer;
use super::refusals::Refusals;
use super::state::Nature;
use crate::body::KeptBody;
use crate::context::Context;
use crate::outcome::{BoxError, Error};
use crate::replay::{Memories, Memory, ReplayBody, Steer, has_honoured_key, is_idempotent};
use crate::rt;

/// Tries again. See the [module](super).
#[derive(Clone, Debug)]
pub struct Retry<S> {
    inner: S,
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: RetryLayer,
    pub(super) memories: Memories,
    pub(super) refusals: Refusals,
}

impl<S> Retry<S> {
    pub(super) fn new(inner: S, settings: RetryLayer) -> Self {
        let (memories, refusals) = (Memories::default(), Refusals::default());
        Self { inner, shared: Arc::new(Shared { settings, memories, refusals }) }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Retry<S>
where
    S: Service<Request<ReplayBody<ReqBody>>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    ReqBody: Body + Send + Unpin + 'static,
    ResBody: Body,
{
    type Response = Response<KeptBody<ResBody>>;
    type Error = Error;
    type Future = ResponseFuture<S, ReqBody, ResBody>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| Error::from_inner(error, None).unsent())
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let settings = &self.shared.settings;
        let integration = settings.emitter.integration();
        let context = Context::of(request.extensions_mut(), integration);
        let nature = Nature::of(&request, &context);
        let under_way = settings.budget.begin_call();
        context.call().count_attempts(1);

        let mut memory = Memory::take(&self.shared.memories);
        memory.service.get_or_insert_with(|| self.inner.clone());
        let request = memory.remember(request, settings.config.body_cap);
        let first = self.inner.call(request);
        ResponseFuture::new(first, memory, Arc::clone(&self.shared), context, nature, under_way)
    }
}

impl Nature {
    fn of<B>(request: &Request<B>, context: &Context) -> Self {
        let idempotent = is_idempotent(request.method());
        // Most calls carry their context and nothing else.
        let others = request.extensions().len() > 1;
        let steer = others.then(|| request.extensions().get::<Steer>().copied()).flatten();
        let keyed = has_honoured_key(request, context);
        // The key's lifetime is a limit only where the key is what makes a repetition safe.
        let by_key = keyed && !idempotent && steer != Some(Steer::Safe);
        let key = context.call().key.get().filter(|_| by_key);
        Self {
            idempotent,
            keyed,
            steer,
            started: context.started(),
            deadline: context.deadline(),
            key_expires: key.map(|key| rt::after(context.started(), key.lifetime)),
        }
    }
}
