//! Many windows of every kind, with answers that arrive out of order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::{Request, Response};
use outrigger::rate_limit::{OnLimit, RateLimitLayer};
use outrigger::{Body, Error};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt};

use crate::clock::{millis, now, secs, spawn, timed, wait};

/// How the provider counts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Counts {
    /// From one full window to the next.
    Fixed,
    /// What came in the last window.
    Sliding,
    /// A bucket that refills steadily.
    Bucket,
}

/// How it tells.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Tells {
    Draft,
    Stamps,
    Seconds,
    /// Seconds that are rounded down.
    Floored,
}

#[derive(Clone)]
struct Provider {
    counts: Counts,
    tells: Tells,
    limit: u64,
    window: Duration,
    began: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    calls: u64,
    window: u64,
    used: u64,
    log: VecDeque<Duration>,
    tokens: f64,
    at: Duration,
}

impl Provider {
    fn new(counts: Counts, tells: Tells, limit: u64, window: Duration) -> Self {
        let state = State { tokens: limit as f64, ..State::default() };
        let state = Arc::new(Mutex::new(state));
        Self { counts, tells, limit, window, began: now(), state }
    }

    fn service(&self) -> BoxCloneSyncService<Request<Body>, Response<Body>, Error> {
        let provider = self.clone();
        BoxCloneSyncService::new(tower::service_fn(move |_: Request<Body>| {
            let provider = provider.clone();
            async move {
                let (there, back) = provider.ways();
                wait(there).await;
                let response = provider.answer();
                wait(back).await;
                Ok(response)
            }
        }))
    }

    /// How long a request and its answer are on their ways, never twice the same.
    fn ways(&self) -> (Duration, Duration) {
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        let number = state.calls.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        (millis(5 + number % 5), millis(5 + (number >> 8) % 200))
    }

    fn answer(&self) -> Response<Body> {
        let at = now() - self.began;
        let mut state = self.state.lock().unwrap();
        let limit = self.limit as f64;
        let each = self.window.as_secs_f64() / limit;
        let (refused, left, reset) = match self.counts {
            Counts::Fixed => {
                let window = (at.as_secs_f64() / self.window.as_secs_f64()) as u64;
                if window != state.window {
                    (state.window, state.used) = (window, 0);
                }
                state.used += 1;
                let left = self.limit.saturating_sub(state.used);
                (state.used > self.limit, left, self.window * (window as u32 + 1) - at)
            }
            Counts::Sliding => {
                while state.log.front().is_some_and(|first| *first + self.window <= at) {
                    state.log.pop_front();
                }
                let refused = state.log.len() as u64 >= self.limit;
                if !refused {
                    state.log.push_back(at);
                }
                let left = self.limit - state.log.len() as u64;
                (refused, left, state.log.front().copied().unwrap_or(at) + self.window - at)
            }
            Counts::Bucket => {
                let since = (at - state.at).as_secs_f64();
                state.tokens = (state.tokens + since / each).min(limit);
                state.at = at;
                let refused = state.tokens < 1.0;
                if !refused {
                    state.tokens -= 1.0;
                }
                let full = Duration::from_secs_f64((limit - state.tokens) * each);
                (refused, state.tokens as u64, full)
            }
        };
        let response = Response::builder().status(if refused { 429 } else { 200 });
        let wall = std::time::UNIX_EPOCH + secs(1_800_000_000);
        let response = response.header("date", httpdate::fmt_http_date(wall + at));
        let to_go = reset.as_secs_f64().ceil() as u64;
        let stamp = 1_800_000_000 + (at + reset).as_secs_f64().ceil() as u64;
        let limit = self.limit;
        let response = match self.tells {
            Tells::Draft => response
                .header("ratelimit-policy", format!("\"a\";q={limit};w={}", self.window.as_secs()))
                .header("ratelimit", format!("\"a\";r={left};t={to_go}")),
            tells => response
                .header("x-ratelimit-limit", limit)
                .header("x-ratelimit-remaining", left)
                .header(
                    "x-ratelimit-reset",
                    match tells {
                        Tells::Stamps => stamp,
                        Tells::Floored => reset.as_secs(),
                        _ => to_go,
                    },
                ),
        };
        response.body(Body::empty()).expect("a response")
    }
}

