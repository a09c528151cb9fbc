//! Compressed answers: what is asked for, what is decoded, and what is left as it came.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_compression::Level;
use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZstdEncoder};
use async_compression::tokio::write;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use outrigger::event::{Event, Interest, Origin, Subscriber};
use outrigger::outcome::{Fault, Phase};
use outrigger::{Body, Delivery, ErrorKind, Integration};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};

use crate::calls::{answered, broken, get, said, user_flow};
use crate::provider::{Act, Provider, Step};

/// Keeps the heads and bodies of the answers.
#[derive(Clone, Default)]
struct Exchanges(Arc<Mutex<Vec<Kept>>>);

type Kept = (HeaderMap, Vec<u8>);

impl Subscriber for Exchanges {
    fn on_event(&self, _: &Event, origin: &Origin<'_>) {
        if let Some(exchange) = origin.exchange() {
            let body = exchange.response_body.bytes.to_vec();
            self.0.lock().unwrap().push((exchange.response_headers.clone(), body));
        }
    }

    fn interest(&self) -> Interest {
        Interest::exchanges(1_000)
    }
}

fn decoding() -> Integration {
    user_flow().decompression().build().unwrap()
}

async fn read(mut from: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut all = Vec::new();
    from.read_to_end(&mut all).await.unwrap();
    all
}

async fn encoded(coding: &str, plain: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" => read(GzipEncoder::new(plain)).await,
        "br" => read(BrotliEncoder::new(plain)).await,
        _ => read(ZstdEncoder::new(plain)).await,
    }
}

/// A head with these fields, for a body of so many bytes.
fn head(status: u16, fields: &[&str], length: usize) -> Vec<u8> {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    format!("HTTP/1.1 {status} Scripted\r\n{fields}content-length: {length}\r\n\r\n").into()
}

fn coded(coding: &str, body: &[u8]) -> Step {
    let field = format!("content-encoding: {coding}");
    Step::write([head(200, &[&field], body.len()), body.to_vec()].concat())
}

const CODINGS: [&str; 3] = ["gzip", "br", "zstd"];
const ORDER: &str = "an order, an order, an order";

#[tokio::test]
async fn a_coded_answer_is_decoded_and_no_longer_called_coded() {
    for (named, coding) in [("gzip", "gzip"), ("X-GZIP", "gzip"), ("br", "br"), ("zstd", "zstd")] {
        let provider = Provider::script([coded(named, &encoded(coding, ORDER.as_bytes()).await)]);
        let (provider, shop) = (provider.await, decoding());
        for _ in 0..2 {
            let response = answered(&shop, get(provider.url("/"))).await;
            assert_eq!(response.body(), ORDER, "{named}");
            assert!(!response.headers().contains_key("content-encoding"), "{named}");
            assert!(!response.headers().contains_key("content-length"), "{named}");
        }
        assert_eq!(provider.seen()[0].header("accept-encoding"), Some("gzip, br, zstd"));
        assert_eq!(provider.counts().connections, 1, "{named}: a connection is used again");
    }
}

#[tokio::test]
async fn codings_are_asked_for_only_where_nobody_else_says_which() {
    let provider = Provider::script([Step::reply(200, "")]).await;
    let with = |name, value| {
        let request = Request::get(provider.url("/")).header(name, value);
        request.body(Body::empty()).unwrap()
    };
    answered(&decoding(), with("accept-encoding", "identity")).await;
    answered(&decoding(), with("range", "bytes=0-9")).await;
    answered(&user_flow().build().unwrap(), get(provider.url("/"))).await;
    let asked: Vec<_> = provider.seen();
    let asked: Vec<_> = asked.iter().map(|seen| seen.header("accept-encoding")).collect();
    assert_eq!(asked, [Some("identity"), None, None]);
}

#[tokio::test]
async fn what_is_not_one_known_coding_of_a_whole_body_passes_as_it_came() {
    let gzip = encoded("gzip", ORDER.as_bytes()).await;
    let twice = encoded("br", &gzip).await;
    let cases: [(u16, &[&str], &[u8]); 6] = [
        (200, &["content-encoding: compress"], &gzip),
        (200, &["content-encoding: identity"], b"plain"),
        (200, &["content-encoding: gzip, br"], &twice),
        (200, &["content-encoding: gzip", "content-encoding: br"], &twice),
        (206, &["content-encoding: gzip"], &gzip[..9]),
        (200, &[], &gzip),
    ];
    for (status, fields, body) in cases {
        let provider =
            Provider::script([Step::write([&head(status, fields, body.len()), body].concat())]);
        let response = decoding().send(get(provider.await.url("/"))).await.unwrap();
        let values = response.headers().get_all("content-encoding").iter().count();
        assert_eq!((response.status().as_u16(), values), (status, fields.len()));
        assert_eq!(response.headers()["content-length"], *body.len().to_string());
        assert_eq!(response.into_body().bytes().await.unwrap(), *body, "{fields:?}");
    }
}

