use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, VARY};

/// The header fields of a request that an answer depends on, with their values (RFC 9111, 4.1).
///
/// Values are compared as lists: without blanks around their members, and lines joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection(Vec<(HeaderName, Option<String>)>);

impl Selection {
    /// Whether an answer with these headers can be chosen by any later request: not with `Vary: *`.
    pub(crate) fn is_possible(headers: &HeaderMap) -> bool {
        list_members(headers, &VARY).all(|name| name != "*")
    }

    /// What this answer depends on, of this request. Credentials are left out: the partition stands for
    /// them, and they must not be stored.
    pub(crate) fn of(answer: &HeaderMap, request: &HeaderMap) -> Self {
        let names = list_members(answer, &VARY);
        // A name that is none can't be in a request.
        let names = names.filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok());
        let is_credential = |name: &HeaderName| {
            names_credential(name) || request.get_all(name).iter().any(HeaderValue::is_sensitive)
        };
        let names = names.filter(|name| !is_credential(name));
        Self(names.map(|name| (name.clone(), folded(request, &name))).collect())
    }

    /// Whether a request agrees with it.
    pub(crate) fn matches(&self, request: &HeaderMap) -> bool {
        self.0.iter().all(|(name, value)| is_folded(request, name, value.as_deref()))
    }

    pub(crate) fn len(&self) -> usize {
        let sizes = self
            .0
            .iter()
            .map(|(name, value)| name.as_str().len() + value.as_ref().map_or(0, String::len));
        sizes.sum()
    }
}

/// Whether a header's value says who asks: by parts of the names of headers in which APIs take credentials,
/// such as `x-api-key`, `private-token` and `ocp-apim-subscription-key`. One part too many costs a stored
/// answer, and one too few shows it to others.
pub(crate) fn names_credential(name: &HeaderName) -> bool {
    let mut rest = name.as_str();
    // It is asked of each header of each call, so the name is walked once.
    while let Some(first) = rest.bytes().next() {
        let parts: &[&str] = match first {
            b'a' => &["auth", "api-key", "apikey"],
            b'c' => &["cookie"],
            b's' => &["secret", "session", "subscription-key"],
            b't' => &["token"],
            _ => &[],
        };
        if parts.iter().any(|part| rest.starts_with(part)) {
            return true;
        }
        // A header's name has ASCII signs only.
        rest = &rest[1..];
    }
    false
}

/// Whether a header's value may say who asks, by the end of its name, such as `fastly-key`, `accesskey` and
/// `x-functions-key`. It may also say what is asked for, so answers that vary by it still do.
pub(crate) fn names_key(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.ends_with("key") && !NO_CREDENTIALS.iter().any(|other| name.ends_with(other))
}

/// A field's value as one list; `None` if it is missing.
fn folded(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut lines = headers.get_all(name).iter().peekable();
    lines.peek()?;
    let mut text = String::new();
    for line in lines {
        // Signs that aren't UTF-8 become one sign, so they are kept as numbers.
        let line: String = line.as_bytes().iter().map(|byte| char::from(*byte)).collect();
        for member in line.split(',') {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(member.trim());
        }
    }
    Some(text)
}

/// Whether a field's value as one list is this one.
fn is_folded(headers: &HeaderMap, name: &HeaderName, as_list: Option<&str>) -> bool {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next(), as_list) {
        (None, _, as_list) => as_list.is_none(),
        // A list of ASCII signs stays what it is if it is made one again.
        (Some(line), None, Some(list)) if line.as_bytes() == list.as_bytes() && list.is_ascii() => {
            true
        }
        (_, _, as_list) => folded(headers, name).as_deref() == as_list,
    }
}

/// The members of a list of names.
pub(crate) fn list_members<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|member| !member.is_empty())
}

/// Of a write, of an answer, and of a handshake.
const NO_CREDENTIALS: [&str; 3] = ["idempotency-key", "surrogate-key", "websocket-key"];
