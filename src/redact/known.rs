//! The names of which values are shown: of fields, of headers, of parts of a path.

/// What is known of a field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// Its value is shown if it is a word of a program.
    Word,
    /// What is inside of it is an error, whose fields are looked at.
    Error,
    /// Both.
    Either,
}

/// What is shown of a header's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// Words of the protocol.
    Words,
    /// A media type, without its parameters.
    Media,
    /// Numbers and dates.
    Numbers,
    /// The id of a request, by which support asks.
    Id,
    /// Of a URL, what is shown of every URL.
    Url,
}

impl Field {
    /// What is known of a field, whatever its name's case and separators: `statusCode` is `status_code`.
    pub(super) fn of(name: &str) -> Option<Self> {
        if name.len() < SHORTEST_FIELD {
            return None;
        }
        let mut joined = [0; LONGEST_FIELD];
        let mut length = 0;
        for byte in name.bytes().filter(|byte| !matches!(byte, b'_' | b'-')) {
            *joined.get_mut(length)? = byte.to_ascii_lowercase();
            length += 1;
        }
        let joined = &joined[..length];
        let at = FIELDS.binary_search_by(|(field, _)| field.as_bytes().cmp(joined)).ok()?;
        Some(FIELDS[at].1)
    }

    pub(super) fn is_word(self) -> bool {
        matches!(self, Self::Word | Self::Either)
    }

    pub(super) fn is_error(self) -> bool {
        matches!(self, Self::Error | Self::Either)
    }
}

impl Header {
    pub(super) fn of(name: &str) -> Option<Self> {
        let at = HEADERS.binary_search_by(|(header, _)| (*header).cmp(name));
        at.ok().map(|at| HEADERS[at].1).or_else(|| is_limit(name).then_some(Self::Numbers))
    }
}

