//! What a token endpoint's answer means.

use std::time::{Duration, SystemTime};

use http::header::DATE;
use http::response::Parts;
use http::{Extensions, HeaderMap, StatusCode};
use serde_json::Value;

use super::encoding::from_base64url;
use crate::outcome::wait_of;
use crate::rt::Clock;
use crate::terms::Class;
use crate::token::TokenError;
use crate::token::issuer::Token;
use crate::token::secret::Secret;

/// A token, and the refresh token that came with it.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) token: Token,
    pub(super) refresh_token: Option<Secret>,
}

/// Why there is none.
#[derive(Debug)]
pub(super) enum Refused {
    /// The grant isn't known any more: it was used, revoked, or has ended.
    InvalidGrant(TokenError),
    Other(TokenError),
}

impl Granted {
    pub(super) fn read(head: &Parts, body: &[u8]) -> Result<Self, Refused> {
        // RFC 8259, 8.1: a byte order mark isn't allowed, and may be ignored.
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let json = serde_json::from_slice::<Value>(body).ok();
        let json = json.as_ref().and_then(Value::as_object);
        let text = |name: &str| json.and_then(|json| json.get(name)).and_then(Value::as_str);
        if !head.status.is_success() {
            return Err(refused(head, text("error")));
        }
        let Some(access_token) = text("access_token").filter(|token| !token.is_empty()) else {
            return Err(match text("error") {
                Some(code) => refused(head, Some(code)),
                None if json.is_none() => {
                    Refused::Other(TokenError::transient("its answer is no JSON object"))
                }
                None => Refused::Other(TokenError::transient("its answer has no access_token")),
            });
        };
        if let Some(other) = text("token_type").filter(|kind| !kind.eq_ignore_ascii_case("bearer"))
        {
            let detail = format!("its tokens are of the type `{}`, not bearer", shown(other));
            return Err(Refused::Other(TokenError::settled(detail)));
        }
        let date = date(&head.headers);
        let expires_in = json.and_then(|json| seconds(json.get("expires_in")?));
        let mut token = Token::new(access_token);
        if let Some(time) = expires_in.or_else(|| lifetime_of_jwt(access_token, date)) {
            token = token.expires_in(time);
        }
        if let Some(date) = date {
            token = token.issuer_time(date);
        }
        let refresh_token = text("refresh_token").filter(|token| !token.is_empty());
        Ok(Self { token, refresh_token: refresh_token.map(|text| Secret::new(text.to_owned())) })
    }
}

fn refused(head: &Parts, code: Option<&str>) -> Refused {
    let status = head.status;
    let detail = match code {
        Some(code) => format!("it answered {}, `{}`", status.as_u16(), shown(code)),
        None => format!("it answered {}", status.as_u16()),
    };
    let is_busy = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    match code {
        Some("invalid_grant") => Refused::InvalidGrant(TokenError::settled(detail)),
        Some("temporarily_unavailable" | "server_error" | "slow_down") => later(head, detail),
        _ if is_busy => later(head, detail),
        None if status != StatusCode::UNAUTHORIZED => later(head, detail),
        _ => Refused::Other(TokenError::settled(detail)),
    }
}

fn later(head: &Parts, detail: String) -> Refused {
    let (clock, class) = (Clock::system(), Class::Throttled);
    let wait = wait_of(&Default::default(), class, &head.headers, &mut Extensions::new(), &clock);
    let error = TokenError::transient(detail);
    Refused::Other(match wait {
        Some(wait) => error.retry_in(wait),
        None => error,
    })
}

/// A word of the issuer's: one that is no code isn't shown.
fn shown(code: &str) -> &str {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    match code.len() <= 64 && code.chars().all(is_word) {
        true => code,
        false => "?",
    }
}

/// A number of seconds, as a number or as a text; less than none is none.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (!seconds.is_nan())
        .then(|| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

/// How long a JWT says that it lives. It is read, not verified: only the times are used.
fn lifetime_of_jwt(token: &str, date: Option<SystemTime>) -> Option<Duration> {
    let claims = from_base64url(token.split('.').nth(1)?)?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let time = |name: &str| claims.get(name).and_then(Value::as_f64);
    let since_1970 =
        |at: SystemTime| Some(at.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64());
    let begins = time("iat").or_else(|| since_1970(date?))?;
    Duration::try_from_secs_f64((time("exp")? - begins).max(0.0)).ok()
}

fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests;
