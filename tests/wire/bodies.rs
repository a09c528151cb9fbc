//! Request bodies: how they are framed, and how they are sent again.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::HeaderMap;
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::integration::OwnClient;
use outrigger::outcome::{GaveUp, Phase};
use outrigger::retry::Retries;
use outrigger::{Body, Delivery, ErrorKind, IntegrationBuilder};
use tokio::sync::mpsc;

use crate::calls::{answered, background, failed, get, post, said, user_flow};
use crate::provider::{Act, Provider, Seen, Step, answer};

/// The preset for jobs, to a provider that honours keys.
fn keyed() -> IntegrationBuilder<OwnClient> {
    background().idempotency(IdempotencyLayer::new(KeyProfile::stripe()))
}

/// A body of these frames, whose size nobody knows beforehand.
fn streamed(parts: impl IntoIterator<Item = Bytes>) -> Body {
    let frames: Vec<_> =
        parts.into_iter().map(|part| Ok::<_, Infallible>(Frame::data(part))).collect();
    Body::new(StreamBody::new(stream::iter(frames)))
}

/// A body that is fed from elsewhere.
fn channel() -> (mpsc::Sender<Bytes>, Body) {
    let (sender, mut receiver) = mpsc::channel(1);
    let frames = stream::poll_fn(move |cx| {
        let part = receiver.poll_recv(cx);
        part.map(|part| part.map(|part| Ok::<_, Infallible>(Frame::data(part))))
    });
    (sender, Body::new(StreamBody::new(frames)))
}

/// `(content-length, transfer-encoding)`
fn framing(seen: &Seen) -> (Option<&str>, Option<&str>) {
    (seen.header("content-length"), seen.header("transfer-encoding"))
}

#[tokio::test]
async fn a_body_of_known_size_goes_out_with_its_length_on_every_attempt() {
    let bodies: [fn() -> Body; 5] = [
        || "an order".into(),
        || b"an order".to_vec().into(),
        || Full::new(Bytes::from("an order")).into(),
        || Body::new(Full::new(Bytes::from("an order"))),
        // A stream that knows its size.
        || Body::new(Full::new(Bytes::from("an order")).map_err(|never| match never {})),
    ];
    let watched = || keyed().timeout(|timeout| timeout.response_head(Duration::from_secs(9)));
    for body in bodies {
        for jobs in [keyed(), watched(), keyed().without_retry()] {
            let provider = Provider::script([Step::reply(503, ""), Step::reply(200, "")]).await;
            let jobs = jobs.build().unwrap();
            answered(&jobs, post(provider.url("/"), body())).await;
            for seen in provider.seen() {
                assert_eq!(framing(&seen), (Some("8"), None));
                assert_eq!(seen.body, b"an order");
            }
        }
    }
}

#[tokio::test]
async fn a_body_of_unknown_size_goes_out_in_chunks() {
    let provider = Provider::script([Step::reply(200, "")]).await;
    let shop = user_flow().build().unwrap();
    let body = streamed(["an ", "order"].map(Bytes::from));
    answered(&shop, post(provider.url("/"), body)).await;
    let seen = &provider.seen()[0];
    assert_eq!(framing(seen), (None, Some("chunked")));
    assert_eq!(seen.body, b"an order");
}

#[tokio::test]
async fn a_request_without_a_body_announces_none() {
    let provider = Provider::script([Step::reply(200, "")]).await;
    let shop = user_flow().build().unwrap();
    answered(&shop, get(provider.url("/"))).await;
    answered(&shop, post(provider.url("/"), Body::empty())).await;
    let seen = provider.seen();
    assert_eq!(framing(&seen[0]), (None, None));
    assert!(matches!(framing(&seen[1]), (None | Some("0"), None)), "{:?}", seen[1]);
}

