//! Handling what was recorded: the outbox's workers do it.

#[cfg(feature = "postgres")]
use std::sync::Arc;

use super::event::{ReceivedEvent, lane};
use crate::event::{Emitter, Subscriber};
#[cfg(feature = "sqlite")]
use crate::outbox::SqliteFile;
#[cfg(feature = "postgres")]
use crate::outbox::postgres::{PostgresHookFuture, PostgresStore};
#[cfg(feature = "sqlite")]
use crate::outbox::rusqlite::Connection;
#[cfg(feature = "postgres")]
use crate::outbox::tokio_postgres::Transaction;
use crate::outbox::{Lane, MemoryStore, OutboxBuilder, Schedule};
use crate::outcome::BoxError;

/// How the events of a source are handled. The name of a source converts into one with the defaults.
///
/// ```
/// use std::time::Duration;
/// use outrigger::inbox::EventLane;
/// use outrigger::outbox::Schedule;
///
/// let stripe = EventLane::new("stripe").schedule(Schedule::new([Duration::from_secs(60)]));
/// # let _ = stripe;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a lane handles nothing until an outbox has it"]
pub struct EventLane {
    name: String,
    schedule: Schedule,
    emitter: Emitter,
}

impl EventLane {
    /// The events of this source.
    pub fn new(source: &str) -> Self {
        let name = lane(source);
        Self { emitter: Emitter::named(name.as_str()), name, schedule: Schedule::default() }
    }

    /// When an event is tried again.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Who is told of events that are dead, as of an integration of the [lane's](super::lane) name.
    pub fn subscriber(mut self, subscriber: impl Subscriber) -> Self {
        self.emitter = self.emitter.with(subscriber);
        self
    }
}

impl From<&str> for EventLane {
    fn from(source: &str) -> Self {
        Self::new(source)
    }
}

/// For an outbox with a store of your own, which knows the function that handles them.
impl From<EventLane> for Lane {
    fn from(events: EventLane) -> Self {
        let EventLane { name, schedule, emitter } = events;
        Self::without_calls(name, emitter).schedule(schedule)
    }
}

impl OutboxBuilder<MemoryStore> {
    /// Handles the events of a source by this function: see [the inbox](crate::inbox#handling). It must not
    /// use this outbox.
    pub fn on_event<F>(self, source: impl Into<EventLane>, handle: F) -> Self
    where
        F: Fn(&ReceivedEvent) -> Result<(), BoxError> + Send + Sync + 'static,
    {
        let events = source.into();
        let name = events.name.clone();
        self.lane(events).on_delivered(name, move |message, _| handle(&ReceivedEvent::of(message)))
    }
}

#[cfg(feature = "sqlite")]
impl OutboxBuilder<SqliteFile> {
    /// Handles the events of a source by this function, in the transaction that marks them handled: see
    /// [the inbox](crate::inbox#handling).
    ///
    /// It runs on the thread that writes to the file, so it must not block on anything else, and must neither
    /// begin nor end a transaction.
    pub fn on_event<F>(self, source: impl Into<EventLane>, handle: F) -> Self
    where
        F: Fn(&Connection, &ReceivedEvent) -> Result<(), BoxError> + Send + Sync + 'static,
    {
        let events = source.into();
        let name = events.name.clone();
        self.lane(events).on_delivered(name, move |connection, message, _| {
            handle(connection, &ReceivedEvent::of(message))
        })
    }
}

#[cfg(feature = "postgres")]
impl OutboxBuilder<PostgresStore> {
    /// Handles the events of a source by this function, in the transaction that marks them handled: see
    /// [the inbox](crate::inbox#handling).
    ///
    /// ```no_run
    /// # use outrigger::outbox::{Outbox, postgres::PostgresStore};
    /// # fn build(store: PostgresStore) -> Result<(), Box<dyn std::error::Error>> {
    /// let outbox = Outbox::postgres(store).on_event("stripe", |tx, event| {
    ///     Box::pin(async move {
    ///         tx.execute("INSERT INTO paid (invoice) VALUES ($1)", &[&event.order_key()]).await?;
    ///         Ok(())
    ///     })
    /// });
    /// # outbox.build()?; Ok(()) }
    /// ```
    ///
    /// What it writes is rolled back if it fails, panics or takes longer than 10 s. It must not end the
    /// transaction. If another transaction was in its way, it is run again, as
    /// [`PostgresStore::on_delivered`] says.
    pub fn on_event<F>(self, source: impl Into<EventLane>, handle: F) -> Self
    where
        F: for<'a> Fn(&'a Transaction<'a>, &'a ReceivedEvent) -> PostgresHookFuture<'a>
            + Send
            + Sync
            + 'static,
    {
        let (events, handle) = (source.into(), Arc::new(handle));
        let name = events.name.clone();
        self.lane(events).on_delivered(name, move |tx, message, _| {
            let handle = Arc::clone(&handle);
            Box::pin(async move {
                let event = ReceivedEvent::of(message);
                handle(tx, &event).await
            })
        })
    }
}
