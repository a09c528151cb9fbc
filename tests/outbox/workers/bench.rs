use std::time::{Duration, SystemTime};

use outrigger::outbox::{
    History, Lane, MemoryStore, Message, MessageId, Outbox, OutboxBuilder, Ticket, TicketState,
};
use outrigger::rt::{Clock, Rng};
use outrigger::testing::{Answer, Script};
use outrigger::{Integration, IntegrationBuilder, integration};
use tokio::task::JoinHandle;

/// An outbox that runs.
pub(crate) struct Running {
    pub(crate) outbox: Outbox,
    task: JoinHandle<()>,
}

pub(crate) fn provider(answers: impl IntoIterator<Item = Answer>) -> Script {
    Script::new(answers)
}

pub(crate) fn builder(name: &str) -> IntegrationBuilder<integration::OwnClient> {
    Integration::background(name.to_owned())
}

pub(crate) fn integration(name: &str, script: &Script) -> Integration {
    builder(name).service(script.clone()).build().unwrap()
}

pub(crate) fn memory() -> OutboxBuilder<MemoryStore> {
    let clock = Clock::anchored(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    Outbox::memory().clock(clock).rng(Rng::seeded(3))
}

/// An outbox with one lane, which runs.
pub(crate) fn run(lane: impl Into<Lane>) -> Running {
    start(memory().lane(lane).build().unwrap())
}

pub(crate) fn start(outbox: Outbox) -> Running {
    let runs = outbox.clone();
    let task = tokio::spawn(async move { runs.run().await.unwrap() });
    Running { outbox, task }
}

pub(crate) fn mail(body: &'static str) -> Message {
    Message::post("https://api.mailer.example/mails").body(body)
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) async fn sleep(secs: u64) {
    tokio::time::sleep(Duration::from_secs(secs)).await;
}

pub(crate) fn bodies(script: &Script) -> Vec<String> {
    let text = |body: &bytes::Bytes| String::from_utf8(body.to_vec()).unwrap();
    script.requests().iter().map(|request| text(request.body())).collect()
}

impl Running {
    pub(crate) async fn enqueue(&self, message: Message) -> Ticket {
        self.outbox.enqueue(message).await.unwrap()
    }

    /// Enqueues a message, and waits for its end for at most a week.
    pub(crate) async fn end_of(&self, message: Message) -> TicketState {
        let ticket = self.enqueue(message).await;
        self.outbox.wait(ticket.id, secs(7 * 24 * 3600)).await.unwrap()
    }

    pub(crate) async fn history(&self, id: MessageId) -> History {
        self.outbox.history(id).await.unwrap().unwrap()
    }

    /// What its attempts came to.
    pub(crate) async fn outcomes(&self, id: MessageId) -> Vec<String> {
        let attempts = self.history(id).await.attempts;
        attempts.into_iter().map(|attempt| attempt.outcome).collect()
    }

    pub(crate) async fn shut_down(self, grace: Duration) {
        self.outbox.shut_down(grace);
        self.task.await.unwrap();
    }

    /// As if the process ended.
    pub(crate) async fn kill(self) -> Outbox {
        self.task.abort();
        let _ = self.task.await;
        self.outbox
    }
}
