use http::HeaderName;

use super::facts::{PLAIN, named};
use super::times::Unit;

/// What a header says of its provider's limits, or of how long to wait for them.
///
/// For headers that aren't known by themselves, by
/// [`HttpClassifier::limit_header`](crate::outcome::HttpClassifier::limit_header). A time is a number, a
/// number with a unit (`6m0s`, `20ms`), a Unix time in seconds or milliseconds, an HTTP date or an ISO
/// 8601 one: which of them, its size and form tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitHeader {
    /// How long to wait before the next request; a bare number is of seconds.
    Wait,
    /// The same; a bare number is of milliseconds.
    WaitMillis,
    /// How many requests a window allows.
    Limit,
    /// How many requests are left.
    Remaining,
    /// When there is more; a bare number is of seconds from now.
    Reset,
    /// The same; a bare number is of milliseconds from now.
    ResetMillis,
    /// How long a window is; a bare number is of seconds.
    Window,
    /// The same; a bare number is of milliseconds.
    WindowMillis,
    /// How many requests a second are allowed, perhaps less than one.
    Rate,
    /// Which of several limits the figures are of: calls that have another aren't concerned.
    Bucket,
}

/// A header of which a part is known: what it says, and of which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) says: Says,
    pub(super) of: Counted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    This(LimitHeader),
    /// `used/size` of a bucket that leaks.
    Leaky,
    /// Which budget the figures are of; a `Retry-After` beside it is of all.
    Resource,
    /// Whether a refusal is of all buckets.
    Global,
    /// `RateLimit`, of the IETF's draft.
    State,
    /// `RateLimit-Policy`, of the IETF's draft.
    Policies,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) scope: u64,
    /// In seconds, where its name tells.
    pub(super) window: Option<u64>,
    /// Tokens, bytes, points: no requests.
    pub(super) is_other: bool,
}

impl Row {
    /// What is known of this header, which is in lower case.
    pub(super) fn of(name: &str) -> Option<Self> {
        if !may_be_known(name.as_bytes()) {
            return None;
        }
        if let Some((_, says)) = HEADERS.iter().find(|(known, _)| *known == name) {
            return Some(Self { says: *says, of: Counted::REQUESTS });
        }
        FAMILIES.iter().find_map(|family| Self::of_family(name.strip_prefix(family)?))
    }

    /// By a header of the user's own.
    pub(super) fn own(says: LimitHeader) -> Self {
        Self { says: Says::This(says), of: Counted::REQUESTS }
    }

    /// `limit`, `remaining-requests` or `daily-remaining`: what it says, and of what.
    fn of_family(rest: &str) -> Option<Self> {
        WORDS.iter().find_map(|(word, says)| {
            let unit = match (rest.strip_prefix(word), rest.strip_suffix(word)) {
                (Some(""), _) => "",
                (Some(unit), _) if unit.starts_with('-') => &unit[1..],
                (_, Some(unit)) if unit.ends_with('-') => &unit[..unit.len() - 1],
                _ => return None,
            };
            Some(Self { says: *says, of: Counted::by(unit) })
        })
    }
}

impl Counted {
    const REQUESTS: Self = Self { scope: PLAIN, window: None, is_other: false };

    fn by(unit: &str) -> Self {
        let window = match unit {
            "" | "requests" => return Self::REQUESTS,
            "second" | "secondly" => Some(1),
            "minute" => Some(60),
            "hour" => Some(3600),
            "day" | "daily" => Some(24 * 3600),
            _ => None,
        };
        match window {
            Some(seconds) => Self { scope: PLAIN + seconds, window, is_other: false },
            None => {
                let is_other = !REQUESTS_OF.contains(&unit);
                Self { scope: named(unit), window, is_other }
            }
        }
    }
}

impl LimitHeader {
    /// How a time is read that it tells.
    pub(super) fn unit(self) -> Unit {
        match self {
            Self::WaitMillis | Self::ResetMillis | Self::WindowMillis => Unit::Millis,
            _ => Unit::Seconds,
        }
    }

    /// The header, in the classifier's table.
    pub(super) fn find(own: &[(HeaderName, Self)], name: &HeaderName) -> Option<Self> {
        own.iter().find(|(known, _)| known == name).map(|(_, says)| *says)
    }
}

