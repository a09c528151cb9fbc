//! What is otherwise from the next call on.

use http::Method;
use outrigger::backoff::{Backoff, Jitter};
use outrigger::bulkhead::Adaptive;
use outrigger::context::CallDeadline;
use outrigger::event::{BreakerState, Event};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile, KeySource};
use outrigger::outcome::Phase;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{ErrorKind, Integration, Ratio};

use crate::call::{
    answers, apply, config, failure, get, hangs, once, request, seconds, status, user_flow,
};

#[tokio::test(start_paused = true)]
async fn the_deadline_and_the_attempts_limit() {
    let crm = user_flow(&hangs());
    apply(&crm, "deadline = '2s'\ntimeout.attempt = '1500ms'");
    let (error, took) = failure(crm.send(once())).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Attempt));
    assert_eq!(took, std::time::Duration::from_millis(1_500));
    apply(&crm, "deadline = '2s'\ntimeout.attempt = 'none'");
    let (error, took) = failure(crm.send(once())).await;
    assert_eq!((error.kind(), took), (ErrorKind::Timeout(Phase::Call), seconds(2)));
}

#[tokio::test(start_paused = true)]
async fn whether_a_request_may_have_more_time_than_the_deadline() {
    let crm = user_flow(&hangs());
    for (may, limit) in [(true, 60), (false, 2)] {
        let file = format!(
            "deadline = '2s'\ndeadline_may_be_lengthened = {may}\ntimeout.attempt = 'none'"
        );
        apply(&crm, &file);
        let mut patient = once();
        patient.extensions_mut().insert(CallDeadline::after(seconds(60)));
        let (error, took) = failure(crm.send(patient)).await;
        assert_eq!((error.kind(), took), (ErrorKind::Timeout(Phase::Call), seconds(limit)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_number_of_attempts() {
    let provider = answers(500);
    let crm = user_flow(&provider);
    apply(&crm, "retry = { max_attempts = 4, budget = 'none', backoff = { fixed = '1ms' } }");
    status(crm.send(get())).await.unwrap();
    assert_eq!(provider.begun(), 4);
    apply(&crm, "retry.max_attempts = 1");
    status(crm.send(get())).await.unwrap();
    assert_eq!(provider.begun(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_headers_of_the_id_and_of_the_key() {
    let provider = answers(200);
    let stripe =
        IdempotencyLayer::new(KeyProfile::stripe()).key_source(KeySource::CallerOrGenerated);
    let crm = Integration::user_flow("crm")
        .idempotency(stripe)
        .service(provider.clone())
        .build()
        .unwrap();
    apply(
        &crm,
        "correlation.header = 'x-trace'\nidempotency = { header = 'x-key', form = 'quoted' }",
    );
    status(crm.send(request(Method::POST))).await.unwrap();
    apply(&crm, "");
    status(crm.send(request(Method::POST))).await.unwrap();
    let seen = provider.requests();
    let has = |at: usize, name: &str| seen[at].headers().contains_key(name);
    assert!(has(0, "x-trace") && !has(0, "x-request-id"));
    assert!(has(0, "x-key") && !has(0, "idempotency-key"));
    assert!(seen[0].headers()["x-key"].to_str().unwrap().starts_with('"'));
    assert!(has(1, "x-request-id") && has(1, "idempotency-key") && !has(1, "x-key"));
}

#[tokio::test(start_paused = true)]
async fn whether_the_provider_honours_keys() {
    let provider = answers(500);
    let crm = Integration::background("crm")
        .retry(|retry| retry.max_attempts(3))
        .service(provider.clone())
        .build()
        .unwrap();
    let post = || crm.send(request(Method::POST));
    for (settings, times) in [
        ("", 1),
        ("idempotency.honoured = 'all'", 3),
        ("idempotency = { header = 'x-key', honoured = 'all' }", 3),
        ("idempotency = { key_source = 'caller', honoured = 'all' }", 1),
        ("idempotency.honoured = 'callers-only'", 1),
    ] {
        apply(&crm, settings);
        let before = provider.begun();
        status(post()).await.unwrap();
        assert_eq!(provider.begun() - before, times, "{settings}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_one_header_is_not_known_of_another() {
    let provider = answers(500);
    let crm = Integration::background("crm")
        .idempotency(IdempotencyLayer::new(KeyProfile::stripe()))
        .retry(|retry| retry.max_attempts(3))
        .service(provider.clone())
        .build()
        .unwrap();
    for (settings, times) in [
        ("", 3),
        ("idempotency.header = 'idempotency-key'", 3),
        ("idempotency.header = 'x-key'", 1),
        ("idempotency.honoured = 'callers-only'", 1),
    ] {
        apply(&crm, settings);
        let before = provider.begun();
        status(crm.send(request(Method::POST))).await.unwrap();
        assert_eq!(provider.begun() - before, times, "{settings}");
    }
}

#[tokio::test(start_paused = true)]
async fn whether_there_is_a_breaker() {
    let provider = answers(500);
    let crm = user_flow(&provider);
    apply(&crm, "circuit_breaker.enabled = false");
    for _ in 0..20 {
        status(crm.send(once())).await.unwrap();
    }
    assert_eq!((provider.begun(), crm.breaker().state()), (20, BreakerState::Closed));
    assert_eq!(crm.health().breaker, None);
    apply(&crm, "circuit_breaker = { consecutive = 2, no_success_for = '0s' }");
    for _ in 0..2 {
        status(crm.send(once())).await.unwrap();
    }
    assert!(failure(crm.send(get())).await.0.is_rejected());
    assert_eq!(crm.health().breaker.unwrap().state, BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn whether_there_are_second_requests_out_of_the_one_budget() {
    let provider = Script::new([Answer::hang(), Answer::status(200)]);
    let crm = user_flow(&provider);
    // Nothing but the floor, which one second request uses up.
    apply(&crm, "hedge.after = '1s'\nretry.budget = { ratio = '0%', floor = 1, burst = 0 }");
    assert_eq!(status(crm.send(get())).await.unwrap(), 200);
    assert_eq!((crm.hedge().counts().sent, provider.begun()), (1, 2));
    let slow = Script::new([Answer::hang()]);
    let file = "hedge.after = '1s'\nretry.budget = { ratio = '0%', floor = 1, burst = 0 }";
    let built = Integration::user_flow("crm").config(config(file)).service(slow.clone());
    let built = built.build().unwrap();
    failure(built.send(get())).await;
    // The second request took what there was, and no retry follows.
    assert_eq!((built.hedge().counts().sent, slow.begun()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_out_again_is_as_code_set_it() {
    let build = |file: Option<&str>| {
        let builder = Integration::user_flow("crm")
            .deadline(seconds(7))
            .bulkhead(|bulkhead| bulkhead.concurrency(5).queue(1).queue_wait(seconds(1)));
        let builder = builder.retry(|retry| retry.max_attempts(3));
        let builder = match file {
            Some(file) => builder.config(config(file)),
            None => builder,
        };
        builder.service(answers(200)).build().unwrap()
    };
    let as_built = build(None).config();
    let files = [
        "deadline = '5s'\nidle_timeout = '1s'\ntimeout = { attempt = '2s', send_on = 'x-t' }",
        "retry = { max_attempts = 1, budget = { ratio = '1%', floor = 1, burst = 2 } }",
        "retry = { budget = 'none', backoff = { schedule = ['1s'] } }",
        "bulkhead = { concurrency = 3, queue = 9, queue_wait = '9s' }",
        "bulkhead = { adaptive = 'aimd', queue_wait = 'none' }",
        "rate_limit = { requests = 3, per = '1s', burst = 2, on_limit = 'shape' }",
        "circuit_breaker = { window_calls = 50, consecutive = 3, mode = 'report-only' }",
        "circuit_breaker.enabled = false",
        "hedge.quantile = '95%'\nmirror = { share = '5%', concurrency = 1 }",
        "rehearsal = { allow = true, header = 'x-fault', plan = { hang = '1%' } }",
        "correlation = { header = 'x', baggage_to = ['a.test'] }\nfallback.limit = '2s'",
        "idempotency = { header = 'x', form = 'quoted', max_len = 99, key_source = 'caller-or-generated' }",
    ];
    let applied = build(None);
    for file in files {
        apply(&applied, file);
        assert_ne!(applied.config(), as_built, "{file}");
        // And what was applied is no part of what code set, whatever came before.
        assert_eq!(applied.config(), build(Some(file)).config(), "{file}");
        let built = build(Some(file));
        for crm in [&applied, &built] {
            apply(crm, "");
            assert_eq!(crm.config(), as_built, "{file}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_is_told_once_and_a_refused_one_is_not() {
    let told = EventRecorder::new();
    let crm = Integration::user_flow("crm").subscriber(told.clone()).service(answers(200));
    let crm = crm.build().unwrap();
    let applied = || told.count(|event| *event == Event::SettingsApplied);
    assert_eq!(applied(), 0);
    apply(&crm, "deadline = '4s'");
    assert_eq!(applied(), 1);
    let before = crm.config();
    crm.apply(&config("deadline = '4s'\nretry.max_attempts = 0\nbulkhead.concurrency = 1"))
        .unwrap_err();
    assert_eq!((applied(), crm.config()), (1, before));
    assert_eq!(crm.bulkhead().limit(), Some(64));
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_from_a_file_is_told_when_it_begins_changes_and_ends() {
    let told = EventRecorder::new();
    let crm = Integration::user_flow("crm").subscriber(told.clone()).service(answers(200));
    let crm = crm.build().unwrap();
    let changed = |on: bool| told.count(|event| *event == Event::RehearsalChanged { on });
    let plan = "rehearsal = { allow = true, plan.status = [{ share = '100%', code = 410 }] }";
    apply(&crm, plan);
    assert_eq!(status(crm.send(get())).await.unwrap(), 410);
    assert_eq!((changed(true), changed(false)), (1, 0));
    apply(&crm, &format!("deadline = '4s'\n{plan}"));
    assert_eq!(changed(true), 1, "it goes on as it was");
    apply(&crm, &plan.replace("410", "503"));
    assert_eq!(changed(true), 2);
    apply(&crm, "");
    assert_eq!((changed(true), changed(false)), (2, 1));
    assert_eq!(status(crm.send(get())).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_share_of_a_mirror_from_a_file() {
    let seen = answers(200);
    let target = user_flow(&seen);
    let crm = Integration::user_flow("crm")
        .mirror(outrigger::mirror::MirrorLayer::new(target, Ratio::ZERO))
        .service(answers(200))
        .build()
        .unwrap();
    status(crm.send(get())).await.unwrap();
    apply(&crm, "mirror.share = '100%'");
    status(crm.send(get())).await.unwrap();
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(seen.begun(), 1);
}

#[test]
fn what_a_file_does_not_name_stays_where_it_names_another_way() {
    let adaptive = |crm: &Integration| as_json(crm)["bulkhead"].clone();
    let crm = Integration::user_flow("crm")
        .bulkhead(|places| places.concurrency(8).adaptive(Adaptive::aimd().min(4).max(64)));
    let crm = crm.service(answers(200)).build().unwrap();
    apply(&crm, "bulkhead.adaptive = 'gradient'");
    let set = adaptive(&crm);
    assert_eq!(set["adaptive"], "gradient");
    assert_eq!((&set["adaptive_min"], &set["adaptive_max"]), (&4.into(), &64.into()));

    let jitter = |crm: &Integration| as_json(crm)["retry"]["backoff"]["jitter"].clone();
    let crm = user_flow(&answers(200));
    for steps in ["fixed = '1s'", "schedule = ['0s', '1s']", "base = '10ms'"] {
        apply(&crm, &format!("retry.backoff.{steps}"));
        assert_eq!(jitter(&crm), "full", "{steps}");
    }
    for (growth, value) in [("step", "'70ms'"), ("factor", "3.0")] {
        apply(&crm, &format!("retry.backoff.{growth} = {value}"));
        let backoff = &as_json(&crm)["retry"]["backoff"];
        let grows: Vec<_> = ["step", "factor"].map(|key| !backoff[key].is_null()).into();
        assert_eq!(grows, [growth == "step", growth == "factor"], "{backoff}");
        assert_eq!(backoff["base"], "50ms", "the base that is known stays");
    }
    let steady = Backoff::fixed(seconds(1)).jitter(Jitter::Equal);
    let crm = Integration::user_flow("crm").retry(|retry| retry.backoff(steady));
    let crm = crm.service(answers(200)).build().unwrap();
    apply(&crm, "retry.backoff.base = '10ms'");
    assert_eq!(jitter(&crm), "equal");
    let walking = Backoff::exponential(seconds(1), seconds(2)).jitter(Jitter::Decorrelated);
    let crm = Integration::user_flow("crm").retry(|retry| retry.backoff(walking));
    let crm = crm.service(answers(200)).build().unwrap();
    assert!(
        crm.apply(&config("retry.backoff.fixed = '1s'")).is_err(),
        "it has no steps of its own"
    );
}

fn as_json(crm: &Integration) -> serde_json::Value {
    serde_json::to_value(crm.config()).unwrap()
}
