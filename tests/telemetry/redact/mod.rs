//! What is shown, and that nothing else is.

mod cards;
mod cost;
mod errors;
mod headers;
mod json;
mod languages;
mod looks;
mod properties;
mod urls;

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

fn json(text: &str) -> String {
    body("application/json", text)
}

fn header(name: &str, value: &str) -> String {
    let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
    standard().header(&name, &HeaderValue::from_bytes(value.as_bytes()).unwrap())
}

/// A text that somebody asked for.
fn text(text: &str) -> String {
    standard().show_texts().text(text)
}
