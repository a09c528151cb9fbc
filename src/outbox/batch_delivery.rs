//! One batch of claimed messages: what is done with it, until the store has each of them back.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use tokio::task::JoinSet;

use super::batch::{Batch, ItemVerdict, request_from_bytes, request_to_bytes};
use super::call::{self, Called};
use super::deliver::{Delivery, Ended};
use super::inner::Inner;
use super::input::{Effect, Outcome};
use super::lane::{Lane, Probed, UnknownOutcome};
use super::lease::{in_grace, under_leases};
use super::settlement::hook_error;
use super::stored::StoredMessage;
use super::time::Timestamp;
use super::verdict::Verdict;
use crate::context::Report as CallReport;
use crate::integration::Integration;
use crate::terms::Delivery as Sent;
use crate::terms::outbox::DeadReason;

/// What a worker does with one batch.
pub(super) struct BatchDelivery {
    inner: Arc<Inner>,
    lane: Arc<Lane>,
    batch: Batch,
    messages: Vec<StoredMessage>,
}

impl BatchDelivery {
    pub(super) fn new(
        inner: Arc<Inner>,
        lane: Arc<Lane>,
        batch: Batch,
        messages: Vec<StoredMessage>,
    ) -> Self {
        Self { inner, lane, batch, messages }
    }

    /// Delivers the batch and settles each of its messages. Their leases are extended until that is stored.
    pub(super) async fn run(self) -> Option<Instant> {
        let started = self.inner.time();
        let held = self.messages.iter().map(|message| self.one(message).lease()).collect();
        let settle = |ended| self.settle(started, ended);
        under_leases((&self.inner, &self.lane), held, self.work_in_grace(started), settle).await
    }

    /// All at once, so that they share transactions.
    async fn settle(&self, started: Timestamp, ended: Vec<Ended>) -> Option<Instant> {
        let mut settling = JoinSet::new();
        for (message, ended) in self.messages.iter().zip(ended) {
            let one = self.one(message);
            settling.spawn(async move { one.settle(started, ended).await });
        }
        let mut gate = None;
        while let Some(settled) = settling.join_next().await {
            gate = gate.max(settled.ok().flatten());
        }
        gate
    }

    async fn work_in_grace(&self, started: Timestamp) -> Option<Vec<Ended>> {
        let report = CallReport::new();
        match in_grace(&self.inner, &report, self.work(started, &report)).await {
            Ok(ended) => ended,
            Err(Sent::NotSent) => Some(self.each(&Outcome::Snooze { until: self.inner.time() })),
            Err(_) => None,
        }
    }

    /// `None` if somebody else has the batch.
    async fn work(&self, started: Timestamp, report: &CallReport) -> Option<Vec<Ended>> {
        let (Some(by), Some(first)) = (self.lane.destination.integration(), self.messages.first())
        else {
            return None;
        };
        let size = usize::try_from(first.progress.batch_size).unwrap_or(usize::MAX);
        if self.messages.len() != size {
            let apart = |message| {
                let one = self.one(message);
                one.without_call(one.apart(started))
            };
            return Some(self.messages.iter().map(apart).collect());
        }
        let request = match first.batch_request.as_ref().and_then(request_from_bytes) {
            Some(request) => {
                if let Some(ended) = self.ask_policy(&request, started).await {
                    return Some(ended);
                }
                request
            }
            // Nothing of this batch was sent.
            None => match self.make_request(first, started).await? {
                Ok(request) => request,
                Err(ended) => return Some(ended),
            },
        };
        let head = self.head(first, request);
        let called = self.call(by, &head, started, report).await;
        Some(self.judge(&head, called).await)
    }

    /// Makes the request and stores it, so that a repetition is the same.
    async fn make_request(
        &self,
        first: &StoredMessage,
        now: Timestamp,
    ) -> Option<Result<Request<Bytes>, Vec<Ended>>> {
        let request = match self.batch.request(&self.messages) {
            Some(Ok(request)) => request,
            failed => {
                let failed = failed.map(|made| made.map(drop));
                let at = self.one(first).next(now, None);
                let mut ended = self.each(&Outcome::Retry { at, effect: Effect::None });
                let error = hook_error(failed).err();
                ended.iter_mut().for_each(|ended| ended.error.clone_from(&error));
                return Some(Err(ended));
            }
        };
        let lease = self.one(first).lease();
        match self.inner.store.keep_request(lease, request_to_bytes(&request)).await {
            Ok(true) => Some(Ok(request)),
            Ok(false) => None,
            // It was not sent.
            Err(_) => Some(Err(self.each(&Outcome::Snooze { until: now }))),
        }
    }

