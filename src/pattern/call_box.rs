//! The memory of a call (its code, its facts and its timer), reused from call to call.

use std::any::Any;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context as TaskContext, Poll, Waker, ready};
use std::time::Instant;

use http::Request;
use http::response::Parts;
use http_body::{Frame, SizeHint};

use super::around::{Flow, Next};
use super::at_once::{AnyStack, Waiting};
use super::attempt::{Attempt, SharedAttempt, Stage};
use super::call::{Call, Time};
use super::held::size_with;
use super::reported::Reported;
use super::unread::Unread;
use super::wire::Wire;
use crate::body::{Allowance, AnswerOf, AnswerSource, Part};
use crate::context::{AttemptState, Context, Moment};
use crate::outcome::{Error, ErrorKind, leave_class};
use crate::rt::free_list::FreeList;
use crate::rt::{self, Timer};
use crate::terms::Delivery;

/// State that a call's code shares with the task that polls it.
#[derive(Debug)]
pub(super) struct CallControl {
    pub(super) time: Time,
    /// The call has ended, or its caller left.
    pub(super) is_ended: AtomicBool,
    /// The code's result, until the caller takes it.
    over: Mutex<Option<Flow>>,
}

/// The memory of a call, reused: its code, its facts and its timer.
pub(crate) struct CallBox<W: Wire> {
    code: Pin<Box<dyn Future<Output = Infallible> + Send>>,
    pub(super) shared: Arc<SharedAttempt<W>>,
    /// The same, as patterns see it.
    attempt: Attempt<W>,
    pub(super) control: Arc<CallControl>,
    /// The stack that the code runs through; callers that know its type cast it back.
    pub(super) stack: Arc<dyn AnyStack<W>>,
    /// The request of a call that isn't polled yet, and may be answered at once: it has no context.
    pub(super) waiting: Option<Request<W::Body>>,
    /// What else is known of it.
    pub(super) waits: Option<Waiting>,
    timer: Pin<Box<Timer>>,
    /// The runtime that the timer belongs to. A client may outlive its runtime.
    runtime: Option<Runtime>,
    /// This call has compared the current runtime with the timer's.
    is_runtime_checked: bool,
    /// The timer will wake [`Unread`], and not the caller's task.
    wakes_unread: bool,
    /// The code is being polled. Stays true after a panic, so that the code is not polled again.
    is_polled: bool,
    /// When the call began.
    started: Instant,
    /// The call in its scopes' reports, if there are any.
    pub(super) reported: Option<Reported>,
    /// The last call's state, whose memory the next call reuses.
    pub(super) spare: Option<Arc<AttemptState>>,
    /// The caller has read what there was, and may never ask for more.
    is_unread: bool,
    /// Frames that were read when the deadline passed, for a caller who reads later.
    read_late: VecDeque<Frame<W::Data>>,
    /// Where it goes when the call has ended.
    boxes: Weak<CallBoxes<W>>,
    this: Weak<Mutex<Self>>,
}

/// A runtime, and what its timers wake in the caller's place while the caller reads nothing.
struct Runtime {
    id: tokio::runtime::Id,
    unread: Waker,
}

