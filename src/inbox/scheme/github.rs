use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;

use super::Scheme;
use crate::inbox::error::InboxError;
use crate::inbox::facts::{Facts, Verified, known};
use crate::inbox::secret::{Secret, as_it_is, keys};
use crate::inbox::verify::{Mac, header, hex_of, optional, signed};
use crate::outbox::Timestamp;
use crate::settings::ConfigError;

/// GitHub: `x-hub-signature-256` over the body alone.
///
/// Nothing else is signed, neither the delivery's id nor a time. So an event is known by its body, and
/// cannot be too old: who has a signed body can send it again once its row is
/// [gone](super::super#how-long-an-event-is-known).
#[derive(Clone, Debug)]
pub struct GitHub {
    secrets: Vec<Secret>,
}

impl GitHub {
    /// The webhook's secret; several while it is replaced.
    ///
    /// # Errors
    ///
    /// There is none, or one is empty.
    pub fn new<S: Into<Secret>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        Ok(Self { secrets: keys(secrets, as_it_is)? })
    }
}

impl Scheme for GitHub {
    fn verify(&self, head: &Parts, body: &Bytes, _: Timestamp) -> Result<Verified, InboxError> {
        signed(&self.secrets, &[body], &[signature(head)?])?;
        let facts = known!(
            Facts::of_body().keep(&head.headers, KEPT),
            id: optional(&head.headers, "x-github-delivery"),
            kind: optional(&head.headers, "x-github-event"),
        );
        Ok(facts.into())
    }

    fn precheck(&self, head: &Parts, _: Timestamp) -> Result<(), InboxError> {
        signature(head).map(drop)
    }

    /// GitHub doesn't send again by itself. For 3 days, a person or a program can ask it to.
    fn repeats_for(&self) -> Duration {
        Duration::from_secs(3 * 24 * 3600)
    }

    /// GitHub sends up to 25 MB.
    fn max_body(&self) -> usize {
        25 * 1024 * 1024
    }

    /// GitHub waits for 10 s, and doesn't send again by itself.
    fn time_limit(&self) -> Duration {
        Duration::from_secs(9)
    }
}

fn signature(head: &Parts) -> Result<Mac, InboxError> {
    let signature = header(&head.headers, SIGNATURE)?.strip_prefix("sha256=").and_then(hex_of);
    signature.ok_or_else(|| InboxError::malformed(SIGNATURE))
}

const SIGNATURE: &str = "x-hub-signature-256";
const KEPT: &[&str] = &[
    "content-type",
    "x-github-delivery",
    "x-github-event",
    "x-github-hook-id",
    "x-github-hook-installation-target-id",
    "x-github-hook-installation-target-type",
];
