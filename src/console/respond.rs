//! What a request is answered with.

use std::sync::Arc;

use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde_json::json as object;

use super::access::{Actor, Scope};
use super::act::{Refused, not_done};
use super::acts::ActResult;
use super::form::Form;
use super::inner::{Inner, NoPage};
use super::page::{self, note};
use super::route::{Route, pairs, value};
use super::words::{English, Phrase, Words, phrase};
use super::{answer, assets, json, live, read};
use crate::terms::{ActRefusal, Right};
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
        if head.method == Method::POST {
            inner.acts.refuse(ActRefusal::UnknownActor);
        }
        let why = phrase!("The console doesn't know who you are.");
        let is_robot = answer::wants_json(&head.headers) || read::is_json(&head.headers);
        return answer::text(StatusCode::UNAUTHORIZED, &words_for(&inner, is_robot).plain(&why));
    };
    match head.method {
        Method::GET | Method::HEAD => show(&inner, &head, actor, route).await,
        Method::POST => {
            let is_json = read::is_json(&head.headers);
            match read::read(&inner, &head, body, &actor).await {
                Ok(form) => after(inner, form, actor, is_json).await,
                Err((status, refusal, why)) => {
                    inner.acts.refuse(refusal);
                    refused(&*inner.words, status, &why, is_json)
                }
            }
        }
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
        return match json::state_of(inner, &actor, route).await {
            Ok(state) => answer::json(StatusCode::OK, &state),
            Err(why) => answer::no_page(&English, why),
        };
    }
    let note = (value(&pairs(head.uri.query().unwrap_or_default()), "done")
        .and_then(|act| act.parse().ok()))
    .and_then(|act| inner.acts.get(act))
    .filter(|act| act.who == actor.name)
    .map(|act| {
        let (what, _, result) = act.said();
        let text = phrase!("{what}: {result}.", what = what, result = result);
        note(!matches!(act.result, ActResult::Failed(_)), text)
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
        Route::Settings(name) => {
            let view = inner.settings(&actor, name, None).await;
            view.map(|view| page::settings(&frame, &view))
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
        Err(error) => answer::no_page(&*inner.words, error),
    }
}

fn stream(inner: &Arc<Inner>, actor: Actor) -> Response<Body> {
    if let Err(error) = inner.needs(&actor, Right::Look, Scope::All) {
        return answer::no_page(&*inner.words, error);
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

async fn after(inner: Arc<Inner>, form: Form, actor: Actor, is_json: bool) -> Response<Body> {
    let now = form.now;
    let after = match Arc::clone(&inner).act(form).await {
        Ok(after) => after,
        Err(why) => {
            if let Some(refusal) = refusal_of(&why) {
                inner.acts.refuse(refusal);
            }
            let (status, why) = words_of(why);
            return refused(&*inner.words, status, &why, is_json);
        }
    };
    if let (Some(rejected), false) = (after.rejected, is_json) {
        let integration = rejected.written.integration.clone();
        let frame = inner.frame(&actor, now, None);
        return match inner.settings(&actor, integration, Some(rejected)).await {
            Ok(view) => {
                answer::page(StatusCode::UNPROCESSABLE_ENTITY, page::settings(&frame, &view))
            }
            Err(error) => answer::no_page(&*inner.words, error),
        };
    }
    // Not by an address, so that it isn't shown again by going back or sharing it.
    let revealed = match after.reveals {
        Some(id) => match inner.message(&actor, id, true).await {
            Ok(view) => Some(view),
            Err(error) => return answer::no_page(words_for(&inner, is_json), error),
        },
        None => None,
    };
    match (is_json, revealed) {
        (true, revealed) => {
            let status = if after.note.is_good { StatusCode::OK } else { StatusCode::CONFLICT };
            answer::json(
                status,
                &object!({
                    "act": after.act,
                    "is_done": after.note.is_good,
                    "note": after.note.text.to_string(),
                    "see": after.to,
                    "revealed": revealed.as_ref().map(json::message_page),
                }),
            )
        }
        (false, Some(view)) => {
            let frame = inner.frame(&actor, now, Some(after.note));
            answer::page(StatusCode::OK, page::message(&frame, &view))
        }
        (false, None) => answer::see_other(&format!("{}&done={}", after.to, after.act)),
    }
}

/// Robots are told in English, whatever people read.
fn words_for(inner: &Inner, is_robot: bool) -> &dyn Words {
    if is_robot { &English } else { &*inner.words }
}

fn refused(words: &dyn Words, status: StatusCode, why: &Phrase, is_json: bool) -> Response<Body> {
    match is_json {
        true => answer::json(status, &object!({ "error": why.to_string() })),
        false => answer::text(status, &words.plain(why)),
    }
}

/// `None` for those that are told with their right.
fn refusal_of(refused: &Refused) -> Option<ActRefusal> {
    match refused {
        Refused::Page(NoPage::NotFound) => Some(ActRefusal::NotFound),
        Refused::Page(NoPage::Away(_)) => Some(ActRefusal::Unavailable),
        Refused::Form(_) => Some(ActRefusal::BadForm),
        Refused::TooMany => Some(ActRefusal::TooMany),
        Refused::Page(NoPage::NotAllowed) | Refused::Unrecorded | Refused::BrokeOff => None,
    }
}

fn words_of(refused: Refused) -> (StatusCode, Phrase) {
    match refused {
        Refused::Page(why) => answer::why_no_page(why),
        Refused::Form(why) => (StatusCode::UNPROCESSABLE_ENTITY, not_done(why)),
        Refused::TooMany => {
            (StatusCode::TOO_MANY_REQUESTS, not_done(phrase!("at most 20 acts a minute")))
        }
        Refused::Unrecorded => {
            (StatusCode::INTERNAL_SERVER_ERROR, not_done(phrase!("it could not be recorded")))
        }
        Refused::BrokeOff => {
            let why = phrase!("It broke off. Look whether it has been done before you repeat it.");
            (StatusCode::INTERNAL_SERVER_ERROR, why)
        }
    }
}
