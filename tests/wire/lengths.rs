//! Bodies and what is said of their length: nothing is cut, and nothing is sent as if it were whole.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Version};
use http_body::{Frame, SizeHint};
use http_body_util::StreamBody;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile, KeySource};
use outrigger::transport::hyper::HyperConfig;
use outrigger::{Body, Delivery, Error, ErrorKind};

use crate::calls::{answered, chain, failed, get, over_each_client, patient, post};
use crate::frames::{Framed, Turn};
use crate::provider::{Provider, Seen, Step};

async fn well() -> Provider {
    Provider::script([Step::reply(200, "well")]).await
}

/// A body whose size nobody knows beforehand.
fn streamed(parts: &[&'static str]) -> Body {
    trailed(parts, None)
}

fn trailed(parts: &[&'static str], trailers: Option<HeaderMap>) -> Body {
    let parts = parts.iter().map(|part| Frame::data(Bytes::from_static(part.as_bytes())));
    let frames: Vec<_> =
        parts.chain(trailers.map(Frame::trailers)).map(Ok::<_, Infallible>).collect();
    Body::new(StreamBody::new(stream::iter(frames)))
}

/// A body that says that it is so long.
struct Saying<B>(B, u64);

impl<B: http_body::Body + Unpin> http_body::Body for Saying<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        std::pin::Pin::new(&mut self.0).poll_frame(cx)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.1)
    }
}

