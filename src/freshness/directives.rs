use std::borrow::Cow;
use std::time::Duration;

use http::HeaderMap;
use http::header::CACHE_CONTROL;

/// The directives of a `Cache-Control` field, of a request or an answer (RFC 9111, 5.2).
///
/// Of two directives of one name, the first counts. An argument that is no whole number is zero, and
/// one that is too large is 2³¹ seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Directives {
    pub(crate) no_store: bool,
    pub(crate) no_cache: bool,
    pub(crate) must_revalidate: bool,
    pub(crate) must_understand: bool,
    pub(crate) only_if_cached: bool,
    pub(crate) public: bool,
    pub(crate) private: bool,
    pub(crate) max_age: Option<Duration>,
    pub(crate) min_fresh: Option<Duration>,
    /// Without an argument, any staleness.
    pub(crate) max_stale: Option<Duration>,
    pub(crate) stale_while_revalidate: Option<Duration>,
    pub(crate) stale_if_error: Option<Duration>,
}

impl Directives {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut found = Self::default();
        for line in headers.get_all(CACHE_CONTROL) {
            let line = String::from_utf8_lossy(line.as_bytes());
            members(&line).for_each(|member| found.add(member));
        }
        found
    }

    fn add(&mut self, member: &str) {
        let (name, argument) = match member.split_once('=') {
            Some((name, argument)) => (name.trim(), Some(unquoted(argument.trim()))),
            None => (member, None),
        };
        let seconds = || argument.as_deref().map_or(Duration::ZERO, seconds);
        match name.to_ascii_lowercase().as_str() {
            "no-store" => self.no_store = true,
            "no-cache" => self.no_cache = true,
            "must-revalidate" => self.must_revalidate = true,
            "must-understand" => self.must_understand = true,
            "only-if-cached" => self.only_if_cached = true,
            "public" => self.public = true,
            "private" => self.private = true,
            "max-age" => first(&mut self.max_age, seconds()),
            "min-fresh" => first(&mut self.min_fresh, seconds()),
            "max-stale" if argument.is_none() => first(&mut self.max_stale, Duration::MAX),
            "max-stale" => first(&mut self.max_stale, seconds()),
            "stale-while-revalidate" => first(&mut self.stale_while_revalidate, seconds()),
            "stale-if-error" => first(&mut self.stale_if_error, seconds()),
            _ => {}
        }
    }
}

fn first(place: &mut Option<Duration>, value: Duration) {
    place.get_or_insert(value);
}

/// The members of a list, which may have commas within quotes.
fn members(line: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = line.split(move |sign: char| {
        let escaped = std::mem::take(&mut is_escaped);
        match sign {
            '\\' if is_quoted && !escaped => is_escaped = true,
            '"' if !escaped => is_quoted = !is_quoted,
            _ => {}
        }
        sign == ',' && !is_quoted
    });
    parts.map(str::trim).filter(|member| !member.is_empty())
}

fn unquoted(argument: &str) -> Cow<'_, str> {
    let inner = argument.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if inner.contains('\\') => inner.replace('\\', "").into(),
        Some(inner) => inner.into(),
        None => argument.into(),
    }
}

fn seconds(argument: &str) -> Duration {
    delta_seconds(argument).unwrap_or_default()
}

/// Digits alone; what is over 2³¹ is 2³¹ (RFC 9111, 1.2.2).
pub(super) fn delta_seconds(text: &str) -> Option<Duration> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = text.parse().unwrap_or(LONGEST).min(LONGEST);
    Some(Duration::from_secs(seconds))
}

const LONGEST: u64 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;

    fn directives(lines: &[&'static str]) -> Directives {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CACHE_CONTROL, http::HeaderValue::from_static(line));
        }
        Directives::of(&headers)
    }

    #[test]
    fn names_have_no_case_quotes_are_taken_and_the_first_of_two_counts() {
        let of = |lines: &[&'static str]| directives(lines).max_age.map(|age| age.as_secs());
        assert_eq!(of(&["MaX-aGe=3600"]), Some(3600));
        assert_eq!(of(&["max-age=\"3600\""]), Some(3600));
        assert_eq!(of(&["max-age=1, max-age=3600"]), Some(1));
        assert_eq!(of(&["max-age=1", "max-age=3600"]), Some(1));
        assert_eq!(of(&["x=\"a, max-age=3600\", max-age=1"]), Some(1));
        assert_eq!(of(&["x=\"a \\\", max-age=3600\", max-age=1"]), Some(1));
    }

    #[test]
    fn what_is_no_whole_number_is_zero_and_what_is_too_large_is_the_largest() {
        for wrong in ["max-age", "max-age=-1", "max-age=1.5", "max-age='9'", "max-age=9s"] {
            assert_eq!(directives(&[wrong]).max_age, Some(Duration::ZERO), "{wrong}");
        }
        let largest = directives(&["max-age=99999999999999999999999"]).max_age;
        assert_eq!(largest, Some(Duration::from_secs(LONGEST)));
        assert_eq!(directives(&["max-stale"]).max_stale, Some(Duration::MAX));
    }
}
