//! Redirects that the own client follows: where to, with what, and how often a POST is made.

use std::time::Duration;

use futures_util::StreamExt;
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::StreamBody;
use outrigger::event::{Event, RedirectTo};
use outrigger::idempotency::{IdempotencyLayer, KeySource};
use outrigger::integration::OwnClient;
use outrigger::outcome::{Class, Fault, Phase};
use outrigger::retry::RetryOverride;
use outrigger::testing::EventRecorder;
use outrigger::transport::hyper::HyperConfig;
use outrigger::{Body, Delivery, ErrorKind, Integration, IntegrationBuilder};
use tower::Service;

use crate::calls::{ATTEMPT, answered, background, deaf, failed, get, post, said, user_flow};
use crate::provider::{Act, Provider, Step, answer};
use crate::server::Server;
use crate::tls::Authority;

/// With no key that the caller didn't give.
fn keyless(builder: IntegrationBuilder<OwnClient>) -> IntegrationBuilder<OwnClient> {
    let own_keys = IdempotencyLayer::default().key_source(KeySource::Caller);
    builder.idempotency(own_keys).without_rate_limit()
}

fn following() -> Integration {
    keyless(user_flow()).follow_redirects().build().unwrap()
}

fn moved(status: u16, to: &str) -> Step {
    Step::write(redirect(status, to))
}

fn redirect(status: u16, to: &str) -> String {
    answer(status, "").replace("\r\n\r\n", &format!("\r\nlocation: {to}\r\n\r\n"))
}

/// Reads a request, and answers after a while.
fn slowly(pause: Duration, bytes: String) -> Step {
    Step::of([Act::Read, Act::Pause(pause), Act::Write(bytes.into())])
}

/// `method target`, of each request.
fn lines(provider: &Provider) -> Vec<String> {
    provider.seen().iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect()
}

fn keyed(mut request: Request<Body>) -> Request<Body> {
    request.headers_mut().insert("idempotency-key", HeaderValue::from_static("order-1042"));
    request
}

fn streamed(text: &'static str) -> Body {
    let frame = http_body::Frame::data(bytes::Bytes::from(text));
    Body::new(StreamBody::new(futures_util::stream::iter([Ok::<_, std::io::Error>(frame)])))
}

fn unending(text: &'static str) -> Body {
    let frame = http_body::Frame::data(bytes::Bytes::from(text));
    let first = futures_util::stream::iter([Ok::<_, std::io::Error>(frame)]);
    Body::new(StreamBody::new(first.chain(futures_util::stream::pending())))
}

fn classes(recorder: &EventRecorder) -> Vec<Class> {
    let of = |event| match event {
        Event::AttemptAnswered { class, .. } => Some(class),
        _ => None,
    };
    recorder.events().into_iter().filter_map(of).collect()
}

#[tokio::test]
async fn nothing_is_followed_unless_it_is_asked_for() {
    let provider = Provider::script([moved(302, "/new"), Step::reply(200, "new")]).await;
    let shop = user_flow().build().unwrap();
    assert_eq!(answered(&shop, get(provider.url("/old"))).await.status(), StatusCode::FOUND);
    assert_eq!(lines(&provider), ["GET /old"]);
}

#[tokio::test]
async fn locations_are_read_as_uri_references() {
    for (location, target) in [
        ("/new?a=1", "/new?a=1"),
        ("new", "/shop/new"),
        ("../new#part", "/new"),
        ("?page=2", "/shop/old?page=2"),
        ("", "/shop/old"),
    ] {
        let provider = Provider::script([moved(301, location), Step::reply(200, "new")]).await;
        let response = answered(&following(), get(provider.url("/shop/old"))).await;
        assert_eq!(response.body(), "new");
        assert_eq!(lines(&provider)[1..], [format!("GET {target}")], "{location}");
        assert_eq!(provider.counts().connections, 1, "the connection is used again");
    }
}

