use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{
    AGE, CONTENT_LENGTH, ETAG, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED,
};
use http::response::Parts;
use http::{HeaderMap, StatusCode, Version};

use super::given::{CACHE_STATUS, LastGiven};
use crate::freshness::{
    Moments, Selection, TimedHeaders, Validity, freshened, http_date_of, list_members,
    stored_headers, strings,
};
use crate::rt::clamp_to_year_9999;

/// What a store keeps under one key: the answers to one URI, which differ by `Vary`.
///
/// Clones share it. It lives in memory only.
#[derive(Clone, Debug)]
pub struct CacheEntry {
    variants: Arc<[Arc<StoredAnswer>]>,
    bytes: usize,
}

/// One stored answer.
pub(super) struct StoredAnswer {
    pub(super) status: StatusCode,
    version: Version,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    selection: Selection,
    pub(super) validity: Validity,
    /// It has passed other caches that said so.
    pub(super) is_relayed: bool,
    pub(super) last_given: LastGiven,
    groups: Vec<String>,
}

impl CacheEntry {
    /// About how many bytes of memory it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether one of its answers is in this group of its origin (RFC 9875).
    #[must_use]
    pub fn is_in_group(&self, group: &str) -> bool {
        self.groups().any(|own| own == group)
    }

    /// The groups that its answers are in. Some may be named twice.
    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        let groups = self.variants.iter().flat_map(|stored| &stored.groups);
        groups.map(String::as_str)
    }

    /// The answer for a request with these headers: of several, the newest.
    pub(super) fn select(&self, headers: &HeaderMap) -> Option<Arc<StoredAnswer>> {
        let matching = self.variants.iter().filter(|stored| stored.is_for(headers));
        matching.max_by_key(|stored| stored.validity.times().date).cloned()
    }

    /// The entry with the answer to a request with these headers, in place of those that it chose. Of too
    /// many, the oldest goes. `None` if one of those is newer.
    pub(super) fn with(
        known: Option<Self>,
        headers: &HeaderMap,
        stored: Arc<StoredAnswer>,
    ) -> Option<Self> {
        let times = stored.validity.times();
        let mut chosen = known.iter().flat_map(|entry| entry.variants.iter());
        if chosen.any(|it| it.is_for(headers) && it.validity.times().outdates(times)) {
            return None;
        }
        let mut variants = Self::others(known, |known| !known.is_for(headers));
        variants.push(stored);
        if variants.len() > MOST_VARIANTS {
            variants.remove(0);
        }
        Some(Self::new(variants))
    }

    /// The entry without the answers that a request with these headers chooses; `None` if none is left.
    pub(super) fn without(self, headers: &HeaderMap) -> Option<Self> {
        let left = Self::others(Some(self), |known| !known.is_for(headers));
        (!left.is_empty()).then(|| Self::new(left))
    }

    /// The entry without its oldest answers, as many as it takes to fit. The newest stays.
    #[cfg(feature = "cache")]
    pub(super) fn fitted(mut self, fits: impl Fn(&Self) -> bool) -> Self {
        while self.variants.len() > 1 && !fits(&self) {
            self = Self::new(self.variants[1..].to_vec());
        }
        self
    }

    fn others(
        known: Option<Self>,
        stays: impl Fn(&StoredAnswer) -> bool,
    ) -> Vec<Arc<StoredAnswer>> {
        let known = known.iter().flat_map(|entry| entry.variants.iter());
        known.filter(|known| stays(known)).cloned().collect()
    }

    fn new(variants: Vec<Arc<StoredAnswer>>) -> Self {
        let bytes = variants.iter().map(|stored| stored.bytes()).sum();
        Self { variants: variants.into(), bytes }
    }
}

impl StoredAnswer {
    /// What is stored of an answer. Its request had these headers.
    pub(super) fn new(head: &Parts, asked: &HeaderMap, validity: Validity, body: Bytes) -> Self {
        let (headers, is_relayed) = prepared(stored_headers(&head.headers, date_value(&validity)));
        Self {
            status: head.status,
            version: head.version,
            body,
            selection: Selection::of(&head.headers, asked),
            validity,
            is_relayed,
            last_given: LastGiven::default(),
            groups: groups_of(&headers),
            headers,
        }
    }

    /// The same answer, confirmed by a 304 or a HEAD. Its request had the headers `asked` and was sent at
    /// `sent`.
    pub(super) fn confirmed(
        &self,
        asked: &HeaderMap,
        by: &HeaderMap,
        sent: Instant,
        received: Moments,
    ) -> Self {
        // An answer without a date is as old as its arrival.
        let times = TimedHeaders::read(by, sent, received);
        let date = clamp_to_year_9999(times.date);
        let headers = freshened(&self.headers, by, date_of(date));
        let times = TimedHeaders::read(&headers, sent, received);
        let (headers, is_relayed) = prepared(headers);
        Self {
            status: self.status,
            version: self.version,
            validity: Validity::new(self.status, &headers, times),
            selection: Selection::of(&headers, asked),
            body: self.body.clone(),
            is_relayed,
            last_given: LastGiven::default(),
            groups: groups_of(&headers),
            headers,
        }
    }

