//! Worlds with a cache: its provider fails, answers late, and lies about dates.
//!
//! Each world is lived through twice, with the cache and without. Whatever happens, no stored answer is
//! older than its lifetime and its window, none is somebody else's, none was there before a write that its
//! caller has seen end; and no call fails that would have had an answer without a cache.

mod origin;
mod spec;

use std::time::{Duration, Instant};

use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use outrigger::backoff::Backoff;
use outrigger::cache::{CacheLayer, CacheOutcome, CachePartition};
use outrigger::rt::{Clock, Rng};
use outrigger::{Body, Integration};

use crate::clock::{self, secs};
use crate::provider::plan;
use origin::Origin;
use spec::{Claim, Spec, Visit, Who};

/// What a call came to.
#[derive(Clone, Debug)]
enum Came {
    Answered(Got),
    /// It waited for another call's fetch, which failed.
    SharedError,
    Failed(#[expect(dead_code, reason = "its story shows it")] String),
    Left,
}

/// An answer, as its caller sees it.
#[derive(Clone, Debug)]
struct Got {
    status: StatusCode,
    /// Absent without a cache.
    outcome: Option<CacheOutcome>,
    /// When the provider made it or confirmed it last.
    made: Option<Instant>,
    who: String,
    path: String,
}

/// One call of a world, with the times of its beginning and its end.
#[derive(Clone, Debug)]
struct Lived {
    visit: Visit,
    began: Instant,
    ended: Instant,
    came: Came,
}

#[test]
fn no_answer_is_too_old_or_of_others_and_nobody_is_worse_off_than_without() {
    let (mut hits, mut stale, mut spared) = (0, 0, 0_i64);
    for seed in 0..WORLDS {
        let spec = Spec::of(seed);
        let (with, asked) = live(&spec, true);
        let (without, asked_without) = live(&spec, false);
        for (number, call) in with.iter().enumerate() {
            let problem = wrong(&spec, &with, call).or_else(|| worse(call, &without[number]));
            assert!(
                problem.is_none(),
                "world {seed}, call {number}: {problem:?}\n{}",
                story(&spec, &with, call)
            );
            let outcome = if let Came::Answered(got) = &call.came { got.outcome } else { None };
            hits += u32::from(outcome == Some(CacheOutcome::Hit));
            stale += u32::from(outcome.is_some_and(CacheOutcome::is_stale));
        }
        spared += asked_without as i64 - asked as i64;
    }
    println!("{WORLDS} worlds: {hits} hits, {stale} stale answers, {spared} requests spared");
    assert!(hits > 100 && stale > 100 && spared > 100, "{hits} {stale} {spared}");
}

/// Lives through a world, in a runtime of its own. Returns how many requests the provider saw, too.
fn live(spec: &Spec, is_cached: bool) -> (Vec<Lived>, usize) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let (integration, origin) = build(spec, is_cached);
        let began = clock::now();
        let calls: Vec<_> = spec
            .visits
            .iter()
            .map(|visit| {
                let (visit, integration) = (visit.clone(), integration.clone());
                clock::spawn(async move {
                    clock::wait(visit.at).await;
                    let begins = clock::now();
                    let work = call(&integration, &visit, began);
                    let came = match visit.leaves_after {
                        Some(time) => clock::within(time, work).await.unwrap_or(Came::Left),
                        None => work.await,
                    };
                    Lived { visit, began: begins, ended: clock::now(), came }
                })
            })
            .collect();
        let mut lived = Vec::new();
        for call in calls {
            lived.push(call.await.expect("no call panics"));
        }
        (lived, origin.asked())
    })
}

fn build(spec: &Spec, is_cached: bool) -> (Integration, Origin) {
    let origin = Origin::new(spec);
    let clock = Clock::anchored(plan::epoch());
    let [fresh_for, revalidate, if_error] = spec.windows.map(secs);
    let cache = CacheLayer::new()
        .clock(clock)
        .rng(Rng::seeded(spec.seed))
        .stale_while_revalidate(revalidate)
        .stale_if_error(if_error);
    let cache = if fresh_for.is_zero() { cache } else { cache.fresh_for(fresh_for) };
    let builder = Integration::user_flow("rates")
        .without_breaker()
        .without_rate_limit()
        .without_bulkhead()
        // Without jitter, so that both lives try at the same times.
        .retry(|retry| {
            let backoff = Backoff::fixed(clock::millis(20));
            retry.max_attempts(spec.attempts).backoff(backoff)
        })
        .cache(if is_cached { cache } else { CacheLayer::disabled() });
    (builder.service(origin.clone()).build().expect("settings that work"), origin)
}