#[tokio::test]
async fn answers_without_a_body_keep_their_heads() {
    for (method, status) in [("HEAD", 200), ("GET", 204), ("GET", 304)] {
        let length = if status == 204 { "x-empty: yes" } else { "content-length: 812" };
        let head =
            format!("HTTP/1.1 {status} Scripted\r\ncontent-encoding: gzip\r\n{length}\r\n\r\n");
        let provider = Provider::script([Step::write(head)]).await;
        let request = Request::builder().method(method).uri(provider.url("/"));
        let response = answered(&decoding(), request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.headers()["content-encoding"], "gzip", "{method} {status}");
        assert_eq!(response.headers().contains_key("content-length"), status != 204);
        assert_eq!(response.body(), "");
    }
}

#[tokio::test]
async fn an_empty_body_is_empty_in_every_coding() {
    for coding in CODINGS {
        let provider = Provider::script([coded(coding, b"")]).await;
        assert_eq!(answered(&decoding(), get(provider.url("/"))).await.body(), "");
    }
}

#[tokio::test]
async fn a_body_that_is_no_valid_coding_fails_and_was_answered() {
    for coding in CODINGS {
        let whole = encoded(coding, ORDER.as_bytes()).await;
        let cut = &whole[..whole.len() - 3];
        let more = [&whole[..], b"and more"].concat();
        // Behind brotli, nothing is looked for.
        let more = if coding == "br" { cut } else { &more };
        for body in [cut, &whole[..1], b"nothing of the kind", more] {
            let provider = Provider::script([coded(coding, body)]).await;
            let error = broken(&decoding(), get(provider.url("/"))).await;
            assert_eq!(
                said(&error),
                (ErrorKind::Transport(Fault::Body), Delivery::Answered),
                "{coding} {body:?}"
            );
            let text = error.to_string();
            assert!(text.ends_with(&format!(": it is no valid {coding}")), "{text}");
        }
    }
}

#[tokio::test]
async fn of_several_members_none_is_left_out_unnoticed() {
    let member = encoded("gzip", ORDER.as_bytes()).await;
    let provider = Provider::script([coded("gzip", &member.repeat(2))]).await;
    let error = broken(&decoding(), get(provider.url("/"))).await;
    assert_eq!(said(&error), (ErrorKind::Transport(Fault::Body), Delivery::Answered));
    let provider =
        Provider::script([coded("zstd", &encoded("zstd", b"twice").await.repeat(2))]).await;
    assert_eq!(answered(&decoding(), get(provider.url("/"))).await.body(), "twicetwice");
}

#[tokio::test]
async fn what_a_provider_flushes_is_read_at_once() {
    let mut encoder = write::GzipEncoder::new(Vec::new());
    encoder.write_all(b"an event").await.unwrap();
    encoder.flush().await.unwrap();
    let flushed = encoder.into_inner();
    let bytes = [&head(200, &["content-encoding: gzip"], 1_000), &flushed[..]].concat();
    let provider = Provider::script([Step::write(bytes).then(Act::Hang)]).await;
    let response = decoding().send(get(provider.url("/"))).await.unwrap();
    let frame = response.into_body().frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "an event");
}

#[tokio::test]
async fn a_connection_that_breaks_is_not_taken_for_a_bad_coding() {
    for coding in CODINGS {
        let whole = encoded(coding, ORDER.as_bytes()).await;
        let half = &whole[..whole.len() / 2];
        let field = format!("content-encoding: {coding}");
        let bytes = [&head(200, &[&field], whole.len()), half].concat();
        let provider = Provider::script([Step::write(bytes).then(Act::Fin)]).await;
        let error = broken(&decoding(), get(provider.url("/"))).await;
        assert_eq!(said(&error), (ErrorKind::Transport(Fault::Closed), Delivery::Answered));
    }
}

