//! Redirects below us: what the last hop came to says nothing of the first.

use std::error::Error as StdError;
use std::time::Duration;

use ::reqwest::dns::{Name, Resolve, Resolving};
use ::reqwest::redirect::Policy;
use ::reqwest::{Client, ClientBuilder};
use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request, StatusCode};
use outrigger::backoff::Backoff;
use outrigger::idempotency::{IdempotencyLayer, KeySource};
use outrigger::outcome::{Fault, GaveUp};
use outrigger::retry::RetryBudget;
use outrigger::transport::reqwest::ReqwestTransport;
use outrigger::{Body, Delivery, Error, ErrorKind, Integration, IntegrationBuilder, ResponseExt};
use tower::Service;

use crate::calls::{deaf, said};
use crate::frames::{Do, Framed, REFUSED_STREAM, Turn};
use crate::provider::{Act, Provider, Step, answer};

/// Knows no name.
struct Nobody;

impl Resolve for Nobody {
    fn resolve(&self, _: Name) -> Resolving {
        let unknown: Box<dyn StdError + Send + Sync> = "no such name".into();
        Box::pin(std::future::ready(Err(unknown)))
    }
}

fn client() -> ClientBuilder {
    Client::builder().no_proxy().dns_resolver(std::sync::Arc::new(Nobody))
}

/// Both presets, quick, and with no key that the caller didn't give.
fn presets(client: impl Into<ReqwestTransport>) -> [Integration; 2] {
    let client = client.into();
    [Integration::user_flow("shop"), Integration::background("shop")].map(|preset| {
        let own_keys = IdempotencyLayer::default().key_source(KeySource::Caller);
        quick(preset.idempotency(own_keys).reqwest(client.clone())).build().unwrap()
    })
}

fn quick<T>(builder: IntegrationBuilder<T>) -> IntegrationBuilder<T> {
    let quickly = Backoff::fixed(Duration::from_millis(5));
    builder
        .retry(|retry| retry.max_attempts(4).backoff(quickly).budget(RetryBudget::unlimited()))
        .without_breaker()
        .without_rate_limit()
}

fn moved(status: u16, to: &str) -> Step {
    Step::write(answer(status, "").replace("\r\n\r\n", &format!("\r\nlocation: {to}\r\n\r\n")))
}

fn bodies() -> [Body; 3] {
    let parts = ["amount", "=1"].map(|part| Ok::<_, Error>(Bytes::from(part)));
    let streamed = ::reqwest::Body::wrap_stream(stream::iter(parts));
    [Body::empty(), "amount=1".into(), streamed.into()]
}

fn charge(provider: &Provider, body: Body, key: Option<&str>) -> Request<Body> {
    let mut request = Request::post(provider.url("/charge")).body(body).unwrap();
    if let Some(key) = key {
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    }
    request
}

