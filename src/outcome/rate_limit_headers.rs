//! What a response's headers say of the provider's limits, in the spellings that are in use.
//!
//! | headers | from |
//! |---|---|
//! | `RateLimit-Policy: "default";q=100;w=60`, `RateLimit: "default";r=30;t=12` | draft-ietf-httpapi-ratelimit-headers, from 08 on |
//! | `RateLimit: limit=100, remaining=30, reset=12`, `RateLimit-Policy: 100;w=60` | the draft, 07 |
//! | `RateLimit-Limit`, `-Remaining`, `-Reset` | the draft, up to 06 |
//! | `RateLimit-Policy: 10;w=1, 1000;w=3600`, or these after the limit in `-Limit`: a window each | the same |
//! | `X-RateLimit-Limit`, `-Remaining`, `-Reset`, `-Reset-After`; `X-Rate-Limit-…` | GitHub and most others |
//! | `X-RateLimit-Resource: search`, which of several budgets these figures are of | GitHub |
//! | the same with `-Second`, `-Minute`, `-Hour`, `-Day`, or `-Requests` | gateways; OpenAI |
//! | `X-Shopify-Shop-Api-Call-Limit: 32/40` | Shopify |
//!
//! (Slack sends `Retry-After` alone, and so does Stripe at times: there the limit is found out by
//! whoever reads this.) A reset is seconds from now, a Unix time in seconds or milliseconds, an HTTP
//! date or a duration such as `6m0s`; which of them, its size and form tell. Where nothing is left, a
//! reset in no time is one within the second.

use std::time::{Duration, SystemTime};

use http::header::DATE;
use http::{HeaderMap, HeaderValue};
use sfv::{BareItem, Dictionary, List, ListEntry, Parameters, Parser};

use super::retry_after::date;
use crate::rt::Clock;

/// One limit, as far as it was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LimitFact {
    /// Which of the provider's limits it is.
    pub(crate) scope: u64,
    pub(crate) limit: Option<u64>,
    pub(crate) window: Option<Duration>,
    pub(crate) remaining: Option<u64>,
    /// From now until there is more.
    pub(crate) reset: Option<Duration>,
    /// The same as a Unix time in seconds, where that was told.
    pub(crate) reset_stamp: Option<u64>,
    /// Which of the provider's resources it is of, where that is named.
    pub(crate) resource: Option<u64>,
    /// It is of something else than requests.
    counts_others: bool,
    /// It is a policy without a name, of which there may be several.
    is_unnamed: bool,
}

/// All limits that one response tells of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LimitFacts([Option<LimitFact>; MOST]);

/// Reads the limits; costs a glance at the headers' names where there are none.
pub(crate) fn limits(headers: &HeaderMap, clock: &Clock) -> LimitFacts {
    let (mut facts, mut resource) = (LimitFacts::default(), None);
    for (name, value) in headers {
        let name = name.as_str();
        if !matches!(name.as_bytes(), [b'r', b'a', ..] | [b'x', b'-', b'r' | b's', ..]) {
            continue;
        }
        let Ok(text) = value.to_str() else { continue };
        match name {
            "ratelimit-policy" => facts.read_policies(text),
            "ratelimit" => facts.read_state(text),
            "x-shopify-shop-api-call-limit" => facts.read_shopify(text),
            "x-ratelimit-resource" => resource = Some(named(text.trim())),
            _ => {
                let family = FAMILIES.iter().find_map(|family| name.strip_prefix(family));
                if let Some(rest) = family {
                    facts.read_spelling(rest, text, &now(headers, clock));
                }
            }
        }
    }
    facts.join_unnamed();
    for fact in facts.0.iter_mut().flatten() {
        fact.resource = resource;
        if (fact.remaining, fact.reset) == (Some(0), Some(Duration::ZERO)) {
            // The rest of a second, rounded down.
            fact.reset = Some(Duration::from_secs(1));
        }
    }
    facts
}

impl LimitFact {
    fn is_told(&self) -> bool {
        let counts = self.limit.is_some() || self.remaining.is_some();
        !self.counts_others && (counts || self.window.is_some() || self.reset.is_some())
    }
}

impl LimitFacts {
    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &LimitFact> {
        self.0.iter().flatten().filter(|fact| fact.is_told())
    }

