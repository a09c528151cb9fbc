use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bytes::Bytes;

use crate::outbox::id::MessageId;
use crate::outbox::input::Input;
use crate::outbox::progress::Progress;
use crate::outbox::settlement;
use crate::outbox::store::{
    ClaimRequest, Claimed, DeadHead, Enqueued, LeaseRef, Pause, Reaped, Settled, Settlement,
    are_due, head_start,
};
use crate::outbox::stored::{Act, Answer, Attempt, Content, NewMessage, StoredMessage};
use crate::outbox::tenants::{Candidate, UnderWay};
use crate::outbox::time::Timestamp;
use crate::terms::outbox::State;

/// What the store holds.
#[derive(Default)]
pub(super) struct Inner {
    /// By their place in the order.
    pub(super) messages: BTreeMap<u64, StoredMessage>,
    pub(super) seq_of: HashMap<MessageId, u64>,
    pub(super) attempts: HashMap<MessageId, Vec<Attempt>>,
    pub(super) acts: Vec<Act>,
    pub(super) pauses: HashMap<String, Pause>,
    pub(super) last_seq: u64,
}

impl Inner {
    pub(super) fn enqueue(&mut self, new: NewMessage) -> Enqueued {
        let enqueued = |content: &Content, is_duplicate| Enqueued {
            id: content.id,
            idempotency_key: content.idempotency_key.clone(),
            is_duplicate,
        };
        if let Some(known) = self.duplicate_of(&new.content) {
            return enqueued(&known.content, true);
        }
        let enqueued = enqueued(&new.content, false);
        self.last_seq += 1;
        self.insert(self.last_seq, new);
        enqueued
    }

    /// A message with its key, or one that has its business key.
    pub(super) fn duplicate_of(&self, new: &Content) -> Option<&StoredMessage> {
        self.messages.values().find(|known| {
            known.content.idempotency_key == new.idempotency_key
                || known.content.lane == new.lane
                    && new.dedup_key.is_some()
                    && known.content.dedup_key == new.dedup_key
                    && (known.is_ahead()
                        || known.progress.dedup_until.is_some_and(|it| it > new.created))
        })
    }

    pub(super) fn insert(&mut self, seq: u64, new: NewMessage) {
        self.seq_of.insert(new.content.id, seq);
        self.messages.insert(seq, StoredMessage::new(seq, new));
    }

    pub(super) fn claim(&mut self, request: &ClaimRequest, now: Timestamp) -> Claimed {
        let paused = self.pauses.get(&request.lane).map(|pause| pause.until);
        if let Some(until) = paused.filter(|until| *until > now) {
            return Claimed { messages: Vec::new(), next_due: Some(until), now };
        }
        let in_lane = |message: &&StoredMessage| {
            message.content.lane == request.lane && message.progress.state == State::Ready
        };
        let mut due: Vec<_> = self
            .messages
            .values()
            .filter(in_lane)
            .filter(|message| message.progress.not_before <= now)
            .filter(|message| !message.progress.is_past_deadline(now))
            .filter(|message| self.is_first_of_its_key(message, request.dead_head))
            .map(candidate)
            .collect();
        due.sort_unstable_by_key(|one| (one.due, one.seq));
        let due: Vec<_> = match request.tenant_limit {
            Some(limit) => self.under_way(&request.lane, limit).choose(due, request.most),
            None => due.into_iter().map(|one| one.seq).collect(),
        };
        let due = due.iter().filter_map(|seq| self.messages.get(seq).cloned()).collect();
        let mut due = self.of_one_batch(request, due, now);
        let count = ClaimRequest::count_sent(&due);
        due.retain_mut(|message| {
            message.progress.apply(&request.input(&message.content, count), now).is_ok()
        });
        for message in &due {
            self.messages.insert(message.seq, message.clone());
        }
        let waiting = self.messages.values().filter(in_lane).map(|next| next.progress.not_before);
        Claimed { messages: due, next_due: waiting.filter(|at| *at > now).min(), now }
    }

    fn under_way(&self, lane: &str, limit: usize) -> UnderWay {
        let mut counts = HashMap::new();
        let is_leased = |message: &&StoredMessage| {
            message.content.lane == lane && message.progress.state == State::Leased
        };
        for message in self.messages.values().filter(is_leased) {
            if let Some(tenant) = &message.content.tenant {
                *counts.entry(tenant.clone()).or_default() += 1;
            }
        }
        UnderWay::new(limit, counts)
    }

