use std::borrow::Cow;
use std::time::SystemTime;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use sfv::{BareItem, List, ListEntry, Parser};

use super::fields::{links, persistent_warnings};
use crate::outcome::{date, reference};
use crate::redact::{Redactor, StandardRedactor, is_media_type};
use crate::terms::DriftKind;

/// What one answer says of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signal {
    pub(super) kind: DriftKind,
    pub(super) at: Option<SystemTime>,
    pub(super) detail: Option<String>,
}

/// What the headers of one answer say, as far as they were read.
struct Said<'a> {
    asked: &'a Uri,
    /// Of several dates the earliest counts.
    deprecation: Option<Option<SystemTime>>,
    sunset: Option<SystemTime>,
    others: Vec<Signal>,
}

/// What an answer's headers say. Empty, and without an allocation, if they say nothing.
pub(super) fn signals(headers: &HeaderMap, notices: &[HeaderName], asked: &Uri) -> Vec<Signal> {
    let mut said = Said { asked, deprecation: None, sunset: None, others: Vec::new() };
    for (name, value) in headers {
        if value.len() > LONGEST_VALUE || value.is_sensitive() {
            continue;
        }
        match name.as_str() {
            "deprecation" => said.deprecation(&text(value)),
            "sunset" => said.sunset(&text(value)),
            "link" => said.links(&text(value)),
            "warning" => said.warnings(&text(value)),
            _ if notices.contains(name) => said.notice(name, &text(value)),
            _ => {}
        }
    }
    said.all()
}

/// The media type of an answer's body, without its parameters. `None` if there is none, or several.
pub(super) fn essence(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let essence = value.to_str().ok()?.split(';').next()?.trim();
    is_media_type(essence).then_some(essence)
}

impl Signal {
    pub(super) fn new(kind: DriftKind, detail: impl Into<String>) -> Self {
        Self { kind, at: None, detail: Some(detail.into()) }
    }

    fn dated(kind: DriftKind, at: Option<SystemTime>) -> Self {
        Self { kind, at, detail: None }
    }
}

impl Said<'_> {
    fn deprecation(&mut self, text: &str) {
        let at = match text.trim() {
            "" | "false" | "?0" | "0" => return,
            text => moment(text),
        };
        self.deprecation = Some(earliest(self.deprecation.flatten(), at));
    }

    /// Without a date that can be read, it says nothing.
    fn sunset(&mut self, text: &str) {
        self.sunset = earliest(self.sunset, moment(text.trim()));
    }

    fn links(&mut self, text: &str) {
        for link in links(text) {
            for rel in link.rel.split_ascii_whitespace() {
                let kind = match rel.to_ascii_lowercase().as_str() {
                    "deprecation" => DriftKind::DeprecationLink,
                    "sunset" => DriftKind::SunsetLink,
                    "successor-version" => DriftKind::SuccessorVersion,
                    _ => continue,
                };
                if self.others.len() >= MOST {
                    return;
                }
                let Some(uri) = reference::resolve(self.asked, link.target) else { continue };
                self.others.push(Signal::new(kind, shown_uri(kind, uri)));
            }
        }
    }

    fn warnings(&mut self, text: &str) {
        let warnings = persistent_warnings(text).into_iter();
        let warning = |text: Cow<'_, str>| Signal::new(DriftKind::Warning, shown(&text));
        self.others.extend(warnings.map(warning));
    }

    fn notice(&mut self, name: &HeaderName, text: &str) {
        let text = cut(&format!("{name}: {}", shown(text)));
        self.others.push(Signal::new(DriftKind::Notice, text));
    }

    fn all(self) -> Vec<Signal> {
        let mut all = self.others;
        all.truncate(MOST);
        if let Some(at) = self.sunset {
            let mut sunset = Signal::dated(DriftKind::Sunset, Some(at));
            if self.deprecation.flatten().is_some_and(|deprecated| at < deprecated) {
                sunset.detail = Some("odd: it is earlier than the deprecation".into());
            }
            all.push(sunset);
        }
        all.extend(self.deprecation.map(|at| Signal::dated(DriftKind::Deprecation, at)));
        all
    }
}

/// `@1688169599` (RFC 9651, 3.3.7), an HTTP date in its three forms, or an ISO 8601 one.
fn moment(text: &str) -> Option<SystemTime> {
    if !text.starts_with('@') {
        return date(text);
    }
    let list = Parser::new(text).parse::<List>().ok()?;
    let seconds = list.iter().filter_map(|entry| match entry {
        ListEntry::Item(item) => match &item.bare_item {
            BareItem::Date(date) => Some(i64::from(date.unix_seconds())),
            _ => None,
        },
        ListEntry::InnerList(_) => None,
    });
    // A time before 1970 has passed.
    let seconds = u64::try_from(seconds.min()?).unwrap_or_default();
    SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds))
}

fn earliest(one: Option<SystemTime>, other: Option<SystemTime>) -> Option<SystemTime> {
    one.into_iter().chain(other).min()
}

/// Without its query. Of a page its path is shown; of another version of what was asked for only the words
/// that many APIs use, because it may hold an id or a name.
fn shown_uri(kind: DriftKind, uri: Uri) -> String {
    let redactor = match kind {
        DriftKind::SuccessorVersion => StandardRedactor::new(),
        _ => StandardRedactor::new().show_paths(),
    };
    let shown = redactor.uri(&uri);
    cut(shown.split('?').next().unwrap_or_default())
}

/// A text of the provider's, without control characters and what is secret by its looks.
fn shown(text: &str) -> String {
    let plain: String = text.chars().filter(|sign| !sign.is_control()).collect();
    cut(&StandardRedactor::new().show_texts().text(plain.trim()))
}

/// At most as many characters as are kept.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(LONGEST_DETAIL).collect()
}

fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// With the two dates, 16 of one answer: each is looked up, and told.
const MOST: usize = 14;
/// A longer value is read by nobody.
const LONGEST_VALUE: usize = 4096;
/// In characters: two lines of a log.
pub(super) const LONGEST_DETAIL: usize = 200;
