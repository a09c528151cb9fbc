use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use outrigger::BoxError;
use outrigger::inbox::{
    EventLane, Facts, Inbox, InboxBuilder, InboxError, InboxErrorKind, Received, ReceivedEvent,
    Scheme, StandardWebhooks, Verified,
};
use outrigger::outbox::{Filter, MessageId, Outbox, Page, Schedule, StoredMessage, Timestamp};
use outrigger::rt::Clock;
use tokio::task::JoinHandle;

use crate::sign::Signed;

/// The time of the vector of Standard Webhooks.
pub(crate) const NOW: i64 = 1_614_265_330;
/// The source of most tests.
pub(crate) const SOURCE: &str = "acme";

/// For what takes real time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Another source, with the same handler.
pub(crate) const OTHER: &str = "other";

/// An outbox with a handler that remembers what it handled and can be told to fail.
pub(crate) struct Bench {
    pub(crate) outbox: Outbox,
    pub(crate) clock: Clock,
    pub(crate) handler: Handler,
    worker: Option<JoinHandle<()>>,
    folder: Option<PathBuf>,
    /// Whether its store takes real time.
    is_real: bool,
}

#[derive(Clone, Default)]
pub(crate) struct Handler {
    pub(crate) handled: Arc<Mutex<Vec<ReceivedEvent>>>,
    pub(crate) attempts: Arc<Mutex<Vec<(u32, tokio::time::Instant)>>>,
    spoilt: Arc<Mutex<Option<&'static str>>>,
    panics: Arc<AtomicBool>,
}

impl Handler {
    pub(crate) fn handle(&self, event: &ReceivedEvent) -> Result<(), BoxError> {
        self.attempts.lock().unwrap().push((event.attempt(), tokio::time::Instant::now()));
        assert!(!self.panics.load(Ordering::SeqCst), "the handler panics, as the test asked for");
        if event.id().is_some() && event.id() == *self.spoilt.lock().unwrap() {
            return Err("not now".into());
        }
        self.handled.lock().unwrap().push(event.clone());
        Ok(())
    }

    /// Fails at the event of this id; at none.
    pub(crate) fn fail_at(&self, id: impl Into<Option<&'static str>>) {
        *self.spoilt.lock().unwrap() = id.into();
    }

    pub(crate) fn panic(&self, panics: bool) {
        self.panics.store(panics, Ordering::SeqCst);
    }

    /// The ids of what was handled, in order.
    pub(crate) fn ids(&self) -> Vec<String> {
        let handled = self.handled.lock().unwrap();
        handled.iter().map(|event| event.id().unwrap_or("none").to_owned()).collect()
    }

    pub(crate) fn attempts(&self) -> Vec<u32> {
        self.attempts.lock().unwrap().iter().map(|(attempt, _)| *attempt).collect()
    }
}

impl Bench {
    /// In memory.
    pub(crate) fn new() -> Self {
        Self::scheduled(EventLane::new(SOURCE))
    }

    /// In memory, tried again soon.
    pub(crate) fn memory() -> Self {
        Self::scheduled(soon())
    }

    pub(crate) fn scheduled(events: EventLane) -> Self {
        let (clock, handler) = (clock(), Handler::default());
        let (handle, other) = (handler.clone(), handler.clone());
        let outbox =
            Outbox::memory().clock(clock).on_event(events, move |event| handle.handle(event));
        let outbox = outbox.on_event(OTHER, move |event| other.handle(event)).build().unwrap();
        Self { outbox, clock, handler, worker: None, folder: None, is_real: false }
    }