/// Whether a part of a path is a word of an API, or a version.
pub(super) fn is_path_word(part: &str) -> bool {
    let is_version = part.strip_prefix('v').is_some_and(|number| {
        (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    is_version || PATH_WORDS.binary_search(&part).is_ok()
}

/// Whether a header tells of a rate limit, by its family and by what it counts.
fn is_limit(name: &str) -> bool {
    let is_family = ["ratelimit", "rate-limit"].iter().any(|family| name.contains(family));
    is_family && LIMITS.contains(&name.rsplit('-').next().unwrap_or_default())
}

/// Names in lower case without separators, sorted.
///
/// Left out on purpose: `name`, `message`, `detail`, `description` (free text, and people), `title`
/// (`Dr`), `country`, `state`, `city` and `language` (where somebody lives), `location`, `target`,
/// `path` and `domain` (may hold an account), `id` (may open something), `total`, `amount` and
/// `limit` (money), all dates.
const FIELDS: [(&str, Field); 55] = [
    ("category", Field::Word),
    ("causes", Field::Error),
    ("code", Field::Word),
    ("constraint", Field::Word),
    ("currency", Field::Word),
    ("declinecode", Field::Word),
    ("details", Field::Error),
    ("error", Field::Either),
    ("errorcategory", Field::Word),
    ("errorcode", Field::Word),
    ("errordetails", Field::Error),
    ("errorreason", Field::Word),
    ("errors", Field::Error),
    ("errorsubcode", Field::Word),
    ("errortype", Field::Word),
    ("exception", Field::Error),
    ("extensions", Field::Error),
    ("failures", Field::Error),
    ("fault", Field::Error),
    ("faultcode", Field::Word),
    ("faults", Field::Error),
    ("field", Field::Word),
    ("fieldname", Field::Word),
    ("fieldviolations", Field::Error),
    ("httpcode", Field::Word),
    ("httpstatus", Field::Word),
    ("innererror", Field::Error),
    ("invalidparams", Field::Error),
    ("issue", Field::Word),
    ("issues", Field::Error),
    ("kind", Field::Word),
    ("level", Field::Word),
    ("meta", Field::Error),
    ("object", Field::Word),
    ("param", Field::Word),
    ("parameter", Field::Word),
    ("problem", Field::Either),
    ("problems", Field::Error),
    ("property", Field::Word),
    ("reason", Field::Word),
    ("reasoncode", Field::Word),
    ("resultcode", Field::Word),
    ("retryafter", Field::Word),
    ("rule", Field::Word),
    ("severity", Field::Word),
    ("status", Field::Either),
    ("statuscode", Field::Word),
    ("subcategory", Field::Word),
    ("subcode", Field::Word),
    ("subtype", Field::Word),
    ("tokentype", Field::Word),
    ("type", Field::Word),
    ("validationerrors", Field::Error),
    ("violations", Field::Error),
    ("warnings", Field::Error),
];
/// As short as the shortest of them, and as long as the longest.
const SHORTEST_FIELD: usize = 4;
const LONGEST_FIELD: usize = 16;

/// Names in lower case, sorted.
///
/// Left out on purpose: whatever signs somebody in (`authorization`, `cookie`, `set-cookie`,
/// `www-authenticate`), tells of a person (`from`, `forwarded`, `x-forwarded-for`, `user-agent`,
/// `accept-language`, `content-disposition`), or may hold any value (`etag`, `link`, `referer`).
const HEADERS: [(&str, Header); 47] = [
    ("accept", Header::Words),
    ("accept-encoding", Header::Words),
    ("accept-ranges", Header::Words),
    ("age", Header::Numbers),
    ("allow", Header::Words),
    ("cache-control", Header::Words),
    ("cf-cache-status", Header::Words),
    ("cf-ray", Header::Id),
    ("connection", Header::Words),
    ("content-encoding", Header::Words),
    ("content-length", Header::Numbers),
    ("content-type", Header::Media),
    ("date", Header::Numbers),
    ("deprecation", Header::Numbers),
    ("expires", Header::Numbers),
    ("host", Header::Words),
    ("idempotency-key", Header::Id),
    ("keep-alive", Header::Words),
    ("last-modified", Header::Numbers),
    ("location", Header::Url),
    ("paypal-debug-id", Header::Id),
    ("pragma", Header::Words),
    ("ratelimit", Header::Numbers),
    ("request-id", Header::Id),
    ("retry-after", Header::Numbers),
    ("retry-after-ms", Header::Numbers),
    ("server", Header::Words),
    ("sunset", Header::Numbers),
    ("te", Header::Words),
    ("traceparent", Header::Id),
    ("trailer", Header::Words),
    ("transfer-encoding", Header::Words),
    ("upgrade", Header::Words),
    ("vary", Header::Words),
    ("via", Header::Words),
    ("x-amz-request-id", Header::Id),
    ("x-amzn-requestid", Header::Id),
    ("x-b3-traceid", Header::Id),
    ("x-cache", Header::Words),
    ("x-cloud-trace-context", Header::Id),
    ("x-correlation-id", Header::Id),
    ("x-envoy-upstream-service-time", Header::Numbers),
    ("x-github-request-id", Header::Id),
    ("x-ms-request-id", Header::Id),
    ("x-request-id", Header::Id),
    ("x-should-retry", Header::Words),
    ("x-trace-id", Header::Id),
];
/// How the names of headers end that tell of a rate limit: what they count, or in what.
const LIMITS: [&str; 16] = [
    "after",
    "daily",
    "day",
    "hour",
    "limit",
    "max",
    "milliseconds",
    "minute",
    "ms",
    "policy",
    "remaining",
    "requests",
    "reset",
    "second",
    "tokens",
    "used",
];
/// Sorted. None of them is anybody's name.
const PATH_WORDS: [&str; 48] = [
    "accounts",
    "api",
    "auth",
    "balance",
    "batch",
    "bookings",
    "cards",
    "carts",
    "charges",
    "checkout",
    "contacts",
    "customers",
    "documents",
    "events",
    "files",
    "graphql",
    "health",
    "invoices",
    "items",
    "jobs",
    "messages",
    "oauth",
    "oauth2",
    "orders",
    "payments",
    "payouts",
    "ping",
    "prices",
    "products",
    "projects",
    "quotes",
    "rates",
    "refunds",
    "reports",
    "rest",
    "rpc",
    "search",
    "sessions",
    "shipments",
    "status",
    "subscriptions",
    "tickets",
    "token",
    "transactions",
    "transfers",
    "upload",
    "users",
    "webhooks",
];
