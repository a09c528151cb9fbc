use std::any::Any;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::around::{Flow, Next, Pattern};
use super::at_once::{Unbegun, WholeAnswer};
use super::attempt::Attempt;
use super::call::Call;
use super::call_box::CallBoxes;
use super::driver::{Begin, Running, start, start_waiting};
use super::inner::InnerService;
use super::wire::{AsIs, Form, LayerWire, Wire};
use crate::body::Answer;
use crate::context::{AttemptState, Context, Scope};
use crate::outcome::{BoxError, Error};
use crate::rt;

/// A service with a pattern around it, made by a layer.
///
/// Where the compiler says that its `ready` or `oneshot` is missing, the service below doesn't fit. It says why if
/// the body is named: `ServiceExt::<Request<Body>>::ready(&mut service)`.
#[derive(Debug)]
pub struct Layered<P, S, F = AsIs> {
    pattern: Arc<P>,
    inner: S,
    /// The inner service was polled ready and hasn't been called since.
    is_ready: bool,
    boxes: Arc<AnyCallBoxes>,
    form: PhantomData<fn() -> F>,
}

/// The pieces of a body.
type Data<B> = <B as Body>::Data;

/// Call boxes whose type depends on the request's body, which only the service's methods know.
type AnyCallBoxes = OnceLock<Arc<dyn Any + Send + Sync>>;

impl<P, S, F> Layered<P, S, F> {
    pub(crate) fn new(pattern: Arc<P>, inner: S) -> Self {
        Self { pattern, inner, is_ready: false, boxes: Arc::default(), form: PhantomData }
    }
}

/// A clone carries no readiness.
impl<P, S: Clone, F> Clone for Layered<P, S, F> {
    fn clone(&self) -> Self {
        Self {
            pattern: Arc::clone(&self.pattern),
            inner: self.inner.clone(),
            is_ready: false,
            boxes: Arc::clone(&self.boxes),
            form: PhantomData,
        }
    }
}

impl<P, S, F, Q> Service<Request<Q>> for Layered<P, S, F>
where
    P: Pattern,
    F: Form<Q>,
    Q: 'static,
    S: InnerService<F::Body>,
{
    type Response = Response<Answer<Data<S::ResponseBody>>>;
    type Error = Error;
    type Future = Running<LayerWire<F, Q, Data<S::ResponseBody>>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        if P::READIES_IN_CALL || !self.pattern.may_send() {
            // The call waits for the inner service, or won't use it.
            return Poll::Ready(Ok(()));
        }
        let ready = self.inner.poll_ready(cx);
        self.is_ready = matches!(ready, Poll::Ready(Ok(())));
        ready.map_err(|error| Error::from_inner(error, None).unsent())
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        // Use the instance that was polled ready, and replace it with a clone.
        let template = self.inner.clone();
        let readied = std::mem::replace(&mut self.inner, template);
        let is_ready = std::mem::take(&mut self.is_ready);
        // A ready instance may hold a permit that other calls need sooner.
        let is_released = is_ready && !self.pattern.may_send();
        let readied = (!is_released).then_some(readied);
        let boxes = self.boxes();
        let found = match request.extensions().is_empty() {
            true => None,
            false => request.extensions().get::<Context>().cloned(),
        };
        let stack = || {
            let bottom = Bottom { template: self.inner.clone(), readied: None, is_ready: false };
            let bottom = Mutex::new(bottom);
            Arc::new(Stack { pattern: Arc::clone(&self.pattern), bottom })
        };
        let prepare = |stack: &Stack<P, S>| {
            let mut bottom = stack.bottom();
            (bottom.readied, bottom.is_ready) = (readied, is_ready);
        };
        let request = F::wrap(request);
        if self.pattern.may_answer_at_once(false) && found.is_none() && !Scope::is_current() {
            let integration = self.pattern.integration();
            return start_waiting(&boxes, stack, request, integration, prepare);
        }
        let context = |spare| context_of(&*self.pattern, found, spare);
        start(&boxes, stack, Begin { request, context }, prepare)
    }
}

impl<P, S, F> Layered<P, S, F> {
    fn boxes<W: Wire>(&self) -> Arc<CallBoxes<W>> {
        let boxes = self.boxes.get_or_init(|| Arc::new(CallBoxes::<W>::default()));
        // A service that is called with several body types reuses call boxes for the first type
        // only.
        Arc::clone(boxes).downcast().unwrap_or_default()
    }
}

