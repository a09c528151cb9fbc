//! What providers' refusals ask for, in each vendor's words.

use std::time::{Duration, SystemTime};

use http::HeaderName;
use outrigger::Ratio;
use outrigger::outcome::{Class, Classify, HttpClassifier, LimitHeader, ResponseHead};
use outrigger::rate_limit::RateLimitLayer;
use outrigger::retry::RetryLayer;
use outrigger::rt::Clock;
use outrigger::testing::Answer;
use tower::Layer;

use super::Limited;
use crate::call::{get, status};
use crate::clock::{millis, secs, timed};
use crate::provider::Provider;

/// Who says it, the status, the headers, and how long everybody is to wait.
type Row = (&'static str, u16, Headers, Duration);

type Headers = &'static [(&'static str, &'static str)];

/// All answers are sent at this time.
const SENT: (&str, &str) = ("date", "Mon, 30 Nov 2026 03:00:00 GMT");

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    vec![
        ("RFC 9110", 429, &[("retry-after", "30")], secs(30)),
        ("RFC 9110, a date", 429, &[("retry-after", "Mon, 30 Nov 2026 03:00:30 GMT")], secs(30)),
        ("Zoom", 429, &[("retry-after", "2026-11-30T03:00:30Z")], secs(30)),
        ("an ISO date elsewhere", 429, &[("retry-after", "2026-11-30T08:30:30.000+05:30")], secs(30)),
        ("two values", 429, &[("retry-after", "1"), ("retry-after", "60")], secs(60)),
        ("two values, joined", 429, &[("retry-after", "60, 1")], secs(60)),
        ("a Unix time", 429, &[("retry-after", "1796007630")], secs(30)),
        ("a Unix time in milliseconds", 429, &[("retry-after", "1796007630500")], millis(30_500)),
        ("Azure", 429, &[("retry-after-ms", "25000")], secs(25)),
        ("Azure, both", 429, &[("retry-after", "1"), ("retry-after-ms", "25000")], secs(25)),
        ("Cosmos DB", 429, &[("x-ms-retry-after-ms", "1500")], millis(1_500)),
        ("MailerLite", 429, &[("x-ratelimit-retry-after", "20")], secs(20)),
        ("Slack", 429, &[("retry-after", "30")], secs(30)),
        ("Stripe", 429, &[("retry-after", "2"), ("stripe-rate-limited-reason", "global-rate")], secs(2)),
        ("Shopify", 429, &[("retry-after", "2.0"), ("x-shopify-shop-api-call-limit", "40/40")], secs(2)),
        ("Jira", 429, &[("x-ratelimit-limit", "350"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2026-11-30T03:00:40Z")], secs(40)),
        ("Jira, without seconds", 429, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2026-11-30T03:01Z")], secs(60)),
        ("OpenAI", 429, &[("x-ratelimit-remaining-requests", "59"), ("x-ratelimit-reset-requests", "1s"), ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m0s")], secs(360)),
        ("OpenAI, too long for what is left", 429, &[("x-ratelimit-limit-requests", "60"), ("x-ratelimit-remaining-requests", "59"), ("x-ratelimit-reset-requests", "1s"), ("x-ratelimit-limit-tokens", "40000"), ("x-ratelimit-remaining-tokens", "100"), ("x-ratelimit-reset-tokens", "20s")], secs(20)),
        ("Anthropic", 429, &[("anthropic-ratelimit-requests-limit", "50"), ("anthropic-ratelimit-requests-remaining", "49"), ("anthropic-ratelimit-requests-reset", "2026-11-30T03:00:01Z"), ("anthropic-ratelimit-input-tokens-remaining", "0"), ("anthropic-ratelimit-input-tokens-reset", "2026-11-30T03:00:45Z")], secs(45)),
        ("GitHub, secondary", 429, &[("x-ratelimit-limit", "5000"), ("x-ratelimit-remaining", "4990"), ("x-ratelimit-reset", "1796007660")], secs(60)),
        ("GitHub, primary", 403, &[("x-ratelimit-limit", "5000"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1796007660")], secs(60)),
        ("X", 429, &[("x-rate-limit-limit", "900"), ("x-rate-limit-remaining", "800"), ("x-rate-limit-reset", "1796008500")], secs(900)),
        ("Okta", 429, &[("x-rate-limit-limit", "1200"), ("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", "1796007650")], secs(50)),
        ("HubSpot", 429, &[("x-hubspot-ratelimit-max", "100"), ("x-hubspot-ratelimit-remaining", "0"), ("x-hubspot-ratelimit-interval-milliseconds", "10000"), ("x-hubspot-ratelimit-daily", "250000"), ("x-hubspot-ratelimit-daily-remaining", "1000")], secs(10)),
        ("Trello", 429, &[("x-rate-limit-api-token-interval-ms", "10000"), ("x-rate-limit-api-token-max", "100"), ("x-rate-limit-api-token-remaining", "0")], secs(10)),
        ("Amazon SP-API", 429, &[("x-amzn-ratelimit-limit", "0.0167")], secs(60)),
        ("Linear", 400, &[("x-ratelimit-requests-limit", "1500"), ("x-ratelimit-requests-remaining", "0"), ("x-ratelimit-requests-reset", "1796007620000")], secs(20)),
        ("Binance", 418, &[("retry-after", "120")], secs(120)),
        ("old X", 420, &[("retry-after", "9")], secs(9)),
        ("a 400 that asks for a wait", 400, &[("retry-after", "7")], secs(7)),
        ("GitHub, secondary, as a 403", 403, &[("retry-after", "7"), ("x-ratelimit-remaining", "4990")], secs(7)),
        ("Sentry", 429, &[("x-sentry-rate-limit-limit", "40"), ("x-sentry-rate-limit-remaining", "0"), ("x-sentry-rate-limit-reset", "1796007603")], secs(3)),
        ("Brevo", 429, &[("x-sib-ratelimit-limit", "1000"), ("x-sib-ratelimit-remaining", "0"), ("x-sib-ratelimit-reset", "14")], secs(14)),
        ("Contentful", 429, &[("x-contentful-ratelimit-reset", "1"), ("x-contentful-ratelimit-second-limit", "10"), ("x-contentful-ratelimit-second-remaining", "0")], secs(1)),
        ("Lark", 429, &[("x-ogw-ratelimit-limit", "100"), ("x-ogw-ratelimit-reset", "52")], secs(52)),
        ("Bybit", 429, &[("x-bapi-limit", "100"), ("x-bapi-limit-status", "0"), ("x-bapi-limit-reset-timestamp", "1796007604000")], secs(4)),
        ("Datadog", 429, &[("x-ratelimit-limit", "100"), ("x-ratelimit-period", "3600"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "37")], secs(37)),
        ("GitLab", 429, &[("ratelimit-limit", "60"), ("ratelimit-remaining", "0"), ("ratelimit-reset", "1796007630"), ("ratelimit-resettime", "Mon, 30 Nov 2026 03:00:30 GMT")], secs(30)),
        ("Klaviyo", 429, &[("ratelimit-limit", "3, 3;w=1, 60;w=60"), ("ratelimit-remaining", "0"), ("ratelimit-reset", "17")], secs(17)),
        ("the IETF's draft", 429, &[("ratelimit-policy", r#""a";q=100;w=60"#), ("ratelimit", r#""a";r=0;t=12"#)], secs(12)),
        ("the IETF's draft, 07", 429, &[("ratelimit", "limit=100, remaining=0, reset=12")], secs(12)),
        ("Cloudflare", 429, &[("ratelimit", r#""default";r=0;t=12"#), ("retry-after", "12")], secs(12)),
        ("the word before the limits", 429, &[("retry-after", "3"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "3600")], secs(3)),
    ]
}

fn answer((_, code, headers, _): &Row) -> Answer {
    let answer = Answer::status(*code).header(SENT.0, SENT.1);
    headers.iter().fold(answer, |answer, (name, value)| answer.header(name, value))
}

#[tokio::test(start_paused = true)]
async fn everybody_stops_for_as_long_as_the_vendors_words_say() {
    for row in rows() {
        let crm = Limited::by(RateLimitLayer::learning());
        crm.set(answer(&row));
        crm.call(0).await.unwrap();
        assert_eq!(crm.limit.paused_for(), Some(row.3), "{}", row.0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_repetition_goes_as_late_as_the_vendors_words_say() {
    for row in rows() {
        let provider = Provider::new(answer(&row));
        let layer = RetryLayer::new().max_attempts(2).retry_after_spread(Ratio::ZERO);
        let layer = layer.without_retry_after_cap();
        let service = layer.layer(provider);
        let (took, _) = timed(status(&service, get())).await;
        assert_eq!(took, row.3, "{}", row.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_date_is_measured_by_the_clock_where_the_answer_has_none() {
    let wall = SystemTime::UNIX_EPOCH + secs(1_796_007_600);
    for after in ["2026-11-30T03:00:30Z", "1796007630", "Mon, 30 Nov 2026 03:00:30 gmt"] {
        let crm = Limited::by(RateLimitLayer::learning().clock(Clock::anchored(wall)));
        crm.set(Answer::status(429).header("retry-after", after));
        crm.call(0).await.unwrap();
        assert_eq!(crm.limit.paused_for(), Some(secs(30)), "{after}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plain_400_or_403_is_an_answer_and_stops_nobody() {
    for code in [400, 403] {
        for headers in [
            vec![],
            vec![("x-ratelimit-remaining", "3"), ("x-ratelimit-reset", "60")],
            vec![("x-ratelimit-limit", "100")],
            vec![("x-amzn-ratelimit-limit", "0.0167")],
        ] {
            let crm = Limited::by(RateLimitLayer::learning());
            let answer = Answer::status(code);
            crm.set(
                headers.iter().fold(answer, |answer, (name, value)| answer.header(name, value)),
            );
            crm.call(0).await.unwrap();
            assert_eq!(crm.limit.paused_for(), None, "{code} {headers:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_on_a_good_answer_is_no_pace() {
    let crm = Limited::by(RateLimitLayer::learning());
    crm.set(Answer::status(200).header("x-amzn-ratelimit-limit", "0.0167"));
    assert_eq!(crm.times(5).await, [0; 5], "its buckets hold bursts that it doesn't tell of");
}

/// A vendor that nobody has heard of.
fn acme() -> HttpClassifier {
    let header = HeaderName::from_static;
    HttpClassifier::new()
        .limit_header(header("x-acme-backoff"), LimitHeader::WaitMillis)
        .limit_header(header("acme-left"), LimitHeader::Remaining)
        .limit_header(header("acme-more-at"), LimitHeader::ResetMillis)
        .limit_header(header("retry-after"), LimitHeader::WaitMillis)
}

#[tokio::test(start_paused = true)]
async fn a_header_of_ones_own_is_read_by_every_layer() {
    let cases: [(u16, Headers, Duration); 4] = [
        (429, &[("x-acme-backoff", "2500")], millis(2_500)),
        (429, &[("acme-left", "0"), ("acme-more-at", "4000")], secs(4)),
        (400, &[("acme-left", "0"), ("acme-more-at", "4000")], secs(4)),
        (429, &[("retry-after", "2500")], millis(2_500)),
    ];
    for (code, headers, wait) in cases {
        let answer = Answer::status(code);
        let answer =
            headers.iter().fold(answer, |answer, (name, value)| answer.header(name, value));
        let crm = Limited::by(RateLimitLayer::learning().classifier(acme()));
        crm.set(answer.clone());
        crm.call(0).await.unwrap();
        assert_eq!(crm.limit.paused_for(), Some(wait), "{headers:?}");
        let retry = RetryLayer::new().max_attempts(2).retry_after_spread(Ratio::ZERO);
        let service = retry.classifier(acme()).layer(Provider::new(answer));
        assert_eq!(timed(status(&service, get())).await.0, wait, "{headers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_rules_the_first_that_knows_decides_and_both_go_before_the_default() {
    let classifier = HttpClassifier::new()
        .with(|head| (head.status.as_u16() == 418).then_some(Class::ClientError))
        .with(|head| (head.status.is_client_error()).then_some(Class::ServerError));
    let class = |code: u16| {
        let response = http::Response::builder().status(code).body(()).expect("a response");
        classifier.response(&ResponseHead::of(&response))
    };
    assert_eq!((class(418), class(429)), (Class::ClientError, Class::ServerError));
    assert_eq!(class(200), Class::Success);
}
