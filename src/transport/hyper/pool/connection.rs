use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};

use super::super::request::Http1;
use crate::body::Body;
use crate::event::CloseCause;
use crate::rt::{self, Draw};
use crate::transport::pool::PoolLimits;

/// One connection, as its users hold it. Over HTTP/2, clones share it.
#[derive(Debug)]
pub(in super::super) struct Connection {
    sender: Sender,
    pub(super) record: Arc<Record>,
}

/// What keeps a connection going; it ends with the connection.
pub(in super::super) type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// hyper's end of a connection.
#[derive(Debug)]
pub(in super::super) enum Sender {
    Http1(http1::SendRequest<Body>, Http1),
    Http2(http2::SendRequest<Body>),
}

/// What is known of a connection by its users and by the task that drives it.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: u64,
    born: Instant,
    /// Where its life ends around the one that is set.
    spread: Draw,
    /// Requests that are on it.
    active: AtomicU32,
    /// When the last of them ended, in nanoseconds from birth.
    last_used: AtomicU64,
    /// It was kept or shared since it was made, and may have been closed meanwhile.
    kept: AtomicBool,
    /// Its task is over; it did break, or did not.
    ended: AtomicBool,
    /// Its end was counted.
    counted: AtomicBool,
    /// The caller of its request went away.
    abandoned: AtomicBool,
    /// It gave a request back: it takes no more, whatever hyper says of it yet.
    refuses: AtomicBool,
    /// How it broke, for the request that finds it broken.
    failure: Mutex<Option<hyper::Error>>,
    /// What closes it, as a number; [`OPEN`] until somebody says.
    cause: AtomicU8,
}

impl Connection {
    pub(super) fn new(sender: Sender, id: u64, spread: Draw) -> Self {
        let record = Record {
            id,
            born: rt::now(),
            spread,
            active: AtomicU32::new(0),
            last_used: AtomicU64::new(0),
            kept: AtomicBool::new(false),
            refuses: AtomicBool::new(false),
            failure: Mutex::new(None),
            ended: AtomicBool::new(false),
            counted: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            cause: AtomicU8::new(OPEN),
        };
        Self { sender, record: Arc::new(record) }
    }

    /// Another user of the same connection, where it takes several.
    pub(super) fn share(&self) -> Option<Self> {
        match &self.sender {
            Sender::Http1(..) => None,
            Sender::Http2(sender) => {
                self.record.kept.store(true, Ordering::Relaxed);
                let (sender, record) = (Sender::Http2(sender.clone()), Arc::clone(&self.record));
                Some(Self { sender, record })
            }
        }
    }

    /// Whether another request may be sent over it.
    pub(super) fn is_usable(&self, now: Instant, limits: &PoolLimits) -> bool {
        let open = match &self.sender {
            Sender::Http1(sender, _) => sender.is_ready(),
            Sender::Http2(sender) => !sender.is_closed(),
        };
        let refuses = self.record.refuses.load(Ordering::Relaxed);
        open && !refuses && !self.record.is_closing() && !self.record.is_expired(now, limits)
    }

    /// Sends a request; a connection that is gone gives it back.
    pub(in super::super) fn send(
        &mut self,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Body>>>> + use<> {
        enum Either<A, B> {
            Http1(A),
            Http2(B),
        }
        let sent = match &mut self.sender {
            Sender::Http1(sender, _) => Either::Http1(sender.try_send_request(request)),
            Sender::Http2(sender) => Either::Http2(sender.try_send_request(request)),
        };
        async move {
            match sent {
                Either::Http1(sent) => sent.await,
                Either::Http2(sent) => sent.await,
            }
        }
    }

    /// Whether it was kept before, so that it may have been closed while nobody looked.
    pub(in super::super) fn was_kept(&self) -> bool {
        self.record.kept.load(Ordering::Relaxed)
    }

    /// How it broke, if it did.
    pub(in super::super) fn failure(&self) -> Option<hyper::Error> {
        self.record.failure().take()
    }

    /// What is known of it, unless it speaks HTTP/2.
    pub(in super::super) fn http1(&self) -> Option<&Http1> {
        match &self.sender {
            Sender::Http1(_, http1) => Some(http1),
            Sender::Http2(_) => None,
        }
    }

    pub(in super::super) fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    /// Whether the next request could be sent, or never can.
    pub(super) fn is_over(&self) -> bool {
        match &self.sender {
            Sender::Http1(sender, _) => sender.is_ready() || sender.is_closed(),
            Sender::Http2(_) => true,
        }
    }

    /// Ready once the next request could be sent, or never can.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.sender {
            Sender::Http1(..) => self.sender.poll_ready(cx).map(drop),
            Sender::Http2(_) => Poll::Ready(()),
        }
    }
}

