//! The text that is signed (RFC 9421, 2.5), and the digest of a body (RFC 9530).

use http::HeaderMap;
use ring::digest::{SHA256, SHA512, digest};
use sfv::{Dictionary, FieldType, InnerList, ListEntry, Parser};

use super::component::{Component, field};
use super::error::MessageError;
use super::view::Message;

/// A line for each component, and one for the parameters.
pub(super) fn base(
    components: &[Component],
    parameters: &str,
    message: &Message<'_>,
) -> Result<String, MessageError> {
    let mut base = String::new();
    for component in components {
        base.push_str(component.identifier());
        base.push_str(": ");
        base.push_str(&component.value(message)?);
        base.push('\n');
    }
    base.push_str("\"@signature-params\": ");
    base.push_str(parameters);
    Ok(base)
}

/// The list of a signature and its parameters as text: their order and their types are those of the list
/// (RFC 9421, 2.3).
pub(super) fn parameters(list: &InnerList) -> String {
    vec![ListEntry::InnerList(list.clone())].serialize().unwrap_or_default()
}

/// A field that is a dictionary; `None` if it isn't there.
pub(super) fn dictionary(
    headers: &HeaderMap,
    name: &'static str,
) -> Result<Option<Dictionary>, MessageError> {
    let name_of = http::HeaderName::from_static(name);
    if !headers.contains_key(&name_of) {
        return Ok(None);
    }
    let text = field(headers, &name_of).ok_or(MessageError::Malformed(name))?;
    Parser::new(&text).parse().map(Some).map_err(|_| MessageError::Malformed(name))
}

/// Whether `content-digest` is of this body, by all algorithms that are known, of which there must be one.
pub(super) fn check_digest(headers: &HeaderMap, body: &[u8]) -> Result<(), MessageError> {
    let digests = dictionary(headers, "content-digest")?.ok_or(MessageError::Digest)?;
    let mut is_known = false;
    for (algorithm, name) in [(&SHA256, "sha-256"), (&SHA512, "sha-512")] {
        let Some(ListEntry::Item(given)) = digests.get(name) else { continue };
        is_known = true;
        if given.bare_item.as_byte_sequence() != Some(digest(algorithm, body).as_ref()) {
            return Err(MessageError::Digest);
        }
    }
    is_known.then_some(()).ok_or(MessageError::Digest)
}
