//! A store with a clock that the test moves, and short words for what a worker does.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outrigger::outbox::{
    Acted, Action, Answer, ClaimRequest, Claimed, DeadHead, Effect, Enqueued, History, LeaseRef,
    MemoryHook, Message, MessageId, Outcome, Phase, Report, Selection, Settled, Settlement, Store,
    StoredMessage, Timestamp,
};
use outrigger::rt::Rng;
use outrigger::testing::ManualClock;

/// The lane whose messages are settled by a function of the test.
pub(crate) const HOOKED: &str = "hooked";
/// Any other lane.
pub(crate) const LANE: &str = "mailer";

pub(crate) type Waiting<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// Opens an empty store, whose lane [`HOOKED`] has this function.
pub(crate) type Open<'a> = &'a (dyn Fn(Arc<MemoryHook>) -> Waiting<'static, Bench> + Sync);

pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
    advance: Box<dyn Fn(Duration) -> Waiting<'static, ()> + Send + Sync>,
    /// What must live as long as the store: a folder, a server.
    _keep: Box<dyn std::any::Any + Send + Sync>,
    rng: Rng,
}

/// A clock that stands at a time of today's.
pub(crate) fn clock() -> ManualClock {
    ManualClock::at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000))
}

/// A store whose lane [`HOOKED`] has a function that does nothing.
pub(crate) async fn open(with: Open<'_>) -> Bench {
    with(Arc::new(|_, _| Ok(()))).await
}

impl Bench {
    /// A store that reads this clock.
    pub(crate) fn new(store: impl Store, clock: ManualClock) -> Self {
        Self::moved_by(store, move |by| {
            clock.advance(by);
            Box::pin(std::future::ready(()))
        })
    }

    /// A store whose clock is moved by this function.
    pub(crate) fn moved_by(
        store: impl Store,
        advance: impl Fn(Duration) -> Waiting<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        let (advance, rng) = (Box::new(advance), Rng::seeded(7));
        Self { store: Arc::new(store), advance, _keep: Box::new(()), rng }
    }

    /// Keeps this for as long as the store.
    pub(crate) fn keeping(mut self, kept: impl std::any::Any + Send + Sync) -> Self {
        self._keep = Box::new(kept);
        self
    }

    pub(crate) async fn advance(&self, by: Duration) {
        (self.advance)(by).await;
    }

    pub(crate) async fn advance_secs(&self, secs: u64) {
        self.advance(Duration::from_secs(secs)).await;
    }

    pub(crate) async fn now(&self) -> Timestamp {
        self.store.now().await.unwrap()
    }

    /// So many seconds from now.
    pub(crate) async fn after(&self, secs: u64) -> Timestamp {
        self.now().await.plus(Duration::from_secs(secs))
    }

    pub(crate) async fn enqueue_in(&self, lane: &str, message: Message) -> Enqueued {
        let new = message.build(lane, self.now().await, &self.rng).unwrap();
        self.store.enqueue(vec![new]).await.unwrap().remove(0)
    }

    pub(crate) async fn enqueue(&self, message: Message) -> MessageId {
        self.enqueue_in(LANE, message).await.id
    }

    /// Stores a message with this body, and says its id.
    pub(crate) async fn add(&self, body: &'static str) -> MessageId {
        self.enqueue(mail(body)).await
    }

    /// Stores a message that is only handled: nothing is sent.
    pub(crate) async fn handle(&self, message: Message) -> MessageId {
        let mut new = message.build(HOOKED, self.now().await, &self.rng).unwrap();
        new.progress.phase = Phase::Handle;
        self.store.enqueue(vec![new]).await.unwrap().remove(0).id
    }

    pub(crate) async fn act(&self, on: MessageId, action: Action) -> Acted {
        let on = Selection::One(on);
        self.store.act(on, action, "ada".into(), "fixed".into()).await.unwrap()
    }

    pub(crate) async fn claim_as(&self, request: ClaimRequest) -> Claimed {
        self.store.claim(request).await.unwrap()
    }

    /// Claims at most so many messages of the usual lane.
    pub(crate) async fn claim(&self, most: usize) -> Vec<StoredMessage> {
        self.claim_as(request(LANE, most)).await.messages
    }

    /// Claims the only message that is due.
    pub(crate) async fn claim_one(&self, lane: &str) -> StoredMessage {
        let mut claimed = self.claim_as(request(lane, 10)).await.messages;
        assert_eq!(claimed.len(), 1, "one message is due");
        claimed.remove(0)
    }

    pub(crate) async fn settle_with(
        &self,
        lease: LeaseRef,
        outcome: Outcome,
        answer: Option<Answer>,
    ) -> Settled {
        let now = self.now().await;
        let report = Report {
            owner: "worker".into(),
            started: now,
            ended: now,
            status: answer.as_ref().map(|answer| answer.status),
            class: None,
            request_id: Some("req-1".into()),
            error: None,
        };
        let settlement = Settlement { lease, outcome, report, answer, unkept: None };
        self.store.settle(vec![settlement]).await.unwrap().remove(0).expect("the message is stored")
    }

    pub(crate) async fn settle(&self, message: &StoredMessage, outcome: Outcome) -> Settled {
        self.settle_with(lease(message), outcome, None).await
    }

    pub(crate) async fn deliver(&self, message: &StoredMessage) -> Settled {
        let hook_again = self.after(5).await;
        self.settle(message, Outcome::Delivered { hook_again }).await
    }

    /// It failed, and is tried again in so many seconds.
    pub(crate) async fn fail(&self, message: &StoredMessage, secs: u64) -> Settled {
        let at = self.after(secs).await;
        self.settle(message, Outcome::Retry { at, effect: Effect::None }).await
    }

    pub(crate) async fn get(&self, id: MessageId) -> History {
        self.store.get(id).await.unwrap().expect("the message is stored")
    }

    /// Where it stands, in a word: the state's, or why it is dead.
    pub(crate) async fn state(&self, id: MessageId) -> &'static str {
        let progress = self.get(id).await.message.progress;
        progress.dead_reason.map_or(progress.state.name(), |reason| reason.name())
    }

    /// The bodies of what can be claimed now.
    pub(crate) async fn claim_bodies(&self, most: usize) -> Vec<String> {
        self.claim(most).await.iter().map(body).collect()
    }
}

pub(crate) fn mail(body: &'static str) -> Message {
    Message::post("https://api.mailer.example/mails").body(body)
}

pub(crate) fn request(lane: &str, most: usize) -> ClaimRequest {
    ClaimRequest {
        lane: lane.into(),
        owner: "worker".into(),
        most,
        lease: Duration::from_secs(60),
        key_lifetime: Some(Duration::from_secs(3600)),
        own_key_lifetime: Some(Duration::from_secs(7200)),
        dead_head: DeadHead::Blocks,
        batch: None,
        tenant_limit: None,
    }
}

pub(crate) fn lease(message: &StoredMessage) -> LeaseRef {
    LeaseRef { id: message.content.id, token: message.progress.token }
}

pub(crate) fn answer(status: u16, body: &'static str) -> Answer {
    let mut headers = http::HeaderMap::new();
    headers.insert("x-answer", "yes".parse().unwrap());
    Answer { status, headers, body: body.into(), sealed_by: None }
}

pub(crate) fn body(message: &StoredMessage) -> String {
    String::from_utf8(message.content.body.to_vec()).unwrap()
}