    /// In a file, tried again soon. Its thread doesn't know of paused time.
    #[cfg(feature = "sqlite")]
    pub(crate) fn sqlite() -> Self {
        use std::sync::atomic::AtomicU32;

        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "outrigger-inbox-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::SeqCst)
        );
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let (clock, handler) = (clock(), Handler::default());
        let (handle, other) = (handler.clone(), handler.clone());
        let outbox = Outbox::sqlite(folder.join("app.db")).clock(clock);
        let outbox = outbox.on_event(soon(), move |_, event| handle.handle(event));
        let outbox = outbox.on_event(OTHER, move |_, event| other.handle(event)).build().unwrap();
        Self { outbox, clock, handler, worker: None, folder: Some(folder), is_real: true }
    }

    /// In PostgreSQL, tried again soon, by the database's clock. `None` if there is no PostgreSQL on this machine.
    #[cfg(feature = "postgres")]
    pub(crate) async fn postgres() -> Option<Self> {
        let schema = crate::postgres::Schema::new().await?;
        let (clock, handler) = (clock(), Handler::default());
        let (handle, other) = (handler.clone(), handler.clone());
        let outbox = Outbox::postgres(schema.store()).on_event(soon(), move |_, event| {
            let handle = handle.clone();
            Box::pin(async move { handle.handle(event) })
        });
        let outbox = outbox.on_event(OTHER, move |_, event| {
            let other = other.clone();
            Box::pin(async move { other.handle(event) })
        });
        let outbox = outbox.build().unwrap();
        Some(Self { outbox, clock, handler, worker: None, folder: None, is_real: true })
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.as_ref().expect("it is in a file").join("app.db")
    }

    /// Handles events from now on.
    pub(crate) fn work(&mut self) {
        let outbox = self.outbox.clone();
        self.worker = Some(tokio::spawn(async move { outbox.run().await.unwrap() }));
    }

    /// An inbox at this outbox and clock.
    pub(crate) fn inbox(&self, scheme: impl Scheme) -> Inbox {
        self.builder(scheme).build().expect("settings that work")
    }

    pub(crate) fn builder(&self, scheme: impl Scheme) -> InboxBuilder {
        let builder = Inbox::builder(SOURCE, scheme, &self.outbox).clock(self.clock);
        match self.is_real {
            false => builder,
            // The disk of a machine that does other things, too.
            true => builder.time_limit(PATIENCE),
        }
    }

    /// All rows.
    pub(crate) async fn rows(&self) -> Vec<StoredMessage> {
        self.outbox.browse(Filter::all(), Page::first(1_000)).await.unwrap()
    }

    /// Waits until this is so; fails if it isn't after a minute.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&[StoredMessage]) -> bool) {
        let end = tokio::time::Instant::now() + Duration::from_secs(60);
        while !is_so(&self.rows().await) {
            assert!(tokio::time::Instant::now() < end, "{what}, after a minute");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(worker) = &self.worker {
            worker.abort();
        }
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// Makes a test of each promise for each store.
macro_rules! on_every_store {
    ($($promise:ident)+) => {
        mod memory {
            $(#[tokio::test(start_paused = true)]
            async fn $promise() {
                super::$promise(crate::bench::Bench::memory()).await;
            })+
        }

        #[cfg(feature = "sqlite")]
        mod sqlite {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(crate::bench::Bench::sqlite()).await;
            })+
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[tokio::test]
            async fn $promise() {
                if let Some(bench) = crate::bench::Bench::postgres().await {
                    super::$promise(bench).await;
                }
            })+
        }
    };
}
pub(crate) use on_every_store;

/// A clock that stands at [`NOW`] and moves with tokio's.
pub(crate) fn clock() -> Clock {
    Clock::anchored(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs()))
}

fn soon() -> EventLane {
    EventLane::new(SOURCE).schedule(Schedule::new([Duration::from_millis(20)]))
}

/// Verifies and records, without HTTP.
pub(crate) async fn receive(inbox: &Inbox, signed: &Signed) -> Result<Received, InboxErrorKind> {
    let (head, body) = signed.request().into_parts();
    inbox.receive(&head, body.into()).await.map_err(|error| error.kind())
}

/// What a scheme says of a request at [`NOW`].
pub(crate) fn verify(scheme: &dyn Scheme, signed: &Signed) -> Result<Verified, InboxError> {
    let (head, body) = signed.request().into_parts();
    scheme.verify(&head, &body.into(), Timestamp(NOW * 1000))
}

pub(crate) fn refusal(scheme: &dyn Scheme, signed: &Signed) -> Option<InboxErrorKind> {
    verify(scheme, signed).err().map(|error| error.kind())
}

#[track_caller]
pub(crate) fn recorded(received: Result<Received, InboxErrorKind>) -> MessageId {
    match received {
        Ok(Received::Recorded(id)) => id,
        other => panic!("not recorded: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn duplicate(received: Result<Received, InboxErrorKind>) -> (MessageId, bool) {
    match received {
        Ok(Received::Duplicate { id, replayed }) => (id, replayed),
        other => panic!("no duplicate: {other:?}"),
    }
}

/// A scheme that takes the body for a signed id.
pub(crate) fn trusting() -> impl Scheme {
    |_: &http::request::Parts, body: &bytes::Bytes, _: Timestamp| -> Result<Verified, InboxError> {
        Ok(Facts::signed_id(String::from_utf8_lossy(body)).into())
    }
}

/// Standard Webhooks, whose secret is 24 bytes of 7.
pub(crate) fn standard() -> StandardWebhooks {
    StandardWebhooks::new(["whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"]).unwrap()
}