    /// The fact of this scope; none where there are too many already.
    fn of(&mut self, scope: u64) -> Option<&mut LimitFact> {
        let known = |fact: &&mut Option<LimitFact>| fact.is_none_or(|fact| fact.scope == scope);
        let slot = self.0.iter_mut().find(known)?;
        Some(slot.get_or_insert(LimitFact { scope, ..LimitFact::default() }))
    }

    /// `"burst";q=100;w=60, "daily";q=1000;w=86400`, or `100;w=60`.
    fn read_policies(&mut self, text: &str) {
        let Ok(list) = Parser::new(text).parse::<List>() else { return };
        for (name, parameters) in items(&list) {
            let counts_others = matches!(parameters.get("qu"), Some(unit) if !is_requests(unit));
            let limit = integer(parameters.get("q")).or_else(|| integer(Some(name)));
            let window = integer(parameters.get("w")).map(Duration::from_secs);
            let is_unnamed = scope(name) == PLAIN && window.is_some();
            let scope =
                scope(name) + window.filter(|_| is_unnamed).map_or(0, |window| window.as_secs());
            let Some(fact) = self.of(scope).filter(|_| limit.is_some()) else { continue };
            fact.is_unnamed = is_unnamed;
            (fact.limit, fact.window) = (limit, window.or(fact.window));
            fact.counts_others = counts_others;
        }
    }

    /// What is told without a name is of the policy with that limit: of the one that comes closest,
    /// and of the first where no limit is told.
    fn join_unnamed(&mut self) {
        let at = |scope: &Option<LimitFact>| scope.is_some_and(|fact| fact.scope == PLAIN);
        let state = self.0.iter().position(at);
        let told = state.and_then(|state| self.0[state]).unwrap_or_default();
        let is_alone = self.0.iter().flatten().filter(|fact| fact.is_unnamed).count() == 1;
        let mut policies = self.0.iter_mut().flatten().filter(|fact| fact.is_unnamed);
        let of_it = |policy: &&mut LimitFact| told.limit.is_none() || told.limit == policy.limit;
        let Some(policy) = policies.find(of_it) else { return };
        (policy.remaining, policy.reset) = (told.remaining, told.reset);
        policy.reset_stamp = told.reset_stamp;
        if is_alone {
            // Where it isn't told each time, it is the same limit without it.
            policy.scope = PLAIN;
        }
        if let Some(state) = state {
            self.0[state] = None;
        }
    }

    /// `"default";r=30;t=12`, or `limit=100, remaining=30, reset=12`.
    fn read_state(&mut self, text: &str) {
        if let Ok(list) = Parser::new(text).parse::<List>() {
            for (name, parameters) in items(&list) {
                let Some(remaining) = integer(parameters.get("r")) else { continue };
                if let Some(fact) = self.of(scope(name)) {
                    fact.remaining = Some(remaining);
                    fact.reset = integer(parameters.get("t")).map(Duration::from_secs);
                }
            }
            return;
        }
        let Ok(fields) = Parser::new(text).parse::<Dictionary>() else { return };
        let field = |name: &str| match fields.get(name) {
            Some(ListEntry::Item(item)) => integer(Some(&item.bare_item)),
            _ => None,
        };
        let (limit, remaining) = (field("limit"), field("remaining"));
        if let Some(fact) = self.of(PLAIN).filter(|_| remaining.is_some()) {
            (fact.limit, fact.remaining) = (limit.or(fact.limit), remaining);
            fact.reset = field("reset").map(Duration::from_secs);
        }
    }

    /// `used/size` of a leaky bucket that is empty again after 20 s, whichever its size (40 at 2 a
    /// second, 80 at 4).
    fn read_shopify(&mut self, text: &str) {
        let parts = text.split_once('/').map(|(used, size)| (used.trim(), size.trim()));
        let numbers = parts.and_then(|(used, size)| Some((used.parse().ok()?, size.parse().ok()?)));
        let Some((used, size)) = numbers else { return };
        if let Some(fact) = self.of(PLAIN) {
            (fact.limit, fact.remaining) = (Some(size), Some(u64::saturating_sub(size, used)));
            fact.window = Some(Duration::from_secs(20));
        }
    }

