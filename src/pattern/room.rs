//! The room of a call: its code, its facts and its timer, used again from call to call.

use std::any::Any;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker, ready};
use std::time::Instant;

use http::Request;
use http::response::Parts;
use http_body::{Frame, SizeHint};

use super::around::{Flow, Next};
use super::attempt::{Attempt, Desk, Stage};
use super::call::{Call, Time};
use super::unread::Unread;
use super::wire::Wire;
use crate::body::Allowance;
use crate::context::{AttemptState, Context};
use crate::outcome::{Error, ErrorKind};
use crate::rt::free_list::Spares;
use crate::rt::{self, Timer};
use crate::terms::Delivery;

/// What a call's code and who polls it share, beside the request and the answer.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) time: Time,
    /// The call is over, or its caller left.
    is_left: AtomicBool,
    /// How the code ended.
    over: Mutex<Option<Flow>>,
}

/// All the room of a call, used again from call to call: its code, its facts and its timer.
pub(crate) struct Room<W: Wire> {
    code: Pin<Box<dyn Future<Output = Infallible> + Send>>,
    desk: Arc<Desk<W>>,
    /// The same, as patterns see it.
    attempt: Attempt<W>,
    root: Arc<Root>,
    /// What the code runs through, for who knows its type.
    stack: Arc<dyn Any + Send + Sync>,
    timer: Pin<Box<Timer>>,
    /// The runtime that the timer belongs to; a client may outlive one.
    runtime: Option<tokio::runtime::Id>,
    /// The runtime was asked for in this call.
    is_at_home: bool,
    /// The code is being polled: what panicked is not polled again.
    is_polled: bool,
    /// The last call's facts, for the next one's.
    pub(super) spare: Option<Arc<AttemptState>>,
    /// The caller has the head and asks for nothing: what is woken in its place.
    unread: Option<Arc<Unread<W>>>,
    is_unread: bool,
    /// What was read of the body when the call's time was over.
    late: VecDeque<Frame<W::Data>>,
}

/// Shared, so that what a caller keeps unread can be ended when its time is over.
pub(crate) type SharedRoom<W> = Arc<Mutex<Room<W>>>;

/// The rooms of calls that are over.
pub(crate) type Rooms<W> = Spares<SharedRoom<W>>;

