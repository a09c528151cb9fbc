//! Signs as the providers do.

use http::Request;
use http::request::Builder;
use ring::hmac;

/// A request and its body, whose signature can be spoilt.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Signed {
    /// Without a header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    /// With another value of a header, or a new one.
    pub(crate) fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        self.without(name).and(name, value)
    }

    /// With one more header, beside one of the same name.
    pub(crate) fn and(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With another body, under the same signature.
    pub(crate) fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(known, _)| *known == name).expect("it has it").1
    }

    pub(crate) fn request(&self) -> Request<String> {
        let add = |builder: Builder, (name, value): &(&'static str, String)| {
            builder.header(*name, value.as_str())
        };
        let builder = self.headers.iter().fold(Request::post("/webhooks"), add);
        builder.body(self.body.clone()).expect("a request")
    }
}

/// By Stripe's scheme, with the secrets in the order of the `v1`.
pub(crate) fn stripe(secrets: &[&str], seconds: i64, body: &str) -> Signed {
    let signed = format!("{seconds}.{body}");
    let v1 = secrets.iter().map(|secret| format!(",v1={}", hex(&mac(secret.as_bytes(), &signed))));
    let header = format!("t={seconds}{},v0=00ff", v1.collect::<String>());
    new(&[("content-type", "application/json"), ("stripe-signature", &header)], body)
}

pub(crate) fn github(secret: &str, delivery: &str, body: &str) -> Signed {
    let header = format!("sha256={}", hex(&mac(secret.as_bytes(), body)));
    new(
        &[
            ("x-github-delivery", delivery),
            ("x-github-event", "push"),
            ("x-hub-signature-256", &header),
        ],
        body,
    )
}

pub(crate) fn shopify(secret: &str, topic: &str, event: &str, body: &str) -> Signed {
    let header = base64(&mac(secret.as_bytes(), body));
    new(
        &[
            ("x-shopify-hmac-sha256", &header),
            ("x-shopify-topic", topic),
            ("x-shopify-event-id", event),
            ("x-shopify-triggered-at", "2021-02-25T15:02:09.5Z"),
            ("x-shopify-api-version", "2026-10"),
        ],
        body,
    )
}

pub(crate) fn slack(secret: &str, seconds: i64, body: &str) -> Signed {
    let header = hex(&mac(secret.as_bytes(), &format!("v0:{seconds}:{body}")));
    let (header, seconds) = (format!("v0={header}"), seconds.to_string());
    new(&[("x-slack-signature", &header), ("x-slack-request-timestamp", &seconds)], body)
}

/// By Standard Webhooks, with keys of 24 bytes as they are.
pub(crate) fn standard(keys: &[&[u8]], id: &str, seconds: i64, body: &str) -> Signed {
    let signed = format!("{id}.{seconds}.{body}");
    let v1: Vec<_> = keys.iter().map(|key| format!("v1,{}", base64(&mac(key, &signed)))).collect();
    let seconds = seconds.to_string();
    new(
        &[
            ("webhook-id", id),
            ("webhook-timestamp", &seconds),
            ("webhook-signature", &v1.join(" ")),
        ],
        body,
    )
}

pub(crate) fn new(headers: &[(&'static str, &str)], body: &str) -> Signed {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Signed { headers, body: body.to_owned() }
}

fn mac(key: &[u8], signed: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 4648, 4: by hand, so that the library's own is not what it is tested with.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let three = [part[0], *part.get(1).unwrap_or(&0), *part.get(2).unwrap_or(&0)];
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        for at in 0..4 {
            let sign = SIGNS[bits >> (18 - 6 * at) & 63] as char;
            text.push(if at > part.len() { '=' } else { sign });
        }
    }
    text
}
