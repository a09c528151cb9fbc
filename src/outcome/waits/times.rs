use std::borrow::Cow;
use std::cell::OnceCell;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::DATE;

use crate::rt::Clock;

/// A time in a header: from now on, or a date.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Told {
    In(Duration),
    At(SystemTime),
    /// At this Unix time.
    Stamp(Duration),
}

/// The unit of a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Millis,
}

/// The answer's own time, read where it is first needed: a clock that is wrong here or there does no
/// harm then. Without a `Date`, the wall clock's.
pub(super) struct Now<'a> {
    headers: &'a HeaderMap,
    clock: &'a Clock,
    known: OnceCell<SystemTime>,
}

impl<'a> Now<'a> {
    pub(super) fn of(headers: &'a HeaderMap, clock: &'a Clock) -> Self {
        Self { headers, clock, known: OnceCell::new() }
    }

    fn get(&self) -> SystemTime {
        *self.known.get_or_init(|| {
            let sent = self.headers.get(DATE).and_then(|sent| sent.to_str().ok());
            sent.and_then(|sent| http_date(sent.trim())).unwrap_or_else(|| self.clock.wall())
        })
    }
}

impl Told {
    /// `90`, `1.5`, `1784111777`, `1784111777000`, `6m0s`, an HTTP date or an ISO 8601 one: which of
    /// them, the size and the form tell.
    pub(super) fn parse(text: &str, unit: Unit) -> Option<Self> {
        let text = text.trim();
        match number(text) {
            Some(number) => Self::of_number(number, unit),
            None => spelled(text).map(Self::In).or_else(|| date(text).map(Self::At)),
        }
    }

    fn of_number(number: f64, unit: Unit) -> Option<Self> {
        let seconds = |number| Duration::try_from_secs_f64(number).ok();
        match unit {
            _ if number >= OLDEST_MILLIS => seconds(number / 1000.0).map(Self::Stamp),
            Unit::Seconds if number >= OLDEST_STAMP => seconds(number).map(Self::Stamp),
            Unit::Seconds => seconds(number).map(Self::In),
            Unit::Millis => seconds(number / 1000.0).map(Self::In),
        }
    }

    /// How long that is from now; a moment that has passed is no time at all.
    pub(super) fn until(self, now: &Now<'_>) -> Option<Duration> {
        let until = |at: SystemTime| at.duration_since(now.get()).unwrap_or_default();
        match self {
            Self::In(time) => Some(time),
            Self::At(at) => Some(until(at)),
            Self::Stamp(since) => SystemTime::UNIX_EPOCH.checked_add(since).map(until),
        }
    }
}

/// The longest of the waits that one line tells: proxies join two headers into one. Seconds are
/// rounded up, because that is what the specification knows (RFC 9110, 10.2.3).
///
/// What can't be read is no answer: a wrong header must neither retry at once nor hold a call for
/// years.
pub(super) fn wait(text: &str, unit: Unit, now: &Now<'_>) -> Option<Duration> {
    let one = |text: &str| {
        let wait = Told::parse(text, unit)?;
        let is_bare =
            unit == Unit::Seconds && matches!(wait, Told::In(_)) && number(text).is_some();
        let wait = wait.until(now)?;
        Some(if is_bare { whole_seconds(wait) } else { wait })
    };
    one(text.trim()).or_else(|| {
        // A date has a comma of its own, and was read.
        let waits: Option<Vec<_>> = text.split(',').map(|part| one(part.trim())).collect();
        waits?.into_iter().max()
    })
}

/// Rounded up.
pub(super) fn whole_seconds(time: Duration) -> Duration {
    let more = u64::from(time.subsec_nanos() > 0);
    Duration::from_secs(time.as_secs().saturating_add(more))
}

/// Digits, and more of them behind a point.
pub(super) fn number(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    text.parse().ok()
}

/// `6m0s`, `1s`, `20ms`.
fn spelled(text: &str) -> Option<Duration> {
    let (mut rest, mut total) = (text, 0.0);
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (amount, further) = rest.split_at(unit_at);
        let end = further.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(further.len());
        let (unit, further) = further.split_at(end);
        total += number(amount)? * UNITS.iter().find(|(name, _)| *name == unit)?.1;
        rest = further;
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(total).ok())?
}

/// An HTTP date or an ISO 8601 one.
pub(crate) fn date(text: &str) -> Option<SystemTime> {
    http_date(text).or_else(|| iso_date(text))
}

