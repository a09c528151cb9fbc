//! What proves that a form was on a page of ours: a MAC over who, what and when.

use std::time::{Duration, SystemTime};

use ring::hmac;

use super::access::Actor;
use crate::rt::Rng;

/// Makes and checks the tokens of forms.
pub(super) struct FormTokens(hmac::Key);

impl FormTokens {
    pub(super) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// With a key that no other process has.
    pub(super) fn random(rng: &Rng) -> Self {
        Self::new(&[rng.id_bytes(), rng.id_bytes()].concat())
    }

    /// For this person, this act and this hour.
    pub(super) fn token(&self, actor: &Actor, act: &str, now: SystemTime) -> String {
        let tag = hmac::sign(&self.0, &message(actor, act, hour(now)));
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether it was made for them within the last hour or two.
    pub(super) fn is_valid(&self, token: &str, actor: &Actor, act: &str, now: SystemTime) -> bool {
        let Some(tag) = bytes(token) else { return false };
        let hours = [hour(now), hour(now).saturating_sub(1)];
        hours
            .into_iter()
            .any(|hour| hmac::verify(&self.0, &message(actor, act, hour), &tag).is_ok())
    }
}

/// Each part with its length, so that no two are alike.
fn message(actor: &Actor, act: &str, hour: u64) -> Vec<u8> {
    let mut message = hour.to_be_bytes().to_vec();
    for part in [&actor.name, act] {
        message.extend((part.len() as u64).to_be_bytes());
        message.extend(part.as_bytes());
    }
    message
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    hex.len().is_multiple_of(2).then(|| pairs.map(byte).collect())?
}

fn hour(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / HOUR.as_secs()
}

const HOUR: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_one_person_one_act_and_at_most_two_hours() {
        let tokens = FormTokens::random(&Rng::seeded(1));
        let (ada, bob) = (Actor { name: "ada".into() }, Actor { name: "bob".into() });
        let start = SystemTime::UNIX_EPOCH + 10 * HOUR;
        let token = tokens.token(&ada, "set", start);
        assert!(tokens.is_valid(&token, &ada, "set", start));
        assert!(tokens.is_valid(&token, &ada, "set", start + HOUR));
        assert!(!tokens.is_valid(&token, &ada, "set", start + 2 * HOUR));
        assert!(!tokens.is_valid(&token, &bob, "set", start));
        assert!(!tokens.is_valid(&token, &ada, "replay", start));
        assert!(!tokens.is_valid(&token[2..], &ada, "set", start));
        assert!(!tokens.is_valid("ää", &ada, "set", start));
        assert!(!tokens.is_valid("", &ada, "set", start));
        let others = FormTokens::random(&Rng::seeded(2));
        assert!(!others.is_valid(&token, &ada, "set", start));
    }
}
