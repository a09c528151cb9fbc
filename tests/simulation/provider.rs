//! A provider in memory that has a bad day by plan, and a log that says what it did.
//!
//! It is a `tower::Service` that stands at the bottom of an integration. A [`Plan`] gives it phases,
//! each a [`Mode`] and a length, a service time, a capacity and habits; the same plan and the same
//! requests at the same times come to the same log. All time is tokio's, which tests pause.
//!
//! A request arrives when its future is first polled, and not before: one that was dropped unpolled
//! was never sent. What comes back is what a network would tell: `ConnectionRefused` where nothing was
//! sent, `ConnectionReset` where the request had been read (whether it was done, only the log says).
//! A caller that goes away, by dropping the future or a body that has not come to its end, is noted;
//! work that had been taken on is done all the same, unless the plan says that the provider cancels.
//!
//! It depends on nothing but outrigger, so that other targets may include it by `#[path]`; what they
//! don't use they expect as dead code at their `mod` line.

use std::collections::HashSet;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{HeaderMap, Request, Response, request};
use http_body_util::BodyExt;
use outrigger::Body;
use tower::Service;

#[path = "provider/chance.rs"]
pub(crate) mod chance;
#[path = "provider/clock.rs"]
mod clock;
#[path = "provider/fate.rs"]
mod fate;
#[path = "provider/log.rs"]
pub(crate) mod log;
#[path = "provider/plan.rs"]
pub(crate) mod plan;
#[path = "provider/trickle.rs"]
mod trickle;
#[path = "provider/visit.rs"]
mod visit;

use chance::Chance;
use fate::{End, Fate};
use log::{Did, Entry, Log, Seen};
use plan::{Mode, Plan};
use visit::Visit;

/// A provider. Clones are of the same one.
#[derive(Clone)]
pub(crate) struct Provider(Arc<Shared>);

struct Shared {
    plan: Plan,
    began: Instant,
    state: Mutex<State>,
}

struct State {
    chance: Chance,
    log: Log,
    keys: HashSet<String>,
    /// Requests that it has, answers' bodies included.
    under_way: usize,
    /// When its queue will be empty.
    free_at: Duration,
    /// A second of its clock, and how many requests it took in it.
    second: (u64, u32),
}

impl Provider {
    /// A provider whose clock begins now, in the runtime's time.
    pub(crate) fn new(plan: Plan) -> Self {
        let state = State {
            chance: Chance::new(plan.seed),
            log: Log::default(),
            keys: HashSet::new(),
            under_way: 0,
            free_at: Duration::ZERO,
            second: (0, 0),
        };
        Self(Arc::new(Shared { plan, began: clock::now(), state: Mutex::new(state) }))
    }

    /// What it does.
    pub(crate) fn plan(&self) -> &Plan {
        &self.0.plan
    }

    /// The time by its clock.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// The mode that it is in.
    pub(crate) fn mode(&self) -> Mode {
        self.0.plan.at(self.elapsed()).0
    }

    /// How many requests it has just now, answers' bodies that were not read to the end included: what
    /// a client's connections would be busy with.
    pub(crate) fn under_way(&self) -> usize {
        self.0.state().under_way
    }

    /// How long its queue is: when the work would begin on a request that came now.
    pub(crate) fn queue(&self) -> Duration {
        let free_at = self.0.state().free_at;
        free_at.saturating_sub(self.elapsed())
    }

    /// Reads the log.
    pub(crate) fn log<T>(&self, read: impl FnOnce(&Log) -> T) -> T {
        read(&self.0.state().log)
    }
}

impl Service<Request<Body>> for Provider {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Response<Body>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(serve(Arc::clone(&self.0), request))
    }
}

async fn serve(shared: Arc<Shared>, request: Request<Body>) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let number = shared.see(&head);
    let (mode, phase_ends) = shared.plan.at(shared.elapsed());
    if mode == Mode::Refuse {
        shared.note(number, Did::Refused);
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    shared.note(number, Did::Arrived);
    let mut visit = Visit::new(Arc::clone(&shared), number);
    match body.collect().await {
        Ok(read) => shared.state().log.seen[number].body = Some(read.to_bytes().len()),
        Err(error) => {
            visit.broke();
            return Err(io::Error::other(error));
        }
    }
    let fate = shared.decide(mode, head.uri.path());
    let turn = if fate.is_served { shared.take_turn() } else { shared.elapsed() };
    visit.plan(fate.works_after.map(|after| turn + after));
    shared.wait_until(turn).await;
    visit.begin();
    if let Some(after) = fate.works_after {
        shared.wait_until(turn + after).await;
        visit.work();
    }
    let reset = match fate.end {
        End::Answer(answer) => {
            shared.wait_until(turn + answer.after).await;
            if let Some(wait) = answer.retry_after {
                visit.note(Did::Asked(wait));
            }
            visit.note(Did::Answered(answer.status.as_u16()));
            let now = shared.plan.dates.then(|| plan::epoch() + shared.elapsed());
            return Ok(answer.into_response(now, visit));
        }
        End::Reset => true,
        End::ResetWithPhase => phase_ends.is_some(),
        End::Never => false,
    };
    if !reset {
        return std::future::pending().await;
    }
    if let (End::ResetWithPhase, Some(ends)) = (fate.end, phase_ends) {
        shared.wait_until(ends).await;
    }
    visit.reset();
    Err(io::ErrorKind::ConnectionReset.into())
}

// === impl Shared ===

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn elapsed(&self) -> Duration {
        clock::now() - self.began
    }

    async fn wait_until(&self, at: Duration) {
        let wait = at.saturating_sub(self.elapsed());
        if !wait.is_zero() {
            clock::sleep(wait).await;
        }
    }

    fn see(&self, head: &request::Parts) -> usize {
        let seen = Seen {
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            id: text(&head.headers, "x-request-id"),
            key: text(&head.headers, "idempotency-key"),
            body: None,
        };
        let mut state = self.state();
        state.log.seen.push(seen);
        state.log.seen.len() - 1
    }

    fn note(&self, request: usize, did: Did) {
        let at = self.elapsed();
        self.state().log.entries.push(Entry { at, request, did });
    }

    fn execute(&self, request: usize, at: Duration) {
        let mut state = self.state();
        let key = state.log.seen[request].key.clone().filter(|_| self.plan.honours_keys);
        let is_new = key.is_none_or(|key| state.keys.insert(key));
        let did = if is_new { Did::Executed } else { Did::Replayed };
        state.log.entries.push(Entry { at, request, did });
    }

    fn decide(&self, mode: Mode, path: &str) -> Fate {
        let second = self.elapsed().as_secs();
        let mut state = self.state();
        if state.second.0 != second {
            state.second = (second, 0);
        }
        let taken = state.second.1;
        let fate = Fate::of(mode, &self.plan, path, taken, &mut state.chance);
        state.second.1 += u32::from(fate.is_served);
        fate
    }

    /// When the work on a request that came now begins.
    fn take_turn(&self) -> Duration {
        let now = self.elapsed();
        let Some(capacity) = self.plan.capacity else { return now };
        let mut state = self.state();
        let begins = state.free_at.max(now);
        state.free_at = begins + Duration::from_secs(1) / capacity;
        begins
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
