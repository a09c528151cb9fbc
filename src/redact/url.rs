//! URLs: where they go, the words of the path, the keys of the query.

use http::Uri;

use super::asked::Asked;
use super::hidden::MARK;
use super::{form, known, text};

pub(super) fn redact(uri: &Uri, asked: &Asked) -> String {
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
    if asked.paths {
        shown.push_str(&text::redact(uri.path()));
    } else {
        path(uri.path(), &mut shown);
    }
    if let Some(query) = uri.query() {
        shown.push('?');
        shown.push_str(&form::redact(query, |key| asked.is_query(key)));
    }
    shown
}

/// A header's value, if it is a whole URL or begins with a path.
pub(super) fn redact_reference(text: &str, asked: &Asked) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    (uri.scheme().is_some() || text.starts_with('/')).then(|| redact(&uri, asked))
}

/// Its words, where each is one that many APIs use: any other may be a name or an account.
fn path(path: &str, shown: &mut String) {
    for (at, part) in path.split('/').enumerate() {
        if at > 0 {
            shown.push('/');
        }
        let is_shown = matches!(part, "" | "*") || known::is_path_word(part);
        shown.push_str(if is_shown { part } else { MARK });
    }
}
