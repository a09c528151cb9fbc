use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::check::{Answered, Check};
use super::finding::Finding;
use super::prefix::Prefix;

/// Whether an answer's media type is one of these. Catches login pages, captive portals and block pages
/// that are answered with a 200: [`Verdict::Transient`](crate::validate::Verdict::Transient).
///
/// Parameters, such as the charset, don't count, and `application/json` means every type that ends in
/// `+json`, too (RFC 6839, 3.1), and `text/json`. Neither another type nor a missing one fails an answer
/// that has no body.
#[derive(Clone, Debug)]
pub struct Media {
    types: Vec<String>,
}

impl Media {
    /// Any JSON.
    #[must_use]
    pub fn json() -> Self {
        Self::of(["application/json"])
    }

    /// One of these types: `text/csv`.
    #[must_use]
    pub fn of(types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { types: types.into_iter().map(Into::into).collect() }
    }

    fn has(&self, essence: &str) -> bool {
        self.types.iter().any(|wanted| {
            wanted.eq_ignore_ascii_case(essence)
                || wanted.eq_ignore_ascii_case("application/json") && is_json(essence)
        })
    }
}

impl Check for Media {
    fn name(&self) -> &'static str {
        "media"
    }

    fn reads_body(&self) -> bool {
        false
    }

    fn check(&self, answer: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        match essence(answer.headers) {
            Some(essence) if self.has(essence) => Finding::pass(),
            _ if body.size().exact() == Some(0) => Finding::pass(),
            None => Finding::transient("the body has no media type"),
            Some(_) => Finding::transient("the body is of another media type"),
        }
    }
}

/// An answer's media type without parameters; `None` if there is none, or it can't be read.
pub(super) fn essence(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default().trim();
    (!essence.is_empty()).then_some(essence)
}

/// Whether a media type is JSON, or made of it.
pub(super) fn is_json(essence: &str) -> bool {
    let suffix = essence.rsplit_once('+').map(|(_, suffix)| suffix);
    essence.eq_ignore_ascii_case("application/json")
        || essence.eq_ignore_ascii_case("text/json")
        || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"))
}
