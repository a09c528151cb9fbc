//! `Retry-After` (RFC 9110, 10.2.3), in every form that is allowed and some that are only sent.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use crate::rt::Clock;

/// How long the provider asks to wait, from now.
///
/// A date is measured against the answer's own `Date`, so that a clock that is wrong here or there
/// does no harm; without one, against the wall clock. A date that has passed is no wait at all. What
/// can't be read is no answer: a wrong header must neither retry at once nor hold a call for years.
pub(crate) fn retry_after(headers: &HeaderMap, clock: &Clock) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Some(delay) = seconds(text) {
        return Some(delay);
    }
    let until = date(text)?;
    let sent = headers.get(DATE).and_then(|sent| date(sent.to_str().ok()?.trim()));
    let now = sent.unwrap_or_else(|| clock.wall());
    Some(until.duration_since(now).unwrap_or_default())
}

/// Whole seconds as the RFC has them, and the fractions that some servers send, rounded up.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    // Too many digits for a number is longer than anyone waits.
    let whole: u64 = whole.parse().unwrap_or(u64::MAX);
    let more = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    Some(Duration::from_secs(whole.saturating_add(more)))
}

/// An HTTP date in its three forms (RFC 9110, 5.6.7), then with what servers get wrong mended.
pub(super) fn date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok().or_else(|| httpdate::parse_http_date(&mend(text)?).ok())
}

/// `Sun, 6 Nov 1994 08:49:37 +0000` and the like, as an IMF-fixdate.
///
/// A fraction of a second is cut, a single-digit day padded, and a zone that means UTC written as
/// `GMT`. Another zone is not guessed at.
fn mend(text: &str) -> Option<String> {
    let mut parts = text.split_ascii_whitespace();
    let (weekday, day, month) = (parts.next()?, parts.next()?, parts.next()?);
    let (year, time, zone) = (parts.next()?, parts.next()?, parts.next()?);
    let utc = ["GMT", "UTC", "Z", "UT", "+0000", "-0000", "+00:00"];
    if parts.next().is_some() || !utc.iter().any(|known| known.eq_ignore_ascii_case(zone)) {
        return None;
    }
    let day: Cow<'_, str> = if day.len() == 1 { format!("0{day}").into() } else { day.into() };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let is_number = !fraction.is_empty() && fraction.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| format!("{weekday} {day} {month} {year} {time} GMT"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn wait(retry_after_text: &str, sent: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(retry_after_text).unwrap());
        if let Some(sent) = sent {
            headers.insert(DATE, HeaderValue::from_str(sent).unwrap());
        }
        let wall = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:00 GMT").unwrap();
        retry_after(&headers, &Clock::anchored(wall))
    }

    fn about(wait: Option<Duration>) -> Option<u64> {
        wait.map(|wait| (wait.as_millis() as u64 + 500) / 1000)
    }

    #[test]
    fn seconds_are_read_and_fractions_rounded_up() {
        for (text, seconds) in [("0", 0), ("120", 120), (" 7 ", 7), ("1.5", 2), ("2.0", 2)] {
            assert_eq!(wait(text, None), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(wait("99999999999999999999999", None), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn all_three_date_forms_give_the_same_wait() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(about(wait(text, None)), Some(37), "{text}");
        }
    }

    #[test]
    fn dates_that_servers_get_wrong_are_read_all_the_same() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37.250 GMT",
        ] {
            assert_eq!(about(wait(text, None)), Some(37), "{text}");
        }
    }

    #[test]
    fn a_date_is_measured_against_the_answers_own_date() {
        let until = "Sun, 06 Nov 2044 08:50:00 GMT";
        assert_eq!(
            wait(until, Some("Sun, 06 Nov 2044 08:49:30 GMT")),
            Some(Duration::from_secs(30))
        );
    }

    #[test]
    fn a_date_that_has_passed_is_no_wait() {
        assert_eq!(wait("Sat, 05 Nov 1994 08:49:37 GMT", None), Some(Duration::ZERO));
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        for text in [
            "",
            "soon",
            "-5",
            "1e3",
            "1.5.2",
            "+3",
            "0x10",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "12 seconds",
        ] {
            assert_eq!(wait(text, None), None, "{text}");
        }
    }
}