    /// `limit`, `remaining` and `reset`, perhaps of a unit.
    fn read_spelling(&mut self, rest: &str, text: &str, now: &SystemTime) {
        let (what, unit) = match rest {
            "reset-after" => ("reset", ""),
            rest => rest.split_once('-').unwrap_or((rest, "")),
        };
        let window = match unit {
            "" | "requests" => None,
            "second" => Some(1),
            "minute" => Some(60),
            "hour" => Some(3600),
            "day" => Some(24 * 3600),
            // Of something else than requests.
            _ => return,
        };
        let Some(fact) = self.of(PLAIN + window.unwrap_or_default()) else { return };
        match what {
            "limit" => {
                fact.limit = leading(text).or(fact.limit);
                fact.window = window.map(Duration::from_secs).or(fact.window);
                if window.is_none() && text.contains(';') {
                    // `100, 100;w=60`: the limit that comes closest, and all policies.
                    self.read_policies(text);
                }
            }
            "remaining" => fact.remaining = leading(text),
            "reset" => (fact.reset, fact.reset_stamp) = reset(text, now),
            _ => {}
        }
    }
}

/// From now until the reset, and its stamp where it is a Unix time.
fn reset(text: &str, now: &SystemTime) -> (Option<Duration>, Option<u64>) {
    let text = text.trim();
    let until = |at: SystemTime| at.duration_since(*now).unwrap_or_default();
    let Ok(number) = text.parse::<f64>() else {
        return (date(text).map(until).or_else(|| spelled(text)), None);
    };
    let seconds = if number >= OLDEST_MILLIS { number / 1000.0 } else { number };
    let Ok(seconds) = Duration::try_from_secs_f64(seconds) else { return (None, None) };
    match number >= OLDEST_STAMP {
        true => {
            let at = SystemTime::UNIX_EPOCH.checked_add(seconds);
            (at.map(until), at.map(|_| seconds.as_secs()))
        }
        false => (Some(seconds), None),
    }
}

/// `6m0s`, `1s`, `20ms`.
fn spelled(text: &str) -> Option<Duration> {
    let (mut rest, mut total) = (text, 0.0);
    while !rest.is_empty() {
        let number = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let end = rest[number..].find(|c: char| !c.is_ascii_alphabetic());
        let unit = end.map_or(&rest[number..], |end| &rest[number..number + end]);
        let scale = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        total += rest[..number].parse::<f64>().ok()? * scale;
        rest = &rest[number + unit.len()..];
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(total).ok())?
}

/// The answer's own time, so that a clock that is wrong here or there does no harm.
fn now(headers: &HeaderMap, clock: &Clock) -> SystemTime {
    let sent = headers.get(DATE).map(HeaderValue::to_str);
    sent.and_then(Result::ok).and_then(|sent| date(sent.trim())).unwrap_or_else(|| clock.wall())
}

/// The number that a text begins with: `100, 100;w=60` is sent for a limit of 100.
fn leading(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

fn items(list: &List) -> impl Iterator<Item = (&BareItem, &Parameters)> {
    list.iter().filter_map(|entry| match entry {
        ListEntry::Item(item) => Some((&item.bare_item, &item.params)),
        ListEntry::InnerList(_) => None,
    })
}

fn integer(item: Option<&BareItem>) -> Option<u64> {
    match item? {
        BareItem::Integer(number) => u64::try_from(i64::from(*number)).ok(),
        _ => None,
    }
}

fn is_requests(unit: &BareItem) -> bool {
    matches!(unit, BareItem::String(unit) if unit.as_str() == "requests")
}

/// A policy's name as a number (FNV-1a); a number is the name of no policy.
fn scope(name: &BareItem) -> u64 {
    let text = match name {
        BareItem::String(name) => name.as_str(),
        BareItem::Token(name) => name.as_str(),
        _ => return PLAIN,
    };
    named(text)
}

fn named(text: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, mix).max(NAMED)
}

/// More limits than any known provider tells of at once.
const MOST: usize = 4;
const FAMILIES: [&str; 3] = ["x-ratelimit-", "x-rate-limit-", "ratelimit-"];
/// The scope of a limit without a name; the window is added that the header's name or a policy tells.
const PLAIN: u64 = 1;
/// Names come after all windows.
const NAMED: u64 = 1 << 20;
/// Larger numbers are Unix times, and no provider's quota lasts for 30 years.
const OLDEST_STAMP: f64 = 1e9;
/// Larger ones are in milliseconds.
const OLDEST_MILLIS: f64 = 1e11;
const UNITS: [(&str, f64); 5] =
    [("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001), ("us", 0.000_001)];

#[cfg(test)]
mod tests;