    /// Whether a request with these headers may have it, by `Vary`.
    pub(super) fn is_for(&self, headers: &HeaderMap) -> bool {
        self.selection.matches(headers)
    }

    /// Whether a 304 or a HEAD with these headers is about this answer (RFC 9111, 4.3.4).
    pub(super) fn is_confirmed_by(&self, headers: &HeaderMap) -> bool {
        let agrees = |name| match (self.headers.get(&name), headers.get(&name)) {
            (known, Some(told)) => known.is_some_and(|known| weak(known) == weak(told)),
            (_, None) => true,
        };
        // An entity tag says more than a date.
        if headers.contains_key(ETAG) { agrees(ETAG) } else { agrees(LAST_MODIFIED) }
    }

    /// Whether the answer to a HEAD says that the body is another one (RFC 9111, 4.3.5).
    pub(super) fn is_outdated_by(&self, headers: &HeaderMap) -> bool {
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let is_other = |length: &str| length.parse() != Ok(self.body.len());
        !self.is_confirmed_by(headers) || length.is_some_and(is_other)
    }

    /// Whether the caller says that it has this answer already (RFC 9111, 4.3.2).
    pub(super) fn is_known_to(&self, request: &HeaderMap) -> bool {
        if self.status != StatusCode::OK {
            return false;
        }
        if request.contains_key(IF_NONE_MATCH) {
            let tag = self.headers.get(ETAG).map(weak);
            let mut told = list_members(request, &IF_NONE_MATCH);
            return told.any(|told| told == "*" || tag == Some(weak_text(told.as_bytes())));
        }
        let since = http_date_of(request, &IF_MODIFIED_SINCE);
        let changed = http_date_of(&self.headers, &LAST_MODIFIED);
        since.is_some_and(|since| changed.unwrap_or(self.validity.times().date) <= since)
    }

    /// Whether it is in groups, of which one may be invalidated.
    pub(super) fn is_grouped(&self) -> bool {
        !self.groups.is_empty()
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    fn bytes(&self) -> usize {
        // Their places count twice: as they are stored, and as they were last given.
        let size = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
        let headers = self.headers.iter().map(|header| size(header) + 2 * HEADER_PLACE);
        // Groups are kept as headers too.
        let groups = self.groups.iter().map(|group| size_of::<String>() + group.len());
        let texts = headers.chain(groups).sum::<usize>();
        self.body.len() + texts + self.selection.len() + OVERHEAD
    }
}

/// Headers to give, with a place for those that change with the answer's age: so a copy of them needs no
/// more room. And whether other caches have said what they did.
fn prepared(mut headers: HeaderMap) -> (HeaderMap, bool) {
    headers.entry(AGE).or_insert(HeaderValue::from_static("0"));
    let status = headers.entry(CACHE_STATUS).or_insert(HeaderValue::from_static(""));
    let is_relayed = !status.is_empty();
    (headers, is_relayed)
}

/// The groups that an answer is in: none if it names more than are kept.
fn groups_of(headers: &HeaderMap) -> Vec<String> {
    let groups = strings(headers, &CACHE_GROUPS);
    if groups.len() > MOST_GROUPS { Vec::new() } else { groups }
}

fn date_value(validity: &Validity) -> HeaderValue {
    date_of(clamp_to_year_9999(validity.times().date))
}

fn date_of(at: std::time::SystemTime) -> HeaderValue {
    let text = httpdate::fmt_http_date(at);
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// An entity tag as weak comparison sees it (RFC 9110, 8.8.3.2).
fn weak(tag: &HeaderValue) -> &[u8] {
    weak_text(tag.as_bytes())
}

fn weak_text(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// It shows neither a header's value nor the body.
impl fmt::Debug for StoredAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredAnswer")
            .field("status", &self.status)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

const CACHE_GROUPS: HeaderName = HeaderName::from_static("cache-groups");
/// RFC 9875, 2, wants 32 at least. Each takes some hundred bytes of the index.
const MOST_GROUPS: usize = 128;
/// A server that varies on what is different for each caller must not fill the store (RFC 9111, 4.1, sets
/// no limit).
const MOST_VARIANTS: usize = 16;
/// A header's place in a map: its name, its value and its hash.
const HEADER_PLACE: usize = 112;
/// Of an answer's own structures, roughly.
const OVERHEAD: usize = 512;