/// The code of one call after another. It waits in between, so that it is never moved nor allocated
/// again.
async fn serve<W: Wire, N: Next<W>>(
    stack: Arc<N>,
    attempt: Attempt<W>,
    root: Arc<Root>,
) -> Infallible {
    loop {
        {
            let call = Call::new(attempt.facts(), Arc::clone(&root));
            let mut running = pin!(stack.run(&call, &attempt));
            let flow = poll_fn(|cx| match root.is_left.load(Relaxed) {
                true => Poll::Ready(None),
                false => running.as_mut().poll(cx).map(Some),
            });
            if let Some(flow) = flow.await {
                *root.over.lock().unwrap_or_else(PoisonError::into_inner) = Some(flow);
                root.is_left.store(true, Relaxed);
            }
            // All that the call held is let go of here.
        }
        stack.let_go();
        let mut has_waited = false;
        poll_fn(|_| match std::mem::replace(&mut has_waited, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }
}

// === impl Room ===

/// What a poll of the code came to.
pub(super) enum Turn {
    /// The code waits, and what was asked for is here.
    Here,
    Over(Flow),
}

/// An answer's head, the size of its body, and whether that is over; or an error.
pub(super) type Head = Result<(Parts, SizeHint, bool), Error>;

/// What was read of a body; nothing at its end.
pub(super) type Read<D> = Option<Result<Frame<D>, Error>>;

/// As much as is read of a body that nobody asked for.
const MOST: usize = 1 << 16;

impl<W: Wire> Room<W> {
    /// A room for calls through this stack.
    pub(super) fn shared<N: Next<W> + 'static>(stack: Arc<N>) -> SharedRoom<W> {
        Arc::new_cyclic(|room| {
            let unread = Some(Unread::new(room.clone()));
            Mutex::new(Self { unread, ..Self::new(stack) })
        })
    }

    fn new<N: Next<W> + 'static>(stack: Arc<N>) -> Self {
        let root = Arc::new(Root {
            time: Time::new(rt::now()),
            is_left: AtomicBool::new(false),
            over: Mutex::new(None),
        });
        let attempt = Attempt::new();
        let desk = Arc::clone(&attempt.desk);
        let of_code = Attempt { desk: Arc::clone(&desk) };
        let code = Box::pin(serve(Arc::clone(&stack), of_code, Arc::clone(&root)));
        Self {
            code,
            desk,
            attempt,
            root,
            stack,
            timer: Box::pin(Timer::default()),
            runtime: None,
            is_at_home: false,
            is_polled: false,
            spare: None,
            unread: None,
            is_unread: false,
            late: VecDeque::new(),
        }
    }

    /// A call begins.
    pub(super) fn begin<N: Next<W> + 'static>(
        &mut self,
        request: Request<W::Body>,
        context: Context,
        prepare: impl FnOnce(&N),
    ) {
        // Until it goes out, it is here.
        context.state().set_queued(true);
        self.root.is_left.store(false, Relaxed);
        self.desk.begin(&mut self.desk.slots(), request, Some(context));
        let stack = self.stack.downcast_ref().expect("all rooms are of one stack");
        prepare(stack);
        stack.begin(&self.attempt);
    }

    /// Runs to the answer's head; `None` beside it if the body is over.
    pub(super) fn poll_head(&mut self, cx: &mut TaskContext<'_>) -> Poll<Head> {
        let turn = ready!(self.turn(Stage::Head, cx));
        if let Turn::Over(Err(error)) = turn {
            return Poll::Ready(Err(error));
        }
        let mut slots = self.desk.slots();
        let (head, size) = (slots.head.take(), slots.size);
        drop(slots);
        let Some(head) = head else {
            let error = Error::new(ErrorKind::Other, Delivery::Unknown);
            return Poll::Ready(Err(error.with_detail("a pattern ended without an answer")));
        };
        let is_over = matches!(turn, Turn::Over(_));
        if !is_over {
            self.rest_unread();
        }
        Poll::Ready(Ok((head, size, is_over)))
    }

    /// Runs to the next frame of the answer's body, if there is one, and the size of what follows;
    /// whether the call is over then.
    pub(super) fn poll_frame(&mut self, cx: &mut TaskContext<'_>) -> Poll<(Read<W::Data>, bool)> {
        self.is_unread = false;
        if let Some(frame) = self.late.pop_front() {
            let is_over = self.late.is_empty() && self.has_ended_well();
            return Poll::Ready((Some(Ok(frame)), is_over));
        }
        let read = ready!(self.read(cx));
        if !read.1 {
            self.rest_unread();
        }
        Poll::Ready(read)
    }

    fn read(&mut self, cx: &mut TaskContext<'_>) -> Poll<(Read<W::Data>, bool)> {
        self.desk.set(Stage::Wanted);
        let turn = ready!(self.turn(Stage::Frame, cx));
        self.desk.set(Stage::Head);
        Poll::Ready(match turn {
            Turn::Here => (self.desk.slots().frame.take().map(Ok), false),
            Turn::Over(Ok(())) => (self.desk.slots().frame.take().map(Ok), true),
            Turn::Over(Err(error)) => (Some(Err(error)), true),
        })
    }

    pub(super) fn size(&self) -> SizeHint {
        self.desk.slots().size
    }

    /// The caller has what there is, and may never ask for more: when the call's deadline comes,
    /// somebody looks in its place.
    fn rest_unread(&mut self) {
        let context = self.desk.slots().context.as_ref().and_then(Context::deadline);
        let (Some(deadline), Some(unread)) = (context, &self.unread) else { return };
        self.is_unread = true;
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let waker = unread.waker(runtime);
        if self.poll_timer(deadline, &mut TaskContext::from_waker(&waker)).is_ready() {
            waker.wake();
        }
    }

    /// The timer has come while nobody read: if the call's time is over, what is here of its body is
    /// read, and what it holds is let go of.
    pub(super) fn look_at_unread(&mut self) {
        let deadline = self.desk.slots().context.as_ref().and_then(Context::deadline);
        if !std::mem::take(&mut self.is_unread) || self.is_polled {
            return;
        }
        if deadline.is_some_and(|deadline| rt::now() < deadline) {
            // It was armed for a sooner limit.
            return self.rest_unread();
        }
        let mut left = Allowance::new(MOST);
        let mut cx = TaskContext::from_waker(Waker::noop());
        while let Poll::Ready((read, is_over)) = self.read(&mut cx) {
            match read {
                Some(Ok(frame)) => {
                    let fits = left.take(&frame);
                    self.late.push_back(frame);
                    if !fits {
                        break;
                    }
                }
                Some(Err(error)) => self.keep_end(Err(error)),
                None => {}
            }
            if is_over {
                break;
            }
        }
    }

    fn has_ended_well(&self) -> bool {
        let over = self.root.over.lock().unwrap_or_else(PoisonError::into_inner);
        self.root.is_left.load(Relaxed) && over.is_none()
    }

    /// The code has ended, and its caller doesn't know yet.
    fn keep_end(&mut self, flow: Flow) {
        *self.root.over.lock().unwrap_or_else(PoisonError::into_inner) = Some(flow);
    }

    /// Polls the code until what is asked for is here, it ends, or nothing can be done before somebody
    /// wakes it.
    fn turn(&mut self, wants: Stage, cx: &mut TaskContext<'_>) -> Poll<Turn> {
        if self.root.is_left.load(Relaxed) {
            // It ended while nobody read.
            let over = self.root.over.lock().unwrap_or_else(PoisonError::into_inner).take();
            return Poll::Ready(Turn::Over(over.unwrap_or(Ok(()))));
        }
        loop {
            self.root.time.turn();
            if let Some(flow) = self.poll_code(cx) {
                return Poll::Ready(Turn::Over(flow));
            }
            if self.desk.is(wants) {
                return Poll::Ready(Turn::Here);
            }
            let Some(at) = self.root.time.wake_at() else { return Poll::Pending };
            // A limit has passed: the code is to see that.
            ready!(self.poll_timer(at, cx));
        }
    }

    /// Polls the code; how it ended, if it did.
    fn poll_code(&mut self, cx: &mut TaskContext<'_>) -> Option<Flow> {
        self.is_polled = true;
        let Poll::Pending = self.code.as_mut().poll(cx);
        self.is_polled = false;
        match self.root.is_left.load(Relaxed) {
            true => self.root.over.lock().unwrap_or_else(PoisonError::into_inner).take(),
            false => None,
        }
    }

    fn poll_timer(&mut self, at: Instant, cx: &mut TaskContext<'_>) -> Poll<()> {
        if !std::mem::replace(&mut self.is_at_home, true) {
            let here = tokio::runtime::Handle::try_current().ok().map(|here| here.id());
            if std::mem::replace(&mut self.runtime, here) != here {
                self.timer.as_mut().disarm();
            }
        }
        self.timer.as_mut().poll_at(at, cx)
    }

    /// Ends the call; whether the room is free for another.
    pub(super) fn end(&mut self) -> bool {
        let was_polled = self.is_polled;
        if !self.root.is_left.swap(true, Relaxed) && !was_polled {
            // The caller left: the code is polled once more, and lets go of all that it holds.
            self.root.time.turn();
            self.poll_code(&mut TaskContext::from_waker(Waker::noop()));
        }
        if let Some(context) = self.desk.clear() {
            self.spare = context.into_spare();
        }
        (self.is_at_home, self.is_unread) = (false, false);
        self.late.clear();
        self.timer.as_mut().disarm();
        !was_polled
    }
}

pub(super) fn lock<W: Wire>(room: &SharedRoom<W>) -> MutexGuard<'_, Room<W>> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}
