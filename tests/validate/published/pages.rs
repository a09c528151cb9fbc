//! Pages of those who stand between, and bodies that broke.

use outrigger::validate::{Media, Required, ValidateLayer};

use super::{Fine, HTML, JSON, Later, Limit, Refused, Row, Wrong, each_means};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    ("Cloudflare, Error 502", 502, HTML, "<title>example.com | 502: Bad gateway</title>", Later),
    ("Cloudflare, Error 520", 520, HTML, "<title>Web server is returning an unknown error</title>", Later),
    ("Cloudflare, Error 521", 521, HTML, "error code: 521", Later),
    ("Cloudflare, Error 522", 522, HTML, "error code: 522", Later),
    ("Cloudflare, Error 524", 524, HTML, "<title>A timeout occurred</title>", Later),
    ("Cloudflare, Error 526", 526, HTML, "<title>Invalid SSL certificate</title>", Later),
    ("Cloudflare, Error 1015", 429, HTML, "<title>Access denied</title> error code: 1015", Limit(None)),
    ("Cloudflare, Error 1020", 403, HTML, "<title>Access denied</title> error code: 1020", Refused),
    ("Cloudflare, Detect a challenge page", 403, HTML, "<title>Just a moment...</title>", Refused),
    ("Cloudflare API, Errors", 403, JSON, r#"{"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"result":null}"#, Refused),
    ("a captive portal", 200, HTML, "<html><body>Accept the terms of the hotel</body></html>", Later),
    ("RFC 6585, 6", 511, HTML, "<html>Network authentication required</html>", Later),
    ("a login page after a redirect", 200, HTML, "<form action=/login>", Later),
    ("a maintenance page", 200, HTML, "<h1>We'll be back soon</h1>", Later),
    ("a maintenance page", 503, HTML, "<h1>We'll be back soon</h1>", Later),
    ("a page with the type of another", 200, JSON, "<!DOCTYPE html><title>Sign in</title>", Later),
    ("a page without a type", 200, "", "<!DOCTYPE html><title>Sign in</title>", Later),
    ("an empty 200", 200, JSON, "", Later),
    ("a cut answer", 200, JSON, r#"{"id":"1","amount":10"#, Later),
    ("a cut answer", 200, JSON, r#"{"id":"1","name":"Ad"#, Later),
    ("RFC 8259, 8.1: a byte order mark", 200, JSON, "\u{feff}{\"id\":\"1\"}", Fine),
    ("a field that is gone", 200, JSON, r#"{"identifier":"1"}"#, Wrong),
    ("a field that is null", 200, JSON, r#"{"id":null}"#, Wrong),
    ("RFC 6839: a suffix", 200, "application/vnd.shop.v2+json", r#"{"id":"1"}"#, Fine),
    ("an old type", 200, "text/json", r#"{"id":"1"}"#, Fine),
    ("an answer that is accepted", 204, "", "", Fine),
];

#[tokio::test(start_paused = true)]
async fn pages_and_broken_bodies_are_no_answers() {
    let checks = || ValidateLayer::new().enforce(Media::json()).enforce(Required::new(["/id"]));
    each_means(ROWS, checks).await;
}
