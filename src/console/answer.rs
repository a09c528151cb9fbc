//! How the console answers: headers that let a browser do no more than it must.

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderMap, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};
use maud::Markup;
use serde_json::Value;
use tower_http::csrf::ProtectionError;

use super::assets::Asset;
use super::inner::{Inner, NoPage};
use super::words::{Phrase, Text, Words, phrase, text};
use crate::Body;
use crate::terms::ActRefusal;

/// Adds what every answer has. Pages load nothing from elsewhere, stand in no frame of others, and tell nobody where they were.
pub(super) fn guarded(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    for (name, value) in GUARDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Says what to do, where a form was refused because of where it came from.
pub(super) fn explained(response: Response<Body>, inner: &Inner) -> Response<Body> {
    match response.extensions().get::<ProtectionError>() {
        Some(_) => {
            inner.acts.refuse(ActRefusal::ForeignForm);
            text(StatusCode::FORBIDDEN, &inner.words.plain(&FOREIGN_FORM.into()))
        }
        None => response,
    }
}

pub(super) fn page(status: StatusCode, page: Markup) -> Response<Body> {
    of(status, "text/html; charset=utf-8", page.into_string())
}

pub(super) fn text(status: StatusCode, text: &str) -> Response<Body> {
    of(status, "text/plain; charset=utf-8", format!("{text}\n"))
}

pub(super) fn csv(text: String) -> Response<Body> {
    let mut response = of(StatusCode::OK, "text/csv; charset=utf-8; header=present", text);
    let attached = HeaderValue::from_static("attachment; filename=\"acts.csv\"");
    response.headers_mut().insert(CONTENT_DISPOSITION, attached);
    response
}

/// Its name changes with its content, so it may be kept for a year.
pub(super) fn asset(asset: &Asset) -> Response<Body> {
    let mut response = of(StatusCode::OK, asset.media, asset.text.to_owned());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    if let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", asset.version())) {
        headers.insert(ETAG, tag);
    }
    response
}

pub(super) fn events(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    // Nginx would keep the events until its buffer is full.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// After a form, a page that can be loaded again without sending it again (RFC 9110, 15.4.4).
pub(super) fn see_other(to: &str) -> Response<Body> {
    let mut response = text(StatusCode::SEE_OTHER, "Done.");
    if let Ok(to) = HeaderValue::try_from(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}

pub(super) fn method_not_allowed() -> Response<Body> {
    let mut response =
        text(StatusCode::METHOD_NOT_ALLOWED, "Pages are read by GET, acts are sent by POST.");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    response
}

pub(super) fn no_page(words: &dyn Words, why: NoPage) -> Response<Body> {
    let (status, why) = why_no_page(why);
    text(status, &words.plain(&why))
}

pub(super) fn why_no_page(why: NoPage) -> (StatusCode, Phrase) {
    match why {
        NoPage::NotAllowed => (StatusCode::FORBIDDEN, phrase!("You have no right to this.")),
        NoPage::NotFound => (StatusCode::NOT_FOUND, phrase!("There is no such page.")),
        NoPage::Away(error) => (
            StatusCode::SERVICE_UNAVAILABLE,
            phrase!("The outbox can't be read: {error}.", error = error.to_string()),
        ),
    }
}

/// A robot's wish (RFC 9110, 12.5.1), as far as it is meant: JSON is named, and HTML isn't.
pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(http::header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept
        .is_some_and(|accept| accept.contains("application/json") && !accept.contains("text/html"))
}

pub(super) fn json(status: StatusCode, json: &Value) -> Response<Body> {
    of(status, "application/json", json.to_string())
}

fn of(status: StatusCode, media: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

const FOREIGN_FORM: Text = text!(
    "Not done: the form came from a page of another origin. Open the console itself and do it there. If this is the console, a proxy changes the `host` header: name the console's origin as a trusted origin."
);
const GUARDS: [(HeaderName, &str); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Addresses have keys in them. With `no-referrer`, browsers would send `origin: null` with the console's own forms.
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];
