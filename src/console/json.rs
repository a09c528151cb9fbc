//! The pages' state as JSON, for robots.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::access::{Actor, Scope};
use super::acts::ConsoleAct;
use super::inner::{Inner, NoPage};
use super::life::{Moment, Subject};
use super::page::{InstancesView, LanePage, MessageView, SettingsView};
use super::recent::SeenCall;
use super::route::Route;
use super::task::Task;
use super::words;
use crate::control::FleetWord;
use crate::outbox::{Act, Attempt, LaneStats, PausedBy, ShownMessage, StoredMessage, Timestamp};
use crate::terms::outbox::DeadReason;
use crate::terms::{ActOutcome, Delivery, Right};

/// What a page shows, with the same rights.
pub(super) async fn state_of(inner: &Inner, actor: &Actor, route: Route) -> Result<Value, NoPage> {
    Ok(match route {
        Route::Overview => {
            let view = inner.overview(actor).await?;
            let lanes = view.lanes.iter().map(|card| lane(&card.name, &card.stats));
            json!({
                "integrations": view.cards.iter().map(|card| json!(card.health)).collect::<Vec<_>>(),
                "lanes": lanes.collect::<Vec<_>>(),
                "trouble": view.trouble,
            })
        }
        Route::Integration(name) => {
            let view = inner.integration(actor, &name)?;
            let positions = view.controls.iter().map(|(control, to)| (control.name, *to));
            let failures = view
                .failures
                .as_ref()
                .map(|failures| failures.iter().map(|failure| call(failure)).collect::<Vec<_>>());
            json!({
                "health": view.card.health,
                "positions": positions.collect::<std::collections::BTreeMap<_, _>>(),
                "until": maybe(view.card.until),
                "failures": failures,
            })
        }
        Route::Find(asked) => {
            let found = inner.find(actor, &asked).await?;
            json!({
                "asked": found.asked,
                "messages": all(&found.messages, message),
                "has_more": found.has_more,
                "life": all(&found.life, moment),
                "untold": found.untold,
                "remembers_calls": found.remembers,
                "calls_since": maybe(found.since),
            })
        }
        Route::Lane(view) => lane_page(&inner.lane(actor, view).await?),
        Route::Message(id) => message_page(&inner.message(actor, id, false).await?),
        Route::Settings(name) => settings(&inner.settings(actor, name, None).await?),
        Route::Instances => instances(&inner.instances(actor).await?),
        Route::Acts => {
            inner.needs(actor, Right::Look, Scope::All)?;
            json!(all(&inner.acts.all(), console_act))
        }
        Route::Task(number) => task(&inner.task(actor, number)?.task),
        Route::ActsCsv | Route::Live | Route::Style | Route::Script | Route::Nothing => {
            return Err(NoPage::NotFound);
        }
    })
}

/// What a fleet says of an integration's settings, in TOML.
fn settings(view: &SettingsView) -> Value {
    match &view.settings {
        Err(error) => json!({ "trouble": error }),
        Ok(known) => json!({
            "integration": view.integration,
            "settings": known.text,
            "told": known.said.as_ref().map(fleet_word),
            "present": known.present,
        }),
    }
}

/// One message, with what happened to it and its request.
pub(super) fn message_page(view: &MessageView) -> Value {
    let history = &view.history;
    json!({
        "message": message(&history.message),
        "attempts": all(&history.attempts, attempt),
        "acts": all(&history.acts, act),
        "request": request(&view.shown),
    })
}

fn lane_page(page: &LanePage) -> Value {
    let next = page.messages.last().filter(|_| page.has_more);
    json!({
        "lane": lane(&page.view.lane, &page.stats),
        // For acts on all that is shown now.
        "at": page.at.0,
        "messages": all(&page.messages, message),
        "dead_in_all": page.dead,
        "next_after": next.map(|last| last.seq),
    })
}

fn lane(name: &str, stats: &LaneStats) -> Value {
    let dead = stats.dead.iter().map(|(why, count)| (why.name(), *count));
    let paused = stats.paused.as_ref().map(|pause| {
        let by = match &pause.by {
            PausedBy::Person(who) => Some(who),
            PausedBy::Worker => None,
        };
        let until = (pause.until != Timestamp::NEVER).then(|| date(pause.until));
        json!({ "by": by, "why": pause.why, "until": until })
    });
    json!({
        "lane": name,
        "ready": stats.ready,
        "due": stats.due,
        "leased": stats.leased,
        "polling": stats.polling,
        "unknown": stats.unknown,
        "dead": dead.collect::<std::collections::BTreeMap<_, _>>(),
        "oldest_undelivered": stats.oldest_undelivered.map(date),
        "oldest_dead": stats.oldest_dead.map(date),
        "paused": paused,
    })
}

