//! A `reqwest::Client` as the transport: requests and responses stay reqwest's.

use std::io;
use std::time::Duration;

use ::reqwest::{Client, Request, Url};
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use outrigger::backoff::Backoff;
use outrigger::context::{Report, Scope};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::outcome::{Fault, GaveUp, Phase};
use outrigger::retry::{Retries, RetryBudget, RetryOverride};
use outrigger::testing::{Answer, Script};
use outrigger::transport::reqwest::ReqwestTransport;
use outrigger::{Delivery, Error, ErrorKind, Integration};

use crate::calls::{chain, deaf, said};
use crate::provider::{Act, Provider, Step, answer};

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

fn through(client: impl Into<ReqwestTransport>, attempts: u32) -> Integration {
    let retry = |retry: outrigger::retry::RetryLayer| {
        retry
            .max_attempts(attempts)
            .backoff(Backoff::fixed(Duration::from_millis(10)))
            .budget(RetryBudget::unlimited())
    };
    let stripe = IdempotencyLayer::new(KeyProfile::stripe());
    let shop = Integration::background("shop").reqwest(client).idempotency(stripe).retry(retry);
    shop.build().unwrap()
}

async fn refused_by(shop: &Integration, request: Request) -> Error {
    let error = shop.execute(request).await.unwrap_err();
    assert_eq!(shop.bulkhead().in_use(), 0);
    error
}

#[tokio::test]
async fn json_goes_out_and_comes_back_as_json() {
    let reply = answer(200, r#"{"id":7}"#)
        .replace("\r\n\r\n", "\r\ncontent-type: application/json\r\n\r\n");
    let provider = Provider::script([Step::write(reply)]).await;
    let (client, shop) = (client(), through(client(), 2));
    let order = serde_json::json!({ "amount": 1000 });
    let request = client.post(provider.url("/orders")).json(&order).build().unwrap();
    let response = shop.execute(request).await.unwrap();
    assert_eq!(response.url().as_str(), provider.url("/orders"));
    let back: serde_json::Value = response.json().await.unwrap();
    assert_eq!(back["id"], 7);
    let seen = &provider.seen()[0];
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("content-length"), Some("15"));
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&seen.body).unwrap(), order);
    assert_eq!(shop.bulkhead().in_use(), 0);
}

#[tokio::test]
async fn a_body_is_sent_again_in_full_under_the_same_key() {
    let faults = [Step::reply(503, "busy"), Step::read_then(Act::Reset)];
    for streamed in [false, true] {
        let script = faults.clone().into_iter().chain([Step::reply(200, "well")]);
        let provider = Provider::script(script).await;
        let (client, shop) = (client(), through(client(), 3));
        let parts = ["an ", "order"].map(|part| Ok::<_, io::Error>(Bytes::from(part)));
        let body = match streamed {
            true => ::reqwest::Body::wrap_stream(stream::iter(parts)),
            false => "an order".into(),
        };
        let request = client.post(provider.url("/")).body(body).build().unwrap();
        let response = shop.execute(request).await.unwrap();
        let retries =
            *response.extensions().get::<Retries>().expect("reqwest's answers say so too");
        assert_eq!((retries.attempts, retries.earlier), (3, Delivery::Unknown));
        assert_eq!(response.text().await.unwrap(), "well");
        let seen = provider.seen();
        assert_eq!(seen.len(), 3);
        let key = seen[0].header("idempotency-key").unwrap();
        for seen in &seen {
            assert_eq!(seen.body, b"an order");
            assert_eq!(seen.header("idempotency-key"), Some(key));
            let chunked = seen.headers.contains_key("transfer-encoding");
            assert_eq!(chunked, streamed);
        }
        assert_eq!(shop.bulkhead().in_use(), 0);
    }
}

#[tokio::test]
async fn a_post_without_a_key_is_sent_once() {
    for fault in [Act::Fin, Act::Reset] {
        let provider = Provider::script([Step::read_then(fault), Step::reply(200, "")]).await;
        let shop = Integration::user_flow("shop").reqwest(client()).build().unwrap();
        let request = client().post(provider.url("/")).body("an order").build().unwrap();
        let error = refused_by(&shop, request).await;
        assert_eq!(error.delivery(), Delivery::Unknown);
        assert_eq!(error.gave_up(), Some(GaveUp::NotSafe));
        assert_eq!(provider.counts().requests, 1);
    }
}