/// An HTTP date in its three forms (RFC 9110, 5.6.7), then with what servers get wrong mended.
fn http_date(text: &str) -> Option<SystemTime> {
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

/// RFC 3339, and of ISO 8601 what is sent besides: no seconds, an offset without a colon, no zone (as
/// UTC).
fn iso_date(text: &str) -> Option<SystemTime> {
    let (date, rest) = text.split_at_checked(10)?;
    let [year, month, day] = figures(date, '-')?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone_at);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = figures(time, ':').or_else(|| {
        let [hour, minute] = figures(time, ':')?;
        Some([hour, minute, 0])
    })?;
    let is_time = hour < 24 && minute < 60 && second <= 60 && number(fraction).is_some();
    if !is_time || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let clock = (hour * 60 + minute) * 60 + second - offset(zone)?;
    let seconds = days(year, month, day) * 24 * 3600 + clock;
    let nanos = (format!("0.{fraction}").parse::<f64>().ok()? * 1e9) as u32;
    // A time before 1970 has passed.
    let since = Duration::new(u64::try_from(seconds).unwrap_or_default(), nanos.min(999_999_999));
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// A fixed number of numbers of up to four digits, and nothing else.
fn figures<const N: usize>(text: &str, between: char) -> Option<[i64; N]> {
    let (mut parts, mut found) = (text.split(between), [0; N]);
    for figure in &mut found {
        let part = parts.next().filter(|part| (1..=4).contains(&part.len()))?;
        *figure = part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(found)
}

/// East of Greenwich, in seconds.
fn offset(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = zone.split_at_checked(1)?;
    let (hours, minutes) = match rest.len() {
        5 => rest.split_once(':')?,
        4 => rest.split_at_checked(2)?,
        2 => (rest, "0"),
        _ => return None,
    };
    let ([hours], [minutes]) = (figures(hours, ':')?, figures(minutes, ':')?);
    let seconds = (hours * 60 + minutes) * 60;
    Some(if sign == "-" { -seconds } else { seconds })
}

/// From the first of January 1970 (H. Hinnant, *chrono-Compatible Low-Level Date Algorithms*).
fn days(year: i64, month: i64, day: i64) -> i64 {
    // The year begins in March: what February is short of comes last.
    let year = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Larger numbers are Unix times, and no provider's quota lasts for 30 years.
const OLDEST_STAMP: f64 = 1e9;
/// Larger ones are in milliseconds.
const OLDEST_MILLIS: f64 = 1e11;
const UNITS: [(&str, f64); 5] =
    [("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001), ("us", 0.000_001)];

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const NOW: &str = "Sun, 06 Nov 1994 08:49:00 GMT";

    fn waiting(text: &str, sent: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        if let Some(sent) = sent {
            headers.insert(DATE, HeaderValue::from_str(sent).unwrap());
        }
        let clock = Clock::anchored(httpdate::parse_http_date(NOW).unwrap());
        wait(text, Unit::Seconds, &Now::of(&headers, &clock))
    }

    fn about(text: &str) -> Option<u64> {
        waiting(text, None).map(|wait| (wait.as_millis() as u64 + 500) / 1000)
    }

    #[test]
    fn seconds_are_read_and_fractions_rounded_up() {
        for (text, seconds) in [("0", 0), ("120", 120), (" 7 ", 7), ("1.5", 2), ("2.0", 2)] {
            assert_eq!(waiting(text, None), Some(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn all_three_date_forms_give_the_same_wait() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(about(text), Some(37), "{text}");
        }
    }

    #[test]
    fn dates_that_servers_get_wrong_are_read_all_the_same() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 gmt",
            "Sun, 06 Nov 1994 08:49:37 utc",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37.250 GMT",
        ] {
            assert_eq!(about(text), Some(37), "{text}");
        }
    }

    #[test]
    fn iso_dates_are_read_with_and_without_what_may_be_missing() {
        for text in [
            "1994-11-06T08:49:37Z",
            "1994-11-06t08:49:37z",
            "1994-11-06 08:49:37Z",
            "1994-11-06T08:49:37.000Z",
            "1994-11-06T08:49:37",
            "1994-11-06T09:49:37+01:00",
            "1994-11-06T03:19:37-0530",
            "1994-11-06T10:49:37+02",
            "1994-11-05T22:49:37-10:00",
        ] {
            assert_eq!(about(text), Some(37), "{text}");
        }
        assert_eq!(about("1994-11-06T08:50Z"), Some(60));
        assert_eq!(about("2000-02-29T00:00:00Z"), Some(167_670_660));
        assert_eq!(about("1960-01-01T00:00:00Z"), Some(0));
    }

    #[test]
    fn a_unix_time_is_no_number_of_seconds_to_wait() {
        for text in ["784111777000", "784111777000.0"] {
            assert_eq!(about(text), Some(37), "{text}");
        }
        let sent = Some("Wed, 15 Jul 2026 10:36:00 GMT");
        for text in ["1784111777", "1784111777000", "2026-07-15T10:36:17Z"] {
            assert_eq!(waiting(text, sent), Some(Duration::from_secs(17)), "{text}");
        }
    }

    #[test]
    fn of_two_waits_in_one_line_the_longer_counts() {
        for text in ["1, 60", "60,1", "1m, 3", "1, Sun, 06 Nov 1994 08:49:37 GMT"] {
            let longer = if text.contains("Nov") { None } else { Some(60) };
            assert_eq!(about(text), longer, "{text}");
        }
    }

    #[test]
    fn a_date_is_measured_against_the_answers_own_date() {
        let until = "Sun, 06 Nov 2044 08:50:00 GMT";
        let sent = Some("Sun, 06 Nov 2044 08:49:30 GMT");
        assert_eq!(waiting(until, sent), Some(Duration::from_secs(30)));
    }

    #[test]
    fn a_date_that_has_passed_is_no_wait() {
        assert_eq!(waiting("Sat, 05 Nov 1994 08:49:37 GMT", None), Some(Duration::ZERO));
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
            "1, soon",
            ",",
            "1994-11-06",
            "1994-13-06T08:49:37Z",
            "1994-11-06T25:49:37Z",
            "1994-11-06T08:49:37+1:00",
            "1994-11-06T08:49:37.Z",
            "1994-11-06T08Z",
            "99999999999999999999999999999999",
        ] {
            assert_eq!(waiting(text, None), None, "{text}");
        }
    }
}