fn message(
    StoredMessage { content, progress, last_status, last_error, .. }: &StoredMessage,
) -> Value {
    json!({
        "id": content.id.to_string(),
        "lane": content.lane,
        "state": progress.state.name(),
        "dead_reason": progress.dead_reason.map(DeadReason::name),
        "enqueued": date(content.created),
        "deadline": date(progress.deadline),
        "attempts": progress.attempt,
        "unknown": progress.unknown + progress.unknown_before,
        "last_status": last_status,
        "last_error": last_error,
        "business_key": content.dedup_key,
        "order_key": content.order_key,
        "correlation_id": content.correlation_id,
        "idempotency_key": content.idempotency_key,
        "replaced_by": progress.replaced_by.map(|by| by.to_string()),
        "is_erased": progress.erased,
    })
}

fn attempt(attempt: &Attempt) -> Value {
    json!({
        "number": attempt.number,
        "started": date(attempt.started),
        "ended": date(attempt.ended),
        "outcome": attempt.outcome,
        "status": attempt.status,
        "class": attempt.class,
        "request_id": attempt.request_id,
        "next_at": attempt.next_at.map(date),
        "error": attempt.error,
    })
}

fn act(act: &Act) -> Value {
    json!({ "at": date(act.at), "action": act.action, "who": act.who, "why": act.why })
}

fn request(shown: &ShownMessage) -> Value {
    let answer = shown.answer.as_ref().map(
        |answer| json!({ "status": answer.status, "headers": answer.headers, "body": answer.body }),
    );
    json!({
        "method": shown.method.as_str(),
        "uri": shown.uri,
        "headers": shown.headers,
        "body": shown.body,
        "answer": answer,
        "sealed_by": shown.sealed_by,
    })
}

fn call(call: &SeenCall) -> Value {
    json!({
        "at": words::date(call.at),
        "call_id": call.call_id,
        "correlation_id": call.correlation_id,
        "business_key": call.business_key,
        "method": call.method,
        "target": call.target,
        "result": call.result().to_string(),
        "delivery": call.delivery.map(Delivery::name),
        "attempts": call.attempts,
        "seconds": call.elapsed.as_secs_f64(),
    })
}

fn moment(moment: &Moment) -> Value {
    let to = match &moment.to {
        Subject::Call { integration } => json!({ "integration": integration }),
        Subject::Message { id, lane } => json!({ "message": id.to_string(), "lane": lane }),
    };
    json!({ "at": words::date(moment.at), "to": to, "what": moment.what.to_string() })
}

fn console_act(act: &ConsoleAct) -> Value {
    json!({
        "number": act.number,
        "at": words::date(act.at),
        "who": act.who,
        "right": act.right.name(),
        "what": act.what,
        "why": act.why,
        "until": maybe(act.until),
        "outcome": act.result.outcome().map(ActOutcome::name),
        "result": act.result.to_string(),
    })
}

fn task(task: &Task) -> Value {
    let progress = task.progress();
    json!({
        "act": console_act(&task.act),
        "lane": task.lane,
        "changed": progress.changed,
        "left": progress.refused,
        "is_over": progress.is_over,
        "error": progress.error.map(|error| error.to_string()),
    })
}

fn instances(view: &InstancesView) -> Value {
    match view {
        Ok((fleet, said)) => json!({
            "revision": fleet.revision,
            "instances": all(&fleet.instances, |instance| json!({
                "name": instance.name,
                "host": instance.host,
                "version": instance.version,
                "state": instance.state.name(),
                "seconds_in_state": instance.for_time.map(|time| time.as_secs_f64()),
                "seen_seconds_ago": instance.seen_ago.as_secs_f64(),
                "revision": instance.revision,
                "troubles": all(&instance.troubles, |trouble| json!({
                    "integration": trouble.integration,
                    "of": trouble.of,
                    "why": trouble.why,
                })),
            })),
            "told": all(said, fleet_word),
        }),
        Err(why) => json!({ "trouble": why }),
    }
}

fn fleet_word(word: &FleetWord) -> Value {
    json!({
        "integration": word.integration,
        "of": word.of,
        "says": word.says,
        "who": word.who,
        "why": word.why,
        "since": words::date(word.since),
        "until": maybe(word.until),
        "back": word.back,
        "revision": word.revision,
    })
}

fn all<T>(of: &[T], one: impl Fn(&T) -> Value) -> Vec<Value> {
    of.iter().map(one).collect()
}

fn date(at: Timestamp) -> String {
    words::date(at.into())
}

fn maybe(at: Option<SystemTime>) -> Option<String> {
    at.map(words::date)
}