#[tokio::test]
async fn where_that_is_asked_for_a_redirect_takes_the_body_along_and_the_response_knows_where_it_came_from()
 {
    let moved = answer(307, "moved").replace("\r\n\r\n", "\r\nlocation: /there?a=b\r\n\r\n");
    let script = [Step::write(moved.clone()), Step::reply(503, "busy"), Step::write(moved)];
    let script = script.into_iter().chain([Step::reply(200, "well")]);
    let provider = Provider::script(script).await;
    let (client, again) = (client(), ReqwestTransport::new(client()).redirect_bodies());
    let shop = through(again, 2);
    let request = client.post(provider.url("/here")).body("an order").build().unwrap();
    let response = shop.execute(request).await.unwrap();
    assert_eq!(response.url().as_str(), provider.url("/there?a=b"));
    assert_eq!(response.text().await.unwrap(), "well");
    let seen = provider.seen();
    let targets: Vec<_> = seen.iter().map(|seen| seen.target.as_str()).collect();
    assert_eq!(targets, ["/here", "/there?a=b", "/here", "/there?a=b"]);
    assert!(seen.iter().all(|seen| seen.method == "POST" && seen.body == b"an order"));
}

#[tokio::test]
async fn a_circle_of_redirects_is_gone_round_once() {
    let moved = answer(302, "moved").replace("\r\n\r\n", "\r\nlocation: /there\r\n\r\n");
    let provider = Provider::script([(); 20].map(|()| Step::write(moved.clone()))).await;
    let request = client().get(provider.url("/here")).build().unwrap();
    let error = refused_by(&through(client(), 3), request).await;
    // Each was answered, and what the last came to is not known here.
    assert_eq!((error.attempts(), error.gave_up()), (1, Some(GaveUp::NotRetryable)));
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(provider.counts().requests, 11);
}

#[tokio::test]
async fn a_timeout_of_the_request_is_a_timeout_of_the_transport() {
    let provider = Provider::script([Step::read_then(Act::Hang)]).await;
    let shop = through(client(), 2);
    let limit = Duration::from_millis(100);
    let request = client().get(provider.url("/")).timeout(limit).build().unwrap();
    let error = refused_by(&shop, request).await;
    let timeout = ErrorKind::Timeout(Phase::Transport);
    assert_eq!(said(&error), (timeout, Delivery::Unknown), "{error:?}");
    // It was set on the request, and so it holds for each attempt.
    assert_eq!(provider.counts().requests, 2);
    assert_eq!(error.attempts(), 2);
}

#[tokio::test]
async fn a_timeout_of_the_client_is_a_timeout_of_the_transport() {
    let provider = Provider::script([Step::read_then(Act::Hang)]).await;
    let limit = Duration::from_millis(100);
    let impatient = Client::builder().no_proxy().timeout(limit).build().unwrap();
    let shop = through(impatient, 1);
    let request = client().post(provider.url("/")).body("an order").build().unwrap();
    let error = refused_by(&shop, request).await;
    let timeout = ErrorKind::Timeout(Phase::Transport);
    assert_eq!(said(&error), (timeout, Delivery::Unknown), "{error:?}");
    assert_eq!(provider.counts().requests, 1);
}

#[tokio::test]
async fn a_timeout_of_the_request_in_the_body_is_a_timeout_of_an_answer() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
    let provider = Provider::script([Step::write(half).then(Act::Hang)]).await;
    let shop = through(client(), 2);
    let limit = Duration::from_millis(300);
    let request = client().get(provider.url("/")).timeout(limit).build().unwrap();
    let response = shop.execute(request).await.unwrap();
    let error = response.bytes().await.unwrap_err();
    let ours = chain(&error).find_map(|level| level.downcast_ref::<Error>()).unwrap();
    assert_eq!(said(ours), (ErrorKind::Timeout(Phase::Transport), Delivery::Answered));
    assert_eq!(shop.bulkhead().in_use(), 0);
    provider.until(|counts| counts.hung_up == 1).await;
}

#[tokio::test]
async fn a_body_that_falls_silent_is_given_up_on_by_us() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
    let provider = Provider::script([Step::write(half).then(Act::Hang)]).await;
    let shop = Integration::user_flow("shop")
        .reqwest(client())
        .idle_timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let request = client().get(provider.url("/")).build().unwrap();
    let response = shop.execute(request).await.unwrap();
    let error = response.bytes().await.unwrap_err();
    let ours = chain(&error).find_map(|level| level.downcast_ref::<Error>()).unwrap();
    assert_eq!(said(ours), (ErrorKind::Timeout(Phase::BodyIdle), Delivery::Answered));
    assert_eq!(shop.bulkhead().in_use(), 0);
    provider.until(|counts| counts.hung_up == 1).await;
}

#[tokio::test]
async fn half_an_answer_is_an_answer_whose_body_broke() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
    let provider = Provider::script([Step::write(half).then(Act::Fin)]).await;
    let shop = through(client(), 2);
    let request = http::Request::get(provider.url("/")).body(()).unwrap();
    let response = shop.send(request).await.unwrap();
    let error = response.into_body().bytes().await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Answered);
    assert!(matches!(error.kind(), ErrorKind::Transport(_)), "{error:?}");
    assert_eq!(provider.counts().requests, 1);
    assert_eq!(shop.bulkhead().in_use(), 0);
}