impl CallControl {
    /// How the code ended, if nobody asked yet.
    fn take_over(&self) -> Option<Flow> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Shared, so that an answer that its caller keeps unread can be ended at its deadline.
pub(crate) type SharedCallBox<W> = Arc<Mutex<CallBox<W>>>;

/// Free call boxes, for calls to come.
pub(crate) type CallBoxes<W> = FreeList<SharedCallBox<W>>;

/// Runs one call after another. It waits between calls instead of ending, so that its memory is
/// allocated once.
async fn serve<W: Wire, N: Next<W>>(
    stack: Arc<N>,
    attempt: Attempt<W>,
    control: Arc<CallControl>,
) -> Infallible {
    loop {
        {
            let call = Call::new(attempt.facts(), Arc::clone(&control));
            let mut running = pin!(stack.run(&call, &attempt));
            let flow = poll_fn(|cx| match control.is_ended.load(Relaxed) {
                true => Poll::Ready(None),
                false => running.as_mut().poll(cx).map(Some),
            });
            if let Some(flow) = flow.await {
                *control.over.lock().unwrap_or_else(PoisonError::into_inner) = Some(flow);
                control.is_ended.store(true, Relaxed);
            }
            // Everything that the call held is dropped here.
        }
        stack.release();
        let mut has_waited = false;
        poll_fn(|_| match std::mem::replace(&mut has_waited, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }
}

// === impl CallBox ===

/// What polling the code has led to.
pub(super) enum Ran {
    /// The attempt has reached the stage that was asked for.
    Stage,
    End(Flow),
}

/// An answer's head, the size of its body, and whether the body has ended; or an error.
pub(super) type Head = Result<(Parts, SizeHint, bool), Error>;

/// A frame of a body, or an error; `None` at its end.
pub(super) type Read<D> = Option<Result<Frame<D>, Error>>;

/// How many bytes are read of a body that its caller keeps unread.
const MAX_UNREAD: usize = 1 << 16;

impl<W: Wire> CallBox<W> {
    /// Makes a call box for calls through this stack.
    pub(super) fn shared<N: Next<W> + 'static>(
        stack: Arc<N>,
        boxes: Weak<CallBoxes<W>>,
    ) -> SharedCallBox<W> {
        Arc::new_cyclic(|this| Mutex::new(Self::new(stack, boxes, this.clone())))
    }

    fn new<N: Next<W> + 'static>(
        stack: Arc<N>,
        boxes: Weak<CallBoxes<W>>,
        this: Weak<Mutex<Self>>,
    ) -> Self {
        let control = Arc::new(CallControl {
            time: Time::new(),
            is_ended: AtomicBool::new(false),
            over: Mutex::new(None),
        });
        let attempt = Attempt::new();
        let shared = Arc::clone(&attempt.shared);
        let of_code = Attempt { shared: Arc::clone(&shared) };
        let code = Box::pin(serve(Arc::clone(&stack), of_code, Arc::clone(&control)));
        Self {
            code,
            shared,
            attempt,
            control,
            stack,
            waiting: None,
            waits: None,
            timer: Box::pin(Timer::default()),
            runtime: None,
            is_runtime_checked: false,
            wakes_unread: false,
            is_polled: false,
            started: rt::now(),
            reported: None,
            spare: None,
            is_unread: false,
            read_late: VecDeque::new(),
            boxes,
            this,
        }
    }

    /// Prepares the stack for a call.
    #[inline]
    pub(super) fn prepare<N: Next<W> + 'static>(&self, prepare: impl FnOnce(&N)) {
        let stack: &dyn Any = &*self.stack;
        prepare(stack.downcast_ref().expect("all call boxes are of one stack"));
    }

    /// Begins a call.
    #[inline(always)]
    pub(super) fn begin(&mut self, request: Request<W::Body>, context: Context) {
        // The request waits here until it is sent.
        context.state().enter_queue();
        self.started = context.started();
        self.control.is_ended.store(false, Relaxed);
        self.shared.begin(&mut self.shared.slots(), request, Some(context));
        self.stack.begin(&self.attempt);
    }

    /// Runs until there is the answer's head, or an error.
    pub(super) fn poll_head(&mut self, cx: &mut TaskContext<'_>) -> Poll<Head> {
        let reached = ready!(self.run_to(Stage::Head, cx));
        if let Ran::End(Err(error)) = reached {
            return Poll::Ready(Err(error.with_peer(|| self.shared.peer())));
        }
        let mut slots = self.shared.slots();
        let (head, size, class) = (slots.head.take(), slots.size, slots.class);
        drop(slots);
        let Some(mut head) = head else {
            let error = Error::new(ErrorKind::Other, Delivery::Unknown);
            return Poll::Ready(Err(error.with_detail("a pattern ended without an answer")));
        };
        if let Some(class) = class {
            leave_class(class, &mut head.extensions);
        }
        let is_over = matches!(reached, Ran::End(_));
        if !is_over {
            self.watch_unread();
        }
        Poll::Ready(Ok((head, size, is_over)))
    }

