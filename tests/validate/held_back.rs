//! Bodies that are held back: of answers that failed anyhow, of checks that only tell, and of streams.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Method;
use http_body::Frame;
use outrigger::event::Event;
use outrigger::outcome::Class;
use outrigger::testing::Answer;
use outrigger::validate::{Media, Problems, Required, Size, Unchecked, ValidateLayer, Vendors};
use outrigger::{Body, Delivery, ErrorKind, Integration};

use crate::bench::{Bench, enforced, json, request, secs};

fn unchecked(bench: &Bench) -> Vec<Unchecked> {
    let of = |event| match event {
        Event::AnswerUnchecked { why, .. } => Some(why),
        _ => None,
    };
    bench.events.events().into_iter().filter_map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn a_failed_answer_keeps_its_status_and_wait_when_its_body_breaks_or_stalls() {
    let body = r#"{"error":{"code":"rate_limit_exceeded"}}"#;
    let limited = || Answer::status(429).header("retry-after", "60").body(body);
    let page = || {
        let problem = Answer::status(400).header("content-type", "application/problem+json");
        problem.body(r#"{"type":"about:blank"}"#)
    };
    let checks = || enforced(Vendors::new()).enforce(Problems::new());
    for answer in [limited().breaks_after(4), limited().stalls_after(4)] {
        let bench = Bench::new([answer], checks());
        let began = tokio::time::Instant::now();
        let answer = bench.get().await.unwrap();
        assert_eq!((answer.status().as_u16(), bench.provider.begun()), (429, 1));
        assert!(began.elapsed() <= secs(1), "{:?}", began.elapsed());
        let error = outrigger::ResponseExt::error_for_status(answer).unwrap_err();
        assert_eq!(error.retry_after(), Some(secs(60)));
        assert_eq!(unchecked(&bench), [Unchecked::Incomplete]);
    }
    for answer in [page().breaks_after(4), page().stalls_after(4)] {
        let bench = Bench::new([answer], checks());
        let answer = bench.send(Method::POST).await.unwrap();
        assert_eq!((answer.status().as_u16(), bench.provider.begun()), (400, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_only_tells_changes_neither_a_broken_body_nor_a_slow_one() {
    let tells = || ValidateLayer::new().report(Required::new(["/id"]));
    let bench = Bench::new([json(r#"{"id": 1}"#).breaks_after(4)], tells());
    let answer = bench.get().await.unwrap();
    let error = answer.into_body().text().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Transport(_)), "{error}");
    assert_eq!((unchecked(&bench), bench.provider.begun()), (vec![Unchecked::Incomplete], 1));
    let bench = Bench::new([json(r#"{"id": 1}"#).stalls_after(4)], tells());
    let began = tokio::time::Instant::now();
    assert_eq!(bench.get().await.unwrap().status(), 200);
    assert_eq!((began.elapsed(), unchecked(&bench)), (secs(1), vec![Unchecked::Incomplete]));
    let problem =
        || Answer::status(400).header("content-type", "application/problem+json").body("{}");
    let bench = Bench::new([problem()], ValidateLayer::new().report(Problems::new()));
    let answer = bench.get().await.unwrap();
    assert!(answer.extensions().get::<outrigger::validate::Problem>().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_never_held_back_whatever_it_is_called() {
    for media in [
        "text/event-stream; charset=utf-8",
        "multipart/mixed; boundary=a",
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "application/json-seq",
        "application/vnd.api+seq",
        "application/stream+json",
        "application/connect+json",
        "application/vnd.amazon.eventstream",
    ] {
        let lines = Answer::status(200).header("content-type", media).body("{}\n{}\n");
        let bench = Bench::new([lines.stalls_after(3)], enforced(Required::new(["/id"])));
        let began = tokio::time::Instant::now();
        assert_eq!(bench.get().await.unwrap().status(), 200);
        assert_eq!((began.elapsed(), unchecked(&bench)), (secs(0), vec![Unchecked::Streamed]));
    }
}

#[tokio::test(start_paused = true)]
async fn the_size_of_a_compressed_body_is_not_known() {
    let zipped = Answer::status(200).header("content-encoding", "gzip").body("zipped");
    let bench = Bench::new([zipped], enforced(Size::at_least(1000)));
    assert!(bench.get().await.is_ok());
    assert_eq!(unchecked(&bench), [Unchecked::Encoded]);
    // An empty name is of no coding.
    let plain = Answer::status(200).header("content-encoding", "").body("plain");
    let bench = Bench::with(
        [plain],
        enforced(Size::at_least(1000)),
        outrigger::IntegrationBuilder::without_retry,
    );
    assert!(bench.get().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_body_without_a_type_is_looked_at_only_for_whether_it_is_there() {
    let untyped = || Answer::status(200).body("<html>").stalls_after(3);
    let bench = Bench::with(
        [untyped()],
        enforced(Media::json()),
        outrigger::IntegrationBuilder::without_retry,
    );
    let began = tokio::time::Instant::now();
    assert!(bench.get().await.is_err());
    assert_eq!(began.elapsed(), secs(0));
    let class = |event: &Event| matches!(event, Event::AttemptFinished { end, .. } if format!("{end:?}").contains("ServerError"));
    assert_eq!((bench.events.count(class), Class::ServerError.is_failure()), (1, true));
}

/// A body of JSON that sends white space, a byte each second, before it says what it has to say.
struct Slow {
    spaces: u32,
    is_over: bool,
    next: Pin<Box<tokio::time::Sleep>>,
}

impl http_body::Body for Slow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        std::task::ready!(self.next.as_mut().poll(cx));
        self.next = Box::pin(tokio::time::sleep(secs(1)));
        self.is_over = self.spaces == 0;
        self.spaces = self.spaces.saturating_sub(1);
        let data = if self.is_over { r#"{"id":1}"# } else { " " };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(data.as_bytes())))))
    }
}

/// An integration for people, whose attempts have three seconds to the head and whose calls have eight.
fn slow(spaces: u32, has_deadline: bool, begun: Arc<AtomicU32>) -> Integration {
    let provider = tower::service_fn(move |_: http::Request<Body>| {
        begun.fetch_add(1, Relaxed);
        let next = Box::pin(tokio::time::sleep(secs(1)));
        let body = Slow { spaces, is_over: false, next };
        std::future::ready(Ok::<_, Infallible>(http::Response::new(Body::new(body))))
    });
    let builder = Integration::user_flow("api").validate(enforced(Required::new(["/id"])));
    let builder = if has_deadline { builder } else { builder.without_deadline() };
    builder.service(provider).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn without_a_deadline_a_slow_success_is_bounded_by_the_limit_of_the_attempt() {
    let (began, begun) = (tokio::time::Instant::now(), Arc::default());
    let error = slow(60, false, Arc::clone(&begun)).send(request(Method::POST)).await.unwrap_err();
    assert_eq!((began.elapsed(), begun.load(Relaxed)), (secs(3), 1));
    assert!(error.is_timeout(), "{error}");
    assert_eq!(error.delivery(), Delivery::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_slow_success_is_bounded_by_the_deadline_and_not_by_the_limit_on_the_head() {
    for method in [Method::GET, Method::POST] {
        let begun = Arc::default();
        let answer = slow(5, true, Arc::clone(&begun)).send(request(method)).await.unwrap();
        assert_eq!(answer.into_body().text().await.unwrap(), r#"     {"id":1}"#);
        assert_eq!(begun.load(Relaxed), 1);
    }
    let (began, begun) = (tokio::time::Instant::now(), Arc::default());
    let error = slow(60, true, Arc::clone(&begun)).send(request(Method::POST)).await.unwrap_err();
    assert_eq!((began.elapsed(), begun.load(Relaxed)), (secs(8), 1));
    assert!(error.is_timeout() && error.to_string().contains("8s"), "{error}");
    assert_eq!(error.delivery(), Delivery::Unknown);
}