#[tokio::test]
async fn a_location_that_leads_nowhere_leaves_the_answer_as_it_is() {
    let provider = Provider::script([Step::reply(200, "secret")]).await;
    let with_credentials = provider.url("/").replace("http://", "http://user:secret@");
    for location in [
        "http://",
        "http://[broken",
        "http://a b/",
        "myapp://receipt",
        "file:///etc/passwd",
        "javascript:alert(1)",
        &with_credentials,
    ] {
        let first = Provider::script([moved(302, location)]).await;
        let response = answered(&following(), get(first.url("/"))).await;
        assert_eq!(response.status(), StatusCode::FOUND, "{location}");
        assert_eq!(first.counts().requests, 1);
    }
    let first = Provider::script([Step::reply(302, "")]).await;
    assert_eq!(answered(&following(), get(first.url("/"))).await.status(), StatusCode::FOUND);
    assert_eq!(provider.counts().requests, 0);
}

#[tokio::test]
async fn a_circle_ends_after_ten_or_as_many_as_are_allowed() {
    for (most, requests) in [(None, 11), (Some(3), 4), (Some(0), 1)] {
        let provider = Provider::script([moved(302, "/again")]).await;
        let recorder = EventRecorder::new();
        let builder = keyless(user_flow()).subscriber(recorder.clone()).follow_redirects();
        let shop = match most {
            Some(most) => builder.hyper(|client| client.max_redirects(most)),
            None => builder,
        };
        let response = answered(&shop.build().unwrap(), get(provider.url("/"))).await;
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(provider.counts().requests, requests);
        assert_eq!(classes(&recorder), [Class::ClientError], "it is not tried again");
    }
}

#[tokio::test]
async fn each_hop_is_told() {
    let last = Provider::script([Step::reply(200, "there")]).await;
    let first = Provider::script([moved(301, "/second"), moved(307, &last.url("/third"))]).await;
    let recorder = EventRecorder::new();
    let shop = keyless(user_flow()).follow_redirects().subscriber(recorder.clone());
    answered(&shop.build().unwrap(), get(first.url("/"))).await;
    let is_hop = |event: &Event| matches!(event, Event::Redirected { .. });
    let hops: Vec<_> = recorder.events().into_iter().filter(is_hop).collect();
    let hop = |status, to_origin, hops| Event::Redirected {
        status: StatusCode::from_u16(status).unwrap(),
        to_origin,
        hops,
    };
    let expected = [hop(301, RedirectTo::SameOrigin, 1), hop(307, RedirectTo::OtherOrigin, 2)];
    assert_eq!(hops, expected);
    let finished = |event: &Event| matches!(event, Event::CallFinished { attempts: 1, .. });
    assert_eq!(recorder.count(finished), 1);
    assert_eq!(classes(&recorder), [Class::Success]);
}

#[tokio::test]
async fn another_origin_learns_nothing_of_the_caller_also_when_it_leads_back() {
    let back = Provider::script([Step::reply(200, "back")]).await;
    let other = Provider::script([moved(302, &back.url("/back"))]).await;
    let first = Provider::script([moved(302, "/next"), moved(307, &other.url("/other"))]).await;
    let mut request = Request::get(first.url("/first")).body(Body::empty()).unwrap();
    for name in SECRETS {
        request.headers_mut().insert(name, HeaderValue::from_static("secret"));
    }
    for (name, value) in [("host", "shop.test"), ("accept", "text/csv"), ("user-agent", "us")] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let mut sensitive = HeaderValue::from_static("secret");
    sensitive.set_sensitive(true);
    request.headers_mut().insert("accept-language", sensitive);
    let shop = keyless(user_flow())
        .follow_redirects()
        .correlation(|layer| layer.baggage_to("127.0.0.1"))
        .build()
        .unwrap();
    answered(&shop, request).await;
    for seen in first.seen() {
        // A trace is not told to anybody unless the call belongs to one.
        let is_gone = |name: &&&str| !seen.headers.contains_key(**name);
        let gone: Vec<_> = SECRETS.iter().filter(is_gone).collect();
        assert_eq!(gone, [&"traceparent", &"tracestate"], "its own origin");
        assert_eq!(seen.header("host"), Some("shop.test"));
    }
    for (provider, host) in [(&other, other.url("")), (&back, back.url(""))] {
        let seen = &provider.seen()[0];
        let mut names: Vec<_> = seen.headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "host", "user-agent"]);
        assert_eq!(seen.header("host"), host.strip_prefix("http://"));
    }
}