async fn call(integration: &Integration, visit: &Visit, world: Instant) -> Came {
    let answer = match integration.send(request(visit)).await {
        Ok(answer) => answer,
        Err(error) if error.attempts() == 0 => return Came::SharedError,
        Err(error) => return Came::Failed(error.to_string()),
    };
    let (head, body) = answer.into_parts();
    if let Err(error) = body.collect().await {
        return Came::Failed(error.to_string());
    }
    let text =
        |name: &str| head.headers.get(name).map(|value| value.to_str().expect("a text").to_owned());
    let made = text("x-made").map(|made| Duration::from_millis(made.parse().expect("a number")));
    Came::Answered(Got {
        status: head.status,
        outcome: head.extensions.get().copied(),
        made: made.map(|made| world + made),
        who: text("x-who").unwrap_or_default(),
        path: text("x-path").unwrap_or_default(),
    })
}

fn request(visit: &Visit) -> Request<Body> {
    let uri = format!("http://rates.test{}", visit.path());
    let mut request = Request::new(Body::empty());
    *request.method_mut() = if visit.writes { Method::PUT } else { Method::GET };
    *request.uri_mut() = uri.parse().expect("a URI");
    let name = visit.who.name();
    request.headers_mut().insert("x-caller", name.parse().expect("a header's value"));
    match &visit.who {
        Who::Tenant(number) => {
            request.extensions_mut().insert(CachePartition::new(number.to_string()));
        }
        Who::Token(_) => {
            let token = format!("Bearer {name}").parse().expect("a header's value");
            request.headers_mut().insert("authorization", token);
        }
    }
    request
}

/// What happened to the path of a call, a line each, in seconds from the first call's beginning.
fn story(spec: &Spec, all: &[Lived], of: &Lived) -> String {
    let began = all[0].began;
    let seconds = |at: Instant| at.saturating_duration_since(began).as_secs_f64();
    let of_path = all.iter().filter(|call| call.visit.path() == of.visit.path());
    let lines = of_path.map(|call| {
        let (from, to) = (seconds(call.began), seconds(call.ended));
        let made = if let Came::Answered(got) = &call.came { got.made.map(seconds) } else { None };
        let Visit { writes, who, .. } = &call.visit;
        format!("{from:.3} to {to:.3}: made {made:?}, writes: {writes}, {who:?}, {:?}\n", call.came)
    });
    format!("{}{spec:#?}", lines.collect::<String>())
}

/// What is wrong with a call.
fn wrong(spec: &Spec, all: &[Lived], call: &Lived) -> Option<String> {
    let Came::Answered(got) = &call.came else { return None };
    if call.visit.writes || !got.status.is_success() {
        return None;
    }
    if got.who != call.visit.who.name() || got.path != call.visit.path() {
        return Some(format!("it is {} for {}", got.path, got.who));
    }
    let made = got.made?;
    let outcome = got.outcome?;
    let claim = spec.claim(&got.path);
    if claim == Claim::NoStore && outcome.is_from_store() {
        return Some("it may not be stored".to_owned());
    }
    let age = call.ended.saturating_duration_since(made);
    let most =
        spec.oldest(claim, outcome) + call.ended.saturating_duration_since(call.began) + ROUNDING;
    if age > most {
        return Some(format!("{outcome:?} is {age:?} old, and may be {most:?}"));
    }
    let writes = all.iter().filter(|other| other.visit.writes && other.visit.path() == got.path);
    let mut seen = writes.filter(|write| write.ended < call.began && write.may_have_happened());
    seen.find(|write| made + ROUNDING < write.ended)
        .map(|write| format!("it was there before {write:?}"))
}

/// How a call is worse off than without a cache.
fn worse(with: &Lived, without: &Lived) -> Option<String> {
    let is_good = |lived: &Lived| match &lived.came {
        Came::Answered(got) => got.status.is_success(),
        Came::SharedError | Came::Left => true,
        Came::Failed(_) => false,
    };
    let is_answered = matches!(&without.came, Came::Answered(got) if got.status.is_success());
    let leaves = with.visit.leaves_after.is_some();
    (is_answered && !leaves && !is_good(with)).then(|| format!("without a cache: {without:?}"))
}

impl Lived {
    /// Whether a write has happened, as far as its caller can know.
    fn may_have_happened(&self) -> bool {
        match &self.came {
            Came::Answered(got) => got.status.is_success() || got.status.is_server_error(),
            Came::Failed(_) | Came::Left => true,
            Came::SharedError => false,
        }
    }
}

const WORLDS: u64 = 100;
/// Dates go to the second, and timers to the millisecond.
const ROUNDING: Duration = Duration::from_millis(1_010);
