//! What is refused before a body is read, and how much may be under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use outrigger::Body;
use outrigger::inbox::{GitHub, Inbox, InboxErrorKind, Scheme, Shopify, Slack, Stripe};
use outrigger::outbox::{MemoryStore, Outbox};
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::away::Away;
use crate::bench::{Bench, NOW, clock, trusting};
use crate::sign::{self, Signed};

const SECRET: &str = "a secret of the tests";

/// A request whose body tells whether anybody has asked for it.
fn watched(signed: &Signed) -> (Request<Body>, Arc<AtomicBool>) {
    let is_read = Arc::new(AtomicBool::new(false));
    let (reads, body) = (Arc::clone(&is_read), Bytes::from(signed.body.clone()));
    let body = Body::from_stream(futures_util::stream::once(async move {
        reads.store(true, Ordering::SeqCst);
        Ok::<_, std::io::Error>(body)
    }));
    (signed.request().map(|_| body), is_read)
}

async fn answered(inbox: &Inbox, request: Request<Body>) -> Response<Body> {
    inbox.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn what_the_head_alone_refuses_is_refused_before_the_body_is_read() {
    let bench = Bench::new();
    let (github, stripe) = (sign::github(SECRET, "1", "{}"), sign::stripe(&[SECRET], NOW, "{}"));
    let (slack, shopify) =
        (sign::slack(SECRET, NOW, "{}"), sign::shopify(SECRET, "orders/paid", "e", "{}"));
    let standard = sign::standard(&[&[7; 24]], "msg_1", NOW, "{}");
    let schemes: [(Inbox, Vec<Signed>); 5] = [
        (
            bench.inbox(GitHub::new([SECRET]).unwrap()),
            vec![
                github.clone().without("x-hub-signature-256"),
                github.clone().with("x-hub-signature-256", "sha256=00"),
                github.clone().with("content-length", "99999999999"),
            ],
        ),
        (
            bench.inbox(Stripe::new([SECRET]).unwrap()),
            vec![
                stripe.clone().without("stripe-signature"),
                sign::stripe(&[SECRET], NOW - 301, "{}"),
                sign::stripe(&[SECRET], NOW + 301, "{}"),
            ],
        ),
        (
            bench.inbox(Slack::new([SECRET]).unwrap()),
            vec![
                slack.clone().with("x-slack-signature", "v0=zz"),
                sign::slack(SECRET, NOW - 301, "{}"),
            ],
        ),
        (
            bench.inbox(Shopify::new([SECRET]).unwrap()),
            vec![shopify.clone().with("x-shopify-hmac-sha256", "short")],
        ),
        (
            bench.inbox(crate::bench::standard()),
            vec![
                standard.clone().without("webhook-id"),
                standard.clone().with("webhook-signature", "v2,abc"),
                sign::standard(&[&[7; 24]], "msg_1", NOW - 301, "{}"),
            ],
        ),
    ];
    for (inbox, refused) in &schemes {
        for signed in refused {
            let (request, is_read) = watched(signed);
            let answer = answered(inbox, request).await;
            assert!(answer.status().is_client_error(), "{:?}", signed.headers);
            assert!(!is_read.load(Ordering::SeqCst), "{:?}", signed.headers);
        }
        assert_eq!(inbox.counts().refused.values().sum::<u64>(), refused.len() as u64);
    }
    for ((inbox, _), signed) in schemes.iter().zip([github, stripe, slack, shopify, standard]) {
        let (request, is_read) = watched(&signed);
        assert_eq!(answered(inbox, request).await.status(), 200);
        assert!(is_read.load(Ordering::SeqCst));
    }
}

#[tokio::test]
async fn a_precheck_of_the_hosts_that_panics_asks_for_another_delivery() {
    struct Panics;
    impl Scheme for Panics {
        fn verify(
            &self,
            _: &http::request::Parts,
            _: &Bytes,
            _: outrigger::outbox::Timestamp,
        ) -> Result<outrigger::inbox::Verified, outrigger::inbox::InboxError> {
            unreachable!("the precheck comes first")
        }

        fn precheck(
            &self,
            _: &http::request::Parts,
            _: outrigger::outbox::Timestamp,
        ) -> Result<(), outrigger::inbox::InboxError> {
            panic!("as the test wants it")
        }
    }
    let inbox = Bench::new().inbox(Panics);
    let request = Request::post("/").body(Body::from("{}")).unwrap();
    assert_eq!(answered(&inbox, request).await.status(), 500);
    assert_eq!(inbox.counts().refused[&InboxErrorKind::Panicked], 1);
}

/// A request whose body comes as the test sends it.
fn slow(head: &Signed) -> (Request<Body>, mpsc::UnboundedSender<Bytes>) {
    let (send, mut parts) = mpsc::unbounded_channel();
    let parts = futures_util::stream::poll_fn(move |cx| {
        parts.poll_recv(cx).map(|part: Option<Bytes>| part.map(Ok::<_, std::io::Error>))
    });
    (head.request().map(|_| Body::from_stream(parts)), send)
}

fn is_busy(answer: &Response<Body>) -> bool {
    let wait = answer.headers().get("retry-after");
    answer.status() == 503 && wait == Some(&HeaderValue::from_static("4"))
}

#[tokio::test(start_paused = true)]
async fn one_request_more_than_are_allowed_is_asked_to_come_again_and_its_body_is_not_read() {
    let bench = Bench::new();
    let inbox = bench.builder(trusting()).max_under_way(2).build().unwrap();
    let head = sign::new(&[], "evt");
    let mut under_way = Vec::new();
    for _ in 0..2 {
        let (request, send) = slow(&head);
        let inbox = inbox.clone();
        under_way.push((tokio::spawn(async move { answered(&inbox, request).await }), send));
    }
    tokio::task::yield_now().await;
    let (request, is_read) = watched(&head);
    assert!(is_busy(&answered(&inbox, request).await));
    assert!(!is_read.load(Ordering::SeqCst));
    let (head_only, body) = head.request().into_parts();
    let refused = inbox.receive(&head_only, body.into()).await.unwrap_err();
    assert_eq!(refused.kind(), InboxErrorKind::Busy);
    assert_eq!(inbox.counts().refused[&InboxErrorKind::Busy], 2);

    // One that ends, and one whose caller has left, give their places back.
    let (ends, send) = under_way.remove(0);
    drop(send);
    assert_eq!(ends.await.unwrap().status(), 200);
    let (leaves, _send) = under_way.remove(0);
    leaves.abort();
    assert!(leaves.await.is_err());
    for _ in 0..2 {
        let (request, _) = watched(&head);
        assert_eq!(answered(&inbox, request).await.status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_together_take_no_more_memory_than_is_allowed_whatever_length_they_announce() {
    let bench = Bench::new();
    let inbox = bench.builder(trusting()).max_body(100).max_bytes_under_way(150).build().unwrap();
    // It announces much and sends nothing: it holds nothing.
    let (idle, _send) = slow(&sign::new(&[("content-length", "100")], ""));
    let waits = inbox.clone();
    let idle = tokio::spawn(async move { answered(&waits, idle).await });
    let (first, send) = slow(&sign::new(&[], ""));
    let reads = inbox.clone();
    let first = tokio::spawn(async move { answered(&reads, first).await });
    send.send(Bytes::from(vec![b'a'; 90])).unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;

    let second = sign::new(&[("content-length", "61")], &"b".repeat(61));
    let (request, _) = watched(&second);
    assert!(is_busy(&answered(&inbox, request).await), "90 + 61 bytes are too many");
    let (request, _) = watched(&sign::new(&[("content-length", "60")], &"b".repeat(60)));
    assert_eq!(answered(&inbox, request).await.status(), 200);
    drop(send);
    assert_eq!(first.await.unwrap().status(), 200);
    let (request, _) = watched(&second);
    assert_eq!(answered(&inbox, request).await.status(), 200);
    idle.abort();
}

#[tokio::test(start_paused = true)]
async fn slow_bodies_leave_half_of_the_bytes_to_those_that_come_at_once() {
    let bench = Bench::new();
    let inbox = bench.builder(trusting()).max_body(100).max_bytes_under_way(200).build().unwrap();
    let mut under_way = Vec::new();
    for nth in 0..3 {
        let (request, send) = slow(&sign::new(&[], ""));
        let reads = inbox.clone();
        let reading = tokio::spawn(async move { answered(&reads, request).await });
        send.send(Bytes::from(vec![b'a'; 40])).unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(reading.is_finished(), nth == 2, "80 bytes fit into the half, 120 don't");
        under_way.push((reading, send));
    }
    let (refused, _send) = under_way.pop().unwrap();
    assert!(is_busy(&refused.await.unwrap()));
    let (request, _) = watched(&sign::new(&[("content-length", "100")], &"b".repeat(100)));
    assert_eq!(answered(&inbox, request).await.status(), 200);
    for (reading, send) in under_way {
        drop(send);
        assert_eq!(reading.await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_as_that_however_busy_it_is() {
    let bench = Bench::new();
    let inbox = bench.builder(trusting()).max_body(100).max_bytes_under_way(100).build().unwrap();
    let (head, _) = sign::new(&[], "").request().into_parts();
    let refused = inbox.receive(&head, vec![b'a'; 101].into()).await.unwrap_err();
    assert_eq!(refused.kind(), InboxErrorKind::TooLarge);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_hangs_no_more_than_are_allowed_wait_for_it() {
    let store = Away::new(MemoryStore::new());
    let outbox = Outbox::with_store(store.clone()).build().unwrap();
    let inbox = Inbox::builder("acme", trusting(), &outbox).clock(clock()).max_under_way(8);
    let inbox = inbox.build().unwrap();
    store.hang();
    let requests: Vec<_> = (0..20)
        .map(|nth| {
            let (inbox, (request, _)) = (inbox.clone(), watched(&sign::new(&[], &nth.to_string())));
            tokio::spawn(async move { answered(&inbox, request).await })
        })
        .collect();
    for request in requests {
        assert!(is_busy(&request.await.unwrap()));
    }
    let refused = inbox.counts().refused;
    assert_eq!((refused[&InboxErrorKind::Store], refused[&InboxErrorKind::Busy]), (8, 12));
    store.come_back();
    let (request, _) = watched(&sign::new(&[], "evt"));
    assert_eq!(answered(&inbox, request).await.status(), 200);
}

#[test]
fn limits_that_cannot_work_are_named() {
    let bench = Bench::new();
    let inbox = bench.builder(trusting()).max_under_way(0).max_body(100).max_bytes_under_way(99);
    let error = inbox.build().unwrap_err().to_string();
    for part in ["inbox.max_under_way", "inbox.max_bytes_under_way: 99 is less", "100"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn an_outbox_that_forgets_events_before_the_provider_stops_repeating_them_is_refused() {
    let error = of(Stripe::new([SECRET]).unwrap(), 71).unwrap_err().to_string();
    for part in ["inbox.retention", "2days 23h", "3days"] {
        assert!(error.contains(part), "{error}");
    }
    of(Stripe::new([SECRET]).unwrap(), 72).unwrap();
    of(trusting(), 75).unwrap_err();
    of(trusting(), 76).unwrap();
    of(Slack::new([SECRET]).unwrap(), 1).unwrap();
}

/// An inbox at an outbox that keeps events for so many hours.
fn of(scheme: impl Scheme, hours: u64) -> Result<Inbox, outrigger::ConfigError> {
    let outbox = Outbox::memory().retention(Duration::from_secs(3_600 * hours)).build().unwrap();
    Inbox::builder("acme", scheme, &outbox).build()
}