const SECRETS: [&str; 10] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "idempotency-key",
    "baggage",
    "traceparent",
    "tracestate",
    "x-correlation-id",
    "x-api-key",
    "referer",
];

#[tokio::test]
async fn a_secure_origin_leads_to_no_other_scheme() {
    let plain = Provider::script([Step::reply(200, "plain")]).await;
    let authority = Authority::new();
    let server = authority.server("127.0.0.1", &["http/1.1"]);
    let tls = authority.client(None);
    let shop = keyless(user_flow()).follow_redirects();
    let shop = shop.hyper(|client| client.tls(tls).connect_timeout(Duration::from_secs(1)));
    let shop = shop.build().unwrap();
    let ask = |to: &str| get(server.url(&format!("/moved?{to}")));
    assert_eq!(answered(&shop, ask(&plain.url("/"))).await.status(), StatusCode::FOUND);
    assert_eq!(plain.counts().requests, 0);
    assert_eq!(answered(&shop, ask(&server.url("/well"))).await.body(), "well");
}

#[tokio::test]
async fn http2_is_followed_too() {
    let server = Server::start();
    let shop = keyless(user_flow()).follow_redirects().hyper(HyperConfig::http2_prior_knowledge);
    let shop = shop.build().unwrap();
    assert_eq!(answered(&shop, get(server.url("/moved?/well"))).await.body(), "well");
    assert_eq!(server.targets(), ["/moved", "/well"]);
    assert_eq!(server.sockets().accepted, 1);
}

#[tokio::test]
async fn a_post_that_is_redirected_becomes_a_get_that_says_whether_it_was_made() {
    for (status, class) in
        [(301, Class::ClientError), (302, Class::ClientError), (303, Class::Success)]
    {
        for body in [Body::from("amount=1"), streamed("amount=1")] {
            let provider =
                Provider::script([moved(status, "/receipt"), Step::reply(200, "")]).await;
            let recorder = EventRecorder::new();
            let shop = keyless(user_flow()).follow_redirects().subscriber(recorder.clone());
            let mut request = post(provider.url("/charge"), body);
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers_mut().insert("content-type", form);
            answered(&shop.build().unwrap(), request).await;
            assert_eq!(lines(&provider), ["POST /charge", "GET /receipt"]);
            let second = &provider.seen()[1];
            let of_body = ["content-type", "content-length", "transfer-encoding"];
            assert!(of_body.iter().all(|name| second.header(name).is_none()), "{second:?}");
            assert_eq!(classes(&recorder), [class], "{status}");
        }
    }
}

