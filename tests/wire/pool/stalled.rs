//! Uploads that stand still because the host reads no more of them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use outrigger::event::CloseCause;
use outrigger::outcome::Phase;
use outrigger::{Body, ErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::left_behind::{tasks, tasks_are};
use super::shop::{Http1, Http2, Shop};
use crate::calls::{ATTEMPT, answered, get, post, user_flow};
use crate::frames::{Do, Framed, Turn};

/// More than the sockets' buffers hold.
const HUGE: usize = 24 << 20;

fn in_one() -> Body {
    vec![b'x'; HUGE].into()
}

fn in_parts() -> Body {
    let part = || Ok::<_, std::io::Error>(Frame::data(Bytes::from(vec![b'x'; 1 << 16])));
    Body::new(StreamBody::new(stream::iter((0..HUGE >> 16).map(move |_| part()))))
}

const BODIES: [fn() -> Body; 2] = [in_one, in_parts];

/// Takes a connection, reads a request's head, and nothing more.
async fn head_of(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    stream
}

/// What was under way comes in, and then the end.
async fn is_closed(mut stream: TcpStream) {
    let rest = async {
        let mut room = vec![0; 1 << 16];
        while let Ok(1..) = stream.read(&mut room).await {}
    };
    tokio::time::timeout(Duration::from_secs(10), rest).await.expect("it is still open");
}

async fn answers(listener: &TcpListener) {
    let mut stream = head_of(listener).await;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell").await.unwrap();
    // It stays open until the peer closes it.
    tokio::spawn(is_closed(stream));
}

async fn here() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    (listener, url)
}

fn single() -> Shop {
    let builder = user_flow().without_retry().without_bulkhead();
    Shop::of(builder.timeout(|timeout| timeout.attempt(ATTEMPT)), Http1, |client| {
        client.max_connections_per_host(1).connect_timeout(ATTEMPT)
    })
}

/// The one place is there for the next, and in the end nothing is left.
async fn leaves_nothing(shop: Shop, listener: &TcpListener, url: &str, stalled: TcpStream) {
    shop.until(|now| now.in_use == 0).await;
    let (next, ()) = tokio::join!(answered(&shop, get(url)), answers(listener));
    assert_eq!(next.body(), "well");
    is_closed(stalled).await;
    assert_eq!(shop.closed(), [(CloseCause::Cut, 1)]);
    shop.rests().await;
    drop(shop);
    tasks_are(0).await;
}

#[tokio::test]
async fn a_stalled_upload_whose_caller_left_gives_its_connection_back_at_once() {
    for body in BODIES {
        let ((listener, url), shop) = (here().await, single());
        let call = shop.spawn(post(&url, body()));
        let stalled = head_of(&listener).await;
        assert_eq!(shop.figures().in_use, 1);
        call.abort();
        leaves_nothing(shop, &listener, &url, stalled).await;
    }
}

/// At once, and not after the second that an upload may stand still after its answer.
#[tokio::test]
async fn ten_stalled_uploads_whose_callers_left_take_less_than_ten_seconds() {
    let ((listener, url), shop) = (here().await, single());
    let began = Instant::now();
    let mut stalled = Vec::new();
    for n in 1..=10 {
        let call = shop.spawn(post(&url, in_one()));
        stalled.push(head_of(&listener).await);
        call.abort();
        shop.until(|now| now.in_use == 0 && now.closed.cut == n).await;
    }
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_stalled_upload_that_a_limit_cut_gives_its_connection_back_at_once() {
    for body in BODIES {
        let ((listener, url), shop) = (here().await, single());
        let call = shop.spawn(post(&url, body()));
        let stalled = head_of(&listener).await;
        let error = call.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Attempt));
        leaves_nothing(shop, &listener, &url, stalled).await;
    }
}

#[tokio::test]
async fn an_upload_that_stands_still_after_its_answer_gives_its_connection_back() {
    for body in BODIES {
        for is_read in [true, false] {
            let ((listener, url), shop) = (here().await, single());
            let call = shop.send(post(&url, body()));
            let call = tokio::spawn(call);
            let mut stalled = head_of(&listener).await;
            let early = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell";
            stalled.write_all(early).await.unwrap();
            let response = call.await.unwrap().unwrap();
            match is_read {
                true => assert_eq!(response.into_body().text().await.unwrap(), "well"),
                false => drop(response),
            }
            leaves_nothing(shop, &listener, &url, stalled).await;
        }
    }
}

#[tokio::test]
async fn an_upload_that_goes_on_after_its_answer_comes_to_its_end() {
    for body in BODIES {
        let ((listener, url), shop) = (here().await, single());
        let call = shop.spawn(post(&url, body()));
        let mut stream = head_of(&listener).await;
        let early = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell";
        stream.write_all(early).await.unwrap();
        assert_eq!(call.await.unwrap().unwrap(), "well");
        let (mut read, mut room) = (0, vec![0; 1 << 20]);
        // With the frames of the chunks, it is a little more.
        while read < HUGE {
            read += stream.read(&mut room).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let figures = shop.rests().await;
        assert_eq!((figures.opened, figures.open), (1, 1), "{:?}", shop.closed());
    }
}

#[tokio::test]
async fn a_stalled_upload_over_http2_is_reset_and_its_task_ends() {
    let before = tasks();
    for body in BODIES {
        for is_left in [true, false] {
            // It lets go of no more than the first 64 KiB.
            let provider = Framed::script([Turn::of([])]).await;
            let builder = user_flow().without_retry().without_bulkhead();
            let builder = builder.timeout(|timeout| timeout.attempt(ATTEMPT));
            let shop = Shop::of(builder, Http2, |client| client.connect_timeout(ATTEMPT));
            let call = shop.spawn(post(provider.url(), body()));
            provider.until(|tally| tally.requests == 1).await;
            if is_left {
                call.abort();
            }
            assert!(call.await.is_err() == is_left);
            provider.until(|tally| tally.given_up == 1).await;
            shop.rests().await;
            drop(shop);
            // The provider's own is left.
            tasks_are(before + 1).await;
            drop(provider);
            tasks_are(before).await;
        }
    }
}

#[tokio::test]
async fn an_upload_over_http2_that_stands_still_after_its_answer_leaves_nothing() {
    let before = tasks();
    for body in BODIES {
        for is_read in [true, false] {
            let early = Turn::of([Do::Head(200), Do::Body("well")]).early();
            let provider = Framed::script([early]).await;
            let shop = Shop::new(Http2, |client| client);
            let response = shop.send(post(provider.url(), body())).await.unwrap();
            match is_read {
                true => assert_eq!(response.into_body().text().await.unwrap(), "well"),
                false => drop(response),
            }
            provider.until(|tally| tally.given_up == 1).await;
            shop.rests().await;
            drop(shop);
            tasks_are(before + 1).await;
            drop(provider);
            tasks_are(before).await;
        }
    }
}

/// A caller's change of mind tells as little of the host as a limit does.
#[tokio::test]
async fn after_an_upload_that_was_given_up_the_next_request_has_another_connection() {
    let turn = Turn::of([Do::Sit]).early();
    let provider = Framed::script([turn, Turn::reply(200, "well")]).await;
    let shop = Shop::of(user_flow().without_retry(), Http2, |client| client);
    let upload = shop.spawn(post(provider.url(), in_one()));
    provider.until(|tally| tally.requests == 1).await;
    upload.abort();
    assert!(upload.await.unwrap_err().is_cancelled());
    assert_eq!(answered(&shop, post(provider.url(), "an order")).await.body(), "well");
    assert_eq!(provider.tally().connections, 2);
    shop.rests().await;
}
