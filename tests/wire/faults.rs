//! Each fault, without retry and with it, for calls that are safe to repeat and calls that aren't.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::outcome::{Fault, GaveUp, Phase};
use outrigger::retry::Retries;
use outrigger::{Body, Delivery, ErrorKind, IntegrationBuilder, integration::OwnClient};
use tokio::net::TcpStream;

use crate::calls::{
    ATTEMPT, Blackhole, answered, brief_jobs, broken, chain, deaf, failed, get, impatient, post,
    said, user_flow,
};
use crate::provider::{Act, Provider, Seen, Step};

/// A fault, and what it should come to.
#[derive(Clone)]
struct Faulty {
    step: Step,
    /// How many requests the provider reads of one attempt.
    read: usize,
    /// A broken connection shows in the one way or the other, as the packets happen to come.
    kinds: &'static [ErrorKind],
    delivery: Delivery,
}

impl Faulty {
    /// Calls in every way.
    async fn check(self) {
        self.without_retry().await;
        self.safe().await;
        self.safe_and_in_vain().await;
        self.unsafe_without_key().await;
        self.unsafe_with_key().await;
        self.unsafe_with_a_key_that_does_not_count().await;
    }

    fn expect(&self, error: &outrigger::Error) {
        let (kind, delivery) = said(error);
        assert!(self.kinds.contains(&kind), "{kind:?}");
        // The one thing that doesn't depend on the timing, but for what was taken back unsent.
        let unsent = kind == ErrorKind::Transport(Fault::NotProcessed);
        let expected = if unsent { Delivery::NotSent } else { self.delivery };
        assert_eq!(delivery, expected, "{error:?}");
    }

    async fn once(&self) -> Provider {
        Provider::script([self.step.clone(), Step::reply(200, "well")]).await
    }

    async fn without_retry(&self) {
        let provider = self.once().await;
        let shop = impatient().without_retry().build().unwrap();
        let error = failed(&shop, get(provider.url("/"))).await;
        self.expect(&error);
        assert_eq!(error.attempts(), 1);
        assert_eq!(provider.counts().requests, self.read);
    }

    async fn safe(&self) {
        let provider = self.once().await;
        let shop = impatient().build().unwrap();
        let response = answered(&shop, get(provider.url("/"))).await;
        assert_eq!(response.body(), "well");
        let retries = response.extensions().get::<Retries>().unwrap();
        assert_eq!(retries.attempts, 2);
        assert_eq!(provider.counts().requests, self.read + 1);
        assert_eq!(provider.counts().connections, 2);
    }

    async fn safe_and_in_vain(&self) {
        let provider = Provider::script([self.step.clone()]).await;
        let shop = impatient().build().unwrap();
        let error = failed(&shop, get(provider.url("/"))).await;
        assert!(self.kinds.contains(&error.kind()), "{error:?}");
        assert_eq!((error.attempts(), error.gave_up()), (2, Some(GaveUp::Attempts)));
        assert_eq!(provider.counts().requests, 2 * self.read);
        assert_eq!(provider.counts().connections, 2);
    }

    async fn unsafe_without_key(&self) {
        self.unsafe_to_repeat(impatient()).await;
    }

    /// Sent once, unless it provably was not done. What the provider saw.
    async fn unsafe_to_repeat(&self, builder: IntegrationBuilder<OwnClient>) -> Vec<Seen> {
        let provider = self.once().await;
        let shop = builder.build().unwrap();
        match shop.send(post(provider.url("/"), "an order")).await {
            // Provably not sent, so it was sent again.
            Ok(_) => assert_eq!(provider.counts().requests, self.read + 1),
            Err(error) => {
                self.expect(&error);
                assert_eq!(error.delivery(), Delivery::Unknown);
                assert_eq!((error.attempts(), error.gave_up()), (1, Some(GaveUp::NotSafe)));
                assert_eq!(provider.counts().requests, self.read);
            }
        }
        assert_eq!(shop.bulkhead().in_use(), 0);
        provider.seen()
    }

    async fn unsafe_with_key(&self) {
        let provider = self.once().await;
        let stripe = IdempotencyLayer::new(KeyProfile::stripe());
        let jobs = brief_jobs().idempotency(stripe).build().unwrap();
        let response = answered(&jobs, post(provider.url("/"), "an order")).await;
        assert_eq!(response.status(), StatusCode::OK);
        let seen = provider.seen();
        assert_eq!(seen.len(), self.read + 1);
        let keys: Vec<_> = seen.iter().map(|seen| seen.header("idempotency-key")).collect();
        assert!(keys[0].is_some());
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        assert_eq!(seen[self.read].body, b"an order");
    }

