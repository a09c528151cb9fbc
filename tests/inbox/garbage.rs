//! Whatever is sent, it is refused or recorded, and nothing panics.

use bytes::Bytes;
use http::{HeaderValue, Request};
use outrigger::inbox::{GitHub, ReceivedEvent, Scheme, Shopify, Slack, StandardWebhooks, Stripe};
use outrigger::outbox::Timestamp;
use proptest::prelude::*;

use crate::bench::{Bench, NOW, receive};
use crate::sign;

const NAMES: [&str; 14] = [
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "svix-id",
    "svix-timestamp",
    "svix-signature",
    "stripe-signature",
    "x-hub-signature-256",
    "x-shopify-hmac-sha256",
    "x-shopify-topic",
    "x-shopify-triggered-at",
    "x-slack-signature",
    "x-slack-request-timestamp",
    "x-github-delivery",
];

fn schemes() -> Vec<Box<dyn Scheme>> {
    let key = format!("whsec_{}", sign::base64(&[7; 24]));
    vec![
        Box::new(StandardWebhooks::new([key.as_str(), crate::vectors::WHPK]).unwrap()),
        Box::new(Stripe::new(["hush"]).unwrap()),
        Box::new(GitHub::new(["hush"]).unwrap()),
        Box::new(Shopify::new(["hush"]).unwrap()),
        Box::new(Slack::new(["hush"]).unwrap()),
    ]
}

/// Bytes of any kind, or something like what belongs there.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "[tv01a,= ]{0,20}".prop_map(String::into_bytes),
        "t=[0-9]{0,14},v1=[0-9a-f]{0,66}(,v1=[0-9a-f]{64}){0,3}".prop_map(String::into_bytes),
        "(v1|v1a|v2),[A-Za-z0-9+/]{0,43}=?( v1a?,[A-Za-z0-9+/]{43}=){0,3}"
            .prop_map(String::into_bytes),
        "(sha256|v0)=[0-9a-fA-F]{0,66}".prop_map(String::into_bytes),
        Just(NOW.to_string().into_bytes()),
        Just(b"99999999999999999999".to_vec()),
        Just(b"-9223372036854775808".to_vec()),
    ]
}

proptest! {
    #[test]
    fn no_scheme_accepts_or_panics_over_any_bytes(
        headers in prop::collection::vec((0..NAMES.len(), value()), 0..8),
        body in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut request = Request::post("/").body(Bytes::from(body)).unwrap();
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                request.headers_mut().append(NAMES[name], value);
            }
        }
        let (head, body) = request.into_parts();
        for scheme in schemes() {
            prop_assert!(scheme.verify(&head, &body, Timestamp(NOW * 1000)).is_err());
        }
    }

    #[test]
    fn every_body_that_is_signed_is_recorded_once(
        bodies in prop::collection::vec(body(), 1..4),
        topic in "[ -~]{0,30}",
        date in "[0-9TZ:.+ -]{0,30}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            for body in &bodies {
                for (at, signed) in [
                    sign::standard(&[&[7; 24]], "msg_1", NOW, body),
                    sign::stripe(&["hush"], NOW, body),
                    sign::github("hush", &topic, body),
                    sign::shopify("hush", &topic, &topic, body)
                        .with("x-shopify-triggered-at", date.as_str()),
                    sign::slack("hush", NOW, body),
                ].into_iter().enumerate() {
                    let bench = Bench::new();
                    let inbox = bench.inbox(Picked(at));
                    assert!(receive(&inbox, &signed).await.is_ok(), "{at}: {body}");
                    assert!(receive(&inbox, &signed).await.is_ok());
                    let rows = bench.rows().await;
                    assert_eq!(rows.len() as u64, inbox.counts().recorded);
                    rows.iter().for_each(|row| drop(format!("{:?}", ReceivedEvent::of(row))));
                }
            }
        });
    }
}

/// JSON of the fields that schemes read, of any type, and other texts.
fn body() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("json", |n| n.is_finite()).prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("{}".to_owned()),
        Just(r#"{"object":{"id":7}}"#.to_owned()),
        Just(r#""9999-99-99T99:99:99Z""#.to_owned()),
    ];
    let names = prop::sample::select(vec![
        "id",
        "event_id",
        "type",
        "created",
        "event_time",
        "timestamp",
        "data",
        "event",
        "api_version",
        "challenge",
    ]);
    let json = prop::collection::vec((names, field), 0..8).prop_map(|fields| {
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    });
    prop_oneof![json, any::<String>(), Just("[".repeat(10_000))]
}

/// One of the schemes.
struct Picked(usize);

impl Scheme for Picked {
    fn verify(
        &self,
        head: &http::request::Parts,
        body: &Bytes,
        now: Timestamp,
    ) -> Result<outrigger::inbox::Verified, outrigger::inbox::InboxError> {
        schemes()[self.0].verify(head, body, now)
    }
}
