use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::names::Names;
use super::redactor::Redactor;
use super::{body, text, url};
use crate::event::Kept;

/// Hides what is secret or personal by name, and what looks like it. See the [module](super).
#[derive(Clone, Debug, Default)]
#[must_use = "a redactor does nothing until somebody asks it"]
pub struct StandardRedactor {
    names: Names,
    shows_paths: bool,
}

impl StandardRedactor {
    /// What is hidden by default is hidden.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hides this header too.
    pub fn also_header(mut self, name: HeaderName) -> Self {
        self.names.headers.push(name);
        self
    }

    /// Hides fields of this name too, wherever they are: `loyalty_number` is also `loyaltyNumber`.
    pub fn also_field(mut self, name: impl AsRef<str>) -> Self {
        self.names.hide(name.as_ref());
        self
    }

    /// Shows this header, by what is found in it.
    pub fn show_header(mut self, name: HeaderName) -> Self {
        self.names.shown_headers.push(name);
        self
    }

    /// Shows fields of this name, by what is found in them.
    pub fn show_field(mut self, name: impl AsRef<str>) -> Self {
        self.names.show(name.as_ref());
        self
    }

    /// Shows this key's values in queries, by what is found in them, unless its name is secret.
    pub fn show_query(mut self, key: impl Into<String>) -> Self {
        self.names.shown_query.push(key.into());
        self
    }

    /// Shows the paths of requests, by what is found in them.
    pub fn show_paths(mut self) -> Self {
        self.shows_paths = true;
        self
    }
}

impl Redactor for StandardRedactor {
    fn header(&self, name: &HeaderName, value: &HeaderValue) -> String {
        if self.names.is_secret_header(name) || value.is_sensitive() {
            return super::hidden::MARK.to_owned();
        }
        let Ok(value) = std::str::from_utf8(value.as_bytes()) else {
            return super::hidden::MARK.to_owned();
        };
        if name == http::header::LINK {
            return url::links(value, &self.names);
        }
        if url::HEADERS.contains(&name.as_str()) {
            return url::reference(value, &self.names);
        }
        text::redact(value, &self.names)
    }

    fn uri(&self, uri: &Uri) -> String {
        url::uri(uri, &self.names, self.shows_paths)
    }

    fn body(&self, headers: &HeaderMap, body: &Kept) -> Option<String> {
        body::redact(headers, body, &self.names)
    }

    fn text(&self, text: &str) -> String {
        text::redact(text, &self.names)
    }

    fn id(&self, id: &str) -> String {
        text::redact_id(id)
    }
}