#[tokio::test]
async fn a_refused_connection_is_not_sent_and_its_sources_reach_the_systems_error() {
    let (_taken, address) = deaf();
    let url = Url::parse(&format!("http://{address}/")).unwrap();
    for attempts in [1, 3] {
        let shop = through(client(), attempts);
        let mut request = client().post(url.clone()).body("an order").build().unwrap();
        request.headers_mut().insert("x-own", "1".parse().unwrap());
        let error = refused_by(&shop, request).await;
        let refused = ErrorKind::Transport(Fault::Refused);
        assert_eq!(said(&error), (refused, Delivery::NotSent));
        assert_eq!(error.attempts(), attempts);
        let mut levels = chain(&error).filter_map(|level| level.downcast_ref::<io::Error>());
        assert!(levels.any(|io| io.kind() == io::ErrorKind::ConnectionRefused));
    }
}

#[tokio::test]
async fn what_steers_a_call_passes_through_a_request_of_http() {
    let provider = Provider::script([Step::reply(503, "busy")]).await;
    let shop = through(client(), 3);
    let mut request = http::Request::get(provider.url("/")).body(()).unwrap();
    request.extensions_mut().insert(RetryOverride::Never);
    let response = shop.send(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(provider.counts().requests, 1);
}

#[tokio::test]
async fn failed_answers_are_read_off_so_that_four_attempts_use_one_connection() {
    let sorry = Step::reply(503, &"sorry, ".repeat(1_000));
    let script = [sorry.clone(), sorry.clone(), sorry, Step::reply(200, "well")];
    let provider = Provider::script(script).await;
    let shop = through(client(), 4);
    let request = client().put(provider.url("/")).body("an order").build().unwrap();
    let response = shop.execute(request).await.unwrap();
    assert_eq!(response.text().await.unwrap(), "well");
    assert_eq!((provider.counts().connections, provider.counts().requests), (1, 4));
}

#[tokio::test]
async fn a_compressed_answer_is_decompressed_by_the_client() {
    // "well and small", as gzip (RFC 1952) writes it.
    let packed: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x2bO\xcd\xc9QH\xccKQ\x28\xceM\
        \xcc\xc9\x01\x00\x09xE0\x0e\x00\x00\x00";
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        packed.len()
    );
    let whole = [head.as_bytes(), packed].concat();
    let provider = Provider::script([Step::write(whole)]).await;
    let (client, shop) = (client(), through(client(), 1));
    let response = shop.execute(client.get(provider.url("/")).build().unwrap()).await.unwrap();
    assert_eq!(response.text().await.unwrap(), "well and small");
    assert_eq!(provider.seen()[0].header("accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn a_form_of_parts_is_sent_again_in_full() {
    use ::reqwest::multipart::{Form, Part};
    let provider = Provider::script([Step::reply(503, "busy"), Step::reply(200, "well")]).await;
    let (client, shop) = (client(), through(client(), 2));
    let file = Part::stream(::reqwest::Body::wrap_stream(stream::iter(
        ["some ", "of it"].map(Ok::<_, io::Error>),
    )));
    let form = Form::new().text("order", "7").part("file", file.file_name("scan.pdf"));
    let request = client.post(provider.url("/")).multipart(form).build().unwrap();
    let response = shop.execute(request).await.unwrap();
    assert_eq!(response.text().await.unwrap(), "well");
    let seen = provider.seen();
    assert_eq!(seen.len(), 2);
    let sent = String::from_utf8_lossy(&seen[0].body);
    assert!(sent.contains("name=\"order\"") && sent.contains("some of it"), "{sent}");
    assert_eq!(seen[0].body, seen[1].body);
}

#[tokio::test]
async fn a_client_that_rotates_leaves_its_old_connections() {
    use outrigger::transport::rotating::Rotating;
    let provider = Provider::script([Step::reply(200, "well")]).await;
    let make = || {
        let client = Client::builder().no_proxy().build();
        client.map(ReqwestTransport::new)
    };
    let rotating = Rotating::new(make).unwrap().time_to_live(Duration::from_millis(50));
    let shop = Integration::background("shop").service(rotating).build().unwrap();
    for round in 1..=3 {
        let request = http::Request::get(provider.url("/")).body(()).unwrap();
        let response = shop.send(request).await.unwrap();
        assert_eq!(response.into_body().text().await.unwrap(), "well");
        assert_eq!(provider.counts().connections, round);
        provider.until(|counts| counts.hung_up + 1 >= round).await;
        tokio::time::sleep(Duration::from_millis(61)).await;
    }
}

/// Bits of a deflate stream, in the order in which they are read.
#[derive(Default)]
struct Deflate(Vec<u8>, usize);

impl Deflate {
    fn bits(&mut self, bits: &str) {
        for bit in bits.bytes() {
            let at = self.1 % 8;
            if at == 0 {
                self.0.push(0);
            }
            *self.0.last_mut().unwrap() |= (bit - b'0') << at;
            self.1 += 1;
        }
    }

    /// A gzip stream of so many zeros or a few more, whose end is missing (RFC 1951, 3.2.6; RFC 1952, 2.3).
    fn zeros(count: usize) -> Vec<u8> {
        let mut deflate = Self(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], 0);
        // A block of fixed codes that is not the last; a zero; then the last 258 bytes again and again.
        deflate.bits("010");
        deflate.bits("00110000");
        (0..count.div_ceil(258)).for_each(|_| deflate.bits("1100010100000"));
        deflate.0
    }
}

#[tokio::test]
async fn what_decompresses_to_too_much_is_read_up_to_the_bound() {
    let bomb = Deflate::zeros(40 << 20);
    assert!(bomb.len() < 300_000, "{}", bomb.len());
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        bomb.len()
    );
    let provider = Provider::script([Step::write([head.into_bytes(), bomb].concat())]).await;
    let (client, shop) = (client(), through(client(), 1));
    let body = async |path: &str| {
        let request = client.get(provider.url(path)).build().unwrap();
        let response = http::Response::from(shop.execute(request).await.unwrap());
        outrigger::Body::from(response.into_body())
    };
    let error = body("/").await.bytes().await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::TooLarge, Delivery::Answered));
    let error = body("/").await.text_up_to(1000).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_the_request_is_one_of_each_attempt_over_other_clients_too() {
    let request = |limit| client().get("http://crm.test/").timeout(limit).build().unwrap();
    for (asked, limit) in [(300, 300), (60_000, 1_000)] {
        let script = Script::new([Answer::hang()]);
        let crm = Integration::user_flow("crm")
            .timeout(|timeout| timeout.attempt(Duration::from_secs(1)))
            .service(script.clone())
            .build()
            .unwrap();
        let error = refused_by(&crm, request(Duration::from_millis(asked))).await;
        let timeout = ErrorKind::Timeout(Phase::Attempt);
        assert_eq!(said(&error), (timeout, Delivery::Unknown), "{error}");
        assert_eq!(error.limit(), Some(Duration::from_millis(limit)));
        assert_eq!((error.attempts(), script.begun()), (2, 2));
        let unlimited = Integration::user_flow("crm").without_timeout();
        let unlimited = unlimited.service(Script::new([Answer::hang()])).build().unwrap();
        let error = refused_by(&unlimited, request(Duration::from_millis(asked))).await;
        assert_eq!(error.limit() == Some(Duration::from_millis(asked)), asked == 300, "{error}");
    }
}

