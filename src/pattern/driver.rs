//! Polls a call's one future, arms its one timer, and hands out what comes.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker, ready};
use std::time::Instant;

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};

use super::around::{Flow, Next};
use super::attempt::{Attempt, Desk, Stage};
use super::call::{Call, Time};
use super::wire::Wire;
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
    spare: Option<Arc<AttemptState>>,
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

/// How a call begins.
pub(crate) struct Begin<W: Wire, M> {
    pub(crate) request: Request<W::Body>,
    /// Makes the call's facts, perhaps in the room of another's.
    pub(crate) context: M,
}

/// Begins a call, in a room that is free or a fresh one.
pub(crate) fn start<W, N, M>(
    rooms: &Arc<Rooms<W>>,
    stack: impl FnOnce() -> Arc<N>,
    begin: Begin<W, M>,
    prepare: impl FnOnce(&N),
) -> Running<W>
where
    W: Wire,
    N: Next<W> + 'static,
    M: FnOnce(Option<Arc<AttemptState>>) -> Context,
{
    let shared = rooms.take().unwrap_or_else(|| Arc::new(Mutex::new(Room::new(stack()))));
    {
        let mut room = lock(&shared);
        let context = (begin.context)(room.spare.take());
        // Until it goes out, it is here.
        context.state().set_queued(true);
        room.root.is_left.store(false, Relaxed);
        room.desk.begin(&mut room.desk.slots(), begin.request, Some(context));
        prepare(room.stack.downcast_ref().expect("all rooms are of one stack"));
    }
    Running { room: Some(shared), rooms: Arc::clone(rooms) }
}

/// A call under way, to its answer's head as a future.
#[must_use = "a call gets no further until it is awaited"]
pub struct Running<W: Wire> {
    /// Absent once it is over.
    room: Option<SharedRoom<W>>,
    rooms: Arc<Rooms<W>>,
}

/// An answer's body: the rest of its call.
pub struct Answer<W: Wire> {
    running: Running<W>,
    size: SizeHint,
}

/// What a poll of the code came to.
enum Turn {
    /// The code waits, and what was asked for is here.
    Here,
    Over(Flow),
}

impl<W: Wire> Running<W> {
    fn end(&mut self) {
        let Some(shared) = self.room.take() else { return };
        let is_free = lock(&shared).end();
        if is_free {
            self.rooms.give(shared);
        }
    }
}

impl<W: Wire> Drop for Running<W> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<W: Wire> Future for Running<W> {
    type Output = Result<Response<Answer<W>>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let shared = self.room.as_ref().expect("polled after it was ready");
        let mut room = lock(shared);
        let is_over = match ready!(room.turn(Stage::Head, cx)) {
            Turn::Here => false,
            Turn::Over(Ok(())) => true,
            Turn::Over(Err(error)) => {
                drop(room);
                self.end();
                return Poll::Ready(Err(error));
            }
        };
        let (head, size) = {
            let mut slots = room.desk.slots();
            (slots.head.take(), slots.size.clone())
        };
        drop(room);
        let Some(head) = head else {
            self.end();
            let error = Error::new(ErrorKind::Other, Delivery::Unknown);
            return Poll::Ready(Err(error.with_detail("a pattern ended without an answer")));
        };
        let rooms = Arc::clone(&self.rooms);
        let mut running = Self { room: self.room.take(), rooms };
        if is_over {
            running.end();
        }
        Poll::Ready(Ok(Response::from_parts(head, Answer { running, size })))
    }
}

impl<W: Wire> Body for Answer<W> {
    type Data = W::Data;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<W::Data>, Error>>> {
        let this = &mut *self;
        let Some(shared) = &this.running.room else { return Poll::Ready(None) };
        let mut room = lock(shared);
        room.desk.set(Stage::Wanted);
        let turn = ready!(room.turn(Stage::Frame, cx));
        let frame = {
            let mut slots = room.desk.slots();
            this.size = slots.size.clone();
            slots.frame.take()
        };
        room.desk.set(Stage::Head);
        drop(room);
        let is_over = matches!(turn, Turn::Over(_));
        if is_over {
            this.running.end();
        }
        Poll::Ready(match turn {
            Turn::Over(Err(error)) => Some(Err(error)),
            _ => frame.map(Ok),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.running.room.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.running.room {
            Some(_) => self.size.clone(),
            None => SizeHint::with_exact(0),
        }
    }
}

// === impl Room ===

impl<W: Wire> Room<W> {
    fn new<N: Next<W> + 'static>(stack: Arc<N>) -> Self {
        let root = Arc::new(Root {
            time: Time::new(rt::now()),
            is_left: AtomicBool::new(false),
            over: Mutex::new(None),
        });
        let attempt = Attempt::new();
        let desk = Arc::clone(&attempt.desk);
        let code = Box::pin(serve(Arc::clone(&stack), attempt, Arc::clone(&root)));
        Self {
            code,
            desk,
            root,
            stack,
            timer: Box::pin(Timer::default()),
            runtime: None,
            is_at_home: false,
            is_polled: false,
            spare: None,
        }
    }

    /// Polls the code until what is asked for is here, it ends, or nothing can be done before somebody
    /// wakes it.
    fn turn(&mut self, wants: Stage, cx: &mut TaskContext<'_>) -> Poll<Turn> {
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
    fn end(&mut self) -> bool {
        let was_polled = self.is_polled;
        if !self.root.is_left.swap(true, Relaxed) && !was_polled {
            // The caller left: the code is polled once more, and lets go of all that it holds.
            self.root.time.turn();
            self.poll_code(&mut TaskContext::from_waker(Waker::noop()));
        }
        if let Some(context) = self.desk.clear() {
            self.spare = context.into_spare();
        }
        self.is_at_home = false;
        self.timer.as_mut().disarm();
        !was_polled
    }
}

fn lock<W: Wire>(room: &SharedRoom<W>) -> MutexGuard<'_, Room<W>> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<W: Wire> fmt::Debug for Running<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}

impl<W: Wire> fmt::Debug for Answer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("size", &self.size).finish_non_exhaustive()
    }
}
