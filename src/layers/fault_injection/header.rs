use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::injection::{Ending, Injection};

/// The faults that a request asks for, if it does; the error says why they can't be read.
pub(super) fn read(
    headers: &HeaderMap,
    name: &HeaderName,
) -> Option<Result<Injection, &'static str>> {
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    Some(values.try_fold(Injection::default(), add))
}

fn add(mut asked: Injection, value: &HeaderValue) -> Result<Injection, &'static str> {
    let value = value.as_bytes();
    let at = value.iter().position(|byte| *byte == b'=').unwrap_or(value.len());
    let (fault, argument) = value.split_at(at);
    let argument = argument.strip_prefix(b"=");
    let ending = match (fault, argument) {
        (b"latency", Some(time)) => {
            asked.latency = Some(duration(time).ok_or(NO_LATENCY)?);
            return Ok(asked);
        }
        (b"slow-body", Some(time)) => {
            asked.slow_body = Some(duration(time).ok_or(NO_PAUSE)?);
            return Ok(asked);
        }
        (b"status", Some(status)) => Ending::Status(final_status(status).ok_or(NO_STATUS)?),
        (b"answer", Some(body)) => {
            Ending::Answer { body: Bytes::copy_from_slice(body), content_type: JSON }
        }
        (b"hang", None) => Ending::Hang,
        (b"reset", None) => Ending::Reset,
        _ => return Err(NO_FAULT),
    };
    match asked.ending.replace(ending) {
        None => Ok(asked),
        Some(_) => Err(TWO_ENDINGS),
    }
}

fn final_status(text: &[u8]) -> Option<StatusCode> {
    StatusCode::from_bytes(text).ok().filter(|status| !status.is_informational())
}

fn duration(text: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(text).ok()?;
    let (number, unit) = text.split_at(text.find(|digit: char| !digit.is_ascii_digit())?);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.saturating_mul(60))),
        _ => None,
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
// Errors in the header. Their texts don't contain its value.
const NO_FAULT: &str = "fault injection header: names no fault; known are status=503, latency=2s, \
    slow-body=100ms, answer=..., hang and reset";
const NO_LATENCY: &str = "fault injection header: latency needs a time, 250ms or 2s for example";
const NO_PAUSE: &str = "fault injection header: slow-body needs a time, 250ms or 2s for example";
const NO_STATUS: &str = "fault injection header: status needs a number from 200 to 999";
const TWO_ENDINGS: &str = "fault injection header: one of status, answer, hang and reset is enough";
