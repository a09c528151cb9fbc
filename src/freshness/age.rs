use std::time::{Duration, Instant, SystemTime};

use http::HeaderMap;
use http::header::{AGE, DATE, EXPIRES, HeaderName, LAST_MODIFIED};

use super::directives::delta_seconds;

/// One moment, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moments {
    /// The monotonic clock's time, which may stand still while a machine is suspended.
    pub(crate) monotonic: Instant,
    /// The wall clock's time, which people and servers may move.
    pub(crate) wall: SystemTime,
}

impl Moments {
    /// The time since then: by the clock that says more, so that nothing seems younger than it is.
    pub(crate) fn since(&self, then: &Self) -> Duration {
        let monotonic = self.monotonic.saturating_duration_since(then.monotonic);
        monotonic.max(self.wall.duration_since(then.wall).unwrap_or_default())
    }
}

/// What an answer's headers say about time, read once.
#[derive(Clone, Debug)]
pub(crate) struct TimedHeaders {
    /// When the answer was made, by its `Date`; when it arrived, if that can't be read.
    pub(crate) date: SystemTime,
    /// When its request was sent.
    sent: Instant,
    /// When its head arrived.
    received: Moments,
    /// How old it was by then (RFC 9111, 4.2.3).
    age_received: Duration,
    /// How long it is fresh by `Expires`; not at all if that can't be read.
    pub(super) by_expires: Option<Duration>,
    /// A tenth of the time since it was changed, at most a day (RFC 9111, 4.2.2).
    pub(super) heuristic: Duration,
}

impl TimedHeaders {
    /// Reads an answer's headers. Its request was sent at `sent` and its head arrived at `received`.
    pub(crate) fn read(headers: &HeaderMap, sent: Instant, received: Moments) -> Self {
        let date = http_date_of(headers, &DATE).unwrap_or(received.wall);
        let delay = received.monotonic.saturating_duration_since(sent);
        let apparent = received.wall.duration_since(date).unwrap_or_default();
        let until = |at: SystemTime| at.duration_since(date).unwrap_or_default();
        let changed = http_date_of(headers, &LAST_MODIFIED);
        let unchanged_for = changed.and_then(|at| date.duration_since(at).ok()).unwrap_or_default();
        let expires = headers.contains_key(EXPIRES);
        Self {
            date,
            sent,
            received,
            age_received: apparent.max(age_field(headers) + delay),
            by_expires: expires
                .then(|| http_date_of(headers, &EXPIRES).map(until).unwrap_or_default()),
            heuristic: (unchanged_for / 10).min(LONGEST_GUESS),
        }
    }

    /// Whether this answer came while the other one was being fetched, and is newer: by its `Date`, else by
    /// when it arrived. A fetch that began later brings the newer answer, whatever the servers' clocks say.
    pub(crate) fn outdates(&self, other: &Self) -> bool {
        let order = |times: &Self| (times.date, times.received.monotonic);
        other.sent < self.received.monotonic && order(self) > order(other)
    }

    /// How old the answer is.
    pub(crate) fn age(&self, now: &Moments) -> Duration {
        self.age_received.saturating_add(now.since(&self.received))
    }
}

/// The first member of the `Age` field, if it is a number.
fn age_field(headers: &HeaderMap) -> Duration {
    let line = headers.get(AGE).and_then(|line| line.to_str().ok()).unwrap_or_default();
    let first = line.split(',').next().unwrap_or_default();
    delta_seconds(first.trim()).unwrap_or_default()
}

/// The date in a field, if it can be read.
pub(crate) fn http_date_of(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    http_date(headers.get(name)?.to_str().ok()?)
}

/// A date in one of the three forms of RFC 9110, 5.6.7, and nothing like it but for the case of letters.
fn http_date(text: &str) -> Option<SystemTime> {
    let at = httpdate::parse_http_date(text).or_else(|_| httpdate::parse_http_date(&cased(text)));
    // The parser forgives some signs between the parts of the usual form.
    at.ok().filter(|_| text.len() != IMF.len() || has_signs_of_imf(text))
}

/// Names of days and months as they are written usually.
fn cased(text: &str) -> String {
    let mut is_first = true;
    let cased =
        text.chars().map(|sign| match std::mem::replace(&mut is_first, !sign.is_alphabetic()) {
            true => sign.to_ascii_uppercase(),
            false => sign.to_ascii_lowercase(),
        });
    cased.collect::<String>().replace("Gmt", "GMT")
}

/// Whether all signs that are neither digits nor letters stand where they stand in an IMF-fixdate.
fn has_signs_of_imf(text: &str) -> bool {
    let is_sign = |byte: u8| !byte.is_ascii_alphanumeric();
    text.bytes()
        .zip(IMF.bytes())
        .all(|(is, should)| !(is_sign(is) || is_sign(should)) || is == should)
}

const IMF: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
/// A guess shouldn't hold for longer than people would wait for a change (RFC 9111, 4.2.2).
const LONGEST_GUESS: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_three_forms_and_no_others() {
        let at = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777));
        for good in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "sun, 06 NOV 1994 08:49:37 gmt",
        ] {
            assert_eq!(http_date(good), at, "{good}");
        }
        for bad in [
            "0",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08.49.37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
        ] {
            assert_eq!(http_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_answer_is_as_old_as_the_clock_says_that_went_further() {
        let received = Moments { monotonic: crate::rt::now(), wall: SystemTime::UNIX_EPOCH };
        let times = TimedHeaders::read(&HeaderMap::new(), received.monotonic, received);
        let second = Duration::from_secs(1);
        let at = |monotonic: u32, wall: u32| Moments {
            monotonic: received.monotonic + second * monotonic,
            wall: received.wall + second * wall,
        };
        assert_eq!(times.age(&at(5, 0)), second * 5, "the wall clock was set back");
        assert_eq!(times.age(&at(5, 3600)), second * 3600, "the machine was suspended");
    }
}