impl Sender {
    /// Ready once a request can be sent, with an error if none ever can.
    pub(in super::super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        match self {
            Self::Http1(sender, _) => sender.poll_ready(cx),
            Self::Http2(sender) => sender.poll_ready(cx),
        }
    }
}

// === impl Record ===

impl Record {
    pub(super) fn lived(&self) -> Duration {
        rt::now().saturating_duration_since(self.born)
    }

    pub(super) fn is_expired(&self, now: Instant, limits: &PoolLimits) -> bool {
        self.expires(limits).is_some_and(|expires| now >= expires)
    }

    /// Whether it is too old, or was left alone for too long.
    pub(super) fn age(&self, now: Instant, limits: &PoolLimits) -> Option<CloseCause> {
        let left_alone = self.idle_since().zip(limits.idle);
        match left_alone {
            _ if self.is_expired(now, limits) => Some(CloseCause::Expired),
            Some((since, limit)) if now >= rt::after(since, limit) => Some(CloseCause::Idle),
            _ => None,
        }
    }

    /// Closes it for its age, if it is of one.
    pub(super) fn name_age(&self, now: Instant, limits: &PoolLimits) {
        if let Some(cause) = self.age(now, limits) {
            self.close_for(cause);
        }
    }

    /// When it is too old. Spread, so that connections that were made together don't end together.
    pub(super) fn expires(&self, limits: &PoolLimits) -> Option<Instant> {
        limits.life.map(|life| rt::after(self.born, self.spread.about(life)))
    }

    pub(super) fn begin_use(&self) {
        self.active.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end_use(&self, now: Instant) {
        let lived = now.saturating_duration_since(self.born);
        let since_birth = u64::try_from(lived.as_nanos()).unwrap_or(u64::MAX);
        self.last_used.store(since_birth, Ordering::Relaxed);
        self.active.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.active.load(Ordering::Relaxed) == 0
    }

    /// Since when nobody uses it, if nobody does.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let last_used = Duration::from_nanos(self.last_used.load(Ordering::Relaxed));
        self.is_idle().then(|| rt::after(self.born, last_used))
    }

    pub(super) fn abandon(&self, abandoned: bool) {
        self.abandoned.store(abandoned, Ordering::Relaxed);
    }

    /// Nobody uses it for now.
    pub(super) fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
        self.abandon(false);
    }

    pub(super) fn refuse(&self) {
        self.refuses.store(true, Ordering::Relaxed);
    }

    pub(super) fn broke(&self, how: hyper::Error) {
        self.close_for(CloseCause::Broken);
        *self.failure() = Some(how);
    }

    fn failure(&self) -> MutexGuard<'_, Option<hyper::Error>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its task is over.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    /// What closed it, once it is known; says so once.
    ///
    /// hyper tells a request, and not the connection's task, that an answer never came. So who
    /// still used it when its task was over has the last word.
    pub(super) fn final_cause(&self) -> Option<CloseCause> {
        let over = self.ended.load(Ordering::SeqCst) && self.active.load(Ordering::SeqCst) == 0;
        if !over || self.counted.swap(true, Ordering::SeqCst) {
            return None;
        }
        let abandoned = self.abandoned.load(Ordering::Relaxed);
        let unnamed = if abandoned { CloseCause::Cut } else { CloseCause::ByPeer };
        Some(self.cause().unwrap_or(unnamed))
    }

    /// Says why it will be closed; the first word counts, and whether this is it is returned.
    pub(super) fn close_for(&self, cause: CloseCause) -> bool {
        let cause = cause as u8;
        self.cause.compare_exchange(OPEN, cause, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    pub(super) fn is_closing(&self) -> bool {
        self.cause.load(Ordering::Relaxed) != OPEN
    }

    /// What closed it, where somebody said so.
    pub(super) fn cause(&self) -> Option<CloseCause> {
        let said = self.cause.load(Ordering::Relaxed);
        CAUSES.into_iter().find(|cause| *cause as u8 == said)
    }
}

const OPEN: u8 = u8::MAX;
const CAUSES: [CloseCause; 7] = [
    CloseCause::ByPeer,
    CloseCause::Broken,
    CloseCause::Idle,
    CloseCause::Expired,
    CloseCause::Cut,
    CloseCause::Misdirected,
    CloseCause::Surplus,
];
