use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use http::{Request, Response};
use outrigger::{Body, Error};
use tower::util::BoxCloneSyncService;

use crate::clock::{millis, now, wait};

/// A provider that allows so many requests in a window, and says so or doesn't.
#[derive(Clone)]
pub(crate) struct Limited {
    says: Says,
    state: Arc<Mutex<State>>,
    began: Instant,
    wall: SystemTime,
}

/// How it tells of its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// `RateLimit-Policy` and `RateLimit`.
    Draft,
    /// `X-RateLimit-*` with a Unix time.
    Stamps,
    /// `X-RateLimit-*` with seconds that count down.
    Seconds,
    /// `Retry-After` on a refusal, and nothing else.
    RetryAfter,
    /// The same, and `X-RateLimit-*` of another limit, which lasts for a day.
    AnotherLimit,
    /// Nothing but the refusal.
    Nothing,
}

#[derive(Default)]
struct State {
    window: u64,
    used: u64,
    accepted: u64,
    /// When each request came, what it was called, and whether it was refused.
    seen: Vec<(Duration, String, bool)>,
    recent: VecDeque<Duration>,
}

impl Limited {
    pub(crate) fn new(says: Says) -> Self {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        Self { says, state: Arc::default(), began: now(), wall }
    }

    pub(crate) fn service(&self) -> BoxCloneSyncService<Request<Body>, Response<Body>, Error> {
        let provider = self.clone();
        BoxCloneSyncService::new(tower::service_fn(move |request: Request<Body>| {
            let provider = provider.clone();
            async move {
                wait(millis(2)).await;
                let response = provider.answer(request.uri().path());
                wait(millis(3)).await;
                Ok(response)
            }
        }))
    }

    fn answer(&self, name: &str) -> Response<Body> {
        let at = now() - self.began;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let window = at.as_secs() / WINDOW;
        if window != state.window {
            (state.window, state.used) = (window, 0);
        }
        state.used += 1;
        let refused = state.used > LIMIT;
        state.accepted += u64::from(!refused);
        state.seen.push((at, name.to_owned(), refused));
        state.recent.push_back(at);
        let left = LIMIT.saturating_sub(state.used);
        let ends = (window + 1) * WINDOW;
        let to_go = (Duration::from_secs(ends) - at).as_secs_f64().ceil() as u64;
        let mut response = Response::builder().status(if refused { 429 } else { 200 });
        let date = httpdate::fmt_http_date(self.wall + at);
        response = response.header("date", date);
        let stamp = 1_800_000_000 + ends;
        match self.says {
            Says::Draft => {
                response = response
                    .header("ratelimit-policy", format!("\"default\";q={LIMIT};w={WINDOW}"))
                    .header("ratelimit", format!("\"default\";r={left};t={to_go}"));
            }
            Says::Stamps | Says::Seconds => {
                let reset = if self.says == Says::Stamps { stamp } else { to_go };
                response = response
                    .header("x-ratelimit-limit", LIMIT)
                    .header("x-ratelimit-remaining", left)
                    .header("x-ratelimit-reset", reset);
            }
            Says::AnotherLimit => {
                response = response
                    .header("x-ratelimit-limit", A_DAY)
                    .header("x-ratelimit-remaining", A_DAY - state.accepted)
                    .header("x-ratelimit-reset", 1_800_000_000 + 24 * 3_600);
            }
            Says::RetryAfter | Says::Nothing => {}
        }
        if refused && self.says != Says::Nothing {
            response = response.header("retry-after", to_go);
        }
        response.body(Body::empty()).expect("a response")
    }

    /// When each request came, what it was called, and whether it was refused.
    pub(crate) fn seen(&self) -> Vec<(Duration, String, bool)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).seen.clone()
    }
}

pub(crate) const LIMIT: u64 = 50;
/// In seconds.
pub(crate) const WINDOW: u64 = 1;
/// What the other limit allows in a day.
const A_DAY: u64 = 1_000_000;
