//! What a caller writes: requests by the method, options, answers, and where a request may go.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use outrigger::backoff::Backoff;
use outrigger::context::{BusinessKey, CorrelationId, PathTemplate, Scope};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::integration::Service;
use outrigger::outcome::GaveUp;
use outrigger::retry::RetryOverride;
use outrigger::testing::{Answer, Script};
use outrigger::{
    Body, BoxError, CallOptions, Delivery, Error, ErrorKind, IdempotencyKey, Integration,
    IntegrationBuilder, ResponseExt,
};
use serde::{Deserialize, Serialize};
use tower::service_fn;
use tower::util::BoxCloneSyncService;

type Provider = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

/// The last request, with its body.
type Seen = Arc<Mutex<Option<Request<Bytes>>>>;

/// A provider that notes what it is asked, and answers with this.
fn provider(status: u16, answer: &'static str) -> (Provider, Seen) {
    let seen = Seen::default();
    let keep = Arc::clone(&seen);
    let service = service_fn(move |request: Request<Body>| {
        let keep = Arc::clone(&keep);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            *keep.lock().unwrap() = Some(Request::from_parts(head, body));
            let response = Response::builder().status(status).body(Body::from(answer));
            Ok::<_, BoxError>(response.unwrap())
        }
    });
    (BoxCloneSyncService::new(service), seen)
}

fn crm(base: &str) -> (Integration, Seen) {
    let (provider, seen) = provider(200, "{}");
    let crm = Integration::user_flow("crm").base_url(base).service(provider).build().unwrap();
    (crm, seen)
}

fn last(seen: &Seen) -> Request<Bytes> {
    seen.lock().unwrap().take().expect("nothing was sent")
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Customer {
    id: u64,
    name: String,
}

fn ada() -> Customer {
    Customer { id: 42, name: "Ada & Co".into() }
}

#[tokio::test]
async fn what_no_uri_may_have_is_encoded_or_refused() {
    let (crm, seen) = crm("https://crm.test/v2");
    for (asked, sent) in [
        ("/customers/Zoë", "https://crm.test/v2/customers/Zo%C3%AB"),
        ("https://crm.test/%C3%AB/ë?q=ë", "https://crm.test/%C3%AB/%C3%AB?q=%C3%AB"),
        ("/customers?q=日", "https://crm.test/v2/customers?q=%E6%97%A5"),
        ("/customers?filter={a}", "https://crm.test/v2/customers?filter={a}"),
    ] {
        crm.get(asked).send().await.unwrap();
        assert_eq!(last(&seen).uri(), sent);
        let request = Request::get(asked).body(Body::empty()).unwrap();
        crm.send(request).await.unwrap();
        assert_eq!(last(&seen).uri(), sent);
    }
    // Somebody has forgotten to fill it in.
    for asked in ["customers/{id}", "https://crm.test/v2/customers/{id}?a=1", "customers/\"a\""] {
        let error = crm.get(asked).send().await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Request, Delivery::NotSent));
        assert!(error.to_string().contains("its path has a `\"`, `{` or `}`"), "{error}");
        assert!(seen.lock().unwrap().is_none());
    }
}

#[tokio::test]
async fn relative_uris_are_joined_to_the_base_url() {
    for (base, path, joined) in [
        ("https://api.crm.example", "customers", "https://api.crm.example/customers"),
        ("https://api.crm.example/", "/customers", "https://api.crm.example/customers"),
        ("https://api.crm.example/v2", "customers/42", "https://api.crm.example/v2/customers/42"),
        (
            "https://api.crm.example/v2/",
            "/customers?a=b",
            "https://api.crm.example/v2/customers?a=b",
        ),
        ("https://api.crm.example/v2", "", "https://api.crm.example/v2"),
        ("https://api.crm.example/v2", "?page=2", "https://api.crm.example/v2?page=2"),
        ("https://api.crm.example/v2", "/", "https://api.crm.example/v2/"),
        ("https://api.crm.example/v2", "a;b/..c", "https://api.crm.example/v2/a;b/..c"),
        (
            "https://api.crm.example",
            "find?url=http://a",
            "https://api.crm.example/find?url=http://a",
        ),
        ("http://localhost:8080", "a%20b", "http://localhost:8080/a%20b"),
        (
            "https://api.crm.example/v2",
            "https://API.crm.example:443/v1",
            "https://API.crm.example:443/v1",
        ),
    ] {
        let (crm, seen) = crm(base);
        crm.get(path).send().await.unwrap();
        assert_eq!(last(&seen).uri(), joined, "{base} and {path}");
    }
    // As a plain request, too.
    let (crm, seen) = crm("https://api.crm.example/v2");
    crm.send(Request::get("/customers").body(()).unwrap()).await.unwrap();
    assert_eq!(last(&seen).uri(), "https://api.crm.example/v2/customers");
}

