//! Looks at the database, again and again, with one statement at a time.

use std::time::{Duration, Instant};

use super::database::Sign;
use super::inner::Inner;
use crate::outbox::OutboxError;
use crate::rt;

/// What the database was told last of this instance, and when.
#[derive(Default)]
struct Told {
    sign: Sign,
    at: Option<Instant>,
}

/// Until it is to stop; then this instance is taken off the list.
pub(super) async fn run(inner: &Inner) {
    let (mut stop, mut told) = (inner.stop.subscribe(), Told::default());
    while !*stop.borrow_and_update() {
        match look(inner, &mut told).await {
            Ok(()) => inner.on_heard(),
            Err(why) => inner.on_unheard(&why),
        }
        let next = rt::after(rt::now(), inner.rng.about(POLL));
        let _ = rt::until(Some(next), rt::first(inner.wake.notified(), stop.changed())).await;
    }
    let end = rt::after(rt::now(), LAST);
    // If it doesn't hear this, it takes it off by itself after an hour.
    let _ = rt::until(Some(end), inner.database.leave(&inner.name)).await;
}

async fn look(inner: &Inner, told: &mut Told) -> Result<(), OutboxError> {
    let looked = inner.database.look().await?;
    if looked.has_over {
        inner.database.set_back().await?;
    }
    let known = inner.known_revision();
    // Another number, and not only a higher one: a database may have been restored.
    if looked.has_over || known != Some(looked.revision) {
        inner.learn(inner.database.words().await?);
    }
    inner.obey_all();
    let sign = Sign {
        revision: inner.known_revision().unwrap_or_default(),
        integrations: inner.registry.names(),
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
