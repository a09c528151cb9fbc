use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use serde_json::Value;

use super::Scheme;
use crate::inbox::error::InboxError;
use crate::inbox::facts::{Facts, Verified, known};
use crate::inbox::secret::{Secret, as_it_is, keys};
use crate::inbox::verify::{Mac, base64_of, date, header, optional, signed};
use crate::outbox::Timestamp;
use crate::settings::ConfigError;

/// Shopify: `x-shopify-hmac-sha256` over the body alone.
///
/// Nothing else is signed: neither ids nor the topic, nor a time. So an event is known by its topic and its
/// body: one order is told to several topics in the same words.
///
/// The topic and the time (`x-shopify-triggered-at`) are as whoever sent the request wrote them. Somebody who
/// has seen a signed request could send it again under another topic or a later time: decide by the body, or fetch
/// the object from Shopify.
#[derive(Clone, Debug)]
pub struct Shopify {
    secrets: Vec<Secret>,
}

impl Shopify {
    /// The app's client secret; several while it is replaced, which takes Shopify up to an hour.
    ///
    /// # Errors
    ///
    /// There is none, or one is empty.
    pub fn new<S: Into<Secret>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        Ok(Self { secrets: keys(secrets, as_it_is)? })
    }
}

impl Scheme for Shopify {
    fn verify(&self, head: &Parts, body: &Bytes, _: Timestamp) -> Result<Verified, InboxError> {
        signed(&self.secrets, &[body], &[signature(head)?])?;
        let topic = optional(&head.headers, "x-shopify-topic");
        let facts = known!(
            Facts::of_body_and(topic.unwrap_or_default()).keep(&head.headers, KEPT),
            id: optional(&head.headers, "x-shopify-event-id"),
            kind: topic,
            time: optional(&head.headers, "x-shopify-triggered-at").and_then(date),
            order_key: topic.and_then(|topic| resource(topic, body)),
            api_version: optional(&head.headers, "x-shopify-api-version"),
        );
        Ok(facts.into())
    }

    fn precheck(&self, head: &Parts, _: Timestamp) -> Result<(), InboxError> {
        signature(head).map(drop)
    }

    /// Shopify tries 8 times in 4 hours.
    fn repeats_for(&self) -> Duration {
        Duration::from_secs(4 * 3600)
    }

    /// Shopify names no limit. A product with thousands of variants takes some megabytes.
    fn max_body(&self) -> usize {
        8 * 1024 * 1024
    }
}

fn signature(head: &Parts) -> Result<Mac, InboxError> {
    base64_of(header(&head.headers, SIGNATURE)?).ok_or_else(|| InboxError::malformed(SIGNATURE))
}

/// `orders/7` for the order of that id, of whichever topic.
fn resource(topic: &str, body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let (id, (kind, _)) = (body.get("id")?, topic.split_once('/')?);
    (id.is_number() || id.is_string()).then(|| format!("{kind}/{id}"))
}

const SIGNATURE: &str = "x-shopify-hmac-sha256";
const KEPT: &[&str] = &[
    "content-type",
    "x-shopify-api-version",
    "x-shopify-event-id",
    "x-shopify-shop-domain",
    "x-shopify-topic",
    "x-shopify-triggered-at",
    "x-shopify-webhook-id",
];
