//! What isn't accepted, by which check, and that no row is left of it.

use std::time::Duration;

use http::Request;
use outrigger::inbox::{
    Facts, GitHub, Inbox, InboxError, InboxErrorKind, Scheme, Secret, Shopify, Slack,
    StandardWebhooks, Stripe, Verified,
};
use outrigger::outbox::{Outbox, Timestamp};

use outrigger::ValidationError;

use crate::bench::{Bench, NOW, receive, refusal, trusting};
use crate::sign::{self, Signed};

const SECRET: &str = "a secret of the tests";
const OLD: &str = "the secret before that";
const BODY: &str = r#"{"id":"evt_1","event_id":"Ev1","amount":1000}"#;
const KEY: &[u8] = &[7; 24];
const OLD_KEY: &[u8] = &[8; 24];

/// Every scheme: its name, itself with one secret, with two, and a signer by the new or the old secret.
type Subject = (&'static str, Box<dyn Fn(bool) -> Box<dyn Scheme>>, fn(bool, i64) -> Signed);

fn subjects() -> Vec<Subject> {
    fn pick<T>(is_new: bool, new: T, old: T) -> T {
        if is_new { new } else { old }
    }
    fn secrets(both: bool) -> Vec<&'static str> {
        if both { vec![SECRET, OLD] } else { vec![SECRET] }
    }
    let standard = |both: bool| {
        let secret = |key: &[u8]| format!("whsec_{}", sign::base64(key));
        let secrets = if both { vec![secret(KEY), secret(OLD_KEY)] } else { vec![secret(KEY)] };
        Box::new(StandardWebhooks::new(secrets).unwrap()) as Box<dyn Scheme>
    };
    vec![
        ("standard", Box::new(standard), |is_new, now| {
            sign::standard(&[pick(is_new, KEY, OLD_KEY)], "msg_1", now, BODY)
        }),
        (
            "stripe",
            Box::new(|both| Box::new(Stripe::new(secrets(both)).unwrap())),
            |is_new, now| sign::stripe(&[pick(is_new, SECRET, OLD)], now, BODY),
        ),
        ("slack", Box::new(|both| Box::new(Slack::new(secrets(both)).unwrap())), |is_new, now| {
            sign::slack(pick(is_new, SECRET, OLD), now, BODY)
        }),
        ("github", Box::new(|both| Box::new(GitHub::new(secrets(both)).unwrap())), |is_new, _| {
            sign::github(pick(is_new, SECRET, OLD), "d-1", BODY)
        }),
        (
            "shopify",
            Box::new(|both| Box::new(Shopify::new(secrets(both)).unwrap())),
            |is_new, _| sign::shopify(pick(is_new, SECRET, OLD), "orders/paid", "e-1", BODY),
        ),
    ]
}

#[test]
fn a_body_that_was_changed_in_any_way_is_refused() {
    for (name, scheme, sign) in subjects() {
        let (scheme, signed) = (scheme(false), sign(true, NOW));
        assert_eq!(refusal(&*scheme, &signed), None, "{name}");
        let parsed: serde_json::Value = serde_json::from_str(BODY).unwrap();
        let cut = BODY[..BODY.len() - 1].to_owned();
        let spoilt = [
            ("altered", BODY.replace("1000", "9000")),
            ("re-serialised", serde_json::to_string_pretty(&parsed).unwrap()),
            ("truncated", cut),
            ("longer", format!("{BODY}\n")),
            ("doubled", format!("{BODY}{BODY}")),
            ("empty", String::new()),
        ];
        for (how, body) in spoilt {
            let refused = refusal(&*scheme, &signed.clone().body(body));
            assert_eq!(refused, Some(InboxErrorKind::Signature), "{name}, {how}");
        }
    }
}

#[test]
fn while_a_secret_is_replaced_both_are_accepted_and_afterwards_the_old_one_is_not() {
    for (name, scheme, sign) in subjects() {
        assert_eq!(refusal(&*scheme(true), &sign(true, NOW)), None, "{name}");
        assert_eq!(refusal(&*scheme(true), &sign(false, NOW)), None, "{name}");
        let refused = refusal(&*scheme(false), &sign(false, NOW));
        assert_eq!(refused, Some(InboxErrorKind::Signature), "{name}");
    }
}