#[tokio::test]
async fn a_streamed_body_is_sent_again_in_full_after_a_503() {
    let provider = Provider::script([Step::reply(503, "busy"), Step::reply(200, "well")]).await;
    let jobs = keyed().build().unwrap();
    let parts = (0..50).map(|n| Bytes::from(format!("line {n}\n")));
    let whole: Vec<u8> = parts.clone().flatten().collect();
    let response = answered(&jobs, post(provider.url("/"), streamed(parts))).await;
    assert_eq!(response.body(), "well");
    let seen = provider.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|seen| seen.body == whole));
}

#[tokio::test]
async fn a_body_from_a_channel_is_sent_again_in_full_after_an_early_503() {
    let busy = "HTTP/1.1 503 Busy\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let early = Step::of([Act::ReadHead, Act::Write(busy.into()), Act::Fin]);
    let provider = Provider::script([early, Step::reply(200, "well")]).await;
    let jobs = keyed().build().unwrap();
    let (sender, body) = channel();
    let call = tokio::spawn({
        let (jobs, request) = (jobs.clone(), post(provider.url("/"), body));
        async move { answered(&jobs, request).await }
    });
    sender.send("first ".into()).await.unwrap();
    // The second attempt is on its way before the body is complete.
    provider.until(|counts| counts.requests == 2).await;
    sender.send("second ".into()).await.unwrap();
    sender.send("third".into()).await.unwrap();
    drop(sender);
    assert_eq!(call.await.unwrap().body(), "well");
    assert_eq!(provider.seen()[1].body, b"first second third");
}

/// Longer than a body takes on the slowest machine.
const LONG: Duration = Duration::from_secs(120);

/// More than the sockets' buffers hold.
fn huge() -> Body {
    streamed((0..24).map(|_| Bytes::from(vec![b'x'; 1 << 20])))
}

/// A second attempt has to send all of a huge body, whatever became of the first.
async fn is_sent_again_in_full(first: Step) {
    let provider = Provider::script([first, Step::reply(200, "well")]).await;
    let jobs = keyed()
        .retry(|retry| retry.body_cap(64 << 20).max_attempts(2))
        // The first may stand still; the second takes as long as it takes, on however slow a machine.
        .timeout(|timeout| timeout.attempt(LONG).upload_stall(Duration::from_secs(2)))
        .build()
        .unwrap();
    let response = answered(&jobs, post(provider.url("/"), huge())).await;
    assert_eq!(response.body(), "well");
    assert_eq!(provider.seen()[1].body.len(), 24 << 20);
}

#[tokio::test]
async fn a_huge_body_is_sent_again_in_full_after_its_attempt_timed_out() {
    is_sent_again_in_full(Step::of([Act::ReadHead, Act::Sit])).await;
}

#[tokio::test]
async fn a_huge_body_is_sent_again_in_full_after_its_connection_broke() {
    is_sent_again_in_full(Step::of([Act::ReadHead, Act::Reset])).await;
}

#[tokio::test]
async fn a_huge_body_is_sent_again_in_full_after_an_early_503_although_the_first_takes_no_more() {
    // It answers, and neither reads the upload nor hangs up.
    let early = Step::of([Act::ReadHead, Act::Write(answer(503, "").into())]);
    is_sent_again_in_full(early.then(Act::Sit)).await;
}

#[tokio::test]
async fn a_body_over_the_cap_is_sent_once() {
    let provider = Provider::script([Step::reply(503, "busy")]).await;
    let jobs = keyed().retry(|retry| retry.body_cap(100)).build().unwrap();
    let parts = (0..50).map(|n| Bytes::from(format!("line {n}\n")));
    let whole: Vec<u8> = parts.clone().flatten().collect();
    for body in [streamed(parts), whole.clone().into()] {
        let response = answered(&jobs, post(provider.url("/"), body)).await;
        assert_eq!(response.body(), "busy");
        let retries = response.extensions().get::<Retries>().unwrap();
        assert_eq!(retries.gave_up, Some(GaveUp::BodyNotKept));
    }
    let seen = provider.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|seen| seen.body == whole));
}

