//! One batch of claimed messages: what is done with it, until the store has each of them back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;

use super::batch::{Batch, ItemVerdict, request_from_bytes, request_to_bytes};
use super::call::{self, Called};
use super::deliver::{Delivery, Ended, settle_all};
use super::error::{OutboxError, OutboxErrorKind};
use super::inner::Inner;
use super::input::{Effect, Outcome};
use super::lane::Lane;
use super::lease::{in_grace, under_leases};
use super::settlement::hook_error;
use super::stored::StoredMessage;
use super::time::Timestamp;
use super::verdict::Verdict;
use crate::context::Report as CallReport;
use crate::integration::Integration;
use crate::outcome::BoxError;
use crate::terms::Delivery as Sent;
use crate::terms::outbox::{DeadReason, State};

/// What a worker does with one batch.
#[derive(Clone)]
pub(super) struct BatchDelivery {
    pub(super) inner: Arc<Inner>,
    pub(super) lane: Arc<Lane>,
    pub(super) batch: Batch,
    pub(super) messages: Vec<StoredMessage>,
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

    /// In one transaction, so that the batch is never known in part.
    async fn settle(&self, started: Timestamp, ended: EndedEach) -> Option<Instant> {
        let gate = ended.iter().filter_map(|(_, ended)| ended.gate).max();
        let ended = ended.iter().map(|(one, ended)| (one, ended.clone()));
        settle_all(&self.inner, &self.lane, started, ended.collect()).await;
        gate
    }

    async fn work_in_grace(&self, started: Timestamp) -> Option<EndedEach> {
        let report = CallReport::new();
        match in_grace(&self.inner, &report, self.work(started, &report)).await {
            Ok(ended) => ended,
            Err(Sent::NotSent) => Some(self.each(&Outcome::Snooze { until: self.inner.time() })),
            Err(_) => None,
        }
    }

    /// `None` if somebody else has the batch.
    async fn work(&self, started: Timestamp, report: &CallReport) -> Option<EndedEach> {
        let (Some(by), Some(first)) = (self.lane.destination.integration(), self.messages.first())
        else {
            return None;
        };
        let members = match self.members(first).await {
            Ok(Some(members)) => members,
            Ok(None) => return Some(self.apart(started).await),
            Err(_) => return Some(self.each(&Outcome::Snooze { until: started })),
        };
        let kept = members.iter().find_map(|member| member.batch_request.as_ref());
        if let Some(key) = members.iter().find_map(StoredMessage::missing_key_of_batch) {
            return Some(self.sealed(first, key, kept.is_some(), started).await);
        }
        let request = match kept.and_then(request_from_bytes) {
            Some(request) => {
                if let Some(ended) = self.ask_policy(&request, started).await {
                    return Some(ended);
                }
                request
            }
            None if members.len() > self.messages.len() => return Some(self.apart(started).await),
            // Nothing of this batch was sent.
            None => match self.make_request(first, started).await? {
                Ok(request) => request,
                Err(ended) => return Some(ended),
            },
        };
        let head = self.head(first, request);
        let called = self.call(by, &head, started, report).await;
        Some(self.judge(&head, &members, called).await)
    }

    /// All of the batch, in its order, also those that are not open any more: its request is sent for them, too. `None` if
    /// some are missing.
    async fn members(
        &self,
        first: &StoredMessage,
    ) -> Result<Option<Vec<StoredMessage>>, OutboxError> {
        let size = usize::try_from(first.progress.batch_size).unwrap_or(usize::MAX);
        if self.messages.len() == size {
            return Ok(Some(self.messages.clone()));
        }
        let Some(batch) = first.progress.batch_id else { return Ok(None) };
        let members = self.inner.store.members(batch).await?;
        Ok((members.len() == size).then_some(members))
    }

