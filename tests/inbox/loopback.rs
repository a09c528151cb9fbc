//! Mounted in axum, over real sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use outrigger::Body;
use outrigger::inbox::{GitHub, Inbox, InboxErrorKind, Slack, Stripe};
use outrigger::outbox::State;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::bench::{Bench, NOW};
use crate::sign::{self, Signed};

const SECRET: &str = "a secret of the tests";

/// The address of a server that ends with the test's runtime.
async fn serve(inbox: &Inbox) -> String {
    let app = Router::new().route_service("/webhooks", inbox.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Sends a request as it is written; the answer's status and body.
async fn send_text(address: &str, request: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    (status, body)
}

fn text(signed: &Signed) -> Vec<u8> {
    let mut text = "POST /webhooks HTTP/1.1\r\nhost: test\r\nconnection: close\r\n".to_owned();
    for (name, value) in &signed.headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("content-length: {}\r\n\r\n{}", signed.body.len(), signed.body);
    text.into_bytes()
}

#[tokio::test]
async fn a_webhook_is_answered_recorded_and_handled_once() {
    let mut bench = Bench::new();
    bench.work();
    let inbox = bench.inbox(Stripe::new([SECRET]).unwrap());
    let address = serve(&inbox).await;
    let signed = sign::stripe(&[SECRET], NOW, r#"{"id":"evt_1"}"#);
    for _ in 0..3 {
        assert_eq!(send_text(&address, &text(&signed)).await, (200, String::new()));
    }
    assert_eq!(bench.rows().await.len(), 1);
    bench.until("it is handled", |rows| rows[0].progress.state == State::Delivered).await;
    assert_eq!(bench.handler.attempts(), [1]);
    assert_eq!((inbox.counts().recorded, inbox.counts().duplicates), (1, 2));
}

#[tokio::test]
async fn a_refusal_says_which_check_failed_and_shows_nothing_that_was_sent() {
    let bench = Bench::new();
    let inbox = bench.inbox(Stripe::new([SECRET]).unwrap());
    let address = serve(&inbox).await;
    let right = sign::stripe(&[SECRET], NOW, r#"{"id":"evt_1"}"#);
    for (signed, word) in [
        (right.clone().body("{}"), "signature"),
        (right.clone().without("stripe-signature"), "stripe-signature"),
        (right.clone().with("stripe-signature", "hush"), "not written"),
        (sign::stripe(&[SECRET], NOW - 301, "{}"), "too long ago"),
        (sign::stripe(&[SECRET], NOW + 301, "{}"), "future"),
    ] {
        let (status, body) = send_text(&address, &text(&signed)).await;
        assert_eq!(status, 401, "{body}");
        assert!(body.contains(word) && !body.contains("hush"), "{body}");
    }
    let get = b"GET /webhooks HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    assert_eq!(send_text(&address, get).await.0, 405);
    assert_eq!(bench.rows().await.len(), 0);
}

#[tokio::test]
async fn slacks_question_is_answered_with_its_challenge() {
    let bench = Bench::new();
    let address = serve(&bench.inbox(Slack::new([SECRET]).unwrap())).await;
    let question = r#"{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV"}"#;
    let answer = send_text(&address, &text(&sign::slack(SECRET, NOW, question))).await;
    assert_eq!(answer, (200, "3eZbrw1aBm2rZgRNFdxV".to_owned()));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_whether_its_length_is_announced_or_not() {
    let bench = Bench::new();
    let scheme = GitHub::new([SECRET]).unwrap();
    let inbox = bench.builder(scheme).max_body(1_000).build().unwrap();
    let address = serve(&inbox).await;
    let fits = sign::github(SECRET, "1", &"x".repeat(1_000));
    assert_eq!(send_text(&address, &text(&fits)).await.0, 200);
    let announced = sign::github(SECRET, "1", &"x".repeat(1_001));
    assert_eq!(send_text(&address, &text(&announced)).await.0, 413);
    let mut stream = announced.request().map(|body| {
        let parts = body.into_bytes().chunks(100).map(Bytes::copy_from_slice).collect::<Vec<_>>();
        Body::from_stream(futures_util::stream::iter(
            parts.into_iter().map(Ok::<_, std::io::Error>),
        ))
    });
    stream.headers_mut().remove("content-length");
    let answer = inbox.clone().oneshot(stream).await.unwrap();
    assert_eq!(answer.status(), 413);
    assert_eq!(bench.rows().await.len(), 1);
    assert_eq!(inbox.counts().refused[&InboxErrorKind::TooLarge], 2);
}

#[tokio::test]
async fn of_a_body_that_is_too_large_no_more_is_read_than_is_allowed() {
    let bench = Bench::new();
    let inbox = bench.builder(GitHub::new([SECRET]).unwrap()).max_body(1_000).build().unwrap();
    let read = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&read);
    let parts = (0..10_000).map(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 100]))
    });
    let request = sign::github(SECRET, "1", "{}").request();
    let request = request.map(|_| Body::from_stream(futures_util::stream::iter(parts)));
    assert_eq!(inbox.oneshot(request).await.unwrap().status(), 413);
    assert_eq!(read.load(Ordering::SeqCst), 11);
}

#[tokio::test]
async fn a_body_in_parts_is_verified_as_one() {
    let bench = Bench::new();
    let inbox = bench.inbox(GitHub::new([SECRET]).unwrap());
    let signed = sign::github(SECRET, "1", &"0123456789".repeat(50));
    let parts = signed.body.clone().into_bytes();
    let request = signed.request().map(|_| {
        let parts: Vec<_> = parts.chunks(7).map(Bytes::copy_from_slice).collect();
        Body::from_stream(futures_util::stream::iter(
            parts.into_iter().map(Ok::<_, std::io::Error>),
        ))
    });
    assert_eq!(inbox.oneshot(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_no_row() {
    let bench = Bench::new();
    let inbox = bench.inbox(GitHub::new([SECRET]).unwrap());
    let parts = [Ok(Bytes::from("{")), Err(std::io::Error::other("hush"))];
    let request = sign::github(SECRET, "1", "{}").request();
    let request = request.map(|_| Body::from_stream(futures_util::stream::iter(parts)));
    let answer = inbox.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 400);
    let text = answer.into_body().text().await.unwrap();
    assert!(!text.contains("hush"), "{text}");
    assert_eq!(bench.rows().await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_ends_at_its_limit() {
    let bench = Bench::new();
    let inbox = bench.inbox(GitHub::new([SECRET]).unwrap());
    let request = sign::github(SECRET, "1", "{}").request();
    let never = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
    let start = tokio::time::Instant::now();
    let answer = inbox.oneshot(request.map(|_| Body::from_stream(never))).await.unwrap();
    assert_eq!(answer.status(), 408);
    assert!(start.elapsed() < Duration::from_secs(10), "GitHub waits no longer");
}

#[tokio::test]
async fn any_type_of_body_can_be_mounted() {
    let bench = Bench::new();
    let inbox = bench.inbox(GitHub::new([SECRET]).unwrap());
    let signed = sign::github(SECRET, "1", "{}");
    let full =
        signed.request().map(|body| Full::new(std::collections::VecDeque::from(body.into_bytes())));
    assert_eq!(inbox.clone().oneshot(full).await.unwrap().status(), 200);
    let boxed = signed.request().map(|body| Full::new(Bytes::from(body)).boxed_unsync());
    assert_eq!(inbox.oneshot(boxed).await.unwrap().status(), 200);
}
