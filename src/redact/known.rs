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
    ///
    /// Left out on purpose: `name`, `message`, `detail`, `description` (free text, and people), `title`
    /// (`Dr`), `country`, `state`, `city` and `language` (where somebody lives), `location`, `target`,
    /// `path` and `domain` (may hold an account), `id` (may open something), `total`, `amount` and
    /// `limit` (money), all dates.
    pub(super) fn of(name: &str) -> Option<Self> {
        let mut joined = [0; LONGEST_FIELD];
        let mut length = 0;
        for byte in name.bytes().filter(|byte| !matches!(byte, b'_' | b'-')) {
            *joined.get_mut(length)? = byte.to_ascii_lowercase();
            length += 1;
        }
        match std::str::from_utf8(&joined[..length]).ok()? {
            "category" | "code" | "constraint" | "currency" | "declinecode" | "errorcategory"
            | "errorcode" | "errorreason" | "errorsubcode" | "errortype" | "faultcode"
            | "field" | "fieldname" | "httpcode" | "httpstatus" | "issue" | "kind" | "level"
            | "object" | "param" | "parameter" | "property" | "reason" | "reasoncode"
            | "resultcode" | "retryafter" | "rule" | "severity" | "statuscode" | "subcategory"
            | "subcode" | "subtype" | "tokentype" | "type" => Some(Self::Word),
            "causes" | "details" | "errordetails" | "errors" | "exception" | "extensions"
            | "failures" | "fault" | "faults" | "fieldviolations" | "innererror"
            | "invalidparams" | "issues" | "meta" | "problems" | "validationerrors"
            | "violations" | "warnings" => Some(Self::Error),
            "error" | "problem" | "status" => Some(Self::Either),
            _ => None,
        }
    }

    pub(super) fn is_word(self) -> bool {
        matches!(self, Self::Word | Self::Either)
    }

    pub(super) fn is_error(self) -> bool {
        matches!(self, Self::Error | Self::Either)
    }
}

impl Header {
    /// What is known of a header, whose name is in lower case.
    ///
    /// Left out on purpose: whatever signs somebody in (`authorization`, `cookie`, `set-cookie`,
    /// `www-authenticate`), tells of a person (`from`, `forwarded`, `x-forwarded-for`, `user-agent`,
    /// `accept-language`, `content-disposition`), or may hold any value (`etag`, `link`, `referer`).
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "accept" | "accept-encoding" | "accept-ranges" | "allow" | "cache-control"
            | "cf-cache-status" | "connection" | "content-encoding" | "host" | "keep-alive"
            | "pragma" | "server" | "te" | "trailer" | "transfer-encoding" | "upgrade" | "vary"
            | "via" | "x-cache" | "x-should-retry" => Some(Self::Words),
            "content-type" => Some(Self::Media),
            "age"
            | "content-length"
            | "date"
            | "deprecation"
            | "expires"
            | "last-modified"
            | "ratelimit"
            | "retry-after"
            | "retry-after-ms"
            | "sunset"
            | "x-envoy-upstream-service-time" => Some(Self::Numbers),
            "cf-ray"
            | "idempotency-key"
            | "paypal-debug-id"
            | "request-id"
            | "traceparent"
            | "x-amz-request-id"
            | "x-amzn-requestid"
            | "x-b3-traceid"
            | "x-cloud-trace-context"
            | "x-correlation-id"
            | "x-github-request-id"
            | "x-ms-request-id"
            | "x-request-id"
            | "x-trace-id" => Some(Self::Id),
            "location" => Some(Self::Url),
            _ => is_limit(name).then_some(Self::Numbers),
        }
    }
}

/// Whether a part of a path is a word of an API and nobody's name, or a version.
pub(super) fn is_path_word(part: &str) -> bool {
    let is_version = part.strip_prefix('v').is_some_and(|number| {
        (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    match part {
        "accounts" | "api" | "auth" | "balance" | "batch" | "bookings" | "cards" | "carts"
        | "charges" | "checkout" | "contacts" | "customers" | "documents" | "events" | "files"
        | "graphql" | "health" | "invoices" | "items" | "jobs" | "messages" | "oauth"
        | "oauth2" | "orders" | "payments" | "payouts" | "ping" | "prices" | "products"
        | "projects" | "quotes" | "rates" | "refunds" | "reports" | "rest" | "rpc" | "search"
        | "sessions" | "shipments" | "status" | "subscriptions" | "tickets" | "token"
        | "transactions" | "transfers" | "upload" | "users" | "webhooks" => true,
        _ => is_version,
    }
}

/// Whether a header tells of a rate limit, by its family and by its end: what it counts, or in what.
fn is_limit(name: &str) -> bool {
    let is_family = ["ratelimit", "rate-limit"].iter().any(|family| name.contains(family));
    match name.rsplit('-').next().unwrap_or_default() {
        "after" | "daily" | "day" | "hour" | "limit" | "max" | "milliseconds" | "minute" | "ms"
        | "policy" | "remaining" | "requests" | "reset" | "second" | "tokens" | "used" => is_family,
        _ => false,
    }
}

/// As long as the longest of the fields.
const LONGEST_FIELD: usize = 16;