    /// Runs until there is the next part of the answer's body.
    fn poll_part(&mut self, cx: &mut TaskContext<'_>) -> Poll<Part<W::Data>> {
        self.is_unread = false;
        if let Some(frame) = self.read_late.pop_front() {
            let is_last = self.read_late.is_empty() && self.has_ended_well();
            let (frame, rest) = (Some(Ok(frame)), size_with(&self.read_late, &self.size()));
            return Poll::Ready(Part { frame, rest, is_last });
        }
        let (frame, is_last) = ready!(self.read(cx));
        if !is_last {
            self.watch_unread();
        }
        Poll::Ready(Part { frame, rest: self.size(), is_last })
    }

    fn read(&mut self, cx: &mut TaskContext<'_>) -> Poll<(Read<W::Data>, bool)> {
        self.shared.set(Stage::Wanted);
        let reached = ready!(self.run_to(Stage::Frame, cx));
        self.shared.set(Stage::Head);
        let is_last = matches!(reached, Ran::End(_));
        if let Ran::End(flow) = &reached {
            self.report_end(flow.as_ref().copied());
        }
        Poll::Ready(match reached {
            Ran::End(Err(error)) => (Some(Err(error.with_peer(|| self.shared.peer()))), is_last),
            Ran::Stage | Ran::End(Ok(())) => (self.shared.slots().frame.take().map(Ok), is_last),
        })
    }

    fn size(&self) -> SizeHint {
        self.shared.slots().size
    }

    /// The caller may never ask for more, so the timer wakes a task at the call's deadline.
    fn watch_unread(&mut self) {
        let deadline = self.shared.slots().context.as_ref().and_then(Context::deadline);
        let Some(deadline) = deadline else { return };
        self.is_unread = true;
        if self.wakes_unread {
            // It was set since this call's caller was last woken by it.
            return;
        }
        let Some(runtime) = self.runtime() else { return };
        let unread = runtime.unread.clone();
        // The caller's task may have used up its budget, and the timer must take the waker all the
        // same.
        let timer = poll_fn(|cx| self.timer.as_mut().poll_at(deadline, cx));
        let timer = pin!(tokio::task::unconstrained(timer));
        self.wakes_unread = timer.poll(&mut TaskContext::from_waker(&unread)).is_pending();
        if !self.wakes_unread {
            unread.wake();
        }
    }

    /// The timer has fired. Returns whether the caller reads nothing.
    pub(super) fn fired(&mut self) -> bool {
        self.wakes_unread = false;
        self.is_unread
    }

    /// Called when the timer fires while the caller reads nothing. If the deadline has passed,
    /// reads the frames that have arrived and ends the call, which frees what it holds.
    pub(super) fn check_unread(&mut self) {
        self.wakes_unread = false;
        let deadline = self.shared.slots().context.as_ref().and_then(Context::deadline);
        if !std::mem::take(&mut self.is_unread) || self.is_polled {
            return;
        }
        if deadline.is_some_and(|deadline| rt::now() < deadline) {
            // The timer was armed for an earlier limit.
            return self.watch_unread();
        }
        let mut left = Allowance::new(MAX_UNREAD);
        let mut cx = TaskContext::from_waker(Waker::noop());
        while let Poll::Ready((read, is_over)) = self.read(&mut cx) {
            match read {
                Some(Ok(frame)) => {
                    let fits = left.take(&frame);
                    self.read_late.push_back(frame);
                    if !fits {
                        break;
                    }
                }
                Some(Err(error)) => self.save_end(Err(error)),
                None => {}
            }
            if is_over {
                break;
            }
        }
    }

    fn has_ended_well(&self) -> bool {
        let over = self.control.over.lock().unwrap_or_else(PoisonError::into_inner);
        self.control.is_ended.load(Relaxed) && over.is_none()
    }

    /// Saves the code's result until the caller asks for it.
    fn save_end(&mut self, flow: Flow) {
        *self.control.over.lock().unwrap_or_else(PoisonError::into_inner) = Some(flow);
    }

