//! A world in which answers lie, by chance: what callers, the provider and the books say of it must agree.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use http::{Method, Request};
use outrigger::event::{BreakerState, Event};
use outrigger::rt::Rng;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::validate::{FailedCheck, Media, Required, StatusField, ValidateLayer, Verdict};
use outrigger::{Body, Delivery, Integration};

use crate::clock::{millis, now, secs, wait};
use crate::provider::chance::Chance;

/// How an answer lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    None,
    Page,
    Refusal,
    Busy,
    Slower,
    FieldGone,
    Cut,
    Broken,
}

impl Lie {
    fn answer(self, id: &str) -> Answer {
        let json = |body: String| {
            Answer::status(200).header("content-type", "application/json").body(body)
        };
        let truth = format!(r#"{{"ok":true,"id":"{id}"}}"#);
        match self {
            Self::None => json(truth),
            Self::Page => {
                Answer::status(200).header("content-type", "text/html").body("<h1>Log in</h1>")
            }
            Self::Refusal => json(r#"{"ok":false,"error":"not_yours"}"#.to_owned()),
            Self::Busy => json(r#"{"ok":false,"error":"busy"}"#.to_owned()),
            Self::Slower => json(r#"{"ok":false,"error":"slower"}"#.to_owned()),
            Self::FieldGone => json(r#"{"ok":true}"#.to_owned()),
            Self::Cut => json(truth[..truth.len() - 2].to_owned()),
            Self::Broken => json(truth).breaks_after(5),
        }
    }
}

/// What the provider did for each call.
#[derive(Clone, Default)]
struct Books(Arc<Mutex<HashMap<String, Vec<Lie>>>>);

impl Books {
    fn of(&self, id: &str) -> Vec<Lie> {
        self.0.lock().unwrap().get(id).cloned().unwrap_or_default()
    }

    fn count(&self, of: impl Fn(Lie) -> bool) -> usize {
        self.0.lock().unwrap().values().flatten().filter(|lie| of(**lie)).count()
    }
}

fn provider(seed: u64, lies_in_ten: u64, books: &Books) -> Script {
    let (books, mut chance) = (books.clone(), Chance::new(seed));
    const LIES: [Lie; 7] =
        [Lie::Page, Lie::Refusal, Lie::Busy, Lie::Slower, Lie::FieldGone, Lie::Cut, Lie::Broken];
    Script::by(move |request| {
        let id = request.uri().path().trim_start_matches('/').to_owned();
        let lie = match chance.hits(lies_in_ten as f64 / 10.0) {
            true => chance.pick(&LIES),
            false => Lie::None,
        };
        books.0.lock().unwrap().entry(id.clone()).or_default().push(lie);
        lie.answer(&id).after(chance.time(Duration::ZERO, millis(49)))
    })
}

fn checks() -> ValidateLayer {
    let status = StatusField::new("/ok", true)
        .code_at("/error")
        .code("busy", Verdict::Transient)
        .code("slower", Verdict::Throttled);
    ValidateLayer::new().enforce(Media::json()).enforce(status).enforce(Required::new(["/id"]))
}

#[tokio::test(start_paused = true)]
async fn whatever_lies_no_caller_believes_it_and_nothing_happens_twice() {
    for seed in 0..12 {
        let (books, events) = (Books::default(), EventRecorder::new());
        let api = Integration::background("api")
            .deadline(secs(600))
            .retry(|retry| retry.rng(Rng::seeded(seed)))
            .breaker(|breaker| breaker.rng(Rng::seeded(seed + 1)))
            .without_idempotency()
            .validate(checks())
            .subscriber(events.clone())
            .service(provider(seed, seed % 6, &books))
            .build()
            .unwrap();
        let calls = join_all((0..200u64).map(|call| {
            let (api, books) = (api.clone(), books.clone());
            async move {
                wait(millis(call * 20)).await;
                one_call(&api, &books, call, seed).await;
            }
        }));
        calls.await;
        let rejected =
            events.count(|event| matches!(event, Event::AnswerRejected { enforced: true, .. }));
        let lied = books.count(|lie| !matches!(lie, Lie::None | Lie::Broken));
        assert_eq!(rejected, lied, "seed {seed}");
        assert_eq!(api.validation().unwrap().rejected(), lied as u64);
        assert_eq!(api.bulkhead().in_use(), 0);
    }
}

async fn one_call(api: &Integration, books: &Books, call: u64, seed: u64) {
    let (method, key) = [(Method::GET, false), (Method::POST, false), (Method::POST, true)]
        [call as usize % 3]
        .clone();
    let id = format!("c{call}");
    let mut request = Request::new(Body::from("an order"));
    (*request.method_mut(), *request.uri_mut()) =
        (method.clone(), format!("http://api.test/{id}").parse().unwrap());
    if key {
        request.headers_mut().insert("idempotency-key", id.parse().unwrap());
    }
    let result = api.send(request).await;
    let did = books.of(&id);
    let at = format!("seed {seed}, {method} {id}, key {key}: {did:?}");
    if method == Method::POST && !key {
        assert!(did.len() <= 1, "{at}");
    }
    match result {
        Ok(answer) => {
            let failed = answer.extensions().get::<FailedCheck>().is_some();
            let body = answer.into_body().text().await.unwrap();
            match did.last().unwrap() {
                Lie::None => assert_eq!(body, format!(r#"{{"ok":true,"id":"{id}"}}"#), "{at}"),
                Lie::Refusal => assert!(failed && body.contains("not_yours"), "{at}"),
                // Whoever may be repeated waits, and comes again.
                Lie::Slower => assert!(failed && method == Method::POST && !key, "{at}"),
                other => panic!("{other:?} reached the caller: {at}"),
            }
        }
        Err(error) => {
            assert!(!did.is_empty() && error.delivery() != Delivery::NotSent, "{at}: {error}");
            assert!(method == Method::POST && !key, "{at}: {error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_shows_a_page_for_a_minute_is_asked_little_and_is_back_within_a_second() {
    let began = now();
    let shows_a_page = move || (secs(30)..secs(90)).contains(&(now() - began));
    let asked = Arc::new(Mutex::new(0));
    let counts = Arc::clone(&asked);
    let provider = Script::by(move |request| {
        if shows_a_page() {
            *counts.lock().unwrap() += 1;
            return Lie::Page.answer("");
        }
        Lie::None.answer(request.uri().path())
    });
    let build = |checks| {
        Integration::user_flow("api").validate(checks).service(provider.clone()).build().unwrap()
    };
    let (checked, plain) = (build(checks()), build(ValidateLayer::new()));
    let (mut believed, mut answered_again) = (0, None);
    let mut asked_of_checked = 0;
    for _ in 0..120 * 10 {
        let before = *asked.lock().unwrap();
        let result = checked.get("http://api.test/a").send().await;
        asked_of_checked += *asked.lock().unwrap() - before;
        if shows_a_page() {
            assert!(result.is_err());
            believed += usize::from(plain.get("http://api.test/a").send().await.is_ok());
        } else if (now() - began) > secs(90) && result.is_ok() {
            answered_again.get_or_insert(now() - began);
        }
        wait(millis(100)).await;
    }
    assert!(believed > 400, "without a check, everybody believes it: {believed}");
    assert!(asked_of_checked < 250, "{asked_of_checked}");
    assert!(answered_again.unwrap() < secs(91), "{answered_again:?}");
    assert_eq!(checked.breaker().state(), BreakerState::Closed);
}