fn request() -> Request<Body> {
    Request::get("http://provider.test/").body(Body::empty()).expect("a request")
}

#[tokio::test(start_paused = true)]
async fn people_who_keep_to_the_rate_neither_wait_nor_are_refused() {
    for (limit, window) in [(50, secs(1)), (20, secs(10)), (100, secs(60)), (120, secs(3_600))] {
        for (counts, tells) in ALL.into_iter().flat_map(|counts| TELLS.map(|tells| (counts, tells)))
        {
            let provider = Provider::new(counts, tells, limit, window);
            let service = RateLimitLayer::learning().layer(provider.service());
            let mut calls = Vec::new();
            // Nine tenths of the rate, three at a time, for ten windows and more.
            for _ in 0..limit * 4 {
                for _ in 0..3 {
                    calls.push(spawn(timed(service.clone().oneshot(request()))));
                }
                wait(window * 10 / 9 * 3 / limit as u32).await;
            }
            let case = format!("{limit} in {window:?}, {counts:?}, {tells:?}");
            for call in calls {
                let (took, result) = call.await.unwrap();
                assert!(result.unwrap().status().is_success(), "{case}");
                assert!(took < millis(300), "{case}: {took:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_use_the_rate_and_are_not_refused() {
    for (limit, window) in [(50, secs(1)), (20, secs(10)), (100, secs(60)), (200, secs(600))] {
        for (counts, tells) in ALL.into_iter().flat_map(|counts| TELLS.map(|tells| (counts, tells)))
        {
            if counts != Counts::Fixed && tells == Tells::Stamps && window < secs(60) {
                // Stamps that move all the time tell of no window.
                continue;
            }
            let case = format!("{limit} in {window:?}, {counts:?}, {tells:?}");
            let (refused, share) = jobs(Provider::new(counts, tells, limit, window)).await;
            assert_eq!(refused, 0, "{case}");
            assert!(share >= 0.95, "{case}: {share}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_is_rounded_down_costs_few_refusals() {
    for (limit, window) in [(50, secs(1)), (100, secs(60)), (200, secs(600))] {
        for counts in [Counts::Fixed, Counts::Bucket] {
            let case = format!("{limit} in {window:?}, {counts:?}");
            let provider = Provider::new(counts, Tells::Floored, limit, window);
            let (refused, share) = jobs(provider).await;
            assert!(refused * 100 <= limit * 12, "{case}: {refused}");
            assert!(share >= 0.95, "{case}: {share}");
        }
    }
}

/// Twelve windows' jobs at once: how many are refused, and the share of the rate that they use.
async fn jobs(provider: Provider) -> (u64, f64) {
    let Provider { limit, window, began, .. } = provider;
    let layer = RateLimitLayer::learning().on_limit(OnLimit::Shape).in_flight(16);
    let service = layer.layer(provider.service());
    let calls = (0..limit * 12).map(|_| spawn(service.clone().oneshot(request())));
    let (mut refused, mut late) = (0, Vec::new());
    for call in calls.collect::<Vec<_>>() {
        refused += u64::from(!call.await.unwrap().unwrap().status().is_success());
        late.extend(Some(now()).filter(|at| *at - began > window * 2));
    }
    let took = late[late.len() - 1] - late[0];
    (refused, (late.len() - 1) as f64 / limit as f64 * window.div_duration_f64(took))
}

const ALL: [Counts; 3] = [Counts::Fixed, Counts::Sliding, Counts::Bucket];
const TELLS: [Tells; 3] = [Tells::Draft, Tells::Stamps, Tells::Seconds];
