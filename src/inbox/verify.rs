//! What the schemes share: reading headers, and how old a request may be.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;

use super::error::InboxError;
use super::secret::Secret;
use crate::outbox::Timestamp;
use crate::terms::inbox::InboxErrorKind;

/// The value of a header that must be there once.
pub(super) fn header<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<&'a str, InboxError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Err(InboxError::new(InboxErrorKind::MissingHeader).header(name)),
        (Some(value), None) => value.to_str().map_err(|_| InboxError::malformed(name)),
        _ => Err(InboxError::new(InboxErrorKind::RepeatedHeader).header(name)),
    }
}

/// The value of a header that may be missing; also if it can't be read.
pub(super) fn optional<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    header(headers, name).ok()
}

/// Refuses a request that none of the secrets signed.
pub(super) fn signed(
    secrets: &[Secret],
    parts: &[&[u8]],
    signatures: &[impl AsRef<[u8]>],
) -> Result<(), InboxError> {
    match secrets.iter().any(|secret| secret.signed_any(parts, signatures)) {
        true => Ok(()),
        false => Err(InboxError::new(InboxErrorKind::Signature)),
    }
}

/// Refuses a request that was signed too long ago, or in the future. Signed times are whole seconds, so that
/// less than one of tolerance would refuse nearly all.
pub(super) fn age(sent: Timestamp, now: Timestamp, tolerance: Duration) -> Result<(), InboxError> {
    let tolerance = tolerance.max(Duration::from_secs(1));
    match () {
        () if now.since(sent) > tolerance => Err(InboxError::new(InboxErrorKind::TooOld)),
        () if sent.since(now) > tolerance => Err(InboxError::new(InboxErrorKind::InFuture)),
        () => Ok(()),
    }
}

/// Whole seconds since 1970, in digits only.
pub(super) fn seconds(text: &str) -> Option<Timestamp> {
    let is_number = (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let seconds: i64 = text.parse().ok().filter(|_| is_number)?;
    Some(Timestamp(seconds * 1000))
}

/// A date such as `2026-11-30T12:00:00.5Z` (RFC 3339), in UTC.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    humantime::parse_rfc3339(text).ok().map(Timestamp::from)
}

pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A signature of this length in base64.
pub(super) fn base64_of<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    base64(text)?.try_into().ok()
}

/// A signature of this length in hexadecimal digits.
pub(super) fn hex_of<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| (digit as char).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok();
    let bytes = pairs.iter().map(byte).collect::<Option<Vec<_>>>()?;
    bytes.try_into().ok().filter(|_| rest.is_empty())
}

/// An HMAC-SHA256.
pub(super) type Mac = [u8; 32];

/// How much earlier or later than now a request may be signed: what Standard Webhooks' libraries, Stripe's
/// and Slack's documentation use.
pub(super) const TOLERANCE: Duration = Duration::from_secs(300);
/// While a secret is replaced, there are two signatures. The work for more is not for the sender to choose.
pub(super) const MOST_SIGNATURES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_read_in_either_case_and_nothing_else_is() {
        assert_eq!(hex_of("00fFA9"), Some([0, 255, 169]));
        for text in ["", "0", "0g", "+1", "é", " 0", "0x", "000", "0000"] {
            assert_eq!(hex_of::<1>(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_are_digits_only() {
        assert_eq!(seconds("1614265330"), Some(Timestamp(1_614_265_330_000)));
        for text in ["", "+1", "-1", " 1", "1.5", "1e9", "9999999999999"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn the_limits_of_age_are_allowed_and_a_millisecond_more_is_not() {
        let (sent, tolerance) = (Timestamp(1_000_000), Duration::from_secs(300));
        let kind = |now| age(sent, Timestamp(now), tolerance).map_err(|error| error.kind());
        assert_eq!(kind(1_300_000), Ok(()));
        assert_eq!(kind(1_300_001), Err(InboxErrorKind::TooOld));
        assert_eq!(kind(700_000), Ok(()));
        assert_eq!(kind(699_999), Err(InboxErrorKind::InFuture));
    }
}
