use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use serde_json::Value;

use super::Scheme;
use crate::inbox::error::InboxError;
use crate::inbox::facts::{Facts, Verified, known};
use crate::inbox::secret::{Secret, as_it_is, keys};
use crate::inbox::verify::{Mac, TOLERANCE, age, header, hex_of, seconds, signed};
use crate::outbox::Timestamp;
use crate::settings::ConfigError;

/// Slack: `x-slack-signature` over `v0:`, the time and the body.
///
/// `url_verification`, by which Slack tries an URL, is answered with its challenge. An event is known by its
/// `event_id`; commands and actions, which have none, by their body and time.
#[derive(Clone, Debug)]
pub struct Slack {
    secrets: Vec<Secret>,
    tolerance: Duration,
}

impl Slack {
    /// The app's signing secret; several while it is replaced.
    ///
    /// # Errors
    ///
    /// There is none, or one is empty.
    pub fn new<S: Into<Secret>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        Ok(Self { secrets: keys(secrets, as_it_is)?, tolerance: TOLERANCE })
    }
}

tolerance!(Slack, "Slack's documentation");

impl Scheme for Slack {
    fn verify(&self, head: &Parts, body: &Bytes, now: Timestamp) -> Result<Verified, InboxError> {
        let (sent, time, signature) = stated(head)?;
        signed(&self.secrets, &[b"v0:", sent.as_bytes(), b":", body], &[signature])?;
        age(time, now, self.tolerance)?;
        let event: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |path: &str| event.pointer(path).and_then(Value::as_str);
        if let (Some("url_verification"), Some(challenge)) = (text("/type"), text("/challenge")) {
            return Ok(Verified::Answer(challenge.to_owned()));
        }
        let facts = match text("/event_id") {
            Some(id) => Facts::signed_id(id),
            None => Facts::of_body_and(sent),
        };
        let happened = event.get("event_time").and_then(Value::as_i64);
        let facts = known!(
            facts.keep(&head.headers, KEPT),
            kind: text("/event/type").or_else(|| text("/type")),
            time: happened.map(|seconds| Timestamp(seconds.saturating_mul(1000))).or(Some(time)),
        );
        Ok(facts.into())
    }

    fn precheck(&self, head: &Parts, now: Timestamp) -> Result<(), InboxError> {
        let (_, time, _) = stated(head)?;
        age(time, now, self.tolerance)
    }

    /// Slack sends an event 3 times more, the last after 5 minutes; an hour leaves it time to be late.
    fn repeats_for(&self) -> Duration {
        Duration::from_secs(3600)
    }

    /// Slack waits for 3 s.
    fn time_limit(&self) -> Duration {
        Duration::from_millis(2_500)
    }
}

/// The time as it is written and as it is, and the signature.
fn stated(head: &Parts) -> Result<(&str, Timestamp, Mac), InboxError> {
    let sent = header(&head.headers, TIMESTAMP)?;
    let time = seconds(sent).ok_or_else(|| InboxError::malformed(TIMESTAMP))?;
    let signature = header(&head.headers, SIGNATURE)?.strip_prefix("v0=").and_then(hex_of);
    let signature = signature.ok_or_else(|| InboxError::malformed(SIGNATURE))?;
    Ok((sent, time, signature))
}

const SIGNATURE: &str = "x-slack-signature";
const TIMESTAMP: &str = "x-slack-request-timestamp";
const KEPT: &[&str] = &["content-type", "x-slack-retry-num", "x-slack-retry-reason"];
