//! A store that fails, is slow or panics while somebody acts, and a browser that leaves.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use outrigger::console::{ActResult, Console, ConsoleAct};
use outrigger::control::Registry;
use outrigger::outbox::{
    Acted, Action, ClaimRequest, Claimed, Enqueued, Filter, History, LaneStats, LeaseRef,
    MemoryStore, Message, MessageId, NewMessage, Outbox, OutboxError, Page, Pause, Reaped,
    Selection, Settled, Settlement, State, Store, StoreFuture, StoredMessage, Timestamp,
};
use outrigger::rt::{Clock, Rng};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration};
use tower::ServiceExt;

use super::bench::{all, encode, form_of};

/// A store in memory that can be told to fail, to be slow, or to panic. Clones are the same one.
#[derive(Clone)]
struct Away {
    inner: MemoryStore,
    mode: Arc<AtomicU8>,
}

impl Away {
    fn go<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a MemoryStore) -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        match self.mode.load(Ordering::SeqCst) {
            HERE => work(&self.inner),
            FAILS => Box::pin(async { Err(self.error().await) }),
            SLOW => Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                work(&self.inner).await
            }),
            _ => panic!("a store's mistake"),
        }
    }

    /// Only stores make errors: this is one of the store in memory, about a message that it doesn't have.
    async fn error(&self) -> OutboxError {
        let id: MessageId = "01890000-0000-7000-8000-000000000000".parse().expect("an id");
        let new = Message::post("/").build("any", Timestamp(0), &Rng::seeded(1));
        let edited =
            self.inner.edit(id, new.expect("it is whole"), "ada".into(), "a test".into()).await;
        edited.expect_err("there is no such message")
    }
}

macro_rules! forward {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $output:ty;)+) => {
        impl Store for Away {
            $(fn $name(&self $(, $argument: $kind)*) -> StoreFuture<'_, $output> {
                self.go(move |inner| inner.$name($($argument),*))
            })+

            fn has_hook(&self, lane: &str) -> bool {
                self.inner.has_hook(lane)
            }
        }
    };
}

forward! {
    now() -> Timestamp;
    enqueue(messages: Vec<NewMessage>) -> Vec<Enqueued>;
    claim(request: ClaimRequest) -> Claimed;
    extend(leases: Vec<LeaseRef>, lease: Duration) -> Vec<bool>;
    keep_request(first: LeaseRef, request: Bytes) -> bool;
    members(batch: MessageId) -> Vec<StoredMessage>;
    settle(settlements: Vec<Settlement>) -> Vec<Option<Settled>>;
    reap(most: usize) -> Reaped;
    recover() -> Reaped;
    pause(pause: Pause) -> ();
    resume(lane: String, who: String, why: String) -> ();
    stats(lane: String) -> LaneStats;
    browse(filter: Filter, page: Page) -> Vec<StoredMessage>;
    get(id: MessageId) -> Option<History>;
    act(on: Selection, action: Action, who: String, why: String) -> Acted;
    edit(id: MessageId, edited: NewMessage, who: String, why: String) -> ();
    prune(before: Timestamp, most: usize) -> usize;
}

struct Desk {
    store: Away,
    outbox: Outbox,
    console: Console,
    recorded: Arc<Mutex<Vec<ConsoleAct>>>,
}

impl Desk {
    fn new() -> Self {
        let clock = Clock::anchored(Clock::system().wall());
        let registry = Registry::new();
        let mailer = Integration::background("mailer").service(Script::new([Answer::status(200)]));
        let mailer = mailer.register(&registry).build().unwrap();
        let inner = MemoryStore::new().clock(clock);
        let store = Away { inner, mode: Arc::new(AtomicU8::new(HERE)) };
        let outbox = Outbox::with_store(store.clone()).clock(clock).lane(&mailer).build().unwrap();
        let recorded = Arc::new(Mutex::new(Vec::new()));
        let records = Arc::clone(&recorded);
        let console = Console::builder(&registry, all()).outbox(outbox.clone()).clock(clock);
        let console = console
            .record_to(move |act: &ConsoleAct| records.lock().unwrap().push(act.clone()))
            .build()
            .unwrap();
        Self { store, outbox, console, recorded }
    }

    fn is(&self, mode: u8) {
        self.store.mode.store(mode, Ordering::SeqCst);
    }

    async fn dead(&self) -> MessageId {
        let mail = Message::post("http://mail.test/send").lane("mailer").body("to=ada");
        let id = self.outbox.enqueue(mail.deadline(Duration::from_secs(1))).await.unwrap().id;
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.store.reap(10).await.unwrap();
        id
    }

    async fn form(&self, page: &str, act: &str) -> BTreeMap<String, String> {
        let request = Request::get(format!("/{page}")).header("x-user", "ada");
        let page = self.send(request.body(Body::empty()).unwrap()).await;
        form_of(&page.into_body().text().await.unwrap(), act).unwrap()
    }

    async fn post(&self, form: &BTreeMap<String, String>) -> Response<Body> {
        let request = Request::post("/")
            .header("x-user", "ada")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(encode(form))).unwrap()).await
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.console.clone().oneshot(request).await.unwrap()
    }

    fn last(&self) -> ActResult {
        self.recorded.lock().unwrap().last().unwrap().result.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_lane_of_a_message_cannot_be_read_nothing_is_allowed() {
    let desk = Desk::new();
    let id = desk.dead().await;
    let form = desk.form(&format!("?message={id}"), "replay").await;
    desk.is(FAILS);
    assert_eq!(desk.post(&form).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(desk.recorded.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_act_whose_browser_leaves_comes_to_its_end() {
    let desk = Desk::new();
    let id = desk.dead().await;
    let form = desk.form(&format!("?message={id}"), "replay").await;
    desk.is(SLOW);
    // After its lane was read, while the store acts.
    let left = tokio::time::timeout(Duration::from_millis(1500), desk.post(&form)).await;
    assert!(left.is_err());
    assert_eq!(desk.last(), ActResult::Begun);
    tokio::time::sleep(Duration::from_secs(5)).await;
    desk.is(HERE);
    let history = desk.outbox.history(id).await.unwrap().unwrap();
    assert_eq!(history.message.progress.state, State::Ready);
    assert_eq!(desk.last(), ActResult::Done(String::new()));
}

#[tokio::test(start_paused = true)]
async fn an_act_that_panics_is_recorded_and_answered() {
    let desk = Desk::new();
    let mut form = desk.form("?lane=mailer", "pause").await;
    form.insert("until".to_owned(), "open".to_owned());
    desk.is(PANICS);
    let answer = desk.post(&form).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.into_body().text().await.unwrap().contains("It broke off."));
    assert_eq!(desk.last(), ActResult::Failed("it broke off".to_owned()));
}

const HERE: u8 = 0;
const FAILS: u8 = 1;
const SLOW: u8 = 2;
const PANICS: u8 = 3;
