use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use serde_json::Value;

use super::Scheme;
use crate::inbox::error::InboxError;
use crate::inbox::facts::{Facts, Verified, known};
use crate::inbox::secret::{Secret, as_it_is, keys};
use crate::inbox::verify::{MOST_SIGNATURES, Mac, TOLERANCE, age, header, hex_of, seconds, signed};
use crate::outbox::Timestamp;
use crate::settings::ConfigError;

/// Stripe: `stripe-signature`, with a time and one or more `v1` over the time and the body.
///
/// The secret is used as it is written, `whsec_` included. An event is known by its `id`, and ordered by the
/// `id` of its object: Stripe may tell one change in two events, of the same object and type.
#[derive(Clone, Debug)]
pub struct Stripe {
    secrets: Vec<Secret>,
    tolerance: Duration,
}

impl Stripe {
    /// The endpoint's secret; several while it is replaced.
    ///
    /// # Errors
    ///
    /// There is none, or one is empty.
    pub fn new<S: Into<Secret>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        Ok(Self { secrets: keys(secrets, as_it_is)?, tolerance: TOLERANCE })
    }
}

tolerance!(Stripe, "Stripe's own libraries");

impl Scheme for Stripe {
    fn verify(&self, head: &Parts, body: &Bytes, now: Timestamp) -> Result<Verified, InboxError> {
        let (sent, time, signatures) = stated(head)?;
        signed(&self.secrets, &[sent.as_bytes(), b".", body], &signatures)?;
        age(time, now, self.tolerance)?;
        let event: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |path: &str| event.pointer(path).and_then(Value::as_str);
        let created = event.get("created").and_then(Value::as_i64);
        let facts = known!(
            Facts::signed_id(text("/id").unwrap_or_default()).keep(&head.headers, &["content-type"]),
            kind: text("/type"),
            time: created.map(|seconds| Timestamp(seconds.saturating_mul(1000))),
            order_key: text("/data/object/id"),
            api_version: text("/api_version"),
        );
        Ok(facts.into())
    }

    fn precheck(&self, head: &Parts, now: Timestamp) -> Result<(), InboxError> {
        let (_, time, _) = stated(head)?;
        age(time, now, self.tolerance)
    }

    /// Stripe sends an event again for up to 3 days.
    fn repeats_for(&self) -> Duration {
        Duration::from_secs(3 * 24 * 3600)
    }
}

/// The time as it is written and as it is, and the signatures.
fn stated(head: &Parts) -> Result<(&str, Timestamp, Vec<Mac>), InboxError> {
    let (sent, signatures) = parsed(header(&head.headers, SIGNATURE)?)
        .ok_or_else(|| InboxError::malformed(SIGNATURE))?;
    let time = seconds(sent).ok_or_else(|| InboxError::malformed(SIGNATURE))?;
    Ok((sent, time, signatures))
}

/// The time and the signatures of `t=1614265330,v1=…,v1=…,v0=…`.
fn parsed(header: &str) -> Option<(&str, Vec<Mac>)> {
    let (mut time, mut signatures) = (None, Vec::new());
    for (name, value) in header.split(',').filter_map(|part| part.split_once('=')) {
        match name.trim() {
            "t" if time.replace(value).is_some() => return None,
            "v1" => signatures.extend(hex_of(value)),
            _ => {}
        }
    }
    let is_usable = (1..=MOST_SIGNATURES).contains(&signatures.len());
    time.filter(|_| is_usable).map(|time| (time, signatures))
}

const SIGNATURE: &str = "stripe-signature";
