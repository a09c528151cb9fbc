use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::asked::Asked;
use super::hidden::MARK;
use super::known::Header;
use super::redactor::Redactor;
use super::{body, media, text, url, words};
use crate::redact::Kept;

/// Shows the structure, the values on its lists, and the values that you ask for. See the
/// [module](super).
#[derive(Clone, Debug, Default)]
#[must_use = "a redactor does nothing until somebody asks it"]
pub struct StandardRedactor {
    asked: Asked,
}

impl StandardRedactor {
    /// A redactor with the default lists.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows this header's values too, unless the client marked one as
    /// [sensitive](HeaderValue::is_sensitive). What is secret by its looks stays hidden.
    pub fn show_header(mut self, name: HeaderName) -> Self {
        self.asked.headers.push(name);
        self
    }

    /// Shows texts and numbers of this name too, and lists of them, in JSON and forms, wherever they
    /// are: `loyalty_number` is also `loyaltyNumber`. What is secret by its looks stays hidden.
    pub fn show_field(mut self, name: impl AsRef<str>) -> Self {
        self.asked.field(name.as_ref());
        self
    }

    /// Shows this key's values in queries too. What is secret by its looks stays hidden.
    pub fn show_query(mut self, key: impl Into<String>) -> Self {
        self.asked.query.push(key.into());
        self
    }

    /// Shows the paths of requests. What is secret by its looks stays hidden.
    pub fn show_paths(mut self) -> Self {
        self.asked.paths = true;
        self
    }

    /// Shows [texts of unknown making](Redactor::text), such as the errors of other crates. What is
    /// secret by its looks stays hidden; names and passwords have no looks.
    pub fn show_texts(mut self) -> Self {
        self.asked.texts = true;
        self
    }
}

impl Redactor for StandardRedactor {
    fn header(&self, name: &HeaderName, value: &HeaderValue) -> String {
        let known = Header::of(name.as_str());
        let text = std::str::from_utf8(value.as_bytes()).ok().filter(|_| !value.is_sensitive());
        let shown = text.and_then(|text| match known {
            _ if self.asked.headers.contains(name) => Some(text::redact(text)),
            _ if text.len() > LONGEST_VALUE || !text.is_ascii() => None,
            Some(Header::Words) => Some(text::redact(text)),
            Some(Header::Media) => media::redact(text),
            Some(Header::Numbers) => words::is_numbers(text).then(|| text::redact(text)),
            Some(Header::Id) => (!text.contains(' ')).then(|| text::redact_id(text)),
            Some(Header::Url) => url::redact_reference(text, &self.asked),
            None => None,
        });
        shown.unwrap_or_else(|| MARK.to_owned())
    }

    fn uri(&self, uri: &Uri) -> String {
        url::redact(uri, &self.asked)
    }

    fn body(&self, headers: &HeaderMap, body: &Kept) -> Option<String> {
        body::redact(headers, body, &self.asked)
    }

    fn text(&self, text: &str) -> String {
        match self.asked.texts {
            true => text::redact(text),
            false => format!("[{} bytes]", text.len()),
        }
    }

    fn id(&self, id: &str) -> String {
        text::redact_id(id)
    }
}

/// Values on the list are short. A long one holds something else.
const LONGEST_VALUE: usize = 256;