/// A request with these lengths in its head.
fn long(lengths: &[&'static str], mut request: Request<Body>) -> Request<Body> {
    for length in lengths {
        request.headers_mut().append(CONTENT_LENGTH, HeaderValue::from_static(length));
    }
    request
}

/// `(content-length, transfer-encoding)`
fn framing(seen: &Seen) -> (Option<&str>, Option<&str>) {
    (seen.header("content-length"), seen.header("transfer-encoding"))
}

/// All that an error and its sources say.
fn said(error: &Error) -> String {
    chain(error).fold(error.to_string(), |text, level| format!("{text}: {level}"))
}

#[tokio::test]
async fn a_key_in_the_body_makes_it_longer_and_all_of_it_arrives() {
    let in_body = |request: Request<Body>, key: &HeaderValue| {
        let key = key.to_str().unwrap().to_owned();
        request.map(|_| Body::from(format!("{{\"idempotency_key\":\"{key}\",\"amount\":1}}")))
    };
    let keys = IdempotencyLayer::new(KeyProfile::square()).key_source(KeySource::CallerOrGenerated);
    for shop in over_each_client(|| patient().idempotency(keys.clone().write_with(in_body))) {
        // The second attempt has the same body and length.
        let provider = Provider::script([Step::reply(503, ""), Step::reply(200, "well")]).await;
        let request = long(&["12"], post(provider.url("/"), "{\"amount\":1}"));
        assert_eq!(answered(&shop, request).await.body(), "well");
        let seen = provider.seen();
        assert_eq!((seen.len(), &seen[0].body), (2, &seen[1].body));
        for seen in seen {
            assert!(seen.body.starts_with(b"{\"idempotency_key\"") && seen.body.ends_with(b":1}"));
            assert_eq!(framing(&seen), (Some(&*seen.body.len().to_string()), None));
        }
    }
}

#[tokio::test]
async fn a_length_that_contradicts_the_body_is_refused_before_anything_is_sent() {
    for shop in over_each_client(patient) {
        let provider = well().await;
        let url = provider.url("/");
        for (lengths, request, says) in [
            (&["12"][..], post(&url, "{\"amount\":100}"), "12 bytes, and its body has 14"),
            (&["20"], post(&url, "{\"amount\":100}"), "20 bytes, and its body has 14"),
            (&["5"], get(&url), "5 bytes, and its body has 0"),
            (&["5", "7"], post(&url, streamed(&["12345"])), "5 bytes and 7 bytes"),
            (&["5, 7"], post(&url, streamed(&["12345"])), "5 bytes and 7 bytes"),
            (&["+5"], post(&url, "12345"), "not a number"),
            (&[""], post(&url, "12345"), "not a number"),
            (&["99999999999999999999999"], post(&url, "12345"), "not a number"),
            (&["4"], post(&url, Body::new(Saying(streamed(&["12345"]), 5))), "has 5"),
        ] {
            let error = failed(&shop, long(lengths, request)).await;
            assert_eq!((error.kind(), error.delivery()), (ErrorKind::Request, Delivery::NotSent));
            assert!(said(&error).contains(says), "{}", said(&error));
        }
        assert_eq!(provider.counts().requests, 0);
    }
}

#[tokio::test]
async fn a_length_that_is_right_is_sent_once() {
    for shop in over_each_client(patient) {
        let provider = well().await;
        let url = provider.url("/");
        for request in [
            long(&["5"], post(&url, "12345")),
            long(&["5", "5"], post(&url, "12345")),
            long(&["5, 5"], post(&url, streamed(&["12", "345"]))),
            long(&["5"], post(&url, streamed(&["12", "", "345", ""]))),
            long(&["5"], post(&url, trailed(&["12345"], Some(HeaderMap::new())))),
            post(&url, Body::new(Saying(streamed(&["12345"]), 5))),
        ] {
            assert_eq!(answered(&shop, request).await.body(), "well");
        }
        for seen in provider.seen() {
            assert_eq!((&seen.body[..], framing(&seen)), (&b"12345"[..], (Some("5"), None)));
        }
        answered(&shop, long(&["0"], get(&url))).await;
        answered(&shop, long(&["0"], post(&url, streamed(&[])))).await;
        assert!(provider.seen()[6..].iter().all(|seen| seen.body.is_empty()));
    }
}

#[tokio::test]
async fn a_stream_that_is_not_as_long_as_was_said_is_an_error_and_never_an_answer() {
    for shop in over_each_client(patient) {
        for (length, parts, says) in [
            ("5", &["12345678"][..], "longer than the 5 bytes"),
            ("5", &["12345", "678"], "longer than the 5 bytes"),
            ("5", &["123", "", "45", "", "6"], "longer than the 5 bytes"),
            ("0", &["1"], "longer than the 0 bytes"),
            ("8", &["12345"], "ended after 5 of 8 bytes"),
            ("8", &[], "ended after 0 of 8 bytes"),
        ] {
            for hinted in [false, true] {
                // A body that says of itself that it is empty isn't looked into.
                if hinted && length == "0" {
                    continue;
                }
                let request = |url: String| match hinted {
                    true => post(url, Body::new(Saying(streamed(parts), length.parse().unwrap()))),
                    false => long(&[length], post(url, streamed(parts))),
                };
                let provider = well().await;
                let error = failed(&shop, request(provider.url("/"))).await;
                let came = (error.kind(), error.delivery());
                assert_eq!(came, (ErrorKind::Request, Delivery::Unknown), "{length} {parts:?}");
                assert!(said(&error).contains(says), "{}", said(&error));
                let seen = provider.seen();
                let whole = |seen: &Seen| {
                    seen.header("content-length") == Some(&*seen.body.len().to_string())
                };
                assert!(!seen.iter().any(whole), "a part was sent as if it were whole: {seen:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_transfer_coding_of_the_callers_needs_no_length() {
    for shop in over_each_client(patient) {
        let provider = well().await;
        for body in ["12345".into(), streamed(&["123", "45"])] {
            let mut request = long(&["3"], post(provider.url("/"), body));
            let chunked = HeaderValue::from_static("chunked");
            request.headers_mut().insert(TRANSFER_ENCODING, chunked);
            answered(&shop, request).await;
        }
        for seen in provider.seen() {
            assert_eq!((&seen.body[..], framing(&seen)), (&b"12345"[..], (None, Some("chunked"))));
        }
    }
}

#[tokio::test]
async fn a_method_that_seldom_has_a_body_is_sent_with_the_one_that_it_has() {
    for shop in over_each_client(patient) {
        let provider = well().await;
        for body in ["query".into(), streamed(&["que", "ry"])] {
            let request = Request::builder().method(Method::GET).uri(provider.url("/"));
            answered(&shop, request.body(body).unwrap()).await;
        }
        let seen = provider.seen();
        assert!(seen.iter().all(|seen| seen.body == b"query"), "{seen:?}");
        assert_eq!(framing(&seen[0]), (Some("5"), None));
        assert_eq!(framing(&seen[1]), (None, Some("chunked")));
    }
}

#[tokio::test]
async fn over_http_1_0_a_body_needs_a_length() {
    let shop = patient().build().unwrap();
    let provider = well().await;
    let old = |body: Body| {
        let mut request = post(provider.url("/"), body);
        *request.version_mut() = Version::HTTP_10;
        request
    };
    let error = failed(&shop, old(streamed(&["12345"]))).await;
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::Request, Delivery::NotSent));
    assert_eq!(provider.counts().requests, 0);
    answered(&shop, long(&["5"], old(streamed(&["12345"])))).await;
    assert_eq!(provider.seen()[0].body, b"12345");
}

#[tokio::test]
async fn over_http2_a_length_is_held_against_the_body_too() {
    let shop = patient().hyper(HyperConfig::http2_prior_knowledge).build().unwrap();
    let provider = Framed::script([Turn::reply(200, "well")]).await;
    let error = failed(&shop, long(&["12"], post(provider.url(), "{\"amount\":100}"))).await;
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::Request, Delivery::NotSent));
    for (length, parts) in [("5", &["12345", "678"][..]), ("8", &["12345"])] {
        let request = long(&[length], post(provider.url(), streamed(parts)));
        let error = failed(&shop, request).await;
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Request, Delivery::Unknown));
    }
    let request = long(&["5"], post(provider.url(), streamed(&["123", "45"])));
    assert_eq!(answered(&shop, request).await.body(), "well");
    assert_eq!(provider.seen().pop().unwrap().body, b"12345");
}

#[tokio::test]
async fn the_last_part_of_a_stream_waits_for_its_end_and_no_longer() {
    let (feed, end) = tokio::sync::oneshot::channel::<()>();
    let parts = stream::once(async { Frame::data(Bytes::from_static(b"12345")) });
    let ends = stream::once(async move {
        let _ = end.await;
        Frame::data(Bytes::new())
    });
    let frames = futures_util::StreamExt::chain(parts, ends);
    let frames = futures_util::StreamExt::map(frames, Ok::<_, Infallible>);
    let body = Body::new(StreamBody::new(Box::pin(frames)));
    let (shop, provider) = (patient().build().unwrap(), well().await);
    let call = tokio::spawn(shop.send(long(&["5"], post(provider.url("/"), body))));
    provider.until(|counts| counts.requests == 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(provider.seen()[0].body.is_empty(), "nobody knows yet whether it is all");
    drop(feed);
    assert_eq!(call.await.unwrap().unwrap().status(), 200);
    assert_eq!(provider.seen()[0].body, b"12345");
}