#[tokio::test]
async fn an_answer_has_the_url_that_it_came_from_whatever_client_is_below() {
    let provider = Provider::script([Step::reply(200, "")]).await;
    let url = provider.url("/orders?id=7#part");
    let request = || client().get(&url).build().unwrap();
    let own = Integration::user_flow("shop").build().unwrap();
    let scripted = Script::new([Answer::status(404)]);
    let scripted = Integration::user_flow("shop").service(scripted).build().unwrap();
    for shop in [own, scripted, through(client(), 1)] {
        let response = shop.execute(request()).await.unwrap();
        assert_eq!(response.url().path(), "/orders");
        assert_eq!(response.url().query(), Some("id=7"));
        assert_eq!(response.url().host_str(), Some("127.0.0.1"));
    }
    let moved = "HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: /moved\r\n\r\n";
    for shop in
        [Integration::user_flow("shop").follow_redirects().build().unwrap(), through(client(), 1)]
    {
        let provider = Provider::script([Step::write(moved), Step::reply(200, "")]).await;
        let request = client().get(provider.url("/orders")).build().unwrap();
        assert_eq!(shop.execute(request).await.unwrap().url().path(), "/moved");
    }
}

#[tokio::test]
async fn a_request_that_reqwest_makes_and_nobody_can_send_is_the_integrations_error() {
    let crm = Integration::user_flow("crm").service(Script::new([Answer::status(200)]));
    let crm = crm.build().unwrap();
    for url in ["data:text/plain,a", "https://ada:SECRET@crm.test/"] {
        let request = Request::new(http::Method::GET, Url::parse(url).unwrap());
        let report = Report::new();
        let call = Scope::new().report_to(&report).run(refused_by(&crm, request));
        let error = call.await;
        assert_eq!(said(&error), (ErrorKind::Request, Delivery::NotSent), "{error}");
        assert_eq!((error.integration(), error.attempts()), (Some("crm"), 0), "{error}");
        assert_eq!((report.delivery(), report.call_count()), (Some(Delivery::NotSent), 1));
    }
}