#[test]
fn a_header_that_is_missing_repeated_or_not_as_it_should_be_is_named() {
    for (name, scheme, sign) in subjects() {
        let (scheme, signed) = (scheme(false), sign(true, NOW));
        let needed: Vec<_> = signed
            .headers
            .iter()
            .filter(|(name, _)| {
                name.contains("signature") || name.contains("stamp") || name.contains("hmac")
            })
            .cloned()
            .collect();
        assert!(!needed.is_empty(), "{name}");
        for (header, value) in needed {
            for (changed, expected) in [
                (signed.clone().without(header), InboxErrorKind::MissingHeader),
                (signed.clone().and(header, value.as_str()), InboxErrorKind::RepeatedHeader),
                (signed.clone().with(header, ""), InboxErrorKind::MalformedHeader),
                (signed.clone().with(header, "?garbage?"), InboxErrorKind::MalformedHeader),
            ] {
                let (head, body) = changed.request().into_parts();
                let refused = scheme.verify(&head, &body.into(), Timestamp(NOW * 1000));
                let error = refused.expect_err(name);
                assert_eq!(error.kind(), expected, "{name}, {header}");
                assert!(error.to_string().contains(header), "{name}: {error}");
                assert!(!error.to_string().contains("garbage"), "{name}: {error}");
            }
        }
    }
}

#[test]
fn what_was_signed_too_long_ago_or_in_the_future_is_refused_after_its_signature() {
    for (name, scheme, sign) in subjects() {
        let scheme = scheme(false);
        let is_dated = !["github", "shopify"].contains(&name);
        for (seconds, expected) in [
            (-300, None),
            (-301, Some(InboxErrorKind::TooOld)),
            (300, None),
            (301, Some(InboxErrorKind::InFuture)),
            (-3_000_000, Some(InboxErrorKind::TooOld)),
        ] {
            let refused = refusal(&*scheme, &sign(true, NOW + seconds));
            assert_eq!(refused, expected.filter(|_| is_dated), "{name}, {seconds} s");
        }
        let forged = refusal(&*scheme, &sign(false, NOW - 3_000));
        assert_eq!(forged, Some(InboxErrorKind::Signature), "{name}");
    }
}

#[test]
fn a_time_that_is_not_the_signed_one_is_refused() {
    let scheme = Stripe::new([SECRET]).unwrap();
    let signed = sign::stripe(&[SECRET], NOW - 3_000, BODY);
    let header = signed.header("stripe-signature").replacen(
        &format!("t={}", NOW - 3_000),
        &format!("t={NOW}"),
        1,
    );
    let refused = refusal(&scheme, &signed.clone().with("stripe-signature", header));
    assert_eq!(refused, Some(InboxErrorKind::Signature));
    let twice = format!("t={NOW},{}", signed.header("stripe-signature"));
    let refused = refusal(&scheme, &signed.with("stripe-signature", twice));
    assert_eq!(refused, Some(InboxErrorKind::MalformedHeader));
}

#[tokio::test]
async fn nothing_is_recorded_of_what_is_refused() {
    let bench = Bench::new();
    let inbox = bench.inbox(GitHub::new([SECRET]).unwrap());
    for signed in [
        sign::github(OLD, "1", BODY),
        sign::github(SECRET, "1", BODY).body("{}"),
        sign::github(SECRET, "1", BODY).without("x-hub-signature-256"),
    ] {
        assert!(receive(&inbox, &signed).await.is_err());
    }
    assert_eq!(bench.rows().await.len(), 0);
    let counts = inbox.counts();
    assert_eq!(counts.refused[&InboxErrorKind::Signature], 2);
    assert_eq!(counts.refused[&InboxErrorKind::MissingHeader], 1);
    assert_eq!(counts.recorded, 0);
}

#[tokio::test]
async fn a_scheme_of_the_hosts_that_panics_asks_for_another_delivery() {
    let bench = Bench::new();
    let scheme = |_: &http::request::Parts,
                  _: &bytes::Bytes,
                  _: Timestamp|
     -> Result<Verified, InboxError> { panic!("as the test wants it") };
    let (head, ()) = Request::post("/").body(()).unwrap().into_parts();
    let error = bench.inbox(scheme).receive(&head, "{}".into()).await.unwrap_err();
    assert_eq!((error.kind(), error.status().as_u16()), (InboxErrorKind::Panicked, 500));
    assert_eq!(bench.rows().await.len(), 0);
}

