use std::time::Duration;

use http::header::{
    AGE, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, HeaderName,
    HeaderValue, LAST_MODIFIED, PROXY_AUTHENTICATE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, StatusCode};

use super::directives::Directives;
use super::validity::{Validity, Windows};
use super::vary::{Selection, list_members};

/// Whether an answer may be stored (RFC 9111, 3), and is worth it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storing {
    /// Store it.
    Store,
    /// Don't, and what is stored of the URI is outdated by it.
    Replace,
    /// Don't; what is stored stays as it is.
    Leave,
}

impl Storing {
    pub(crate) fn of(
        status: StatusCode,
        headers: &HeaderMap,
        validity: &Validity,
        asked: &Directives,
        windows: &Windows,
    ) -> Self {
        let told = validity.directives();
        let is_known = status.canonical_reason().is_some();
        let forbidden = if told.must_understand { !is_known } else { told.no_store };
        let is_partial = matches!(status, StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED);
        if asked.no_store || forbidden || is_partial || status.is_informational() {
            return Self::Leave;
        }
        let may = validity.is_explicit() || validity.is_guessable() || told.private;
        let is_useful = headers.contains_key(ETAG)
            || headers.contains_key(LAST_MODIFIED)
            || validity.lifetime(windows) > Duration::ZERO
            || validity.longest_window(windows) > Duration::ZERO;
        if may && is_useful && Selection::is_possible(headers) {
            return Self::Store;
        }
        // Other refusals say nothing about what is stored.
        let outdates = status.is_success()
            || status.is_redirection()
            || matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE);
        if outdates { Self::Replace } else { Self::Leave }
    }
}

/// The headers that are stored: those of one connection are not (RFC 9111, 3.1).
pub(crate) fn stored_headers(headers: &HeaderMap, date: HeaderValue) -> HeaderMap {
    let mut stored = headers.clone();
    for name in list_members(headers, &CONNECTION) {
        stored.remove(name);
    }
    HOP_BY_HOP.iter().for_each(|name| drop(stored.remove(name)));
    stored.entry(DATE).or_insert(date);
    stored
}

/// Stored headers after a 304 (RFC 9111, 3.2): its fields replace those that are stored, unless they
/// describe the body.
pub(crate) fn freshened(stored: &HeaderMap, by: &HeaderMap, date: HeaderValue) -> HeaderMap {
    let by = stored_headers(by, date);
    let mut headers = stored.clone();
    headers.remove(AGE);
    let news = by.keys().filter(|name| !OF_THE_BODY.contains(name));
    for name in news {
        headers.remove(name);
        for value in by.get_all(name) {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

/// Those of RFC 9110, 7.6.1, and those that a proxy consumes.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("proxy-authentication-info"),
    PROXY_AUTHENTICATE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];
const OF_THE_BODY: [HeaderName; 3] = [CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE];