/// A POST that was executed, and redirected to a place that says that it got nothing.
async fn is_charged_once(to: &str, last_hop: Option<u16>) {
    for status in [301, 302, 303, 307, 308] {
        for shop in presets(client().build().unwrap()) {
            for body in bodies() {
                let last = last_hop.map(|status| Step::reply(status, ""));
                let script = [moved(status, to)].into_iter().chain(last);
                let provider = Provider::script(script).await;
                let result = shop.send(charge(&provider, body, None)).await;
                let seen = provider.seen();
                let charges = seen.iter().filter(|seen| seen.method == "POST").count();
                assert_eq!(charges, 1, "{status} to {to}: {result:?}");
                if let Err(error) = result {
                    assert_eq!(error.delivery(), Delivery::Unknown, "{status} to {to}: {error:?}");
                    assert_eq!(error.attempts(), 1, "{error:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_charge_that_is_redirected_to_where_nobody_listens_is_not_unsent() {
    let (_taken, address) = deaf();
    is_charged_once(&format!("http://{address}/receipt"), None).await;
}

#[tokio::test]
async fn a_charge_that_is_redirected_to_a_name_that_nobody_knows_is_not_unsent() {
    is_charged_once("http://nowhere.test/receipt", None).await;
}

#[tokio::test]
async fn a_charge_that_is_redirected_to_an_app_is_not_unsent() {
    is_charged_once("myapp://receipt", None).await;
    is_charged_once("http://[broken", None).await;
}

#[tokio::test]
async fn a_charge_whose_redirect_speaks_no_tls_is_not_unsent() {
    let provider = Provider::script([Step::reply(400, "this is plain")]).await;
    is_charged_once(&provider.url("/").replace("http:", "https:"), None).await;
}

#[tokio::test]
async fn what_a_later_hop_left_alone_the_first_may_have_done() {
    for last_hop in [421, 425] {
        is_charged_once("/receipt", Some(last_hop)).await;
        // It looks like the first hop's answer.
        is_charged_once("/charge", Some(last_hop)).await;
    }
}

#[tokio::test]
async fn a_charge_that_is_redirected_for_ever_is_made_once() {
    is_charged_once("/charge", Some(303)).await;
    let secure = client().https_only(true).build().unwrap();
    let [shop, _] = presets(secure);
    let provider = Provider::script([Step::reply(200, "")]).await;
    let error = shop.send(charge(&provider, Body::empty(), None)).await.unwrap_err();
    // The first hop is refused by the client itself.
    assert_eq!(said(&error), (ErrorKind::Request, Delivery::NotSent));
    assert_eq!((error.attempts(), provider.counts().requests), (0, 0));
}

#[tokio::test]
async fn what_a_client_of_one_request_refuses_itself_was_not_sent() {
    let secure = client().https_only(true).redirect(Policy::none()).build().unwrap();
    let provider = Provider::script([Step::reply(200, "")]).await;
    for shop in presets(ReqwestTransport::new(secure).single_hop()) {
        let error = shop.send(charge(&provider, "amount=1".into(), None)).await.unwrap_err();
        assert_eq!(said(&error), (ErrorKind::Request, Delivery::NotSent), "{error}");
        assert_eq!((error.attempts(), provider.counts().requests), (0, 0));
        assert!(!error.to_string().contains("redirect"), "{error}");
    }
}

#[tokio::test]
async fn a_redirect_that_the_client_can_not_follow_is_ours_to_mend() {
    let provider = Provider::script([moved(302, "myapp://receipt")]).await;
    for shop in presets(client().build().unwrap()) {
        let request = Request::get(provider.url("/orders")).body(Body::empty()).unwrap();
        let error = shop.send(request).await.unwrap_err();
        assert_eq!(said(&error), (ErrorKind::Other, Delivery::Unknown));
        assert_eq!((error.attempts(), error.gave_up()), (1, Some(GaveUp::NotRetryable)));
        assert_eq!(
            error.to_string(),
            format!(
                "shop: inner service failed at {}: it was redirected to where the client does not follow",
                error.host().unwrap()
            )
        );
    }
}

#[tokio::test]
async fn a_charge_whose_redirect_refuses_the_stream_is_not_unsent() {
    for status in [301, 302, 303, 307, 308] {
        for to in ["/", "/receipt"] {
            let refused = Turn::of([Do::Reset(REFUSED_STREAM)]);
            for shop in presets(client().http2_prior_knowledge().build().unwrap()) {
                for body in bodies() {
                    let first = Turn::of([Do::Moved(status, to.into())]);
                    let provider = Framed::script([first, refused.clone()]).await;
                    let request = Request::post(provider.url()).body(body).unwrap();
                    let result = shop.send(request).await;
                    let charges = provider.seen().iter().filter(|seen| seen.is_post).count();
                    assert_eq!(charges, 1, "{status} to {to}: {result:?}");
                    if let Err(error) = result {
                        assert_eq!(error.delivery(), Delivery::Unknown, "{error:?}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn under_a_key_each_repetition_of_a_redirected_charge_has_it() {
    let (_taken, address) = deaf();
    let there = format!("http://{address}/receipt");
    for status in [301, 303, 307] {
        for shop in presets(client().build().unwrap()) {
            for body in bodies() {
                let provider = Provider::script([moved(status, &there)]).await;
                let result = shop.send(charge(&provider, body, Some("order-7"))).await;
                for seen in provider.seen() {
                    assert_eq!(seen.header("idempotency-key"), Some("order-7"));
                }
                let unsent = result.is_err_and(|error| error.delivery() == Delivery::NotSent);
                assert!(!unsent, "{status}");
            }
        }
    }
}

#[tokio::test]
async fn a_charge_that_was_never_taken_by_a_connection_is_not_sent_by_whatever_client() {
    let (_taken, address) = deaf();
    let refused = [
        (format!("http://{address}/charge"), Fault::Refused),
        ("http://nowhere.test/charge".into(), Fault::Connect),
    ];
    for (url, fault) in refused {
        for shop in presets(client().build().unwrap()) {
            for body in bodies() {
                let request = Request::post(&url).body(body).unwrap();
                let error = shop.send(request).await.unwrap_err();
                assert_eq!(said(&error), (ErrorKind::Transport(fault), Delivery::NotSent));
                assert!(error.attempts() > 1, "what was not sent is sent again: {error:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_repeats_by_itself_is_given_a_body_once() {
    // By default, it sends again what met this.
    let away = Turn::of([Do::Reset(REFUSED_STREAM)]);
    for shop in presets(client().http2_prior_knowledge().build().unwrap()) {
        for body in bodies() {
            let provider = Framed::script([away.clone(), Turn::reply(200, "done")]).await;
            let request = Request::post(provider.url()).body(body).unwrap();
            let error = shop.send(request).await.unwrap_err();
            let refused = ErrorKind::Transport(Fault::NotProcessed);
            assert_eq!(said(&error), (refused, Delivery::Unknown));
            assert_eq!(provider.tally().requests, 1);
        }
    }
}

#[tokio::test]
async fn the_errors_of_a_client_that_sends_one_request_a_call_are_a_proof() {
    let plain = || client().redirect(Policy::none()).retry(::reqwest::retry::never());
    let single = ReqwestTransport::new(plain().http2_prior_knowledge().build().unwrap());
    for shop in presets(single.single_hop()) {
        let away = Turn::of([Do::Reset(REFUSED_STREAM)]);
        let provider = Framed::script([away, Turn::reply(200, "done")]).await;
        let request = Request::post(provider.url()).body(Body::from("amount=1")).unwrap();
        assert_eq!(shop.send(request).await.unwrap().status(), StatusCode::OK);
        assert_eq!(provider.tally().requests, 2);
    }
    for shop in presets(ReqwestTransport::new(plain().build().unwrap()).single_hop()) {
        for status in [421, 425] {
            let script = [Step::reply(status, ""), Step::reply(200, "done")];
            let provider = Provider::script(script).await;
            let response = shop.send(charge(&provider, "amount=1".into(), None)).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(provider.counts().requests, 2);
        }
    }
}

#[tokio::test]
async fn a_redirect_of_an_unsafe_request_is_no_success_whoever_answers_in_the_end() {
    for (status, posts) in [(301, 1), (303, 1), (307, 1), (308, 1)] {
        let script = [moved(status, "/there"), Step::reply(200, "nothing was charged")];
        let provider = Provider::script(script).await;
        let recorder = outrigger::testing::EventRecorder::new();
        let shop = Integration::user_flow("shop")
            .reqwest(client().build().unwrap())
            .subscriber(recorder.clone())
            .build()
            .unwrap();
        let response = shop.send(charge(&provider, "amount=1".into(), None)).await.unwrap();
        // The answer stays the caller's: the client's last, or the redirect that it didn't follow.
        let followed = provider.counts().requests == 2;
        let expected = if followed { 200 } else { status };
        assert_eq!(response.status().as_u16(), expected);
        drop(response);
        let seen = provider.seen();
        assert_eq!(seen.iter().filter(|seen| seen.method == "POST").count(), posts);
        let classes = classes(&recorder);
        assert_eq!(classes, [outrigger::outcome::Class::ClientError; 2], "{status}");
    }
}

/// What the attempt and the call came to.
fn classes(recorder: &outrigger::testing::EventRecorder) -> Vec<outrigger::outcome::Class> {
    use outrigger::event::{End, Event};
    let class = |event: Event| match event {
        Event::AttemptFinished { end: End::Answered { class, .. }, .. }
        | Event::CallFinished { end: End::Answered { class, .. }, .. } => Some(class),
        _ => None,
    };
    recorder.events().into_iter().filter_map(class).collect()
}

#[tokio::test]
async fn a_safe_request_may_be_redirected() {
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        let script = [moved(302, "/there"), Step::write("HTTP/1.1 204 Here\r\n\r\n")];
        let provider = Provider::script(script).await;
        let recorder = outrigger::testing::EventRecorder::new();
        let shop = Integration::user_flow("shop")
            .reqwest(client().build().unwrap())
            .subscriber(recorder.clone())
            .build()
            .unwrap();
        let url = provider.url("/here#part");
        let request = Request::builder().method(&method).uri(url).body(Body::empty()).unwrap();
        let response = shop.send(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        drop(response);
        assert_eq!(classes(&recorder), [outrigger::outcome::Class::Success; 2]);
    }
}

#[cfg(feature = "redirect")]
#[tokio::test]
async fn what_comes_of_a_redirect_names_the_host_that_it_led_to() {
    let own = quick(Integration::user_flow("shop").follow_redirects()).build().unwrap();
    let (_taken, address) = deaf();
    let to_nobody = moved(302, &format!("http://{address}/there"));
    let provider = Provider::script((0..4).map(|_| to_nobody.clone())).await;
    let error = own.get(provider.url("/here")).send().await.unwrap_err();
    assert_eq!(error.host(), Some(address.to_string().as_str()), "{error}");

    for shop in [own].into_iter().chain(presets(client().build().unwrap())) {
        let cut =
            Step::write("HTTP/1.1 200 Well\r\ncontent-length: 9\r\n\r\nhalf").then(Act::Reset);
        let elsewhere =
            Provider::script([Step::reply(404, ""), Step::reply(200, "no json"), cut]).await;
        let host = elsewhere.url("").replace("http://", "");
        let to_elsewhere = moved(302, &elsewhere.url("/there"));
        let provider = Provider::script((0..3).map(|_| to_elsewhere.clone())).await;
        let answer = || async { shop.get(provider.url("/here")).send().await.unwrap() };
        let missing = answer().await.error_for_status().map(drop).unwrap_err();
        let no_json = answer().await.json::<u32>().await.unwrap_err();
        let broken = answer().await.text().await.unwrap_err();
        for error in [missing, no_json, broken] {
            assert_eq!(error.host(), Some(host.as_str()), "{error}");
        }
    }
}

#[tokio::test]
async fn a_base_url_binds_a_client_that_follows_no_redirects_by_itself() {
    for (policy, status, asked) in [(Policy::default(), 200, 1), (Policy::none(), 302, 0)] {
        let elsewhere = Provider::script([Step::reply(200, "there")]).await;
        let provider = Provider::script([moved(302, &elsewhere.url("/there"))]).await;
        let client = client().redirect(policy).build().unwrap();
        let shop = Integration::user_flow("shop").base_url(provider.url("/")).reqwest(client);
        let response = shop.build().unwrap().get("here").bearer_auth("key").send().await.unwrap();
        assert_eq!((response.status().as_u16(), elsewhere.seen().len()), (status, asked));
        // What reqwest leaves out, and what the page says of the rest.
        let went_along = elsewhere.seen().iter().any(|seen| seen.header("authorization").is_some());
        assert!(!went_along);
    }
}

#[tokio::test]
async fn baggage_goes_through_no_client_that_could_carry_it_elsewhere() {
    let provider = Provider::script([moved(302, "/there"), Step::reply(200, "")]).await;
    let client = client().build().unwrap();
    let allowed = |transport: ReqwestTransport| {
        let shop = Integration::user_flow("shop").reqwest(transport);
        shop.correlation(|layer| layer.baggage_to("127.0.0.1")).build().unwrap()
    };
    let with_baggage = || {
        let request = Request::get(provider.url("/here")).header("baggage", "tenant=7");
        request.body(Body::empty()).unwrap()
    };
    let _ = allowed(client.clone().into()).send(with_baggage()).await.unwrap();
    let _ = allowed(ReqwestTransport::new(client).single_hop()).send(with_baggage()).await;
    let seen: Vec<_> =
        provider.seen().iter().map(|seen| seen.header("baggage").is_some()).collect();
    assert_eq!(seen, [false, false, true]);
}

#[tokio::test]
async fn redirects_that_a_layer_follows_over_the_own_client_are_steps_of_the_call() {
    use outrigger::transport::hyper::HyperConfig;
    use tower_http::follow_redirect::FollowRedirectLayer;

    let (_taken, address) = deaf();
    let elsewhere = Provider::script([Step::reply(421, "")]).await;
    let there = [
        "/receipt".to_owned(),
        format!("http://{address}/receipt"),
        // To another host, the call's own facts aren't carried along.
        elsewhere.url("/receipt").replace("127.0.0.1", "localhost"),
    ];
    for to in there {
        for status in [301, 303, 308] {
            let provider = Provider::script([moved(status, &to), Step::reply(421, "")]).await;
            let own = HyperConfig::new().build().unwrap();
            let follow = tower::Layer::layer(&FollowRedirectLayer::new(), own);
            let shop = quick(Integration::user_flow("shop").service(follow)).build().unwrap();
            let result = shop.send(charge(&provider, Body::empty(), None)).await;
            let charges = provider.seen().iter().filter(|seen| seen.target == "/charge").count();
            assert_eq!(charges, 1, "{status} to {to}: {result:?}");
            let unsent = result.is_err_and(|error| error.delivery() == Delivery::NotSent);
            assert!(!unsent, "{status} to {to}");
        }
    }
}

#[tokio::test]
async fn credentials_in_a_uri_are_not_left_out_without_a_word() {
    let provider = Provider::script([Step::reply(200, "")]).await;
    let uri = provider.url("/").replace("http://", "http://ada:SECRET@");
    let request = || Request::get(&uri).body(Body::empty()).unwrap();
    let mut client = ReqwestTransport::new(client().build().unwrap());
    for shop in presets(client.clone()) {
        let error = shop.send(request()).await.unwrap_err();
        assert_eq!(said(&error), (ErrorKind::Request, Delivery::NotSent), "{error}");
    }
    let error = client.call(request()).await.unwrap_err();
    assert_eq!(said(&error), (ErrorKind::Request, Delivery::NotSent), "{error}");
    assert_eq!(provider.counts().requests, 0);
}
