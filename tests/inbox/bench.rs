use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use outrigger::BoxError;
use outrigger::inbox::{
    Facts, Inbox, InboxBuilder, InboxError, InboxErrorKind, Received, ReceivedEvent, Scheme,
    Verified,
};
use outrigger::outbox::{Filter, MemoryStore, MessageId, Page, Store, StoredMessage, Timestamp};
use outrigger::testing::ManualClock;

use crate::sign::Signed;

/// The time of the vector of Standard Webhooks.
pub(crate) const NOW: i64 = 1_614_265_330;
/// The source of most tests.
pub(crate) const SOURCE: &str = "acme";

/// A store with a handler that remembers what it handled and can be told to fail.
pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: ManualClock,
    pub(crate) handler: Handler,
}

#[derive(Clone, Default)]
pub(crate) struct Handler {
    pub(crate) handled: Arc<Mutex<Vec<ReceivedEvent>>>,
    pub(crate) attempts: Arc<Mutex<Vec<u32>>>,
    fails: Arc<AtomicBool>,
    spoilt: Arc<Mutex<Option<&'static str>>>,
    panics: Arc<AtomicBool>,
}

impl Handler {
    pub(crate) fn handle(&self, event: &ReceivedEvent) -> Result<(), BoxError> {
        self.attempts.lock().unwrap().push(event.attempt());
        assert!(!self.panics.load(Ordering::SeqCst), "the handler panics, as the test asked for");
        let is_spoilt = event.id().is_some() && event.id() == *self.spoilt.lock().unwrap();
        if is_spoilt || self.fails.load(Ordering::SeqCst) {
            return Err("not now".into());
        }
        self.handled.lock().unwrap().push(event.clone());
        Ok(())
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    /// Fails at the event of this id.
    pub(crate) fn fail_at(&self, id: &'static str) {
        *self.spoilt.lock().unwrap() = Some(id);
    }

    pub(crate) fn panic(&self, panics: bool) {
        self.panics.store(panics, Ordering::SeqCst);
    }

    /// The ids of what was handled, in order.
    pub(crate) fn ids(&self) -> Vec<String> {
        let handled = self.handled.lock().unwrap();
        handled.iter().filter_map(|event| event.id().map(str::to_owned)).collect()
    }

    pub(crate) fn handled(&self) -> usize {
        self.handled.lock().unwrap().len()
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let clock = clock();
        let handler = Handler::default();
        let handle = handler.clone();
        let store = MemoryStore::new().clock(clock.clock());
        let store = store.on_event(SOURCE, move |event| handle.handle(event));
        Self { store: Arc::new(store), clock, handler }
    }

    /// An inbox at this store and clock.
    pub(crate) fn inbox(&self, scheme: impl Scheme) -> Inbox {
        self.builder(scheme).build().expect("settings that work")
    }

    pub(crate) fn builder(&self, scheme: impl Scheme) -> InboxBuilder {
        Inbox::new(SOURCE, scheme, Arc::clone(&self.store)).clock(self.clock.clock())
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// All rows.
    pub(crate) async fn rows(&self) -> Vec<StoredMessage> {
        self.store.browse(Filter::all(), Page::first(1_000)).await.unwrap()
    }
}

pub(crate) fn clock() -> ManualClock {
    ManualClock::at(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs()))
}

/// Verifies and records, without HTTP.
pub(crate) async fn receive(inbox: &Inbox, signed: &Signed) -> Result<Received, InboxErrorKind> {
    let (head, body) = signed.request().into_parts();
    inbox.receive(&head, body.into()).await.map_err(|error| error.kind())
}

/// What a scheme says of a request at [`NOW`].
pub(crate) fn verify(scheme: &impl Scheme, signed: &Signed) -> Result<Verified, InboxError> {
    let (head, body) = signed.request().into_parts();
    scheme.verify(&head, &body.into(), Timestamp(NOW * 1000))
}

pub(crate) fn refusal(scheme: &impl Scheme, signed: &Signed) -> Option<InboxErrorKind> {
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
