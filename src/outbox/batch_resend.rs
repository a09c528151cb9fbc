//! What becomes of a batch that isn't simply sent again.

use std::future::Future;

use bytes::Bytes;
use http::Request;
use tokio::task::JoinSet;

use super::batch_delivery::{BatchDelivery, EndedEach};
use super::deliver::Delivery;
use super::input::Outcome;
use super::lane::{Probed, UnknownOutcome};
use super::stored::StoredMessage;
use super::time::Timestamp;
use crate::terms::outbox::DeadReason;

impl BatchDelivery {
    /// Each without the others.
    pub(super) async fn apart(&self, now: Timestamp) -> EndedEach {
        let told = self.ask(|one| async move { one.told_apart(now).await }).await;
        self.each_apart(&told, now)
    }

    /// What becomes of a batch that may have been done, unless it is to be sent again.
    pub(super) async fn ask_policy(
        &self,
        request: &Request<Bytes>,
        now: Timestamp,
    ) -> Option<EndedEach> {
        if !self.messages.iter().any(|message| message.progress.asks_policy(now)) {
            return None;
        }
        let method = request.method();
        let may_resend = |mut one: Delivery| {
            one.message.content.method = method.clone();
            async move { one.may_resend(now).await }
        };
        let told = self.ask(may_resend).await;
        let is_probed = matches!(self.lane.unknown, Some(UnknownOutcome::Probe(_)));
        if !is_probed {
            let may = told.iter().all(|told| *told == Probed::NotDone);
            return (!may).then(|| self.each(&Outcome::Dead(DeadReason::UnknownOutcome)));
        }
        Some(self.each_apart(&told, now))
    }

    /// Asks about all messages at once.
    async fn ask<F>(&self, ask: impl Fn(Delivery) -> F) -> Vec<Probed>
    where
        F: Future<Output = Probed> + Send + 'static,
    {
        let mut asking = JoinSet::new();
        for (place, message) in self.messages.iter().enumerate() {
            let asked = ask(self.one(message));
            asking.spawn(async move { (place, asked.await) });
        }
        let mut told = vec![Probed::Unknown; self.messages.len()];
        while let Some(asked) = asking.join_next().await {
            if let Ok((place, asked)) = asked {
                told[place] = asked;
            }
        }
        told
    }

    /// Something of it can't be opened. If its request is not kept, the others go on without: those of which an earlier
    /// request may have been done as the policy says.
    pub(super) async fn sealed(
        &self,
        first: &StoredMessage,
        key: &str,
        is_kept: bool,
        now: Timestamp,
    ) -> EndedEach {
        let sealed = self.one(first).sealed(key, now);
        let stays = is_kept || matches!(sealed.outcome, Outcome::Snooze { .. });
        let is_stopped = |message: &StoredMessage| stays || message.missing_key().is_some();
        let (stopped, others) = self.messages.iter().cloned().partition(is_stopped);
        let stopped: Vec<_> = stopped;
        let mut all: Vec<_> =
            stopped.iter().map(|message| (self.one(message), sealed.clone())).collect();
        all.extend(Self { messages: others, ..self.clone() }.apart(now).await);
        all
    }

    fn each_apart(&self, told: &[Probed], now: Timestamp) -> EndedEach {
        let ended = |(message, told): (&StoredMessage, &Probed)| {
            let one = self.one(message);
            let ended = one.without_call(one.apart_if(*told, now));
            (one, ended)
        };
        self.messages.iter().zip(told).map(ended).collect()
    }
}
