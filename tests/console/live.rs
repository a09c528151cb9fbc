//! Cards that change while somebody looks.

use std::time::Duration;

use http::Request;
use http_body_util::BodyExt;
use outrigger::Body;
use outrigger::console::Right;
use outrigger::event::SwitchMode;
use tower::ServiceExt;

use super::bench::{Bench, Named, all};

async fn stream(bench: &Bench) -> Body {
    let request = Request::get("/?live=1").header("x-user", "ada").body(Body::empty()).unwrap();
    let response = bench.console.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_body()
}

async fn next(body: &mut Body) -> Option<String> {
    let frame = body.frame().await?.unwrap();
    Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_first_event_is_the_whole_and_then_only_what_changed() {
    let bench = Bench::new(all());
    let mut body = stream(&bench).await;
    let first = next(&mut body).await.unwrap();
    assert!(first.starts_with("retry: 3000\n\n"), "{first}");
    // The sentence on top, two cards, their order, and the lanes.
    assert_eq!(first.matches("event: part\n").count(), 5);
    assert_eq!(first.matches("data-order").count(), 1);
    bench.payments.kill_switch().set(SwitchMode::Off, "ada", "a test");
    let began = tokio::time::Instant::now();
    let second = next(&mut body).await.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(2));
    assert!(second.contains("payments has been stopped"), "{second}");
    assert!(second.contains("1 of 2 integrations need a look."), "{second}");
    assert!(!second.contains("mailer works"), "{second}");
    let events = second.matches("event: part\n").count();
    assert_eq!(second.matches('\n').count(), 3 * events, "two lines and an empty one: {second}");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_shows_that_it_lives() {
    let bench = Bench::new(all());
    let mut body = stream(&bench).await;
    next(&mut body).await.unwrap();
    let began = tokio::time::Instant::now();
    let quiet = next(&mut body).await.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(61), "{:?}", began.elapsed());
    assert!(quiet == ":\n\n" || quiet.contains("event: part"), "{quiet}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_the_right_to_look() {
    use std::sync::atomic::{AtomicBool, Ordering};
    static MAY: AtomicBool = AtomicBool::new(true);
    let bench =
        Bench::new(Named(|_, right, _| right == Right::Look && MAY.load(Ordering::Relaxed)));
    let mut body = stream(&bench).await;
    next(&mut body).await.unwrap();
    MAY.store(false, Ordering::Relaxed);
    assert_eq!(next(&mut body).await, None);
}

#[tokio::test(start_paused = true)]
async fn fifty_look_and_a_place_is_free_again_when_one_leaves() {
    let bench = Bench::new(all());
    let mut streams = Vec::new();
    for _ in 0..50 {
        streams.push(stream(&bench).await);
    }
    let request = || Request::get("/?live=1").header("x-user", "ada").body(Body::empty()).unwrap();
    let status = bench.console.clone().oneshot(request()).await.unwrap().status();
    assert_eq!(status, 503);
    streams.pop();
    tokio::time::sleep(Duration::from_secs(2)).await;
    stream(&bench).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_the_console_is_gone() {
    let bench = Bench::new(all());
    let mut body = stream(&bench).await;
    next(&mut body).await.unwrap();
    drop(bench);
    assert_eq!(next(&mut body).await, None);
}

#[tokio::test(start_paused = true)]
async fn the_lanes_change_while_somebody_looks() {
    let bench = Bench::new(all());
    let mut body = stream(&bench).await;
    next(&mut body).await.unwrap();
    bench.dead(3).await;
    let mut later = String::new();
    while !later.contains("3 messages wait for a person") {
        later = next(&mut body).await.unwrap();
    }
    assert!(later.contains("id=\\\"outbox\\\""), "{later}");
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_loses_the_place() {
    let bench = Bench::new(all());
    let _unread = stream(&bench).await;
    let mut streams = Vec::new();
    for _ in 0..49 {
        streams.push(stream(&bench).await);
    }
    // Each second something changes, so that all have something to read.
    for second in 0..60 {
        let mode = if second % 2 == 0 { SwitchMode::Off } else { SwitchMode::On };
        bench.payments.kill_switch().set(mode, "ada", "a test");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    stream(&bench).await;
}