#[test]
fn secrets_that_cannot_work_are_named_when_the_scheme_is_made() {
    let none: [&str; 0] = [];
    for (error, parts) in [
        (Stripe::new(none).unwrap_err(), ["secrets", "at least one"]),
        (GitHub::new([SECRET, ""]).unwrap_err(), ["secrets[1]", "empty"]),
        (Slack::new(["\n"]).unwrap_err(), ["secrets[0]", "empty"]),
        (Shopify::new(["hush\n"]).unwrap_err(), ["secrets[0]", "white space"]),
        (StandardWebhooks::new(["whsec_$$hush$$"]).unwrap_err(), ["secrets[0]", "base64"]),
        (StandardWebhooks::new(["whsec_"]).unwrap_err(), ["secrets[0]", "behind whsec_"]),
        (StandardWebhooks::new(["whsec_aHVzaA=="]).unwrap_err(), ["secrets[0]", "16 bytes"]),
        // A public key without its prefix: as a secret, everybody would know it.
        (StandardWebhooks::new([&*sign::base64(&[7; 32])]).unwrap_err(), ["secrets[0]", "whpk_"]),
        (StandardWebhooks::new(["whsk_AAAA"]).unwrap_err(), ["secrets[0]", "public"]),
        (StandardWebhooks::new(["whpk_AAAA"]).unwrap_err(), ["secrets[0]", "32 bytes"]),
    ] {
        let text = error.to_string();
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        assert!(!text.contains("hush"), "{text}");
    }
}

#[test]
fn no_secret_is_shown() {
    let secret = Secret::from("hush");
    let scheme = Stripe::new([secret.clone()]).unwrap();
    let bench = Bench::new();
    let shown = format!("{secret:?} {scheme:?} {:?}", bench.builder(scheme.clone()));
    let standard = StandardWebhooks::new(["whsec_aHVzaGh1c2hodXNoaHVzaA=="]).unwrap();
    let shown = format!("{shown} {standard:?}");
    assert!(
        !shown.contains("hush") && !shown.contains("104, 117") && !shown.contains("aHVz"),
        "{shown}"
    );
}

#[test]
fn settings_that_cannot_work_are_named() {
    let bench = Bench::new();
    let outbox = Outbox::memory().build().unwrap();
    let source = |name: &str| Inbox::builder(name, trusting(), &outbox).build();
    for name in ["", "a b", "a:b", "a/b", &"x".repeat(41)] {
        let error = source(name).unwrap_err();
        assert_eq!(error.errors()[0].field(), "inbox.source", "{name}");
    }
    assert!(source("Acme-2.eu_west").is_ok());
    let unhandled = Inbox::builder("nobodys", trusting(), &bench.outbox).build().unwrap_err();
    assert!(unhandled.to_string().contains("inbox.source: the outbox has lanes"), "{unhandled}");
    let error = bench.builder(trusting()).max_body(0).max_attempts(0).time_limit(Duration::ZERO);
    let error = error.build().unwrap_err();
    let fields: Vec<_> = error.errors().iter().map(ValidationError::field).collect();
    assert_eq!(fields, ["inbox.max_body", "inbox.max_attempts", "inbox.time_limit"]);
}

#[test]
fn a_header_is_kept_only_by_name_and_never_a_credential() {
    let headers = [("authorization", "Bearer hush"), ("x-tenant", "7"), ("x-other", "8")];
    let request = sign::new(&headers, "").request();
    let kept = Facts::of_body().keep(request.headers(), &["authorization", "x-tenant"]);
    assert_eq!(kept, Facts::of_body().keep(request.headers(), &["x-tenant"]));
}

#[test]
fn no_tolerance_is_a_second_because_signed_times_are_whole_seconds() {
    let scheme = Stripe::new([SECRET]).unwrap().tolerance(Duration::ZERO);
    let (head, body) = sign::stripe(&[SECRET], NOW, BODY).request().into_parts();
    let at = |millis: i64| scheme.verify(&head, &body.clone().into(), Timestamp(millis));
    assert!(at(NOW * 1000 + 999).is_ok());
    assert_eq!(at(NOW * 1000 + 2_000).unwrap_err().kind(), InboxErrorKind::TooOld);
}

#[test]
fn headers_are_kept_by_names_in_any_case_but_for_credentials() {
    let mut headers = http::HeaderMap::new();
    headers.insert("x-acme-topic", "orders".parse().unwrap());
    headers.insert("authorization", "hush".parse().unwrap());
    let facts = Facts::signed_id("1").keep(&headers, &["X-Acme-Topic", "Authorization", "no name"]);
    assert_eq!(facts, Facts::signed_id("1").keep(&headers, &["x-acme-topic"]));
}
