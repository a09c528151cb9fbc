//! What a URI's text must be to be sent.

use http::Uri;
use http::uri::PathAndQuery;

use crate::outcome::Error;

/// A URI with letters outside ASCII, which no request may have (RFC 3986, 2): they are percent-encoded, as reqwest
/// does. `None` for all others.
pub(super) fn in_ascii(uri: &Uri) -> Result<Option<Uri>, Error> {
    if uri.path().contains(['"', '{', '}']) {
        return Err(Error::unsendable("its path has a `\"`, `{` or `}`: fill it in, or encode it"));
    }
    let path = uri.path_and_query().map_or("", PathAndQuery::as_str);
    if path.is_ascii() {
        return Ok(None);
    }
    let mut encoded = String::new();
    for byte in path.bytes() {
        match byte.is_ascii() {
            true => encoded.push(char::from(byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(encoded.parse().map_err(http::Error::from)?);
    Ok(Some(Uri::from_parts(parts).map_err(http::Error::from)?))
}

/// A provider's reference, with what no URI may have percent-encoded: it is no template that somebody forgot to fill in.
#[cfg(feature = "outbox")]
pub(super) fn without_braces(reference: &str) -> String {
    reference.replace('{', "%7B").replace('}', "%7D").replace('"', "%22")
}

/// Whether it begins with a scheme: RFC 3986, 3.1.
pub(super) fn is_absolute(uri: &str) -> bool {
    let fits = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    };
    uri.split_once("://").is_some_and(|(scheme, _)| fits(scheme))
}

/// Whether a segment is `.` or `..` (RFC 3986, 5.2.4), as a server may read it that decodes first, or that takes
/// parameters off (`..;a`).
pub(super) fn leads_out(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let path = path.replace("%2e", ".").replace("%2f", "/").replace("%5c", "/").replace("%3b", ";");
    let names = path.split('/').map(|segment| segment.split(';').next());
    names.flatten().any(|name| name == "." || name == "..")
}
