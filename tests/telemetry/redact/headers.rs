use http::{HeaderName, HeaderValue};
use outrigger::redact::Redactor;

use super::{header, standard};

#[test]
fn values_of_the_list_are_shown() {
    for (name, value) in [
        ("content-type", "application/json; charset=utf-8"),
        ("content-length", "312"),
        ("date", "Mon, 30 Nov 2026 08:00:00 GMT"),
        ("retry-after", "120"),
        ("retry-after", "Mon, 30 Nov 2026 08:00:00 GMT"),
        ("ratelimit", "limit=100, remaining=50, reset=5"),
        ("ratelimit", "\"default\";r=50;t=30"),
        ("ratelimit-policy", "100;w=60"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1796025600"),
        ("x-ratelimit-reset-tokens", "6m0s"),
        ("x-rate-limit-reset", "2026-11-30T08:00:00Z"),
        ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
        ("server", "nginx/1.25"),
        ("via", "1.1 vegur, 1.1 varnish"),
        ("cache-control", "no-store, max-age=0"),
        ("x-request-id", "0189d0f2-1b5c-7c3e-8f00-1a2b3c4d5e6f"),
        ("request-id", "req_1a2B3c4D5e6F7g"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("cf-ray", "8c5e2f1a9b3d4e5f-FRA"),
        ("idempotency-key", "order-1042"),
        ("host", "crm.test:8443"),
    ] {
        assert_eq!(header(name, value), value, "{name}");
    }
    let file =
        header("content-type", "application/pdf; name=\"Ada;Lovelace.pdf\"; charset=\"utf-8\"");
    assert_eq!(file, "application/pdf; name=[redacted]; [redacted]; charset=\"utf-8\"");
    let parts = "multipart/form-data; boundary=[redacted]";
    assert_eq!(header("content-type", "multipart/form-data; boundary=X3f9aB7c1D5e8G2h"), parts);
    assert_eq!(
        header("location", "https://a:b@crm.test/v1/u/7?c=1"),
        "https://[redacted]@crm.test/v1/[redacted]/[redacted]?c=[redacted]"
    );
    assert_eq!(header("location", "/login/Ada?code=x"), "/[redacted]/[redacted]?code=[redacted]");
}

#[test]
fn all_others_are_hidden_whatever_is_in_them() {
    for name in [
        "authorization",
        "proxy-authorization",
        "www-authenticate",
        "cookie",
        "set-cookie",
        "x-api-key",
        "x-customer",
        "x-kunde",
        "x-note",
        "etag",
        "link",
        "referer",
        "user-agent",
        "from",
        "forwarded",
        "x-forwarded-for",
        "baggage",
        "content-disposition",
        "x-ratelimit-user",
    ] {
        assert_eq!(header(name, "7"), "[redacted]", "{name}");
    }
}

#[test]
fn a_value_of_the_list_that_is_something_else_is_hidden() {
    for (name, value) in [
        ("retry-after", "Ada Lovelace"),
        ("x-ratelimit-limit", "ada lovelace 7"),
        ("date", "birth of Ada, 10.12.1815"),
        ("content-length", "ada"),
        ("x-request-id", "ada@crm.test"),
        ("x-request-id", "4242424242424242"),
        ("server", "sk_live_abcdefgh"),
        ("server", "Hunter2xSecret"),
        ("location", "not a url"),
        ("server", "Müller"),
        ("x-request-id", "Ada Lovelace"),
        ("x-correlation-id", "Müller"),
        ("content-type", "Ada Lovelace"),
        ("location", "532013000"),
        ("location", "ada?code=x"),
    ] {
        assert_eq!(header(name, value), "[redacted]", "{name}");
    }
    assert_eq!(header("via", &"a ".repeat(200)), "[redacted]");
    let odd = HeaderValue::from_bytes(b"\xffnginx").unwrap();
    assert_eq!(standard().header(&http::header::SERVER, &odd), "[redacted]");
}

#[test]
fn a_header_that_somebody_asked_for_is_shown_and_still_swept() {
    let name = HeaderName::from_static("x-customer");
    let own = standard().show_header(name.clone());
    let shown = |value| own.header(&name, &value);
    assert_eq!(shown(HeaderValue::from_static("Ada, ada@crm.test")), "Ada, [redacted]");
    let mut sensitive = HeaderValue::from_static("Ada");
    sensitive.set_sensitive(true);
    assert_eq!(shown(sensitive), "[redacted]");
}
