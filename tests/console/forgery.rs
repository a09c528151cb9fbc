//! Forms of others, addresses that would change something, and what a browser is told not to do.

use std::time::Duration;

use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{Method, Request, StatusCode};
use outrigger::Body;

use super::bench::{Bench, all, encode, form_of};

/// Sends a right form with these headers.
async fn status(
    bench: &Bench,
    headers: &[(&str, &str)],
    change: impl FnOnce(&mut String),
) -> StatusCode {
    let page = bench.get("ada", "?integration=payments").await;
    let mut form = form_of(&page.text, "set").unwrap();
    form.insert("to".to_owned(), "off".to_owned());
    let mut body = encode(&form);
    change(&mut body);
    let mut request = Request::post("/").header("x-user", "ada");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    bench.send(request.body(Body::from(body)).unwrap()).await.status
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test(start_paused = true)]
async fn a_form_of_another_site_does_nothing() {
    let bench = Bench::new(all());
    let refused = [
        vec![FORM, ("sec-fetch-site", "cross-site")],
        vec![FORM, ("sec-fetch-site", "same-site")],
        vec![FORM, ("origin", "https://evil.example"), ("host", "ops.example")],
        // A proxy that writes its own host makes the console's own pages strangers: better than the reverse.
        vec![FORM, ("origin", "https://ops.example"), ("host", "10.0.0.7:8080")],
    ];
    for headers in refused {
        assert_eq!(status(&bench, &headers, |_| ()).await, StatusCode::FORBIDDEN, "{headers:?}");
        assert!(bench.payments.kill_switch().mode().lets_calls_through(), "{headers:?}");
    }
    let own = [FORM, (ORIGIN.as_str(), "https://ops.example"), (HOST.as_str(), "ops.example")];
    assert_eq!(status(&bench, &own, |_| ()).await, StatusCode::SEE_OTHER);
    assert!(!bench.payments.kill_switch().mode().lets_calls_through());
}

#[tokio::test(start_paused = true)]
async fn a_trusted_origin_may_send_forms_through_a_proxy() {
    let bench = Bench::with(all(), |console| console.trusted_origin("https://ops.example"));
    let proxied = [FORM, ("origin", "https://ops.example"), ("host", "10.0.0.7:8080")];
    assert_eq!(status(&bench, &proxied, |_| ()).await, StatusCode::SEE_OTHER);
}