#[tokio::test]
async fn a_request_to_another_origin_is_refused() {
    let (crm, seen) = crm("https://api.crm.example/v2");
    for uri in [
        "https://evil.example/v2/customers",
        "http://api.crm.example/v2/customers",
        "https://api.crm.example:8443/",
        "https://api.crm.example.evil.example/",
        "https://api.crm.example@evil.example/",
        "../admin",
        "customers/../../admin",
        "customers/%2e%2E/admin",
        "./customers",
        "customers/..#",
        "customers/..\\..\\admin",
        "customers/..%2f..%2Fadmin",
        "customers/..;/admin",
        "customers/%2E.%3Ba/admin",
        "*",
        "a b",
    ] {
        let error = crm.get(uri).bearer_auth("secret").send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request, "{uri}: {error}");
        assert_eq!((error.delivery(), error.integration()), (Delivery::NotSent, Some("crm")));
        assert!(!error.to_string().contains("secret"));
        assert!(seen.lock().unwrap().is_none(), "{uri} was sent");
    }
    let request = Request::get("https://evil.example/").body(Body::empty()).unwrap();
    let error = crm.send(request).await.unwrap_err();
    assert!(error.to_string().contains("`allow_origin` allows others"), "{error}");
}

#[tokio::test]
async fn another_origin_may_be_allowed() {
    let (provider, seen) = provider(200, "");
    let crm = Integration::user_flow("crm")
        .base_url("https://api.crm.example")
        .allow_origin("https://files.crm.example")
        .default_header(AUTHORIZATION, "Bearer of crm")
        .user_agent("shop")
        .service(provider)
        .build()
        .unwrap();
    crm.get("https://files.crm.example/1.pdf").send().await.unwrap();
    let sent = last(&seen);
    assert_eq!(sent.uri(), "https://files.crm.example/1.pdf");
    // What may be a credential is the provider's alone.
    assert_eq!(
        (sent.headers().get(AUTHORIZATION), &sent.headers()[USER_AGENT]),
        (None, &"shop".parse().unwrap())
    );
    let forgotten = Integration::user_flow("crm").allow_origin("https://files.crm.example");
    let error = forgotten.service(Script::new([Answer::status(200)])).build().unwrap_err();
    assert_eq!(error.errors()[0].field(), "allow_origin");
    assert!(crm.get("https://crm.example/").send().await.is_err());
}

#[tokio::test]
async fn without_a_base_url_a_uri_is_absolute_and_goes_anywhere() {
    let (provider, seen) = provider(200, "");
    let crm = Integration::user_flow("crm").service(provider).build().unwrap();
    crm.get("https://anywhere.example/a").send().await.unwrap();
    assert_eq!(last(&seen).uri(), "https://anywhere.example/a");
    let error = crm.get("customers").send().await.unwrap_err();
    assert!(error.to_string().contains("no base url"), "{error}");
}