    /// What becomes of a batch that may have been done, unless it is to be sent again.
    async fn ask_policy(&self, request: &Request<Bytes>, now: Timestamp) -> Option<Vec<Ended>> {
        if !self.messages.iter().any(|message| message.progress.asks_policy(now)) {
            return None;
        }
        let mut asking = JoinSet::new();
        for (place, message) in self.messages.iter().enumerate() {
            let mut one = self.one(message);
            one.message.content.method = request.method().clone();
            asking.spawn(async move { (place, one.may_resend(now).await) });
        }
        let mut told = vec![Probed::Unknown; self.messages.len()];
        while let Some(asked) = asking.join_next().await {
            if let Ok((place, asked)) = asked {
                told[place] = asked;
            }
        }
        let is_probed = matches!(self.lane.unknown, Some(UnknownOutcome::Probe(_)));
        if !is_probed {
            let may = told.iter().all(|told| *told == Probed::NotDone);
            return (!may).then(|| self.each(&Outcome::Dead(DeadReason::UnknownOutcome)));
        }
        let outcome = |(message, told): (&StoredMessage, Probed)| {
            let one = self.one(message);
            one.without_call(match told {
                Probed::Done => one.delivered(now),
                Probed::NotDone => Outcome::RetryApart { at: now },
                Probed::Unknown => Outcome::Dead(DeadReason::UnknownOutcome),
            })
        };
        Some(self.messages.iter().zip(told).map(outcome).collect())
    }

    /// The batch as if it were one message.
    fn head(&self, first: &StoredMessage, request: Request<Bytes>) -> Delivery {
        let mut head = self.one(first);
        let (parts, body) = request.into_parts();
        let content = &mut head.message.content;
        if let Some(id) = first.progress.batch_id {
            content.idempotency_key = id.to_string();
        }
        content.dedup_key = None;
        (content.method, content.uri) = (parts.method, parts.uri);
        (content.headers, content.body) = (parts.headers, body);
        let progresses = || self.messages.iter().map(|message| &message.progress);
        let progress = &mut head.message.progress;
        progress.deadline = progresses().map(|it| it.deadline).min().unwrap_or(progress.deadline);
        progress.unknown = progresses().map(|it| it.unknown).max().unwrap_or_default();
        head
    }

    async fn call(
        &self,
        by: &Integration,
        head: &Delivery,
        started: Timestamp,
        report: &CallReport,
    ) -> Called {
        let had_unknown = head.message.progress.unknown > 0;
        let limit = head.limit(started);
        call::send(by, &head.message.content, limit, ANSWER, had_unknown, report).await
    }

    async fn judge(&self, head: &Delivery, called: Called) -> Vec<Ended> {
        let (now, verdict) = (self.inner.time(), Verdict::of(&called.facts));
        if matches!(verdict, Verdict::Delivered | Verdict::Rejected) {
            let answer = called.answer.as_ref();
            if let Some(told) =
                answer.and_then(|answer| self.batch.verdicts(&self.messages, answer))
            {
                return self.by_items(head, &told, &called, now);
            }
        }
        let verdict = match verdict {
            // Nobody can say which of them were done.
            Verdict::Delivered => Verdict::Retry { effect: Effect::Unknown, wait: None },
            verdict => verdict,
        };
        let ended = head.judge(verdict, called).await;
        vec![ended; self.messages.len()]
    }

    fn by_items(
        &self,
        head: &Delivery,
        told: &[ItemVerdict],
        called: &Called,
        now: Timestamp,
    ) -> Vec<Ended> {
        let at = head.next(now, None);
        let ended = |(message, told): (&StoredMessage, &ItemVerdict)| {
            let one = self.one(message);
            let outcome = match told {
                ItemVerdict::Delivered => one.delivered(now),
                ItemVerdict::Retryable => Outcome::RetryApart { at },
                ItemVerdict::Rejected => Outcome::Dead(DeadReason::Rejected),
            };
            Ended { called: Some(called.clone()), ..one.without_call(outcome) }
        };
        self.messages.iter().zip(told).map(ended).collect()
    }

    fn each(&self, outcome: &Outcome) -> Vec<Ended> {
        let ended = |message| self.one(message).without_call(outcome.clone());
        self.messages.iter().map(ended).collect()
    }

    fn one(&self, message: &StoredMessage) -> Delivery {
        let (inner, lane) = (Arc::clone(&self.inner), Arc::clone(&self.lane));
        Delivery { inner, lane, message: message.clone() }
    }
}

/// What of an answer's body is read for the verdicts, at most.
const ANSWER: usize = 1 << 20;
