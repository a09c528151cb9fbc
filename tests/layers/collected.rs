//! Bodies that are read to their end: within a bound, and without keeping others from running.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use outrigger::fallback::FallbackLayer;
use outrigger::mirror::MirrorLayer;
use outrigger::outcome::GaveUp;
use outrigger::retry::{EmptyBudget, Retries, RetryBudget};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Delivery, Error, ErrorKind, Ratio};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::retry::plain;
use crate::call::get;
use crate::clock::{secs, spawn, within};

/// A body that is always ready with the same frame, without end.
#[derive(Clone, Default)]
struct Endless {
    frame: Bytes,
    announced: u64,
    polls: Arc<AtomicUsize>,
}

impl Endless {
    fn of(frame: impl Into<Bytes>) -> Self {
        Self { frame: frame.into(), ..Self::default() }
    }

    fn polls(&self) -> usize {
        self.polls.load(Ordering::Relaxed)
    }
}

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let polls = self.polls.fetch_add(1, Ordering::Relaxed);
        assert!(polls < 1_000_000, "nobody looks at anything else any more");
        Poll::Ready(Some(Ok(Frame::data(self.frame.clone()))))
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.announced);
        hint
    }
}

/// A provider that answers with this status and an endless body.
#[derive(Clone)]
struct Endlessly {
    status: u16,
    body: Endless,
}

impl<B> Service<Request<B>> for Endlessly {
    type Response = Response<Endless>;
    type Error = Error;
    type Future = Ready<Result<Response<Endless>, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let response = Response::builder().status(self.status).body(self.body.clone());
        ready(Ok(response.expect("a response")))
    }
}

fn provider(status: u16, body: &Endless) -> Endlessly {
    Endlessly { status, body: body.clone() }
}

/// Some turns of the runtime.
async fn turns() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_body_without_end_is_read_up_to_sixteen_mebibytes() {
    let body = Endless::of(vec![b'x'; MIB]);
    let error = Body::new(body.clone()).bytes().await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::TooLarge, Delivery::Answered));
    assert_eq!(body.polls(), 17);
    let said = error.to_string();
    assert!(said.contains("16777216 bytes") && said.contains("bytes_up_to"), "{said}");
    let error = Body::new(body).text().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn another_bound_is_a_bound_to_the_byte() {
    for frames in [&["abcdef"][..], &["abc", "", "def"], &["a", "b", "c", "d", "e", "f"]] {
        let body = || crate::provider::streamed(frames);
        assert_eq!(body().bytes_up_to(6).await.unwrap(), "abcdef");
        assert_eq!(body().text_up_to(usize::MAX).await.unwrap(), "abcdef");
        assert_eq!(body().bytes_up_to(5).await.unwrap_err().kind(), ErrorKind::TooLarge);
        assert_eq!(body().text_up_to(0).await.unwrap_err().kind(), ErrorKind::TooLarge);
    }
}

#[tokio::test]
async fn what_is_here_already_is_given_back_whatever_its_size() {
    assert_eq!(Body::from("abcdef").bytes_up_to(3).await.unwrap(), "abcdef");
    assert_eq!(Body::from(vec![0; 17 * MIB]).bytes().await.unwrap().len(), 17 * MIB);
    assert_eq!(Body::empty().bytes_up_to(0).await.unwrap(), "");
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_not_read_at_all() {
    let body = Endless { announced: 7, ..Endless::of("x") };
    let error = Body::new(body.clone()).bytes_up_to(6).await.unwrap_err();
    assert_eq!((error.kind(), body.polls()), (ErrorKind::TooLarge, 0));
}

#[tokio::test]
async fn a_reader_of_empty_frames_without_end_lets_others_run() {
    let body = Endless::default();
    tokio::select! {
        biased;
        read = Body::new(body.clone()).bytes() => panic!("it has no end: {read:?}"),
        () = turns() => {}
    }
    assert!(body.polls() > 10, "it was read meanwhile");
}

#[tokio::test(start_paused = true)]
async fn a_failed_answer_of_empty_frames_without_end_holds_up_no_retry() {
    let body = Endless::default();
    let service = plain().max_attempts(2).layer(provider(503, &body));
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(body.polls() > 0, "it was read off");
}

#[tokio::test(start_paused = true)]
async fn nor_does_one_that_waits_for_the_budget() {
    let body = Endless::default();
    let budget = RetryBudget::new(Ratio::ZERO, 0);
    let layer = plain().max_attempts(2).budget(budget);
    let layer = layer.when_budget_is_empty(EmptyBudget::Wait).max_elapsed(secs(2));
    let response = layer.layer(provider(503, &body)).oneshot(get()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(body.polls() > 0, "it was read off");
}

#[tokio::test(start_paused = true)]
async fn nor_does_it_hold_up_a_fallback() {
    let body = Endless::default();
    let layer = FallbackLayer::value(Response::new("{}"));
    let response = layer.layer(provider(503, &body)).oneshot(get()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(body.polls() > 0, "it was read off");
}

#[tokio::test(start_paused = true)]
async fn a_copys_answer_without_end_holds_up_nobody() {
    let body = Endless::default();
    let layer = MirrorLayer::new(provider(200, &body), Ratio::ONE);
    let real = Script::new([Answer::status(200)]);
    let response = layer.layer(real).oneshot(get()).await.unwrap();
    assert_eq!(response.status(), 200);
    turns().await;
    assert!(body.polls() > 0, "the copy's answer is read");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_panics_while_it_is_sent_is_not_sent_again_and_hangs_nobody() {
    /// Panics when it is read.
    struct Broken;

    impl http_body::Body for Broken {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            panic!("a caller's body")
        }
    }

    /// Reads the request's body in a task of its own, as a connection does.
    async fn answer<B>(request: Request<B>) -> Result<Response<Body>, Error>
    where
        B: http_body::Body<Error = Error> + Send + Unpin + 'static,
    {
        let mut body = request.into_body();
        let read = async move { poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.is_some() };
        let read = spawn(read).await;
        let status = if read.is_err() { 503 } else { 200 };
        Ok(Response::builder().status(status).body(Body::empty()).expect("a response"))
    }

    let request = Request::put("http://crm.test/").body(Body::new(Broken)).expect("a request");
    let service = plain().max_attempts(2).layer(service_fn(answer));
    let response = within(secs(3600), service.oneshot(request)).await;
    let response = response.expect("the call ends").unwrap();
    let gave_up = response.extensions().get::<Retries>().and_then(|retries| retries.gave_up);
    assert_eq!((response.status().as_u16(), gave_up), (503, Some(GaveUp::BodyNotKept)));
}

#[tokio::test(start_paused = true)]
async fn empty_frames_of_a_request_are_not_kept_and_the_rest_is_sent_again() {
    let provider = Script::new([Answer::status(503), Answer::status(503), Answer::status(200)]);
    let body = crate::provider::streamed(&["", "amount=", "", "", "1000", ""]);
    let request = Request::put("http://crm.test/").body(body).expect("a request");
    let response = plain().layer(provider.clone()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let sent: Vec<_> = provider.requests().into_iter().map(Request::into_body).collect();
    assert_eq!(sent, ["amount=1000"; 3]);
}