/// The call's facts: from an outer layer, which put them on the request, or new ones.
fn context_of(
    pattern: &impl Pattern,
    found: Option<Context>,
    spare: Option<Arc<AttemptState>>,
) -> Context {
    match found {
        None => Context::fresh(spare, pattern.integration()),
        Some(found) if pattern.tells() => found.inside(spare, rt::now()),
        Some(found) => found.begun_now(),
    }
}

/// One pattern around an inner service.
struct Stack<P, S> {
    pattern: Arc<P>,
    bottom: Mutex<Bottom<S>>,
}

struct Bottom<S> {
    template: S,
    /// The instance for this call's first attempt.
    readied: Option<S>,
    is_ready: bool,
}

struct Inner<'a, P, S>(&'a Stack<P, S>);

impl<P, S> Stack<P, S> {
    fn bottom(&self) -> MutexGuard<'_, Bottom<S>> {
        self.bottom.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W, P, S, R> Next<W> for Stack<P, S>
where
    W: Wire,
    P: Pattern,
    S: Service<Request<W::Body>, Response = Response<R>> + Clone + Send,
    S::Error: Into<BoxError>,
    S::Future: Send,
    R: Body<Data = W::Data> + Send,
    R::Error: Into<BoxError>,
{
    async fn run(&self, call: &Call, attempt: &Attempt<W>) -> Flow {
        self.pattern.around(call, attempt, &Inner(self)).await
    }

    fn begin(&self, attempt: &Attempt<W>) {
        self.pattern.begin(attempt);
    }

    fn answer_at_once(&self, call: &mut Unbegun<'_>) -> Option<WholeAnswer> {
        self.pattern.answer_at_once(call, |_| None)
    }

    /// A ready instance may hold a permit that other calls need sooner.
    fn release(&self) {
        let readied = self.bottom().readied.take();
        drop(readied);
    }
}

impl<W, P, S, R> Next<W> for Inner<'_, P, S>
where
    W: Wire,
    P: Pattern,
    S: Service<Request<W::Body>, Response = Response<R>> + Clone + Send,
    S::Error: Into<BoxError>,
    S::Future: Send,
    R: Body<Data = W::Data> + Send,
    R::Error: Into<BoxError>,
{
    async fn run(&self, call: &Call, attempt: &Attempt<W>) -> Flow {
        let (service, is_ready) = {
            let mut bottom = self.0.bottom();
            match bottom.readied.take() {
                Some(readied) => (readied, bottom.is_ready),
                None => (bottom.template.clone(), false),
            }
        };
        send(service, is_ready, self.0.pattern.tells(), call, attempt).await
    }

    fn release(&self) {
        Next::<W>::release(self.0);
    }
}

/// Sends an attempt's request with a service, and runs to the end of the answer's body.
pub(crate) async fn send<W, S, R>(
    mut service: S,
    is_ready: bool,
    tells: bool,
    call: &Call,
    attempt: &Attempt<W>,
) -> Flow
where
    W: Wire,
    S: Service<Request<W::Body>, Response = Response<R>> + Send,
    S::Error: Into<BoxError>,
    S::Future: Send,
    R: Body<Data = W::Data> + Send,
    R::Error: Into<BoxError>,
{
    if !is_ready {
        let ready = poll_fn(|cx| service.poll_ready(cx).map_err(Into::<BoxError>::into)).await;
        if let Err(error) = ready {
            attempt.state(AttemptState::set_unready);
            return Err(Error::not_ready(error, &attempt.context()));
        }
        if let Some(refusal) = attempt.refusal() {
            // The call was stopped while it waited, for readiness or in a pattern.
            return Err(refusal);
        }
    }
    let began = (!is_ready).then(|| call.moment());
    let Some(request) = attempt.send(tells, began) else {
        let error = Error::new(crate::ErrorKind::Request, crate::Delivery::NotSent);
        return Err(error
            .with_detail("there is no request to send")
            .with_context(&attempt.context()));
    };
    let is_known = tells || request.extensions().get::<Context>().is_some();
    let sent = service.call(request);
    // The instance may hold a permit: drop it before the answer is waited for.
    drop(service);
    let mut sent = pin!(sent);
    let answered = poll_fn(|cx| sent.as_mut().poll(cx).map_err(Into::<BoxError>::into)).await;
    let answered = answered.map_err(|error| match (attempt.context(), is_known) {
        (context, true) => Error::from_inner(error, Some(&context)),
        // The inner service doesn't know the call, so its errors get this call's facts.
        (context, false) => Error::from_inner(error, None).with_context(&context),
    });
    attempt.play(answered?).await
}
