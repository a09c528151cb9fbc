//! Looks at the database, again and again, with one statement at a time.

use std::time::{Duration, Instant};

use super::database::{Looked, Sign};
use super::inner::Inner;
use super::names::Names;
use crate::outbox::OutboxError;
use crate::rt;

/// What the database was told last of this instance, and when.
#[derive(Default)]
struct Told {
    sign: Sign,
    at: Option<Instant>,
}

/// What stands in the database, as far as this instance has read it.
type Stamp = Option<String>;

/// Until it is to stop; then this instance is taken off the list.
pub(super) async fn run(inner: &Inner) {
    let (mut stop, mut told, mut known) = (inner.stop.subscribe(), Told::default(), None);
    while !*stop.borrow_and_update() {
        // A database that doesn't answer holds up no end.
        rt::first(stop.changed(), turn(inner, &mut told, &mut known)).await;
        if inner.stop.borrow().to_owned() {
            break;
        }
        let next = rt::after(rt::now(), inner.rng.about(POLL));
        let _ = rt::until(Some(next), rt::first(inner.wake.notified(), stop.changed())).await;
    }
    let end = rt::after(rt::now(), LAST);
    // If it doesn't hear this, others take it off after a day.
    let _ = rt::until(Some(end), inner.database.leave(&inner.name)).await;
}

async fn turn(inner: &Inner, told: &mut Told, known: &mut Stamp) {
    match look(inner, known).await {
        Ok(looked) => {
            // Whoever can't write obeys all the same.
            let untold = tell(inner, told, &looked).await.err();
            inner.on_heard(untold.as_ref());
        }
        Err(why) => inner.on_unheard(&why),
    }
}

/// Reads, and obeys.
async fn look(inner: &Inner, known: &mut Stamp) -> Result<Looked, OutboxError> {
    let looked = inner.database.look().await?;
    if known.as_ref() != Some(&looked.stamp) {
        inner.learn(inner.database.words().await?);
        *known = Some(looked.stamp.clone());
    }
    inner.obey_all();
    Ok(looked)
}

/// Writes what this instance has to say.
async fn tell(inner: &Inner, told: &mut Told, looked: &Looked) -> Result<(), OutboxError> {
    if looked.has_over {
        inner.database.set_back(looked.revision).await?;
        inner.wake.notify_one();
    }
    let sign = Sign {
        revision: inner.known_revision().unwrap_or_default(),
        integrations: inner.registry.names(),
        controls: Names::of(&inner.registry),
        troubles: inner.troubles(|_| true),
    };
    let is_due = told.at.is_none_or(|at| rt::now().saturating_duration_since(at) >= SIGN);
    if is_due || told.sign != sign {
        inner.database.sign(&inner.name, &inner.host, &sign).await?;
        *told = Told { sign, at: Some(rt::now()) };
    }
    Ok(())
}

/// How often each instance looks, give or take a fifth: a change is obeyed within 3 s.
const POLL: Duration = Duration::from_secs(2);
/// How often an instance tells that it is there, if there is nothing else to tell.
const SIGN: Duration = Duration::from_secs(5);
/// How long the database has, at the end, to take this instance off the list.
const LAST: Duration = Duration::from_secs(1);