    /// A key was made and sent, and nobody said that the provider honours it.
    async fn unsafe_with_a_key_that_does_not_count(&self) {
        let seen = self.unsafe_to_repeat(brief_jobs()).await;
        assert!(seen.iter().all(|seen| seen.header("idempotency-key").is_some()), "{seen:?}");
    }
}

const RESET: &[ErrorKind] = &[
    ErrorKind::Transport(Fault::Reset),
    ErrorKind::Transport(Fault::Closed),
    ErrorKind::Transport(Fault::NotProcessed),
];
const CLOSED: &[ErrorKind] = &[ErrorKind::Transport(Fault::Closed)];
const PROTOCOL: &[ErrorKind] = &[ErrorKind::Transport(Fault::Protocol)];
const HUNG: &[ErrorKind] = &[ErrorKind::Timeout(Phase::Attempt)];

#[tokio::test]
async fn a_connection_reset_before_the_request_is_read_is_retried_where_that_is_safe() {
    let step = Step::of([Act::Reset]);
    Faulty { step, read: 0, kinds: RESET, delivery: Delivery::Unknown }.check().await;
}

#[tokio::test]
async fn a_connection_reset_amid_the_request_is_retried_where_that_is_safe() {
    let step = Step::of([Act::ReadHead, Act::Reset]);
    Faulty { step, read: 1, kinds: RESET, delivery: Delivery::Unknown }.check().await;
}

#[tokio::test]
async fn a_connection_reset_after_the_request_is_retried_where_that_is_safe() {
    let step = Step::read_then(Act::Reset);
    Faulty { step, read: 1, kinds: RESET, delivery: Delivery::Unknown }.check().await;
}

#[tokio::test]
async fn a_connection_closed_after_the_request_is_retried_where_that_is_safe() {
    let step = Step::read_then(Act::Fin);
    Faulty { step, read: 1, kinds: CLOSED, delivery: Delivery::Unknown }.check().await;
}