#[test]
fn what_is_wrong_with_a_base_url_is_said_when_it_is_built() {
    let (provider, _) = provider(200, "");
    let error = Integration::user_flow("crm")
        .base_url("api.crm.example")
        .allow_origin("https://files.crm.example/path")
        .default_header("x y", "z")
        .user_agent("a\nb")
        .service(provider)
        .build()
        .unwrap_err();
    let fields: Vec<_> = error.errors().iter().map(outrigger::ValidationError::field).collect();
    assert_eq!(fields, ["base_url", "allow_origin", "default_header", "user_agent"]);
    for url in
        ["ftp://a.example", "https://user:secret@a.example", "https://a.example/?q", "/v1", ""]
    {
        let builder = Integration::user_flow("crm").base_url(url);
        let error = builder.service(Script::new([Answer::status(200)])).build().unwrap_err();
        assert_eq!(error.errors()[0].field(), "base_url", "{url}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn default_headers_are_on_each_request_that_has_none_of_its_own() {
    let (provider, seen) = provider(200, "");
    let crm = Integration::user_flow("crm")
        .base_url("https://api.crm.example")
        .default_header("x-version", "2026-11-01")
        .default_header(AUTHORIZATION, "Bearer of all")
        .user_agent("shop/1.0")
        .service(provider)
        .build()
        .unwrap();
    crm.get("a").bearer_auth("own").send().await.unwrap();
    let sent = last(&seen);
    assert_eq!(sent.headers()["x-version"], "2026-11-01");
    assert_eq!(sent.headers()[USER_AGENT], "shop/1.0");
    assert_eq!(sent.headers()[AUTHORIZATION], "Bearer own");
    assert!(sent.headers()[AUTHORIZATION].is_sensitive());
}

#[tokio::test]
async fn a_client_of_ones_own_gets_no_user_agent_by_itself() {
    let (crm, seen) = crm("https://api.crm.example");
    crm.get("a").send().await.unwrap();
    assert!(!last(&seen).headers().contains_key(USER_AGENT));
}

#[tokio::test]
async fn a_request_is_put_together_as_with_reqwest() {
    let (crm, seen) = crm("https://api.crm.example");
    let mut more = HeaderMap::new();
    more.append("x-a", HeaderValue::from_static("1"));
    more.append("x-a", HeaderValue::from_static("2"));
    crm.post("customers?force=1")
        .query(&[("tag", "a b"), ("tag", "ü")])
        .query(&ada())
        .header("x-b", "3")
        .headers(more)
        .json(&ada())
        .send()
        .await
        .unwrap();
    let sent = last(&seen);
    assert_eq!(sent.method(), Method::POST);
    let query = "force=1&tag=a+b&tag=%C3%BC&id=42&name=Ada+%26+Co";
    assert_eq!(sent.uri().query(), Some(query));
    assert_eq!(sent.headers().get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(
        (&sent.headers()["x-b"], &sent.headers()[CONTENT_TYPE]),
        (&"3".parse().unwrap(), &"application/json".parse().unwrap())
    );
    assert_eq!(sent.body(), r#"{"id":42,"name":"Ada & Co"}"#);

    crm.put("customers/42").form(&ada()).basic_auth("ada", Some("pa:ss")).send().await.unwrap();
    let sent = last(&seen);
    assert_eq!(sent.headers()[CONTENT_TYPE], "application/x-www-form-urlencoded");
    assert_eq!(sent.headers()[AUTHORIZATION], "Basic YWRhOnBhOnNz");
    assert_eq!(sent.body(), "id=42&name=Ada+%26+Co");

    crm.patch("a")
        .header(CONTENT_TYPE, "application/merge-patch+json")
        .json(&1)
        .send()
        .await
        .unwrap();
    assert_eq!(last(&seen).headers()[CONTENT_TYPE], "application/merge-patch+json");
    for (request, method) in [
        (crm.delete("a"), Method::DELETE),
        (crm.head("a"), Method::HEAD),
        (crm.request(Method::OPTIONS, "a"), Method::OPTIONS),
    ] {
        request.basic_auth("", None::<&str>).send().await.unwrap();
        let sent = last(&seen);
        assert_eq!(
            (sent.method(), &sent.headers()[AUTHORIZATION]),
            (&method, &"Basic Og==".parse().unwrap())
        );
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_the_calls_error() {
    let (crm, seen) = crm("https://api.crm.example");
    let wrong = [
        crm.get("a").header("x y", "z"),
        crm.get("a").header("x", "a\nb"),
        crm.get("a").bearer_auth("a\nb"),
        crm.get("a").basic_auth("a:b", Some("c")),
        crm.get("a").query(&"no pairs"),
        crm.get("a").form(&[1, 2]),
        crm.get("a").json(&std::collections::HashMap::from([((1, 2), 3)])),
        crm.post("a").idempotency_key("not\tvisible"),
    ];
    for request in wrong {
        let error = request.build().unwrap_err();
        assert_eq!(
            (error.kind(), error.delivery()),
            (ErrorKind::Request, Delivery::NotSent),
            "{error}"
        );
    }
    let error = crm.get("a").header("x", "a\nb").send().await.unwrap_err();
    assert_eq!(error.integration(), Some("crm"));
    assert!(seen.lock().unwrap().is_none());
    // `?` on a request that is put together by hand.
    let by_hand = || -> Result<Request<()>, Error> { Ok(Request::get("a b").body(())?) };
    assert_eq!(by_hand().unwrap_err().kind(), ErrorKind::Request);
}

#[tokio::test(start_paused = true)]
async fn options_go_with_a_request_of_any_kind() {
    let (provider, seen) = provider(200, "");
    let crm = Integration::user_flow("crm").service(provider).build().unwrap();
    let options = || {
        CallOptions::new()
            .idempotency_key(IdempotencyKey::from_business_key("order 1042"))
            .business_key("order 1042")
            .template("/charges/{id}")
            .deadline(Duration::from_secs(2))
            .retries(RetryOverride::Once)
    };
    let by_hand = Request::post("https://crm.example/charges/1").body(Body::empty()).unwrap();
    let builder = crm.post("https://crm.example/charges/1");
    for call in [crm.send_with(by_hand, options()), builder.options(options()).send()] {
        call.await.unwrap();
        let sent = last(&seen);
        let own = sent.extensions();
        assert_eq!(own.get::<BusinessKey>().unwrap().as_str(), "order 1042");
        assert_eq!(own.get::<PathTemplate>().unwrap().as_str(), "/charges/{id}");
        assert_eq!(own.get::<RetryOverride>(), Some(&RetryOverride::Once));
        let key = &sent.headers()["idempotency-key"];
        assert_eq!(key.len(), 36, "{key:?}");
    }
    let wrong = CallOptions::new().idempotency_key(String::from("ü"));
    let request = Request::post("https://crm.example/").body(()).unwrap();
    let error = crm.send_with(request, wrong).await.unwrap_err();
    assert!(error.to_string().contains("idempotency key"), "{error}");
}

fn flaky() -> (IntegrationBuilder<Service<Script>>, Script) {
    let script = Script::new([Answer::status(503), Answer::status(200)]);
    let crm = Integration::user_flow("crm")
        .base_url("https://crm.example")
        .idempotency(IdempotencyLayer::new(KeyProfile::stripe()))
        .retry(|retry| retry.backoff(Backoff::fixed(Duration::from_millis(1))))
        .service(script.clone());
    (crm, script)
}

#[tokio::test(start_paused = true)]
async fn options_do_what_they_say() {
    let (crm, script) = flaky();
    let crm = crm.build().unwrap();
    let response = crm.post("charges").idempotency_key("order-1042").send().await.unwrap();
    assert_eq!((response.status(), script.begun()), (StatusCode::OK, 2));
    let (crm, script) = flaky();
    let crm = crm.build().unwrap();
    let response = crm.get("charges").retries(RetryOverride::Never).send().await.unwrap();
    assert_eq!((response.status(), script.begun()), (StatusCode::SERVICE_UNAVAILABLE, 1));
    let crm = Integration::user_flow("crm")
        .base_url("https://crm.example")
        .service(Script::new([Answer::hang()]))
        .build()
        .unwrap();
    let began = tokio::time::Instant::now();
    let error = crm.get("a").deadline(Duration::from_millis(300)).send().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(began.elapsed(), Duration::from_millis(300));
    // From when it is sent, and not from when it is put together.
    let request = crm.get("a").deadline(Duration::from_millis(300)).build().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let began = tokio::time::Instant::now();
    assert!(crm.send(request).await.unwrap_err().is_timeout());
    assert_eq!(began.elapsed(), Duration::from_millis(300));
}

#[tokio::test]
async fn answers_are_read_as_with_reqwest() {
    let answered = |status, body: &'static str| {
        Response::builder().status(status).body(Body::from(body)).unwrap()
    };
    let customer: Customer = answered(200, r#"{"id":42,"name":"Ada & Co"}"#).json().await.unwrap();
    assert_eq!(customer, ada());
    assert_eq!(answered(200, "text").text().await.unwrap(), "text");
    assert_eq!(answered(200, "bytes").bytes().await.unwrap(), "bytes");
    assert!(answered(302, "").error_for_status().is_ok());
    for status in [400, 404, 500, 599] {
        let error = answered(status, "secret").error_for_status().unwrap_err();
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(
            (error.kind(), error.delivery()),
            (ErrorKind::Status(status), Delivery::Answered)
        );
        assert_eq!(error.to_string(), format!("answered {status}"));
        assert_eq!((error.status(), error.last_status()), (Some(status), Some(status)));
    }
    for (body, said) in [
        (r#"{"id":42}"#, "missing field `name` (line 1, column 9)"),
        (
            r#"{"id":"secret","name":""}"#,
            "a value of another type than expected (line 1, column 14)",
        ),
        (r#"{"id":4"#, "it ends too early (line 1, column 7)"),
        ("<html>secret</html>", "it is no json (line 1, column 1)"),
        ("", "there is no body (line 1, column 0)"),
    ] {
        let error = answered(200, body).json::<Customer>().await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Invalid, Delivery::Answered));
        assert!(error.to_string().ends_with(said), "{error}");
    }
    // A body that is no more than it may be, and one that is. A stream's length isn't known.
    let streamed = || {
        let parts = stream::iter(["1234", "5678"].map(Ok::<_, BoxError>));
        Response::new(Body::from_stream(parts))
    };
    assert_eq!(streamed().json_up_to::<u64>(8).await.unwrap(), 12_345_678);
    for error in [
        streamed().json_up_to::<u64>(7).await.unwrap_err(),
        streamed().text_up_to(7).await.unwrap_err(),
        streamed().bytes_up_to(7).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_about_an_answer_names_the_call() {
    let asked = || Answer::status(429).header("retry-after", "7").body("secret");
    for (answer, said) in [
        (asked(), "crm: answered 429 Too Many Requests at crm.example:443"),
        (Answer::status(404), "crm: answered 404 Not Found at crm.example:443"),
    ] {
        let crm = Integration::user_flow("crm").base_url("https://crm.example").without_retry();
        let crm = crm.service(Script::new([answer])).build().unwrap();
        let options = |call: outrigger::integration::RequestBuilder| {
            call.header("x-correlation-id", "order-7").idempotency_key("order-1042")
        };
        let response = options(crm.post("charges")).send().await.unwrap();
        let error = response.error_for_status().unwrap_err();
        assert_eq!(error.to_string(), said);
        assert_eq!(error.integration(), Some("crm"));
        assert_eq!((error.attempts(), error.delivery()), (1, Delivery::Answered));
        assert_eq!(error.idempotency_key().unwrap(), "order-1042");
        assert!(error.call_id().is_some() && error.correlation_id().is_some());
        let asked = said.contains("429").then(|| Duration::from_secs(7));
        assert_eq!(error.retry_after(), asked);
    }
    // An earlier attempt was lost: the answer may be its consequence.
    let lost = [Answer::broken(std::io::ErrorKind::ConnectionReset), Answer::status(409)];
    let crm = Integration::user_flow("crm").service(Script::new(lost)).build().unwrap();
    let call = crm.post("https://crm.example/charges").idempotency_key("order-1042").send();
    let error = call.await.unwrap().error_for_status().unwrap_err();
    assert_eq!((error.attempts(), error.delivery()), (2, Delivery::Unknown));
    let down = Integration::user_flow("crm").service(Script::new([Answer::status(503)]));
    let call = down.build().unwrap().post("https://crm.example/charges").send();
    let error = call.await.unwrap().error_for_status().unwrap_err();
    assert_eq!((error.attempts(), error.gave_up()), (1, Some(GaveUp::NotSafe)));
    // A body that is larger than it may be, whether that is announced or found out.
    for answer in
        [Answer::status(200).body("12345678"), Answer::status(200).body("12345678").breaks_after(8)]
    {
        let crm = Integration::user_flow("crm").service(Script::new([answer])).build().unwrap();
        let response = crm.get("https://crm.example/").send().await.unwrap();
        let error = response.bytes_up_to(7).await.unwrap_err();
        assert!(error.call_id().is_some() && error.elapsed().is_some());
        assert_eq!((error.status(), error.last_status()), (None, Some(StatusCode::OK)));
        let said = "crm: answer's body is too large from crm.example:443: more than 7 bytes";
        assert!(error.to_string().starts_with(said), "{error}");
    }
    // What the body holds, or doesn't.
    for (body, said) in [
        (r#"{"id":42}"#, "crm: answer failed its check from crm.example:443: missing field `name`"),
        ("<html>", "crm: answer failed its check from crm.example:443: it is no json"),
    ] {
        let answers = Script::new([Answer::status(200).body(body)]);
        let crm = Integration::user_flow("crm").service(answers).build().unwrap();
        let response = crm.get("https://crm.example/").send().await.unwrap();
        let error = response.json::<Customer>().await.unwrap_err();
        assert!(error.to_string().starts_with(said), "{error}");
    }
}

#[tokio::test]
async fn a_body_needs_only_be_send() {
    fn is_sync<T: Sync>(_: &T) {}
    // A cell is no Sync.
    let cell = std::cell::Cell::new(1_u8);
    let counted = stream::poll_fn(move |_| {
        let at = cell.replace(cell.get() + 1);
        std::task::Poll::Ready((at < 4).then(|| Ok::<_, BoxError>(Bytes::from(vec![b'0' + at]))))
    });
    let body = Body::from_stream(counted);
    is_sync(&body);
    assert_eq!(body.text().await.unwrap(), "123");
    let axum = axum::body::Body::from("from axum");
    assert_eq!(Body::new(axum).text().await.unwrap(), "from axum");
    let boxed = http_body_util::Full::new(Bytes::from("boxed")).boxed_unsync();
    assert_eq!(Body::new(boxed).text().await.unwrap(), "boxed");
}

#[tokio::test(start_paused = true)]
async fn a_scope_is_that_in_which_a_call_is_made_or_else_polled() {
    let hang = || {
        let crm = Integration::user_flow("crm").service(Script::new([Answer::hang()]));
        crm.build().unwrap()
    };
    let request = || Request::get("https://crm.example/").body(Body::empty()).unwrap();
    let scope = || Scope::new().deadline_in(Duration::from_millis(300));
    let crm = hang();
    let began = tokio::time::Instant::now();
    // Made outside of the scope, polled inside.
    let error = scope().run(crm.send(request())).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    // Made inside, polled outside.
    let call = scope().run_now(|| crm.send(request()));
    assert!(call.await.unwrap_err().is_timeout());
    assert_eq!(began.elapsed(), Duration::from_millis(600));

    let id = || CorrelationId::new("order-1042").unwrap();
    let (crm, seen) = crate::client::crm("https://crm.example");
    Scope::new().correlation_id(id()).run(crm.get("a").send()).await.unwrap();
    assert_eq!(last(&seen).headers()["x-request-id"], "order-1042");
    let call = Scope::new().correlation_id(id()).run_now(|| crm.get("a").send());
    let other = Scope::new().correlation_id(CorrelationId::new("other").unwrap());
    other.run(call).await.unwrap();
    assert_eq!(last(&seen).headers()["x-request-id"], "order-1042");
}

#[tokio::test]
async fn bodies_of_any_type_go_through_the_tower_service() {
    let (crm, seen) = crm("https://api.crm.example");
    let mut service = crm.tower();
    let parts = stream::iter(
        ["ab", "cd"]
            .map(|part| Ok::<_, BoxError>(http_body::Frame::data(std::io::Cursor::new(part)))),
    );
    let body = http_body_util::StreamBody::new(parts);
    let request = Request::post("/a").body(body).unwrap();
    tower::Service::call(&mut service, request).await.unwrap();
    assert_eq!(last(&seen).body(), "abcd");
    let request = Request::post("/a").body(axum::body::Body::from("axum")).unwrap();
    tower::Service::call(&mut service, request).await.unwrap();
    assert_eq!(last(&seen).body(), "axum");
}

#[tokio::test]
async fn bodies_keep_their_lengths() {
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&sizes);
    let provider = service_fn(move |request: Request<Body>| {
        keep.lock().unwrap().push(http_body::Body::size_hint(request.body()).exact());
        std::future::ready(Ok::<_, BoxError>(Response::new(Body::empty())))
    });
    let crm = Integration::user_flow("crm").service(provider).build().unwrap();
    let request = |body| Request::post("https://crm.example/").body(body).unwrap();
    let full = || http_body_util::Full::new(Bytes::from("four"));
    tower::Service::call(&mut crm.tower(), request(full())).await.unwrap();
    crm.send(request(full())).await.unwrap();
    assert_eq!(*sizes.lock().unwrap(), [Some(4), Some(4)]);
    assert_eq!(Body::from(full()).as_bytes(), Some(&b"four"[..]));
}
