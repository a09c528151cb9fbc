//! The `baggage` header (W3C Baggage).

use http::{HeaderMap, HeaderValue, Request};

use crate::context::BAGGAGE;

/// Takes baggage off a request that goes to a host which may not see it, and what is over the limits off
/// any other.
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

/// Leaves baggage within the limits as it is; of more, the first members are sent on.
fn shorten(headers: &mut HeaderMap) {
    let values = || headers.get_all(BAGGAGE).iter().map(HeaderValue::as_bytes);
    let size = values().map(|value| value.len() + 1).sum::<usize>().saturating_sub(1);
    let members = || values().flat_map(|value| value.split(|byte| *byte == b','));
    if size <= MOST_BYTES && members().nth(MOST_MEMBERS).is_none() {
        return;
    }
    let mut kept = Vec::new();
    let members = members().map(<[u8]>::trim_ascii).filter(|member| !member.is_empty());
    for member in members.take(MOST_MEMBERS) {
        let comma = usize::from(!kept.is_empty());
        if kept.len() + comma + member.len() > MOST_BYTES {
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

/// The header's grammar and limits: more need not be sent on.
const MOST_BYTES: usize = 8192;
const MOST_MEMBERS: usize = 180;
