//! What is hidden, and what is still shown.

mod cards;
mod debug;
mod headers;
mod kinds;
mod names;
mod nested;
mod properties;
mod prose;
mod shown;
mod texts;

use http::{HeaderMap, HeaderName, HeaderValue};
use outrigger::event::Kept;
use outrigger::redact::{Redactor, StandardRedactor};

fn standard() -> StandardRedactor {
    StandardRedactor::new()
}

fn of_type(media: &str) -> HeaderMap {
    let value = HeaderValue::from_str(media).unwrap();
    HeaderMap::from_iter([(http::header::CONTENT_TYPE, value)])
}

fn body(media: &str, text: &str) -> String {
    standard().body(&of_type(media), &Kept::whole(text)).unwrap_or_default()
}

fn header(name: &'static str, value: &str) -> String {
    standard().header(&HeaderName::from_static(name), &HeaderValue::from_str(value).unwrap())
}

fn text(text: &str) -> String {
    standard().text(text)
}
