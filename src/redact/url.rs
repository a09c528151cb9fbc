//! URLs: credentials, paths, values of queries, fragments.

use http::Uri;

use super::encoded::{Seen, views};
use super::hidden::{Hidden, MARK};
use super::names::Names;
use super::text;

/// A request's URI.
pub(super) fn uri(uri: &Uri, names: &Names, shows_path: bool) -> String {
    let mut shown = String::new();
    if let Some(scheme) = uri.scheme() {
        shown.push_str(scheme.as_str());
        shown.push_str("://");
    }
    if let Some(authority) = uri.authority() {
        let (user, host) = authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
        if !user.is_empty() {
            shown.push_str(MARK);
            shown.push('@');
        }
        shown.push_str(host);
    }
    match uri.path() {
        "/" | "" | "*" => shown.push_str(uri.path()),
        path if shows_path => shown.push_str(&text::redact(path, names)),
        _ => {
            shown.push('/');
            shown.push_str(MARK);
        }
    }
    if let Some(query) = uri.query() {
        shown.push('?');
        shown.push_str(&query_alone(query, names));
    }
    shown
}

/// A header's value that is a URL, or the end of one.
pub(super) fn reference(value: &str, names: &Names) -> String {
    let mut hidden = Hidden::default();
    text::find(value, 0, names, &mut hidden);
    for view in views(value, 0) {
        if !begins_with_scheme(&view) {
            parts(&view, names, &mut hidden);
        }
    }
    hidden.apply(value)
}

/// A `Link` header's value (RFC 8288): references in angle brackets, with what they are.
pub(super) fn links(value: &str, names: &Names) -> String {
    let mut hidden = Hidden::default();
    text::find(value, 0, names, &mut hidden);
    for view in views(value, 0) {
        let between = view.split(|seen| matches!(seen.char, '<' | '>'));
        for target in between.skip(1).step_by(2) {
            if !begins_with_scheme(target) {
                parts(target, names, &mut hidden);
            }
        }
    }
    hidden.apply(value)
}

/// Hides what is secret in the URLs of a text.
pub(super) fn find(view: &[Seen], names: &Names, hidden: &mut Hidden) {
    let mut at = 0;
    while at < view.len() {
        let end = at + view[at..].iter().take_while(|seen| !ends(seen.char)).count();
        let word = &view[at..end];
        let located_at = scheme(word);
        if let Some(from) = located_at {
            located(&word[from..], names, hidden);
        }
        // The URL may stand in the query of another one, which says no host.
        let head = &word[..located_at.unwrap_or(word.len())];
        if let Some(mark) = head.iter().position(|seen| seen.char == '?')
            && word[mark..].iter().any(|seen| seen.char == '=')
        {
            query(&word[mark + 1..], names, hidden);
        }
        at = end + 1;
    }
}

/// Where in a text a sign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In no URL.
    Text,
    /// In a URL, before its query.
    Url,
    /// In a URL's query.
    Query,
}

impl Place {
    /// The place of what is here, after the one before it.
    pub(super) fn at(self, view: &[Seen], at: usize) -> Self {
        match (self, view[at].char) {
            (_, char) if ends(char) => Self::Text,
            (Self::Text, ':') if scheme(&view[at..view.len().min(at + 3)]).is_some() => Self::Url,
            (Self::Url, '?') => Self::Query,
            (place, _) => place,
        }
    }
}

/// Hides the value of a query that begins here; says where it ends.
pub(super) fn value(view: &[Seen], from: usize, hidden: &mut Hidden) -> usize {
    let is_part = |seen: &&Seen| !ends(seen.char) && !matches!(seen.char, '&' | '#');
    let end = from + view[from..].iter().take_while(is_part).count();
    hide(&view[from..end], hidden);
    end
}

fn ends(char: char) -> bool {
    char.is_whitespace() || matches!(char, '"' | '<' | '>')
}

/// RFC 3986, 3.1.
fn begins_with_scheme(view: &[Seen]) -> bool {
    let is_part = |seen: &Seen| seen.char.is_ascii_alphanumeric() || "+-.".contains(seen.char);
    scheme(view).is_some_and(|after| view[..after - 3].iter().all(is_part))
}

/// Where what follows the scheme begins.
fn scheme(word: &[Seen]) -> Option<usize> {
    let is_it = |three: &[Seen]| [':', '/', '/'].into_iter().eq(three.iter().map(|s| s.char));
    word.windows(3).position(is_it).map(|at| at + 3)
}

