//! Reading what asks for an act: a form of ours, or a robot's JSON.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde_json::{Map, Value};

use super::access::Actor;
use super::form::{self, Form};
use super::inner::Inner;
use super::route::{self, value};
use super::words::{Phrase, phrase};
use crate::BoxError;
use crate::terms::ActRefusal;

/// Why nothing is asked for.
pub(super) type Unread = (StatusCode, ActRefusal, Phrase);

/// Whether it is sent as JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    media(headers).is_some_and(|media| media.eq_ignore_ascii_case(JSON))
}

/// Reads what is asked for, and whether it may be taken: a form has a token of ours, and a robot shows a bearer
/// token, which no browser sends by itself, and has no cookie.
pub(super) async fn read<B>(
    inner: &Inner,
    head: &Parts,
    body: B,
    actor: &Actor,
) -> Result<Form, Unread>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let headers = &head.headers;
    let is_json = is_json(headers);
    if is_json && !is_robot(headers) {
        let why = "An act by JSON comes with `authorization: Bearer …`, and without a cookie.";
        return Err((StatusCode::FORBIDDEN, ActRefusal::NoBearer, why.into()));
    }
    if !is_json && !media(headers).is_some_and(|media| media.eq_ignore_ascii_case(FORM)) {
        let why = format!("Acts are sent as {FORM} by pages, and as {JSON} by robots.");
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, ActRefusal::BadForm, why.into()));
    }
    let read = Limited::new(body, LARGEST).collect().await;
    let Ok(body) = read else {
        let why = phrase!("A form has at most {n} bytes.", n = LARGEST);
        return Err((StatusCode::PAYLOAD_TOO_LARGE, ActRefusal::BadForm, why));
    };
    let (bytes, now) = (body.to_bytes(), inner.clock.wall());
    if is_json {
        let pairs = pairs(&bytes).map_err(|why| bad(why.into()))?;
        return Ok(Form { pairs, actor: actor.clone(), now });
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| bad(phrase!("The form is no text.")))?;
    let pairs = route::pairs(text);
    let token = value(&pairs, "token").unwrap_or_default();
    if !inner.tokens.is_valid(token, actor, form::name(&pairs), now) {
        let why = phrase!(
            "This form is too old, or not from this console. Go back, load the page again and repeat it."
        );
        return Err((StatusCode::FORBIDDEN, ActRefusal::BadToken, why));
    }
    Ok(Form { pairs, actor: actor.clone(), now })
}

fn bad(why: Phrase) -> Unread {
    (StatusCode::BAD_REQUEST, ActRefusal::BadForm, why)
}

fn media(headers: &HeaderMap) -> Option<&str> {
    let media = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    media.split(';').next().map(str::trim)
}

/// Whether nothing of it can have been added by a browser by itself.
fn is_robot(headers: &HeaderMap) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|shown| shown.to_str().ok());
    let scheme = shown.and_then(|shown| shown.split_once(' '));
    let has_bearer = scheme.is_some_and(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()
    });
    has_bearer && !headers.contains_key(header::COOKIE)
}

/// The fields of a form, from an object of texts and numbers. `true` is a tick, `false` and `null` are none.
fn pairs(json: &Bytes) -> Result<Vec<(String, String)>, String> {
    let fields: Map<String, Value> = serde_json::from_slice(json)
        .map_err(|_| "An act by JSON is an object of fields.".to_owned())?;
    let mut pairs = Vec::new();
    for (name, value) in fields {
        let value = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) | Value::Null => continue,
            _ => return Err(format!("The field {name:?} is neither a text nor a number.")),
        };
        pairs.push((name, value));
    }
    Ok(pairs)
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
/// The largest form, in bytes.
const LARGEST: usize = 64 * 1024;
