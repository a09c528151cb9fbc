//! What must hold of any signed message.

use std::time::{Duration, SystemTime};

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request};
use outrigger::sign::message::{Message, MessageVerifier, VerifyingKey};

/// A message as text: a method and a URI, fields, an empty line, and a body. Whether its signature holds.
///
/// # Panics
///
/// If something doesn't hold.
pub(crate) fn holds(bytes: &[u8]) -> Option<bool> {
    let (head, body) = std::str::from_utf8(bytes).ok()?.split_once("\n\n")?;
    let mut lines = head.lines();
    let (method, uri) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(uri).body(()).ok()?;
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        let name = HeaderName::try_from(name).ok()?;
        request.headers_mut().append(name, HeaderValue::try_from(value).ok()?);
    }
    let head = request.into_parts().0;
    let holds = verify(&head, body.as_bytes());
    if holds {
        // It covers the method and the body.
        let mut other = head.clone();
        other.method = Method::from_bytes(b"OTHER").unwrap();
        assert!(!verify(&other, body.as_bytes()), "another method");
        assert!(!verify(&head, format!("{body} ").as_bytes()), "another body");
        let mut twice = head.clone();
        let input = head.headers["signature-input"].clone();
        twice.headers.append("signature-input", input);
        assert!(verify(&twice, body.as_bytes()), "of two with one label, the last counts");
    }
    Some(holds)
}

fn verify(head: &Parts, body: &[u8]) -> bool {
    let key = VerifyingKey::hmac_sha256("fuzzing").unwrap();
    let verifier = MessageVerifier::new([("k", key)], ["@method", "content-digest"]).unwrap();
    let message = Message::request(head).body(body);
    verifier.verify(&message, SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)).is_ok()
}