    /// Polls the code until it reaches `stage`, ends, or has to wait.
    fn run_to(&mut self, stage: Stage, cx: &mut TaskContext<'_>) -> Poll<Ran> {
        if self.control.is_ended.load(Relaxed) {
            // The code ended while the caller read nothing.
            let over = self.control.take_over();
            return Poll::Ready(Ran::End(over.unwrap_or(Ok(()))));
        }
        loop {
            self.control.time.begin_poll();
            if let Some(flow) = self.poll_code(cx) {
                return Poll::Ready(Ran::End(flow));
            }
            if self.shared.is(stage) {
                return Poll::Ready(Ran::Stage);
            }
            let at = self.control.time.wake_at();
            if at == Moment::NEVER {
                return Poll::Pending;
            }
            ready!(self.poll_timer(at.instant(self.started), cx));
            // A limit has passed: poll the code again, so that it notices.
        }
    }

    /// Polls the code; returns its result if it has ended.
    fn poll_code(&mut self, cx: &mut TaskContext<'_>) -> Option<Flow> {
        self.is_polled = true;
        let Poll::Pending = self.code.as_mut().poll(cx);
        self.is_polled = false;
        match self.control.is_ended.load(Relaxed) {
            true => self.control.take_over(),
            false => None,
        }
    }

    fn poll_timer(&mut self, at: Instant, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.runtime();
        self.wakes_unread = false;
        self.timer.as_mut().poll_at(at, cx)
    }

    /// The current runtime. If it is another than the last call's, the timer is made anew.
    fn runtime(&mut self) -> Option<&Runtime> {
        if !std::mem::replace(&mut self.is_runtime_checked, true) {
            let here = tokio::runtime::Handle::try_current().ok();
            let is_same = match (&self.runtime, &here) {
                (Some(runtime), Some(here)) => runtime.id == here.id(),
                (None, None) => true,
                _ => false,
            };
            if !is_same {
                self.timer.as_mut().disarm();
                self.runtime = here.map(|here| Runtime {
                    id: here.id(),
                    unread: Unread::waker(self.this.clone(), here),
                });
            }
        }
        self.runtime.as_ref()
    }

    /// Ends the call. Returns whether the box can be used for another one.
    fn end(&mut self) -> bool {
        if self.waits.take().is_some() {
            self.waiting = None;
            // None of its code has run, so that all else is as it was.
            self.stack.release();
            return true;
        }
        let was_polled = self.is_polled;
        if !self.control.is_ended.swap(true, Relaxed) && !was_polled {
            // The caller left: poll the code once more, so that it drops everything it holds.
            self.control.time.begin_poll();
            self.poll_code(&mut TaskContext::from_waker(Waker::noop()));
        }
        self.report_left();
        if let Some(context) = self.shared.clear() {
            self.spare = context.into_spare();
        }
        (self.is_runtime_checked, self.is_unread) = (false, false);
        self.read_late.clear();
        drop(self.control.take_over());
        if !std::mem::take(&mut self.wakes_unread) {
            // It would keep a task's memory, which ended with its call.
            self.timer.as_mut().disarm();
        }
        !was_polled
    }
}

impl<W: Wire> AnswerSource<W::Data> for Mutex<CallBox<W>> {
    fn poll_part(&self, cx: &mut TaskContext<'_>) -> Poll<Part<W::Data>> {
        lock(self).poll_part(cx)
    }

    fn answer_of(&self) -> Option<AnswerOf> {
        lock(self).answer_of()
    }

    fn end(self: Arc<Self>) {
        end(self);
    }
}

/// Ends the call, and frees its box for another one.
pub(super) fn end<W: Wire>(shared: SharedCallBox<W>) {
    let mut call_box = lock(&shared);
    let boxes = match call_box.end() {
        true => call_box.boxes.upgrade(),
        false => None,
    };
    drop(call_box);
    if let Some(boxes) = boxes {
        boxes.give(shared);
    }
}

pub(super) fn lock<W: Wire>(call_box: &Mutex<CallBox<W>>) -> MutexGuard<'_, CallBox<W>> {
    call_box.lock().unwrap_or_else(PoisonError::into_inner)
}
