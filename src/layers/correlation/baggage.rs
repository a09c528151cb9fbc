//! The `baggage` header (W3C Baggage).

use http::{HeaderMap, HeaderValue, Request};

use crate::context::BAGGAGE;

/// Removes baggage from a request to a host that may not see it, and shortens it to the limits in any
/// other.
pub(super) fn restrict<B>(request: &mut Request<B>, allowed_hosts: &[String]) {
    if !request.headers().contains_key(BAGGAGE) {
        return;
    }
    let host = request.uri().host().unwrap_or_default();
    if allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)) {
        shorten(request.headers_mut());
    } else {
        request.headers_mut().remove(BAGGAGE);
    }
}

/// Keeps the first members that are within the limits.
fn shorten(headers: &mut HeaderMap) {
    let values = || headers.get_all(BAGGAGE).iter().map(HeaderValue::as_bytes);
    let size = values().map(|value| value.len() + 1).sum::<usize>().saturating_sub(1);
    let members = || values().flat_map(|value| value.split(|byte| *byte == b','));
    if size <= MAX_BYTES && members().nth(MAX_MEMBERS).is_none() {
        return;
    }
    let mut kept = Vec::new();
    let members = members().map(<[u8]>::trim_ascii).filter(|member| !member.is_empty());
    for member in members.take(MAX_MEMBERS) {
        let comma = usize::from(!kept.is_empty());
        if kept.len() + comma + member.len() > MAX_BYTES {
            break;
        }
        kept.extend_from_slice(&b","[..comma]);
        kept.extend_from_slice(member);
    }
    match HeaderValue::from_maybe_shared(bytes::Bytes::from(kept)) {
        Ok(kept) if !kept.is_empty() => drop(headers.insert(BAGGAGE, kept)),
        _ => drop(headers.remove(BAGGAGE)),
    }
}

/// The header's limits (W3C Baggage): more need not be propagated.
const MAX_BYTES: usize = 8192;
const MAX_MEMBERS: usize = 180;