    /// Makes the request and stores it, so that a repetition is the same.
    async fn make_request(
        &self,
        first: &StoredMessage,
        now: Timestamp,
    ) -> Option<Result<Request<Bytes>, EndedEach>> {
        let request = match self.batch.request(&self.messages) {
            Some(Ok(request)) => request,
            failed => {
                return Some(Err(self.not_made(first, failed.map(|made| made.map(drop)), now)));
            }
        };
        let lease = self.one(first).lease();
        match self.inner.store.keep_request(lease, request_to_bytes(&request)).await {
            Ok(true) => Some(Ok(request)),
            Ok(false) => None,
            Err(error) if error.kind() == OutboxErrorKind::Seal => {
                Some(Err(self.not_made(first, Some(Err(error.into())), now)))
            }
            // It was not sent.
            Err(_) => Some(Err(self.each(&Outcome::Snooze { until: now.plus(NOT_KEPT) }))),
        }
    }

    /// A function of the host's failed, as this says.
    fn not_made(
        &self,
        first: &StoredMessage,
        failed: Option<Result<(), BoxError>>,
        now: Timestamp,
    ) -> EndedEach {
        let at = self.one(first).next(now, None);
        let mut ended = self.each(&Outcome::Retry { at, effect: Effect::None });
        let error = hook_error(failed).err();
        ended.iter_mut().for_each(|(_, ended)| ended.error.clone_from(&error));
        ended
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

    async fn judge(&self, head: &Delivery, members: &[StoredMessage], called: Called) -> EndedEach {
        let (now, verdict) = (self.inner.time(), Verdict::of(&called.facts));
        if matches!(verdict, Verdict::Delivered | Verdict::Rejected) {
            let answer = called.answer.as_ref();
            if let Some(told) = answer.and_then(|answer| self.batch.verdicts(members, answer)) {
                let items = members.iter().zip(told);
                return self.by_items(head, items, &called, now);
            }
        }
        let verdict = match verdict {
            // Nobody can say which of them were done.
            Verdict::Delivered => Verdict::Retry { effect: Effect::Unknown, wait: None },
            verdict => verdict,
        };
        let mut ended = head.judge(verdict, called).await;
        let may_be_done = self.messages.iter().any(|message| message.progress.may_be_done());
        if may_be_done && ended.outcome == Outcome::Dead(DeadReason::Rejected) {
            // An earlier attempt may have been done before this one was refused.
            ended.outcome = Outcome::Dead(DeadReason::UnknownOutcome);
        }
        self.messages.iter().map(|message| (self.one(message), ended.clone())).collect()
    }

    fn by_items<'a>(
        &self,
        head: &Delivery,
        items: impl Iterator<Item = (&'a StoredMessage, ItemVerdict)>,
        called: &Called,
        now: Timestamp,
    ) -> EndedEach {
        let at = head.next(now, None);
        let ended = |(member, told): (&StoredMessage, ItemVerdict)| {
            let one = self.one(member);
            let outcome = match told {
                ItemVerdict::Delivered => one.delivered(now),
                ItemVerdict::Retryable => Outcome::RetryApart { at },
                ItemVerdict::Rejected => Outcome::Dead(DeadReason::Rejected),
            };
            let ended = Ended { called: Some(called.clone()), ..one.without_call(outcome) };
            (one, ended)
        };
        let is_told = |(member, told): &(&StoredMessage, ItemVerdict)| {
            let is_late =
                *told == ItemVerdict::Delivered && member.progress.state != State::Delivered;
            is_late || self.messages.iter().any(|own| own.content.id == member.content.id)
        };
        items.filter(is_told).map(ended).collect()
    }

    pub(super) fn each(&self, outcome: &Outcome) -> EndedEach {
        let ended = |message| {
            let one = self.one(message);
            let ended = one.without_call(outcome.clone());
            (one, ended)
        };
        self.messages.iter().map(ended).collect()
    }

    pub(super) fn one(&self, message: &StoredMessage) -> Delivery {
        let (inner, lane) = (Arc::clone(&self.inner), Arc::clone(&self.lane));
        Delivery { inner, lane, message: message.clone() }
    }
}

/// How long a batch waits whose request could not be stored.
const NOT_KEPT: Duration = Duration::from_secs(1);

/// What each message's part came to.
pub(super) type EndedEach = Vec<(Delivery, Ended)>;

/// What of an answer's body is read for the verdicts, at most.
const ANSWER: usize = 1 << 20;