#[test]
fn an_origin_that_is_none_is_named_when_it_is_built() {
    let registry = outrigger::control::Registry::new();
    let console = outrigger::console::Console::builder(&registry, all());
    let error =
        console.trusted_origin("ops.example").trusted_origin("https://a/b").build().unwrap_err();
    assert_eq!(error.errors().len(), 2, "{error}");
    assert!(error.errors()[0].field().contains("trusted_origin"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_form_without_headers_that_tell_its_site_needs_its_token() {
    let bench = Bench::new(all());
    let forged = |body: &mut String| *body = body.replace("token=", "token=0");
    assert_eq!(status(&bench, &[FORM], forged).await, StatusCode::FORBIDDEN);
    let missing = |body: &mut String| *body = body.replace("token=", "other=");
    assert_eq!(status(&bench, &[FORM], missing).await, StatusCode::FORBIDDEN);
    // A token for another act.
    let other = |body: &mut String| *body = body.replace("act=set", "act=pause&lane=mailer");
    assert_eq!(status(&bench, &[FORM], other).await, StatusCode::FORBIDDEN);
    assert!(bench.recorded.lock().unwrap().is_empty());
    assert_eq!(status(&bench, &[FORM], |_| ()).await, StatusCode::SEE_OTHER);
}

#[tokio::test(start_paused = true)]
async fn a_form_of_the_day_before_is_too_old() {
    let bench = Bench::new(all());
    let page = bench.get("ada", "?integration=payments").await;
    let mut form = form_of(&page.text, "set").unwrap();
    form.insert("to".to_owned(), "off".to_owned());
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    let late = bench.post("ada", &form).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    assert!(late.text.contains("load the page again"), "{}", late.text);
}

#[tokio::test(start_paused = true)]
async fn another_process_takes_a_form_only_with_the_same_key() {
    let key = |console: outrigger::console::ConsoleBuilder| console.form_key([7; 32]);
    let (one, same) = (Bench::with(all(), key), Bench::with(all(), key));
    let other = Bench::new(all());
    let page = one.get("ada", "?integration=payments").await;
    let mut form = form_of(&page.text, "set").unwrap();
    form.insert("to".to_owned(), "off".to_owned());
    assert_eq!(other.post("ada", &form).await.status, StatusCode::FORBIDDEN);
    assert_eq!(same.post("ada", &form).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test(start_paused = true)]
async fn nothing_but_a_form_is_taken_and_none_that_is_too_large() {
    let bench = Bench::new(all());
    for media in ["text/plain", "multipart/form-data; boundary=x", ""] {
        let headers = [("content-type", media)];
        assert_eq!(
            status(&bench, &headers, |_| ()).await,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{media}"
        );
    }
    let large = |body: &mut String| body.push_str(&format!("&x={}", "x".repeat(70_000)));
    assert_eq!(status(&bench, &[FORM], large).await, StatusCode::PAYLOAD_TOO_LARGE);
    let no_text = Request::post("/").header("x-user", "ada").header(CONTENT_TYPE, FORM.1);
    let no_text = no_text.body(Body::from(vec![0xff, 0xfe])).unwrap();
    assert_eq!(bench.send(no_text).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn an_address_alone_changes_nothing() {
    let bench = Bench::new(all());
    let page = bench.get("ada", "?integration=payments").await;
    let mut form = form_of(&page.text, "set").unwrap();
    form.insert("to".to_owned(), "off".to_owned());
    for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE] {
        let request = Request::builder().method(&method).uri(format!("/?{}", encode(&form)));
        let request = request.header("x-user", "ada").header("sec-fetch-site", "same-origin");
        bench.send(request.body(Body::empty()).unwrap()).await;
        assert!(bench.payments.kill_switch().mode().lets_calls_through(), "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_answer_binds_the_browser() {
    let bench = Bench::new(all());
    for page in
        ["", "?integration=payments", "?nothing", "?acts=csv", "?live=1", "?style=1", "?script=1"]
    {
        let request = Request::get(format!("/{page}")).header("x-user", "ada").body(Body::empty());
        let (head, _body) = tower::ServiceExt::oneshot(bench.console.clone(), request.unwrap())
            .await
            .unwrap()
            .into_parts();
        let value = |name: &str| head.headers[name].to_str().unwrap().to_owned();
        let policy = value("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{page}: {policy}");
        assert!(!policy.contains("unsafe"), "{page}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"),
            "{page}"
        );
        assert_eq!(value("x-content-type-options"), "nosniff", "{page}");
        assert_eq!(value("referrer-policy"), "same-origin", "{page}");
        let is_asset = page.starts_with("?s");
        assert_eq!(value("cache-control").starts_with("no-store"), !is_asset, "{page}");
    }
    // Refused ones, too.
    let strange = bench.send(Request::get("/").body(Body::empty()).unwrap()).await;
    assert!(strange.headers.contains_key("content-security-policy"));
}

#[tokio::test(start_paused = true)]
async fn a_form_from_elsewhere_is_told_what_to_do() {
    let bench = Bench::new(all());
    let request = Request::post("/").header("x-user", "ada").header("origin", "null");
    let request = request.header("host", "ops.example").header(CONTENT_TYPE, FORM.1);
    let refused = bench.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text.contains("another origin"), "{}", refused.text);
    assert!(refused.text.contains("trusted origin"), "{}", refused.text);
    assert_eq!(refused.headers["referrer-policy"], "same-origin");
}