#[tokio::test]
async fn trailers_are_sent_again() {
    let provider = Provider::script([Step::reply(503, ""), Step::reply(200, "")]).await;
    let jobs = keyed().build().unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "42".parse().unwrap());
    let frames = [Frame::data(Bytes::from("an order")), Frame::trailers(trailers)];
    let body = StreamBody::new(stream::iter(frames.map(Ok::<_, Infallible>)));
    answered(&jobs, post(provider.url("/"), Body::new(body))).await;
    assert!(provider.seen().iter().all(|seen| seen.body == b"an order"));
    assert_eq!(provider.counts().requests, 2);
}

#[tokio::test]
async fn a_body_that_fails_itself_is_the_requests_fault_and_not_repeated() {
    let provider = Provider::script([Step::read_then(Act::Hang)]).await;
    for jobs in [keyed(), keyed().without_retry()] {
        let jobs = jobs.build().unwrap();
        let before = provider.counts().requests;
        let frames =
            [Ok(Frame::data(Bytes::from("an ord"))), Err(io::Error::other("the disk is gone"))];
        let body = Body::new(StreamBody::new(stream::iter(frames)));
        let error = failed(&jobs, post(provider.url("/"), body)).await;
        assert_eq!(said(&error), (ErrorKind::Request, Delivery::Unknown), "{error:?}");
        assert_eq!(error.attempts(), 1);
        assert!(provider.counts().requests <= before + 1);
    }
}

#[tokio::test]
async fn a_body_that_failed_of_an_unsent_call_of_ours_is_half_sent_all_the_same() {
    // A call for the body's source, which nobody got.
    let source = keyed().without_retry().build().unwrap();
    let unsent = failed(&source, get("http://127.0.0.1:1/")).await;
    assert_eq!(unsent.delivery(), Delivery::NotSent);
    let provider = Provider::script([Step::read_then(Act::Hang)]).await;
    let frames = [Ok(Frame::data(Bytes::from("an ord"))), Err(unsent)];
    let body = Body::new(StreamBody::new(stream::iter(frames)));
    let jobs = keyed().build().unwrap();
    let error = failed(&jobs, post(provider.url("/"), body)).await;
    assert_eq!(said(&error), (ErrorKind::Request, Delivery::Unknown), "{error:?}");
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn a_provider_that_takes_no_more_of_the_upload_is_named_as_such() {
    let provider = Provider::script([Step::of([Act::ReadHead, Act::Sit])]).await;
    let limit = Duration::from_millis(200);
    let shop =
        user_flow().without_retry().timeout(|timeout| timeout.upload_stall(limit)).build().unwrap();
    let error = failed(&shop, post(provider.url("/"), huge())).await;
    assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Upload), Delivery::Unknown));
    assert_eq!(error.limit(), Some(limit));
}

/// Two seconds later than the limit.
const LATE: Duration = Duration::from_millis(2_200);
const HEAD: Duration = Duration::from_millis(200);

/// The head's limit runs from the end of the upload, whichever task it is that sends it.
async fn is_too_late(body: Body) {
    let late = Step::of([Act::Read, Act::Pause(LATE), Act::Write(answer(200, "").into())]);
    let provider = Provider::script([late]).await;
    let shop =
        user_flow().without_retry().timeout(|timeout| timeout.response_head(HEAD)).build().unwrap();
    let error = failed(&shop, post(provider.url("/"), body)).await;
    let head = ErrorKind::Timeout(Phase::ResponseHead);
    assert_eq!(said(&error), (head, Delivery::Unknown));
    assert_eq!(error.limit(), Some(HEAD));
    assert_eq!(provider.counts().requests, 1);
}

#[tokio::test]
async fn a_head_that_comes_too_late_after_a_request_without_a_body_is_a_timeout() {
    is_too_late(Body::empty()).await;
}

#[tokio::test]
async fn a_head_that_comes_too_late_after_a_request_of_bytes_is_a_timeout() {
    is_too_late("an order".into()).await;
}

#[tokio::test]
async fn a_head_that_comes_too_late_after_a_streamed_request_is_a_timeout() {
    is_too_late(streamed(["an ", "order"].map(Bytes::from))).await;
}
