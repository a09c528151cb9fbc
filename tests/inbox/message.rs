//! HTTP Message Signatures as an inbox's scheme.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request};
use outrigger::Body;
use outrigger::inbox::{Facts, InboxErrorKind, MessageSignatures, Scheme, Verified};
use outrigger::outbox::Timestamp;
use outrigger::sign::message::{MessageSigner, MessageVerifier, SigningKey, VerifyingKey};
use outrigger::sign::{Sign, SigningInput};

use crate::bench::NOW;

const BODY: &str = r#"{"paid": true}"#;
const ALL: [&str; 4] = ["@method", "@path", "content-digest", "x-event-id"];

/// A webhook that arrived, of which these were signed now.
async fn arrived(covered: &[&str]) -> Parts {
    let key = SigningKey::hmac_sha256("s3cr3t").unwrap();
    let signer = MessageSigner::new("key-7", key, covered.iter().copied()).unwrap();
    let mut request = Request::post("https://hooks.test/webhooks").body(Body::from(BODY)).unwrap();
    request.headers_mut().insert("x-event-id", HeaderValue::from_static("evt_1"));
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.try_into().unwrap());
    let signed = signer.sign(&SigningInput::new(&request, now)).await.unwrap();
    request.headers_mut().extend(signed.headers().clone());
    *request.uri_mut() = "/webhooks".parse().unwrap();
    request.into_parts().0
}

fn scheme() -> MessageSignatures {
    let key = VerifyingKey::hmac_sha256("s3cr3t").unwrap();
    MessageSignatures::new(MessageVerifier::new([("key-7", key)], ["@method"]).unwrap())
}

fn with_id() -> MessageSignatures {
    scheme().id_header(HeaderName::from_static("x-event-id"))
}

fn check(
    scheme: &MessageSignatures,
    head: &Parts,
    body: &str,
    at: i64,
) -> Result<Facts, InboxErrorKind> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    match scheme.verify(head, &body, Timestamp((NOW + at) * 1000)) {
        Ok(Verified::Event(facts)) => Ok(*facts),
        Ok(other) => panic!("no event: {other:?}"),
        Err(error) => Err(error.kind()),
    }
}

#[tokio::test]
async fn an_event_is_known_by_an_id_that_is_signed_or_by_its_body() {
    let head = arrived(&ALL).await;
    assert_eq!(check(&with_id(), &head, BODY, 0), Ok(Facts::signed_id("evt_1")));
    assert_eq!(check(&scheme(), &head, BODY, 0), Ok(Facts::of_body()));
    let unsigned = arrived(&ALL[..3]).await;
    assert_eq!(check(&with_id(), &unsigned, BODY, 0), Err(InboxErrorKind::Signature));
    assert_eq!(check(&scheme(), &unsigned, BODY, 0), Ok(Facts::of_body()));
}

#[tokio::test]
async fn what_is_not_signed_whole_and_now_is_refused() {
    let head = arrived(&ALL).await;
    assert_eq!(check(&scheme(), &head, r#"{"paid": none}"#, 0), Err(InboxErrorKind::Signature));
    assert_eq!(check(&scheme(), &head, BODY, 302), Err(InboxErrorKind::TooOld));
    assert_eq!(check(&scheme(), &head, BODY, -301), Err(InboxErrorKind::InFuture));
    let without_body = arrived(&ALL[..2]).await;
    assert_eq!(check(&scheme(), &without_body, BODY, 0), Err(InboxErrorKind::Signature));
    let mut other = head.clone();
    other.headers.insert("x-event-id", HeaderValue::from_static("evt_2"));
    assert_eq!(check(&with_id(), &other, BODY, 0), Err(InboxErrorKind::Signature));
    other.headers.remove("signature");
    assert_eq!(check(&scheme(), &other, BODY, 0), Err(InboxErrorKind::MissingHeader));
    other.headers.insert("signature", HeaderValue::from_static("?"));
    assert_eq!(check(&scheme(), &other, BODY, 0), Err(InboxErrorKind::MalformedHeader));
}

#[tokio::test]
async fn the_head_alone_tells_most_before_the_body_is_read() {
    let head = arrived(&ALL).await;
    let precheck = |scheme: &MessageSignatures, head: &Parts, at: i64| {
        scheme.precheck(head, Timestamp((NOW + at) * 1000)).map_err(|error| error.kind())
    };
    assert_eq!(precheck(&with_id(), &head, 0), Ok(()));
    assert_eq!(precheck(&scheme(), &head, 302), Err(InboxErrorKind::TooOld));
    assert_eq!(precheck(&scheme(), &head, -301), Err(InboxErrorKind::InFuture));
    let mut bare = head.clone();
    bare.headers.remove("signature");
    assert_eq!(precheck(&scheme(), &bare, 0), Err(InboxErrorKind::MissingHeader));
    let mut other = head.clone();
    let input = other.headers["signature-input"].to_str().unwrap().replace("key-7", "key-8");
    other.headers.insert("signature-input", input.parse().unwrap());
    assert_eq!(precheck(&scheme(), &other, 0), Err(InboxErrorKind::Signature));
    let uncovered = arrived(&ALL[1..]).await;
    assert_eq!(precheck(&scheme(), &uncovered, 0), Err(InboxErrorKind::Signature));
}

#[tokio::test]
async fn an_id_that_is_there_twice_is_none() {
    let mut head = arrived(&ALL).await;
    head.headers.append("x-event-id", HeaderValue::from_static("evt_1"));
    let at = Timestamp(NOW * 1000);
    assert_eq!(with_id().precheck(&head, at).unwrap_err().kind(), InboxErrorKind::MalformedHeader);
    // Two lines that were signed together.
    let key = SigningKey::hmac_sha256("s3cr3t").unwrap();
    let signer = MessageSigner::new("key-7", key, ALL).unwrap();
    let mut request = Request::post("https://hooks.test/webhooks").body(Body::from(BODY)).unwrap();
    for id in ["evt_1", "evt_2"] {
        request.headers_mut().append("x-event-id", HeaderValue::from_static(id));
    }
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.try_into().unwrap());
    let signed = signer.sign(&SigningInput::new(&request, now)).await.unwrap();
    request.headers_mut().extend(signed.headers().clone());
    let head = request.into_parts().0;
    assert_eq!(check(&with_id(), &head, BODY, 0), Err(InboxErrorKind::MalformedHeader));
    assert_eq!(check(&scheme(), &head, BODY, 0), Ok(Facts::of_body()));
}

#[tokio::test]
async fn a_sender_that_calls_http_is_told_by_a_setter() {
    let key = SigningKey::hmac_sha256("s3cr3t").unwrap();
    let signer = MessageSigner::new("key-7", key, ["@method", "@target-uri", "content-digest"]);
    let mut request = Request::post("http://hooks.test/webhooks").body(Body::from(BODY)).unwrap();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.try_into().unwrap());
    let signed = signer.unwrap().sign(&SigningInput::new(&request, now)).await.unwrap();
    request.headers_mut().extend(signed.headers().clone());
    request.headers_mut().insert("host", HeaderValue::from_static("hooks.test"));
    *request.uri_mut() = "/webhooks".parse().unwrap();
    let head = request.into_parts().0;
    assert_eq!(check(&scheme(), &head, BODY, 0), Err(InboxErrorKind::Signature));
    assert_eq!(check(&scheme().sent_by_http(), &head, BODY, 0), Ok(Facts::of_body()));
}
