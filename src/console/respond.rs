//! What a request is answered with.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};

use super::access::{Actor, Scope};
use super::act::Refused;
use super::acts::ActResult;
use super::form::{self, Form};
use super::inner::{Inner, NoPage};
use super::page::{self, note};
use super::route::{self, Route, pairs, value};
use super::{answer, assets, live};
use crate::terms::Right;
use crate::{Body, BoxError};

/// Answers a request: a page, or what came of a form.
pub(super) async fn respond<B>(inner: Arc<Inner>, head: Parts, body: B) -> Response<Body>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let route = Route::of(head.uri.query());
    // The style and the script say nothing about anybody.
    match route {
        Route::Style => return answer::asset(&assets::STYLE),
        Route::Script => return answer::asset(&assets::SCRIPT),
        _ => {}
    }
    let Some(actor) = inner.access.actor(&head) else {
        return answer::text(StatusCode::UNAUTHORIZED, "The console doesn't know who you are.");
    };
    match head.method {
        Method::GET | Method::HEAD => show(&inner, &head, actor, route).await,
        Method::POST => match read_form(&inner, &head, body, &actor).await {
            Ok(form) => after(inner, form, actor).await,
            Err((status, why)) => answer::text(status, &why),
        },
        _ => answer::method_not_allowed(),
    }
}

/// A page, or what a page loads.
async fn show(inner: &Arc<Inner>, head: &Parts, actor: Actor, route: Route) -> Response<Body> {
    let now = inner.clock.wall();
    if route == Route::Live {
        return stream(inner, actor);
    }
    if answer::wants_json(&head.headers) {
        return answer::json_of(inner, &actor, &route);
    }
    let note = (value(&pairs(head.uri.query().unwrap_or_default()), "done")
        .and_then(|act| act.parse().ok()))
    .and_then(|act| inner.acts.get(act))
    .filter(|act| act.who == actor.name)
    .map(|act| {
        note(!matches!(act.result, ActResult::Failed(_)), format!("{}: {}.", act.what, act.result))
    });
    let frame = inner.frame(&actor, now, note);
    let page = match route {
        Route::Overview => inner.overview(&actor).await.map(|view| page::overview(&frame, &view)),
        Route::Integration(name) => {
            inner.integration(&actor, &name).map(|view| page::integration(&frame, &view))
        }
        Route::Find(asked) => {
            inner.find(&actor, &asked).await.map(|found| page::find(&frame, &found))
        }
        Route::Lane(view) => inner.lane(&actor, view).await.map(|page| page::lane(&frame, &page)),
        Route::Message(id) => {
            inner.message(&actor, id, false).await.map(|view| page::message(&frame, &view))
        }
        Route::Instances => {
            inner.instances(&actor).await.map(|view| page::instances(&frame, &view))
        }
        Route::Acts => inner
            .needs(&actor, Right::Look, Scope::All)
            .map(|()| page::acts(&frame, &inner.acts.all(), &inner.tasks)),
        Route::ActsCsv => match inner.needs(&actor, Right::Look, Scope::All) {
            Ok(()) => return answer::csv(page::csv(&inner.acts.all())),
            Err(error) => Err(error),
        },
        Route::Task(number) => inner.task(&actor, number).map(|view| page::task(&frame, &view)),
        Route::Live | Route::Style | Route::Script | Route::Nothing => Err(NoPage::NotFound),
    };
    match page {
        Ok(page) => answer::page(StatusCode::OK, page),
        Err(error) => answer::no_page(error),
    }
}

fn stream(inner: &Arc<Inner>, actor: Actor) -> Response<Body> {
    if let Err(error) = inner.needs(&actor, Right::Look, Scope::All) {
        return answer::no_page(error);
    }
    let Some(place) = inner.streams.place() else {
        return answer::text(StatusCode::SERVICE_UNAVAILABLE, "Too many pages look already.");
    };
    let weak = Arc::downgrade(inner);
    let parts = move || {
        let (inner, actor) = (weak.upgrade(), actor.clone());
        async move { inner?.parts(&actor).await }
    };
    answer::events(Body::from_stream(live::stream(place, parts)))
}

/// Reads a form, and whether it is one of ours.
async fn read_form<B>(
    inner: &Inner,
    head: &Parts,
    body: B,
    actor: &Actor,
) -> Result<Form, (StatusCode, String)>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let media = head.headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
    let media = media.and_then(|media| media.split(';').next()).map(str::trim);
    if !media.is_some_and(|media| media.eq_ignore_ascii_case(FORM)) {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("Acts are sent as {FORM}.")));
    }
    let read = Limited::new(body, LARGEST).collect().await;
    let bytes: Bytes = match read {
        Ok(body) => body.to_bytes(),
        Err(_) => {
            return Err((
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("A form has at most {LARGEST} bytes."),
            ));
        }
    };
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| (StatusCode::BAD_REQUEST, "The form is no text.".to_owned()))?;
    let (pairs, now) = (route::pairs(text), inner.clock.wall());
    let token = value(&pairs, "token").unwrap_or_default();
    if !inner.tokens.is_valid(token, actor, form::name(&pairs), now) {
        let why = "This form is too old, or not from this console. Go back, load the page again and repeat it.";
        return Err((StatusCode::FORBIDDEN, why.to_owned()));
    }
    Ok(Form { pairs, actor: actor.clone(), now })
}

async fn after(inner: Arc<Inner>, form: Form, actor: Actor) -> Response<Body> {
    let now = form.now;
    match Arc::clone(&inner).act(form).await {
        Ok(after) => match after.reveals {
            // Not by an address, so that it isn't shown again by going back or sharing it.
            Some(id) => {
                let frame = inner.frame(&actor, now, Some(after.note));
                match inner.message(&actor, id, true).await {
                    Ok(view) => answer::page(StatusCode::OK, page::message(&frame, &view)),
                    Err(error) => answer::no_page(error),
                }
            }
            None => answer::see_other(&format!("{}&done={}", after.to, after.act)),
        },
        Err(Refused::Page(why)) => answer::no_page(why),
        Err(Refused::Form(why)) => {
            answer::text(StatusCode::UNPROCESSABLE_ENTITY, &format!("Not done: {why}."))
        }
        Err(Refused::TooMany) => {
            answer::text(StatusCode::TOO_MANY_REQUESTS, "Not done: at most 20 acts a minute.")
        }
        Err(Refused::Unrecorded) => {
            answer::text(StatusCode::INTERNAL_SERVER_ERROR, "Not done: it could not be recorded.")
        }
        Err(Refused::BrokeOff) => answer::text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "It broke off. Look whether it has been done before you repeat it.",
        ),
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
/// The largest form, in bytes.
const LARGEST: usize = 64 * 1024;
