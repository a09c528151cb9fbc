//! Many callers, one fetch.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use outrigger::cache::CacheOutcome;
use outrigger::context::CallDeadline;
use outrigger::testing::{Answer, Script};
use outrigger::{Error, Integration};
use tokio::task::JoinSet;

use super::origin::{Got, RATE, ask, cached, fresh, get, integration, is, layer, send, wait};

/// As many calls at a time as named.
async fn all(rates: &Integration, calls: usize) -> Vec<Result<Got, Error>> {
    let rates = Arc::new(rates.clone());
    let mut under_way = JoinSet::new();
    for _ in 0..calls {
        let rates = Arc::clone(&rates);
        under_way.spawn(async move { send(&rates, get(RATE)).await });
    }
    under_way.join_all().await
}

fn outcomes(got: &[Result<Got, Error>], outcome: CacheOutcome) -> usize {
    got.iter().filter(|got| got.as_ref().is_ok_and(|got| got.outcome() == outcome)).count()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_of_an_empty_cache_make_one_request() {
    let provider = Script::new([fresh("a").after(Duration::from_secs(1)), fresh("b")]);
    let rates = integration(layer(), &provider);
    let got = all(&rates, 1_000).await;
    assert!(got.iter().all(|got| got.as_ref().unwrap().text == "a"));
    assert_eq!(
        (outcomes(&got, CacheOutcome::Miss), outcomes(&got, CacheOutcome::Collapsed)),
        (1, 999)
    );
    assert_eq!(provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_at_the_end_of_its_freshness_make_one_request_and_do_not_wait() {
    let provider = Script::new([
        cached("a", "max-age=10, stale-while-revalidate=60"),
        fresh("b").after(Duration::from_secs(1)),
    ]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(11).await;
    let began = tokio::time::Instant::now();
    let got = all(&rates, 1_000).await;
    assert_eq!(outcomes(&got, CacheOutcome::StaleWhileRevalidate), 1_000);
    assert_eq!(began.elapsed(), Duration::ZERO);
    wait(2).await;
    assert_eq!((ask(&rates).await.text.as_str(), provider.begun()), ("b", 2));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_dropped_at_any_poll_harms_nobody() {
    for polls in 0..12 {
        let provider = Script::new([fresh("a").after(Duration::from_millis(5)), fresh("b")]);
        let rates = integration(layer(), &provider);
        let mut leader: Pin<Box<dyn Future<Output = _>>> = Box::pin(send(&rates, get(RATE)));
        let mut follower = None;
        for _ in 0..polls {
            let polled = leader.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            let rates = rates.clone();
            follower.get_or_insert_with(|| tokio::spawn(async move { ask(&rates).await }));
            if polled.is_ready() {
                leader = Box::pin(std::future::pending());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(leader);
        if let Some(follower) = follower {
            let got = tokio::time::timeout(Duration::from_secs(1), follower).await;
            assert_eq!(got.expect("it doesn't hang").unwrap().text, "a", "{polls}");
        }
        assert_eq!(ask(&rates).await.text, "a", "{polls}");
        assert_eq!(provider.begun(), 1, "{polls}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fetch_for_which_nobody_waits_any_more_ends() {
    let provider = Script::new([fresh("a").after(Duration::from_secs(1)), fresh("b")]);
    let rates = integration(layer(), &provider);
    let mut call = Box::pin(send(&rates, get(RATE)));
    let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending));
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(provider.begun(), 1);
    drop(call);
    wait(2).await;
    assert_eq!((ask(&rates).await.text.as_str(), provider.begun()), ("b", 2));
}

#[tokio::test(start_paused = true)]
async fn each_caller_waits_under_its_own_deadline() {
    let provider = Script::new([fresh("a").after(Duration::from_secs(2))]);
    let rates = integration(layer(), &provider);
    let with = |limit: u64| {
        let mut request = get(RATE);
        request.extensions_mut().insert(CallDeadline::after(Duration::from_millis(limit)));
        let rates = rates.clone();
        async move { send(&rates, request).await }
    };
    let (leader, short, long) = tokio::join!(with(500), with(1_000), with(5_000));
    assert!(leader.unwrap_err().is_timeout());
    assert!(short.unwrap_err().is_timeout());
    assert_eq!(long.unwrap().text, "a");
    assert_eq!(provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_stored_is_not_shared_and_its_next_callers_do_not_wait_for_each_other() {
    let mut number = 0;
    let provider = Script::by(move |_| {
        number += 1;
        Answer::status(200)
            .header("cache-control", "no-store")
            .body(number.to_string())
            .after(Duration::from_secs(1))
    });
    let rates = integration(layer(), &provider);
    for (round, seconds) in [2, 1].into_iter().enumerate() {
        let began = tokio::time::Instant::now();
        let got = all(&rates, 20).await;
        let mut texts: Vec<_> = got.into_iter().map(|got| got.unwrap().text).collect();
        texts.sort();
        texts.dedup();
        assert_eq!((texts.len(), provider.begun()), (20, 20 * (round + 1)));
        assert_eq!(began.elapsed().as_secs(), seconds, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_for_a_fetch_that_fails_get_its_error_at_once() {
    let provider = Script::new([Answer::refused().after(Duration::from_secs(1))]);
    let rates = integration(layer(), &provider);
    let began = tokio::time::Instant::now();
    let got = all(&rates, 20).await;
    assert!(got.iter().all(|got| got.as_ref().is_err_and(Error::is_connect)), "{got:?}");
    assert_eq!((provider.begun(), began.elapsed().as_secs()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_with_a_stale_answer_make_one_request_to_a_provider_that_fails() {
    let stored = cached("a", "max-age=10, stale-if-error=600");
    let provider = Script::new([stored, Answer::status(503).after(Duration::from_secs(1))]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    let got = all(&rates, 1_000).await;
    assert_eq!(outcomes(&got, CacheOutcome::StaleIfError), 1_000);
    assert_eq!(provider.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_to_one_call_is_not_refused_to_those_that_waited_for_it() {
    use outrigger::event::SwitchMode;
    let rates = integration(layer(), &Script::new([fresh("a")]));
    let mut calls = [0; 2].map(|_| Box::pin(send(&rates, get(RATE))));
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    rates.kill_switch().set(SwitchMode::Off, "ada", "they fail");
    tokio::time::sleep(Duration::from_millis(1)).await;
    rates.kill_switch().set(SwitchMode::On, "ada", "they are well");
    let [leader, follower] = calls;
    assert!(leader.await.unwrap_err().is_rejected());
    assert_eq!(follower.await.unwrap().text, "a");
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_each_other_until_one_has_waited_in_vain() {
    let mut number = 0;
    let provider = Script::by(move |_| {
        number += 1;
        let control = if number == 1 { "no-store" } else { "max-age=1" };
        cached("a", control).after(Duration::from_secs(1))
    });
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    let got = all(&rates, 20).await;
    assert_eq!(outcomes(&got, CacheOutcome::Collapsed), 19);
    assert_eq!(provider.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_the_end_of_an_event_stream() {
    let events = |text| {
        fresh(text).header("content-type", "Text/Event-Stream; charset=utf-8").stalls_after(3)
    };
    let provider = Script::new([events("data: a"), events("data: b")]);
    let rates = integration(layer(), &provider);
    let began = tokio::time::Instant::now();
    let (first, second) = tokio::join!(rates.send(get(RATE)), rates.send(get(RATE)));
    assert!(first.unwrap().status() == 200 && second.unwrap().status() == 200);
    assert_eq!((began.elapsed(), provider.begun()), (Duration::ZERO, 2));
}

#[tokio::test(start_paused = true)]
async fn a_hit_sends_nothing_and_a_miss_has_its_calls_attempts() {
    use outrigger::event::Event;
    use outrigger::testing::EventRecorder;
    let events = EventRecorder::new();
    let provider = Script::new([Answer::status(503), fresh("a")]);
    let rates = Integration::user_flow("rates")
        .cache(layer())
        .subscriber(events.clone())
        .service(provider)
        .build()
        .unwrap();
    ask(&rates).await;
    ask(&rates).await;
    let attempts: Vec<_> = events
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::CallFinished { attempts, .. } => Some(attempts),
            _ => None,
        })
        .collect();
    assert_eq!(attempts, [2, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_on_many_threads_who_come_and_leave_all_have_their_answers() {
    let provider = Script::by(|seen| Answer::status(200).body(seen.uri().path().to_owned()));
    let brief = Duration::from_micros(300);
    let rates = integration(layer().fresh_for(brief).stale_while_revalidate(brief), &provider);
    let mut under_way = JoinSet::new();
    for caller in 0..16_u64 {
        let rates = rates.clone();
        under_way.spawn(async move {
            for round in 0..500 {
                let path = format!("/{}", (caller + round) % 3);
                let call = send(&rates, get(&format!("http://rates.test{path}")));
                if round % 7 == caller % 7 {
                    // It leaves at once, or soon.
                    let _left = tokio::time::timeout(Duration::from_micros(round), call).await;
                } else {
                    assert_eq!(call.await.unwrap().text, path);
                }
            }
        });
    }
    let all = tokio::time::timeout(Duration::from_secs(120), under_way.join_all());
    all.await.expect("nobody hangs");
}

#[test]
fn a_fetch_whose_runtime_ends_before_it_runs_keeps_nobody_waiting() {
    let runtime = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().start_paused(true).build().unwrap()
    };
    let provider = Script::new([fresh("a")]);
    let rates = integration(layer(), &provider);
    let first = runtime();
    let mut leader = Box::pin(send(&rates, get(RATE)));
    first.block_on(async {
        let polled = leader.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
    });
    assert_eq!(provider.begun(), 0, "its task has not run");
    drop(first);
    let got = runtime().block_on(send(&rates, get(RATE)));
    assert_eq!(got.unwrap().text, "a");
}

#[tokio::test(start_paused = true)]
async fn a_slower_fetch_does_not_replace_the_newer_answer_that_came_meanwhile() {
    for (old, new) in [(None, None), (Some(1), Some(2)), (Some(2), Some(2)), (Some(2), Some(1))] {
        let dated = |text, second: Option<u32>, takes| {
            let answer = fresh(text).after(Duration::from_secs(takes));
            match second {
                Some(second) => {
                    answer.header("date", &format!("Fri, 15 Jan 2027 08:00:0{second} GMT"))
                }
                None => answer,
            }
        };
        let provider = Script::new([dated("old", old, 2), dated("new", new, 1)]);
        let rates = integration(layer(), &provider);
        let anew = || {
            let mut request = get(RATE);
            request.headers_mut().insert("cache-control", "no-cache".parse().unwrap());
            send(&rates, request)
        };
        let slow = anew();
        let soon = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            anew().await
        };
        let (slow, soon) = tokio::join!(slow, soon);
        assert_eq!((slow.unwrap().text.as_str(), soon.unwrap().text.as_str()), ("old", "new"));
        // By the date; without, and if they are the same, by when it came.
        let kept = if old < new { "new" } else { "old" };
        is(&ask(&rates).await, CacheOutcome::Hit, kept);
    }
}