#[tokio::test]
async fn half_a_head_and_a_closed_connection_are_retried_where_that_is_safe() {
    let step = Step::write("HTTP/1.1 200 OK\r\ncontent-le").then(Act::Fin);
    Faulty { step, read: 1, kinds: CLOSED, delivery: Delivery::Unknown }.check().await;
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_a_protocol_error() {
    let step = Step::write("SSH-2.0-OpenSSH_9.2\r\n\r\n").then(Act::Fin);
    Faulty { step, read: 1, kinds: PROTOCOL, delivery: Delivery::Unknown }.check().await;
}

#[tokio::test]
async fn a_content_length_that_is_no_number_is_a_protocol_error() {
    let step = Step::write("HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\nx").then(Act::Fin);
    Faulty { step, read: 1, kinds: PROTOCOL, delivery: Delivery::Unknown }.check().await;
}

#[tokio::test]
async fn a_provider_that_accepts_and_hangs_is_given_up_on_in_time() {
    let step = Step::of([Act::Hang]);
    Faulty { step, read: 0, kinds: HUNG, delivery: Delivery::Unknown }.check().await;
}

#[tokio::test]
async fn a_provider_that_reads_and_hangs_is_given_up_on_in_time() {
    let step = Step::read_then(Act::Hang);
    Faulty { step, read: 1, kinds: HUNG, delivery: Delivery::Unknown }.check().await;
}

#[tokio::test]
async fn a_provider_that_hangs_amid_the_head_is_given_up_on_in_time() {
    let step = Step::write("HTTP/1.1 200 OK\r\nserver: ").then(Act::Hang);
    Faulty { step, read: 1, kinds: HUNG, delivery: Delivery::Unknown }.check().await;
}

#[tokio::test]
async fn the_connection_of_a_timed_out_attempt_is_closed_and_not_used_again() {
    let hang = Step::read_then(Act::Hang);
    let provider = Provider::script([hang, Step::reply(200, "well")]).await;
    let shop = impatient().build().unwrap();
    answered(&shop, get(provider.url("/"))).await;
    provider.until(|counts| counts.hung_up == 1).await;
    assert_eq!(provider.seen()[1].connection, 1);
}

/// Whatever never reached the provider is repeated even without a key.
async fn is_never_sent(
    shop: impl Fn() -> IntegrationBuilder<OwnClient>,
    url: &str,
    kind: ErrorKind,
) {
    let once = shop().without_retry().build().unwrap();
    let twice = shop().build().unwrap();
    for request in [get(url), post(url, "an order")] {
        let error = failed(&once, request).await;
        assert_eq!(said(&error), (kind, Delivery::NotSent), "{error:?}");
        assert!(error.is_connect());
        assert_eq!(error.attempts(), 1);
    }
    for request in [get(url), post(url, "an order")] {
        let error = failed(&twice, request).await;
        assert_eq!(said(&error), (kind, Delivery::NotSent), "{error:?}");
        assert_eq!((error.attempts(), error.gave_up()), (2, Some(GaveUp::Attempts)));
    }
}

#[tokio::test]
async fn a_refused_connection_is_not_sent_and_repeated_even_without_a_key() {
    let (_taken, address) = deaf();
    let url = format!("http://{address}/");
    is_never_sent(user_flow, &url, ErrorKind::Transport(Fault::Refused)).await;
}

#[tokio::test]
async fn a_refused_post_gets_through_once_somebody_listens() {
    let (taken, address) = deaf();
    let shop = user_flow().retry(|retry| retry.max_attempts(500)).build().unwrap();
    let call = tokio::spawn({
        let shop = shop.clone();
        async move { shop.send(post(format!("http://{address}/"), "an order")).await }
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    let listener = taken.listen(8).unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let request = read_some(&stream).await;
    assert!(request.starts_with("POST / HTTP/1.1\r\n"), "{request}");
    write_all(&stream, b"HTTP/1.1 204 Fine\r\n\r\n").await;
    let response = call.await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(shop.bulkhead().in_use(), 0);
}

async fn read_some(stream: &TcpStream) -> String {
    let mut bytes = vec![0; 4096];
    loop {
        stream.readable().await.unwrap();
        match stream.try_read(&mut bytes) {
            Ok(read) => return String::from_utf8_lossy(&bytes[..read]).into_owned(),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
    }
}

async fn write_all(stream: &TcpStream, bytes: &[u8]) {
    stream.writable().await.unwrap();
    assert_eq!(stream.try_write(bytes).unwrap(), bytes.len());
}

#[tokio::test]
async fn the_sources_of_a_refused_connection_reach_the_systems_error() {
    let (_taken, address) = deaf();
    let shop = user_flow().build().unwrap();
    let error = failed(&shop, get(format!("http://{address}/"))).await;
    let mut levels = chain(&error).filter_map(|level| level.downcast_ref::<io::Error>());
    assert!(levels.any(|io| io.kind() == io::ErrorKind::ConnectionRefused));
}

/// What hyper's own client says of a request whose connection's task was dropped under it.
async fn dropped_under() -> hyper::Error {
    let (near, far) = tokio::io::duplex(1_024);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(near)).await.unwrap();
    let mut connection = Box::pin(connection);
    let mut call = Box::pin(sender.send_request(http::Request::new(Body::empty())));
    // The request is on its way.
    let sent = std::future::poll_fn(|cx| {
        let _ = call.as_mut().poll(cx);
        let _ = connection.as_mut().poll(cx);
        std::task::Poll::Ready(())
    });
    sent.await;
    drop(connection);
    let error = call.await.unwrap_err();
    drop(far);
    error
}

#[tokio::test]
async fn a_connection_whose_task_is_gone_is_not_the_requests_fault() {
    let error = dropped_under().await;
    assert!(error.to_string().contains("dispatch task is gone"), "{error}");
    let gone = tower::service_fn(|_: http::Request<Body>| async {
        Err::<http::Response<Body>, _>(dropped_under().await)
    });
    let shop = outrigger::Integration::user_flow("shop").service(gone).without_retry();
    let error = failed(&shop.build().unwrap(), post("http://shop.test/", "an order")).await;
    assert_eq!(said(&error), (ErrorKind::Transport(Fault::Closed), Delivery::Unknown));
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_not_sent() {
    // A label is at most 63 characters, so this one fails without a network too.
    let url = format!("http://{}.invalid/", "x".repeat(64));
    is_never_sent(user_flow, &url, ErrorKind::Transport(Fault::Dns)).await;
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_is_not_sent() {
    let hole = Blackhole::new().await;
    let shop = || user_flow().hyper(|client| client.connect_timeout(Duration::from_millis(50)));
    let url = format!("http://{}/", hole.address);
    is_never_sent(shop, &url, ErrorKind::Timeout(Phase::Connect)).await;
}

#[tokio::test]
async fn half_an_answer_is_an_answer_whose_body_broke() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
    for (end, fault) in [(Act::Fin, Fault::Closed), (Act::Reset, Fault::Reset)] {
        for shop in [user_flow().without_retry(), user_flow()] {
            let provider = Provider::script([Step::write(half).then(end.clone())]).await;
            let shop = shop.build().unwrap();
            match shop.send(get(provider.url("/"))).await {
                Ok(response) => {
                    let error = response.into_body().bytes().await.unwrap_err();
                    assert_eq!(error.delivery(), Delivery::Answered);
                    let closed = ErrorKind::Transport(Fault::Closed);
                    assert!([closed, ErrorKind::Transport(fault)].contains(&error.kind()));
                    assert_eq!(provider.counts().requests, 1, "the head had come");
                }
                // A reset may overtake the head that was sent before it.
                Err(error) => assert_eq!(error.kind(), ErrorKind::Transport(Fault::Reset)),
            }
            assert_eq!(shop.bulkhead().in_use(), 0);
        }
    }
}

#[tokio::test]
async fn a_chunked_answer_without_its_last_chunk_is_broken() {
    let half = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    let provider = Provider::script([Step::write(half).then(Act::Fin)]).await;
    let shop = user_flow().build().unwrap();
    let error = broken(&shop, get(provider.url("/"))).await;
    assert_eq!(said(&error), (ErrorKind::Transport(Fault::Closed), Delivery::Answered));
    assert_eq!(provider.counts().requests, 1);
}

#[tokio::test]
async fn a_chunk_of_no_known_size_is_a_protocol_error_of_an_answer() {
    let odd = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhalf\r\n";
    let provider = Provider::script([Step::write(odd).then(Act::Hang)]).await;
    let shop = user_flow().build().unwrap();
    let error = broken(&shop, get(provider.url("/"))).await;
    assert_eq!(error.delivery(), Delivery::Answered);
    assert!(matches!(error.kind(), ErrorKind::Transport(_)), "{error:?}");
    provider.until(|counts| counts.hung_up == 1).await;
}

#[tokio::test]
async fn a_body_that_falls_silent_is_given_up_on_in_time() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
    for shop in [user_flow().without_retry(), user_flow()] {
        let provider = Provider::script([Step::write(head).then(Act::Hang)]).await;
        let shop = shop.idle_timeout(Duration::from_millis(100)).build().unwrap();
        let error = broken(&shop, get(provider.url("/"))).await;
        assert_eq!(said(&error), (ErrorKind::Timeout(Phase::BodyIdle), Delivery::Answered));
        assert_eq!(error.last_status(), Some(StatusCode::OK));
        provider.until(|counts| counts.hung_up == 1).await;
        assert_eq!(provider.counts().requests, 1);
    }
}

#[tokio::test]
async fn a_body_that_drips_without_end_is_cut_at_the_deadline() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let drip = Act::Drip(Bytes::from_static(b"1\r\n.\r\n"), Duration::from_millis(10));
    for shop in [impatient().without_retry(), impatient()] {
        let provider = Provider::script([Step::write(head).then(drip.clone())]).await;
        let shop = shop.deadline(ATTEMPT + ATTEMPT / 2).build().unwrap();
        let error = broken(&shop, get(provider.url("/"))).await;
        assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Call), Delivery::Answered));
        assert_eq!(provider.counts().requests, 1);
    }
}

#[tokio::test]
async fn a_scheme_that_nobody_speaks_is_the_requests_fault_and_not_the_providers() {
    let shop = user_flow().breaker(|breaker| breaker).build().unwrap();
    for _ in 0..10 {
        let error = failed(&shop, get("ftp://files.example/orders")).await;
        assert_eq!(said(&error), (ErrorKind::Request, Delivery::NotSent), "{error:?}");
        assert_eq!(error.attempts(), 0);
    }
    assert_eq!(shop.breaker().state(), outrigger::event::BreakerState::Closed);
}