#[tokio::test]
async fn a_post_without_a_key_is_made_once_whatever_it_is_answered() {
    let (_taken, address) = deaf();
    let nowhere = format!("http://{address}/receipt");
    let refused = Provider::script([Step::reply(429, "")]).await;
    for to in [nowhere.as_str(), "/charge", &refused.url("/charge")] {
        for status in [301, 303, 307] {
            for last in [200, 421, 425, 429, 503] {
                for preset in [user_flow(), background()] {
                    let shop = keyless(preset).follow_redirects().build().unwrap();
                    for body in [Body::empty(), "amount=1".into(), streamed("amount=1")] {
                        let script = [moved(status, to), Step::reply(last, "")];
                        let provider = Provider::script(script).await;
                        let result = shop.send(post(provider.url("/charge"), body)).await;
                        let posts = lines(&provider);
                        let posts = posts.iter().filter(|line| line.starts_with("POST")).count();
                        assert_eq!(posts, 1, "{status} to {to}, then {last}: {result:?}");
                        match result {
                            Ok(response) if status > 303 => assert_eq!(response.status(), status),
                            Ok(_) => {}
                            Err(error) => {
                                assert_eq!(error.delivery(), Delivery::Unknown, "{error:?}");
                                assert_eq!(error.attempts(), 1);
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(lines(&refused).iter().all(|line| line.starts_with("GET")));
}

#[tokio::test]
async fn a_post_is_sent_on_with_a_key_that_its_provider_honours_and_a_body_in_memory() {
    for status in [307, 308] {
        let provider = Provider::script([moved(status, "/v2"), Step::reply(201, "made")]).await;
        let response = answered(&following(), keyed(post(provider.url("/v1"), "amount=1"))).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(lines(&provider), ["POST /v1", "POST /v2"]);
        for seen in provider.seen() {
            assert_eq!(seen.header("idempotency-key"), Some("order-1042"));
            assert_eq!(
                (seen.header("content-length"), &seen.body[..]),
                (Some("8"), &b"amount=1"[..])
            );
        }
    }
}

#[tokio::test]
async fn a_post_is_not_sent_on_without_its_key_or_its_body() {
    let other = Provider::script([Step::reply(201, "made twice")]).await;
    for status in [307, 308] {
        // The key doesn't go along.
        let provider = Provider::script([moved(status, &other.url("/"))]).await;
        let response = answered(&following(), keyed(post(provider.url("/"), "amount=1"))).await;
        assert_eq!(response.status(), status);
        // The body is gone.
        let provider = Provider::script([moved(status, "/v2")]).await;
        let response = answered(&following(), keyed(post(provider.url("/"), streamed("a")))).await;
        assert_eq!(response.status(), status);
        assert_eq!(provider.counts().requests, 1);
        // A key that was made here, of which nobody knows whether the provider honours it.
        let provider = Provider::script([moved(status, "/v2")]).await;
        let made = IdempotencyLayer::default().key_source(KeySource::CallerOrGenerated);
        let shop = user_flow().idempotency(made).follow_redirects().build().unwrap();
        let response = answered(&shop, post(provider.url("/"), "amount=1")).await;
        assert_eq!(response.status(), status);
        assert!(provider.seen()[0].header("idempotency-key").is_some());
    }
    assert_eq!(other.counts().requests, 0);
}

#[tokio::test]
async fn other_methods_keep_themselves_where_repeating_them_is_safe() {
    let ask = |provider: &Provider, method: &Method, body| {
        Request::builder().method(method).uri(provider.url("/v1")).body(body).unwrap()
    };
    for status in [301, 302, 307, 308] {
        for method in [Method::PUT, Method::DELETE] {
            let provider = Provider::script([moved(status, "/v2"), Step::reply(200, "")]).await;
            answered(&following(), ask(&provider, &method, "a".into())).await;
            assert_eq!(lines(&provider), [format!("{method} /v1"), format!("{method} /v2")]);
            assert_eq!(provider.seen()[1].body, b"a");
            let provider = Provider::script([moved(status, "/v2")]).await;
            let response = answered(&following(), ask(&provider, &method, streamed("a"))).await;
            assert_eq!((response.status().as_u16(), provider.counts().requests), (status, 1));
        }
        let provider = Provider::script([moved(status, "/v2")]).await;
        let response = answered(&following(), ask(&provider, &Method::PATCH, "a".into())).await;
        assert_eq!((response.status().as_u16(), provider.counts().requests), (status, 1));
    }
    // The caller says that it is safe, with or without a key.
    let provider = Provider::script([moved(307, "/v2"), Step::reply(200, "")]).await;
    let mut search = post(provider.url("/v1"), "a");
    search.extensions_mut().insert(RetryOverride::Safe);
    answered(&following(), search).await;
    assert_eq!(lines(&provider), ["POST /v1", "POST /v2"]);
    // A HEAD stays one.
    let provider = Provider::script([moved(303, "/v2"), Step::reply(200, "")]).await;
    answered(&following(), ask(&provider, &Method::HEAD, Body::empty())).await;
    assert_eq!(lines(&provider), ["HEAD /v1", "HEAD /v2"]);
}

#[tokio::test]
async fn the_whole_chain_has_the_time_of_one_attempt() {
    let provider = Provider::script([slowly(ATTEMPT * 2 / 3, redirect(302, "/again"))]).await;
    let shop = keyless(user_flow()).without_retry().follow_redirects();
    let shop = shop
        .timeout(|timeout| timeout.attempt(ATTEMPT))
        .hyper(|client| client.connect_timeout(ATTEMPT));
    let error = failed(&shop.build().unwrap(), get(provider.url("/"))).await;
    assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Attempt), Delivery::Unknown));
    provider.until(|counts| counts.hung_up == 1).await;
    assert_eq!(provider.counts().requests, 2);
}

#[tokio::test]
async fn an_upload_that_is_limited_is_over_when_its_redirect_is_followed() {
    let shop = keyless(user_flow()).follow_redirects();
    let shop = shop.timeout(|timeout| timeout.upload_stall(ATTEMPT / 4)).build().unwrap();
    let moved = redirect(303, "/receipt");
    let early = Step::of([Act::ReadHead, Act::Write(moved.clone().into()), Act::Hang]);
    for (body, first) in [
        (Body::from("amount=1"), Step::write(moved.clone())),
        (streamed("amount=1"), Step::write(moved)),
        // It is answered before it has ended.
        (unending("amount=1"), early),
    ] {
        let receipt = slowly(ATTEMPT / 2, answer(200, "a receipt"));
        let provider = Provider::script([first, receipt]).await;
        let response = answered(&shop, post(provider.url("/charge"), body)).await;
        assert_eq!(response.body(), "a receipt");
    }
}

#[tokio::test]
async fn a_redirect_to_where_nobody_listens_fails_as_the_step_that_it_is() {
    let (_taken, address) = deaf();
    let provider = Provider::script([moved(302, &format!("http://{address}/"))]).await;
    let shop = keyless(user_flow()).without_retry().follow_redirects().build().unwrap();
    let error = failed(&shop, get(provider.url("/"))).await;
    assert_eq!(said(&error), (ErrorKind::Transport(Fault::Refused), Delivery::Unknown));
}

#[tokio::test]
async fn with_a_base_url_no_redirect_leads_out_of_its_origin() {
    let elsewhere = Provider::script([Step::reply(200, "there")]).await;
    let to = elsewhere.url("/there");
    let provider = Provider::script([moved(302, &to), moved(302, &to)]).await;
    let build = || keyless(user_flow()).base_url(provider.url("/")).follow_redirects();
    let response = build().build().unwrap().get("here").send().await.unwrap();
    assert_eq!((response.status(), lines(&elsewhere)), (StatusCode::FOUND, Vec::new()));
    let allowed = build().allow_origin(elsewhere.url("")).build().unwrap();
    let response = allowed.get("here").send().await.unwrap();
    assert_eq!((response.status(), lines(&elsewhere)), (StatusCode::OK, vec!["GET /there".into()]));
}

#[tokio::test]
async fn the_limits_of_another_origin_are_not_those_of_the_provider() {
    let with = |status: u16, headers: &str| {
        answer(status, "").replace("\r\n\r\n", &format!("\r\n{headers}\r\n\r\n"))
    };
    for (last, status) in [
        (with(429, "retry-after: 3600"), 429),
        (
            with(
                200,
                "x-ratelimit-limit: 5\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: 3600",
            ),
            200,
        ),
    ] {
        let storage = Provider::script([Step::write(last)]).await;
        let provider =
            Provider::script([moved(302, &storage.url("/file")), Step::reply(200, "next")]).await;
        let shop = user_flow().without_retry().follow_redirects().build().unwrap();
        assert_eq!(answered(&shop, get(provider.url("/file"))).await.status(), status);
        assert_eq!(answered(&shop, get(provider.url("/orders"))).await.body(), "next");
        assert_eq!(provider.counts().requests, 2);
    }
}

#[tokio::test]
async fn a_client_alone_does_not_call_a_redirected_request_unsent() {
    let (_taken, address) = deaf();
    let to = format!("http://{address}/receipt");
    let mut client = HyperConfig::new().follow_redirects().build().unwrap();
    for (step, delivery) in [(303, Delivery::Unknown), (302, Delivery::Unknown)] {
        let provider = Provider::script([moved(step, &to)]).await;
        let error = client.call(post(provider.url("/charge"), "amount=1")).await.unwrap_err();
        assert_eq!(said(&error), (ErrorKind::Transport(Fault::Refused), delivery), "{error}");
    }
    let error = client.call(post(to, "amount=1")).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent, "the first one never arrived");
}