/// From the authority on, and so for each URL that is inside: a redirect's target, a proxy's.
fn located(rest: &[Seen], names: &Names, hidden: &mut Hidden) {
    let mut rest = rest;
    for _ in 0..MOST_INSIDE {
        let begin = authority(rest, hidden);
        rest = &rest[begin..];
        parts(rest, names, hidden);
        let Some(next) = scheme(rest) else { return };
        rest = &rest[next..];
    }
    hide(rest, hidden);
}

/// Hides credentials; says where the path begins.
fn authority(rest: &[Seen], hidden: &mut Hidden) -> usize {
    let until = |marks: &[char]| {
        rest.iter().position(|seen| marks.contains(&seen.char)).unwrap_or(rest.len())
    };
    let (end, path_end) = (until(&['/', '?', '#', '\\']), until(&['?', '#']));
    let at = rest[..end].iter().rposition(|seen| seen.char == '@');
    // A password may hold what nobody encoded: then the port is no number.
    let colon = rest[..end].iter().position(|seen| seen.char == ':');
    let is_odd = |from: usize| rest[from + 1..end].iter().any(|seen| !seen.char.is_ascii_digit());
    let late = rest[..path_end].iter().rposition(|seen| seen.char == '@');
    match at.max(late.filter(|_| colon.is_some_and(is_odd))) {
        Some(at) => {
            hide(&rest[..at], hidden);
            end.max(at + 1)
        }
        None => end,
    }
}

/// From the path on.
fn parts(rest: &[Seen], names: &Names, hidden: &mut Hidden) {
    let path = rest.iter().position(|seen| matches!(seen.char, '?' | '#')).unwrap_or(rest.len());
    for segment in rest[..path].split(|seen| seen.char == '/') {
        if !is_plain(segment) {
            hide(segment, hidden);
        }
    }
    if path < rest.len() {
        query(&rest[path..], names, hidden);
    }
}

/// Whether a part of a path is a word or a version, and no id.
fn is_plain(segment: &[Seen]) -> bool {
    let is_word = |seen: &Seen| seen.char.is_ascii_lowercase() || "-_.".contains(seen.char);
    let is_number = |seen: &Seen| seen.char.is_ascii_digit() || seen.char == '.';
    let is_version = segment.first().is_some_and(|first| first.char == 'v')
        && segment.len() <= 6
        && segment[1..].iter().all(is_number);
    is_version || (segment.len() <= LONGEST_WORD && segment.iter().all(is_word))
}

fn query_alone(query_text: &str, names: &Names) -> String {
    let mut hidden = Hidden::default();
    text::find(query_text, 0, names, &mut hidden);
    for view in views(query_text, 0).into_iter().take(1) {
        query(&view, names, &mut hidden);
    }
    hidden.apply(query_text)
}

/// Hides the values of a query, and the fragment after it.
fn query(rest: &[Seen], names: &Names, hidden: &mut Hidden) {
    let end = rest.iter().position(|seen| seen.char == '#').unwrap_or(rest.len());
    if end + 1 < rest.len() {
        hide(&rest[end + 1..], hidden);
    }
    for pair in rest[..end].split(|seen| matches!(seen.char, '&' | ';' | '?')) {
        let Some(sign) = pair.iter().position(|seen| seen.char == '=') else {
            // A value without a key.
            hide(pair, hidden);
            continue;
        };
        let key: String = pair[..sign].iter().map(|seen| seen.char).collect();
        let is_key = |char: char| char.is_ascii_alphanumeric() || "-_.[]%".contains(char);
        if key.len() > LONGEST_KEY || !key.chars().all(is_key) {
            hide(pair, hidden);
        } else if !names.is_shown_query(&key) {
            hide(&pair[sign + 1..], hidden);
        }
    }
}

fn hide(part: &[Seen], hidden: &mut Hidden) {
    if let (Some(first), Some(last)) = (part.first(), part.last()) {
        hidden.hide(first.from, last.to);
    }
}

/// Headers whose values are URLs, often without a host.
pub(super) const HEADERS: [&str; 14] = [
    "azure-asyncoperation",
    "content-location",
    "destination",
    "location",
    "operation-location",
    "origin",
    "referer",
    "refresh",
    "x-accel-redirect",
    "x-envoy-original-path",
    "x-forwarded-uri",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
];
const LONGEST_WORD: usize = 32;
const LONGEST_KEY: usize = 64;
/// URLs inside of one another, of which more are hidden as they are.
const MOST_INSIDE: usize = 4;