#[tokio::test]
async fn a_body_that_falls_silent_meets_the_limit_on_silence() {
    let whole = encoded("gzip", ORDER.as_bytes()).await;
    let bytes = [&head(200, &["content-encoding: gzip"], whole.len()), &whole[..12]].concat();
    let provider = Provider::script([Step::write(bytes).then(Act::Hang)]).await;
    let shop = user_flow().decompression().idle_timeout(Duration::from_millis(80)).build().unwrap();
    let error = broken(&shop, get(provider.url("/"))).await;
    assert_eq!(said(&error), (ErrorKind::Timeout(Phase::BodyIdle), Delivery::Answered));
    provider.until(|counts| counts.hung_up == 1).await;
}

#[tokio::test]
async fn records_hold_what_was_decoded() {
    let provider = Provider::script([coded("br", &encoded("br", ORDER.as_bytes()).await)]).await;
    let exchanges = Exchanges::default();
    let shop = user_flow().decompression().subscriber(exchanges.clone()).build().unwrap();
    answered(&shop, get(provider.url("/"))).await;
    let (head, body) = exchanges.0.lock().unwrap()[0].clone();
    assert_eq!(body, ORDER.as_bytes());
    assert!(!head.contains_key("content-encoding"));
}

/// A gigabyte of zeros, of which the end is missing; in brotli, which has no such short cuts, less.
async fn bomb(coding: &str) -> Vec<u8> {
    let mebibyte = vec![0; 1024 * 1024];
    match coding {
        "gzip" => {
            // What a mebibyte adds to others before it, again and again.
            let mut encoder = write::GzipEncoder::new(Vec::new());
            let mut first = 0;
            for _ in 0..2 {
                first = encoder.get_ref().len();
                encoder.write_all(&mebibyte).await.unwrap();
                encoder.flush().await.unwrap();
            }
            let both = encoder.into_inner();
            [&both[..], &both[first..].repeat(1022)].concat()
        }
        "br" => {
            let zeros = BufReader::new(tokio::io::repeat(0).take(64 * 1024 * 1024));
            read(BrotliEncoder::with_quality(zeros, Level::Fastest)).await
        }
        _ => encoded(coding, &mebibyte).await.repeat(1024),
    }
}

fn in_a_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn a_bomb_goes_off_within_the_bounds() {
    for coding in CODINGS {
        let bomb = in_a_runtime(bomb(coding));
        assert!(bomb.len() < 4 * 1024 * 1024);
        let used = allocation_counter::measure(|| {
            in_a_runtime(async {
                let provider = Provider::script([coded(coding, &bomb)]).await;
                let error = broken(&decoding(), get(provider.url("/"))).await;
                assert_eq!(said(&error), (ErrorKind::TooLarge, Delivery::Answered), "{coding}");
                let response = decoding().send(get(provider.url("/"))).await.unwrap();
                let error = response.into_body().text().await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TooLarge);
            });
        });
        // Twice what is allowed, while a vector grows, and the bomb itself.
        assert!(used.bytes_max < 64 * 1024 * 1024, "{coding}: {used:?}");
    }
}

#[tokio::test]
async fn a_stream_of_a_bomb_is_decoded_no_faster_than_it_is_read() {
    let provider = Provider::script([coded("gzip", &bomb("gzip").await)]).await;
    let response = decoding().send(get(provider.url("/"))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    for _ in 0..100 {
        let frame = body.frame().await.unwrap().unwrap();
        assert!(frame.data_ref().is_some_and(|data| data.len() <= 64 * 1024));
    }
    drop(body);
    provider.until(|counts| counts.connections == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coding_of_nothing_without_end_meets_the_limit_on_silence() {
    // Frames that are empty, and that are to be skipped (RFC 8878, 3.1.2).
    let nothing = encoded("zstd", b"").await.repeat(20_000);
    let head = "HTTP/1.1 200 OK\r\ncontent-encoding: zstd\r\ncontent-length: 1000000000000\r\n\r\n";
    let endless = Act::Drip(nothing.into(), Duration::ZERO);
    let provider = Provider::script([Step::write(head).then(endless)]).await;
    let shop =
        user_flow().decompression().idle_timeout(Duration::from_millis(200)).build().unwrap();
    let error = broken(&shop, get(provider.url("/"))).await;
    assert_eq!(said(&error), (ErrorKind::Timeout(Phase::BodyIdle), Delivery::Answered));
}