/// Most answers have none of these: their headers are told by a glance.
pub(super) fn may_be_known(name: &[u8]) -> bool {
    match name {
        [b'r', b'a' | b'e', ..] | [b'a', b'n', ..] => true,
        [b'x', b'-', rest @ ..] => {
            matches!(rest, [b'a' | b'b' | b'c' | b'h' | b'm' | b'o' | b'r' | b's', ..])
        }
        _ => false,
    }
}

/// Headers that are known as a whole, each with the page that tells of it.
pub(super) const HEADERS: [(&str, Says); 13] = [
    // RFC 9110, 10.2.3.
    ("retry-after", Says::This(LimitHeader::Wait)),
    // Azure OpenAI and Azure Communication Services; OpenAI's own clients read it too.
    ("retry-after-ms", Says::This(LimitHeader::WaitMillis)),
    // Azure Cosmos DB, "Common REST response headers"; Azure's client guidelines.
    ("x-ms-retry-after-ms", Says::This(LimitHeader::WaitMillis)),
    // draft-ietf-httpapi-ratelimit-headers.
    ("ratelimit", Says::State),
    ("ratelimit-policy", Says::Policies),
    // Shopify, "REST Admin API rate limits".
    ("x-shopify-shop-api-call-limit", Says::Leaky),
    // Amazon Selling Partner API, "Usage plans and rate limits".
    ("x-amzn-ratelimit-limit", Says::This(LimitHeader::Rate)),
    // Discord, "Rate limits": a refusal that isn't of one bucket says so.
    ("x-ratelimit-global", Says::Global),
    ("x-ratelimit-scope", Says::Global),
    // Bybit, "Rate limit".
    ("x-bapi-limit", Says::This(LimitHeader::Limit)),
    ("x-bapi-limit-status", Says::This(LimitHeader::Remaining)),
    ("x-bapi-limit-reset-timestamp", Says::This(LimitHeader::Reset)),
    // Lark and Feishu, "Rate limits".
    ("x-ogw-ratelimit-reset", Says::This(LimitHeader::Reset)),
];

/// Headers that begin like this say what one of the [`WORDS`] says.
pub(super) const FAMILIES: [&str; 8] = [
    // GitHub, "Rate limits for the REST API"; Jira Cloud, "Rate limiting"; Discord, "Rate limits";
    // OpenAI, "Rate limits"; Linear, "Rate limiting"; Datadog, "Rate limits"; and most others.
    "x-ratelimit-",
    // X, "Rate limits"; Okta, "Rate limits"; Trello, "Rate limits".
    "x-rate-limit-",
    // draft-ietf-httpapi-ratelimit-headers, up to 06; GitLab, "User and IP rate limits"; Klaviyo,
    // "Rate limits, status codes, and errors"; Zendesk, "Rate limits".
    "ratelimit-",
    // Anthropic, "Rate limits".
    "anthropic-ratelimit-",
    // HubSpot, "API usage guidelines and limits".
    "x-hubspot-ratelimit-",
    // Sentry, "Rate limits".
    "x-sentry-rate-limit-",
    // Brevo, "Rate limit headers".
    "x-sib-ratelimit-",
    // Contentful, "API rate limits".
    "x-contentful-ratelimit-",
];

/// What a header of a family says; the longer words first. What it is of may stand before or after.
pub(super) const WORDS: [(&str, Says); 15] = [
    // MailerLite.
    ("retry-after", Says::This(LimitHeader::Wait)),
    // Discord.
    ("reset-after", Says::This(LimitHeader::Reset)),
    ("reset-date", Says::This(LimitHeader::Reset)),
    // GitLab.
    ("resettime", Says::This(LimitHeader::Reset)),
    ("reset", Says::This(LimitHeader::Reset)),
    // HubSpot.
    ("interval-milliseconds", Says::This(LimitHeader::WindowMillis)),
    // Trello.
    ("interval-ms", Says::This(LimitHeader::WindowMillis)),
    // Datadog.
    ("period", Says::This(LimitHeader::Window)),
    ("limit", Says::This(LimitHeader::Limit)),
    ("remaining", Says::This(LimitHeader::Remaining)),
    // HubSpot, Trello.
    ("max", Says::This(LimitHeader::Limit)),
    // HubSpot: the day's limit is told by the day alone.
    ("daily", Says::This(LimitHeader::Limit)),
    ("secondly", Says::This(LimitHeader::Limit)),
    // GitHub.
    ("resource", Says::Resource),
    // Discord.
    ("bucket", Says::This(LimitHeader::Bucket)),
];

/// Requests, counted for one of these (Trello).
const REQUESTS_OF: [&str; 2] = ["api-token", "api-key"];