    /// Those that are claimed.
    fn of_one_batch(
        &self,
        request: &ClaimRequest,
        mut due: Vec<StoredMessage>,
        now: Timestamp,
    ) -> Vec<StoredMessage> {
        while let Some(batch) = request.known_batch(&due) {
            let is_open = |message: &&StoredMessage| {
                let Progress { state, batch_id, .. } = &message.progress;
                *batch_id == Some(batch) && matches!(state, State::Ready | State::Leased)
            };
            let members: Vec<_> = self.messages.values().filter(is_open).cloned().collect();
            if are_due(&members, now) {
                return members;
            }
            due.retain(|message| message.progress.batch_id != Some(batch));
        }
        request.take_new(&mut due, now);
        due
    }

    pub(super) fn keep_request(&mut self, first: &LeaseRef, request: Bytes) -> bool {
        let held = self.find_mut(first.id).filter(|message| {
            message.progress.state == State::Leased && message.progress.token == first.token
        });
        held.map(|message| message.batch_request = Some(request)).is_some()
    }

    pub(super) fn members(&self, batch: MessageId) -> Vec<StoredMessage> {
        let is_member = |message: &&StoredMessage| {
            message.progress.batch_id == Some(batch) && message.progress.replaced_by.is_none()
        };
        self.messages.values().filter(is_member).cloned().collect()
    }

    /// Whether no message of its order key goes before it.
    fn is_first_of_its_key(&self, message: &StoredMessage, dead_head: DeadHead) -> bool {
        let content = &message.content;
        content.order_key.is_none()
            || !self.messages.values().any(|other| {
                let is_ahead = other.seq < message.seq
                    && other.is_ahead()
                    && (other.progress.state != State::Dead || dead_head == DeadHead::Blocks);
                other.content.order_key == content.order_key
                    && other.content.lane == content.lane
                    && (is_ahead || other.progress.state == State::Leased)
            })
    }

    pub(super) fn extend(&mut self, held: &LeaseRef, lease: Duration, now: Timestamp) -> bool {
        let input = Input::Extend { token: held.token, lease };
        self.find_mut(held.id).is_some_and(|message| message.progress.apply(&input, now).is_ok())
    }

    pub(super) fn settle(
        &mut self,
        settlement: &Settlement,
        now: Timestamp,
        hook: impl FnOnce(&StoredMessage, &Answer) -> Result<(), String>,
    ) -> Option<Settled> {
        let id = settlement.lease.id;
        let message = self.find_mut(id)?;
        let (settled, attempt) = settlement::settle(message, settlement, now, hook);
        self.record(id, attempt);
        Some(settled)
    }

    /// The first word about an attempt that was unknown is replaced by what it came to.
    fn record(&mut self, id: MessageId, attempt: Attempt) {
        let attempts = self.attempts.entry(id).or_default();
        attempts.retain(|known| known.number != attempt.number);
        attempts.push(attempt);
    }

    pub(super) fn reap(&mut self, most: usize, now: Timestamp) -> Reaped {
        let is_over = |message: &StoredMessage| match &message.progress.lease {
            Some(lease) => lease.until <= now,
            None => {
                message.progress.state == State::Ready && message.progress.is_past_deadline(now)
            }
        };
        let over: Vec<_> =
            self.messages.values().filter(|m| is_over(m)).map(|m| m.seq).take(most).collect();
        let mut reaped = Reaped { changed: Vec::new(), has_more: over.len() == most };
        for seq in over {
            let Some(message) = self.messages.get_mut(&seq) else { continue };
            let token = message.progress.token;
            let input = match message.progress.state {
                State::Leased => Input::LeaseOver { token },
                _ => Input::DeadlineOver,
            };
            if let Ok((recovered, attempt)) = settlement::recover(message, &input, now) {
                attempt.into_iter().for_each(|attempt| self.record(recovered.id, attempt));
                reaped.changed.push(recovered);
            }
        }
        reaped
    }

    pub(super) fn find_mut(&mut self, id: MessageId) -> Option<&mut StoredMessage> {
        self.messages.get_mut(self.seq_of.get(&id)?)
    }
}

fn candidate(message: &StoredMessage) -> Candidate {
    let start = head_start(message.content.priority);
    Candidate {
        seq: message.seq,
        tenant: message.content.tenant.clone(),
        due: message.progress.not_before.minus(start).0,
    }
}
