use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::outbox::dead_letter::{Acted, Action, Filter, Page, Selection};
use crate::outbox::error::{OutboxError, missing, refused, used_key};
use crate::outbox::id::MessageId;
use crate::outbox::input::Input;
use crate::outbox::settlement;
use crate::outbox::stats::LaneStats;
use crate::outbox::store::{
    ClaimRequest, Claimed, DeadHead, Enqueued, LeaseRef, Pause, PausedBy, Reaped, Settled,
    Settlement, head_start,
};
use crate::outbox::stored::{Act, Answer, Attempt, Content, History, NewMessage, StoredMessage};
use crate::outbox::time::Timestamp;
use crate::terms::outbox::State;

/// What the store holds.
#[derive(Default)]
pub(super) struct Inner {
    /// By their place in the order.
    messages: BTreeMap<u64, StoredMessage>,
    seq_of: HashMap<MessageId, u64>,
    attempts: HashMap<MessageId, Vec<Attempt>>,
    acts: Vec<Act>,
    pauses: HashMap<String, Pause>,
    last_seq: u64,
}

impl Inner {
    pub(super) fn enqueue(&mut self, new: NewMessage) -> Enqueued {
        let is_same = |known: &&StoredMessage| {
            let (known, new) = (known, &new.content);
            known.content.idempotency_key == new.idempotency_key
                || known.content.lane == new.lane
                    && new.dedup_key.is_some()
                    && known.content.dedup_key == new.dedup_key
                    && known.is_ahead()
        };
        let known = self.messages.values().find(is_same).map(|known| &known.content);
        let enqueued = |content: &Content, is_duplicate| Enqueued {
            id: content.id,
            idempotency_key: content.idempotency_key.clone(),
            is_duplicate,
        };
        if let Some(known) = known {
            return enqueued(known, true);
        }
        let enqueued = enqueued(&new.content, false);
        self.last_seq += 1;
        self.insert(self.last_seq, new);
        enqueued
    }

    fn insert(&mut self, seq: u64, new: NewMessage) {
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
            .map(|message| {
                let start = head_start(message.content.priority);
                (message.progress.not_before.minus(start), message.seq)
            })
            .collect();
        due.sort_unstable();
        due.truncate(request.most);
        let input = Input::Claim {
            owner: request.owner.clone(),
            lease: request.lease,
            key_lifetime: request.key_lifetime,
        };
        let mut messages = Vec::with_capacity(due.len());
        for (_, seq) in due {
            if let Some(message) = self.messages.get_mut(&seq)
                && message.progress.apply(&input, now).is_ok()
            {
                messages.push(message.clone());
            }
        }
        let waiting = self.messages.values().filter(in_lane).map(|next| next.progress.not_before);
        Claimed { messages, next_due: waiting.filter(|at| *at > now).min(), now }
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
        hook: impl FnOnce(&StoredMessage, &Answer) -> bool,
    ) -> Result<Settled, OutboxError> {
        let id = settlement.lease.id;
        let message = self.find_mut(id).ok_or_else(missing)?;
        let (settled, attempt) = settlement::settle(message, settlement, now, hook);
        self.record(id, attempt);
        Ok(settled)
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

    pub(super) fn pause(&mut self, pause: Pause, now: Timestamp) {
        let person = match &pause.by {
            PausedBy::Person(who) => Some(who.clone()),
            PausedBy::Worker => None,
        };
        match person {
            Some(who) => self.acts.push(lane_act("pause", &pause.lane, who, &pause.why, now)),
            None if self
                .pauses
                .get(&pause.lane)
                .is_some_and(|holds| holds.until >= pause.until) =>
            {
                return;
            }
            None => {}
        }
        self.pauses.insert(pause.lane.clone(), pause);
    }

    pub(super) fn resume(&mut self, lane: &str, who: String, why: String, now: Timestamp) {
        self.pauses.remove(lane);
        self.acts.push(lane_act("resume", lane, who, &why, now));
    }

    pub(super) fn stats(&self, lane: &str, now: Timestamp) -> LaneStats {
        let mut stats = LaneStats {
            paused: self.pauses.get(lane).filter(|pause| pause.until > now).cloned(),
            ..LaneStats::default()
        };
        for message in self.messages.values().filter(|message| message.content.lane == lane) {
            let progress = &message.progress;
            if let Some(reason) = message.waits_for_person() {
                *stats.dead.entry(reason).or_default() += 1;
                stats.oldest_dead = earliest(stats.oldest_dead, progress.settled);
            }
            match progress.state {
                State::Ready => {
                    stats.ready += 1;
                    stats.due += u64::from(progress.not_before <= now);
                }
                State::Leased => stats.leased += 1,
                _ => continue,
            }
            stats.polling += u64::from(message.is_polling());
            stats.unknown += u64::from(progress.unknown > 0);
            stats.oldest_undelivered =
                earliest(stats.oldest_undelivered, Some(message.content.created));
        }
        stats
    }

    pub(super) fn browse(&self, filter: &Filter, page: Page) -> Vec<StoredMessage> {
        let after = page.after.map_or(0, |seq| seq + 1);
        let found = self.messages.range(after..).map(|(_, message)| message);
        found.filter(|message| filter.finds(message)).take(page.size).cloned().collect()
    }

    pub(super) fn get(&self, id: MessageId) -> Option<History> {
        let message = self.messages.get(self.seq_of.get(&id)?)?.clone();
        let acts = self.acts.iter().filter(|act| act.message == Some(id)).cloned().collect();
        Some(History {
            message,
            attempts: self.attempts.get(&id).cloned().unwrap_or_default(),
            acts,
        })
    }

    pub(super) fn act(
        &mut self,
        on: &Selection,
        action: Action,
        who: &str,
        why: &str,
        now: Timestamp,
    ) -> Acted {
        let ids: Vec<_> = match on {
            Selection::One(id) => vec![*id],
            Selection::All(filter) => {
                let found = self.messages.values().filter(|message| filter.finds(message));
                found.map(|message| message.content.id).collect()
            }
        };
        let mut acted = Acted::default();
        for id in ids {
            let Some(message) = self.find_mut(id) else { continue };
            match message.progress.apply(&action.input(), now) {
                Ok(_) => {
                    if action == Action::Erase {
                        message.erase();
                    }
                    acted.changed.push(id);
                    self.acts.push(act(action.name(), id, who, why, now));
                }
                Err(refusal) => acted.refused.push((id, refusal)),
            }
        }
        acted
    }

    pub(super) fn edit(
        &mut self,
        id: MessageId,
        edited: NewMessage,
        who: String,
        why: String,
        now: Timestamp,
    ) -> Result<(), OutboxError> {
        let by = edited.content.id;
        let key = &edited.content.idempotency_key;
        if self.messages.values().any(|known| known.content.idempotency_key == *key) {
            return Err(used_key());
        }
        let message = self.find_mut(id).ok_or_else(missing)?;
        message.progress.apply(&Input::Replace { by }, now).map_err(refused)?;
        // The new one has the old one's place, and the old one a place at the end.
        self.last_seq += 1;
        let Some(mut old) = self.seq_of.get(&id).and_then(|seq| self.messages.remove(seq)) else {
            return Err(missing());
        };
        let place = std::mem::replace(&mut old.seq, self.last_seq);
        self.seq_of.insert(id, self.last_seq);
        self.messages.insert(self.last_seq, old);
        self.insert(place, edited);
        self.acts.push(act("edit", id, &who, &why, now));
        Ok(())
    }

    pub(super) fn prune(&mut self, before: Timestamp, most: usize) -> usize {
        let is_over = |message: &&StoredMessage| {
            let Some(settled) = message.progress.settled else { return false };
            message.progress.state != State::Dead && settled < before
        };
        let over: Vec<_> = self
            .messages
            .values()
            .filter(is_over)
            .map(|m| (m.seq, m.content.id))
            .take(most)
            .collect();
        for (seq, id) in &over {
            self.messages.remove(seq);
            self.seq_of.remove(id);
            self.attempts.remove(id);
        }
        over.len()
    }

    fn find_mut(&mut self, id: MessageId) -> Option<&mut StoredMessage> {
        self.messages.get_mut(self.seq_of.get(&id)?)
    }
}

fn act(action: &str, id: MessageId, who: &str, why: &str, at: Timestamp) -> Act {
    let (action, who, why) = (action.to_owned(), who.to_owned(), why.to_owned());
    Act { message: Some(id), lane: None, action, who, why, at }
}

fn lane_act(action: &str, lane: &str, who: String, why: &str, at: Timestamp) -> Act {
    let (action, lane) = (action.to_owned(), Some(lane.to_owned()));
    Act { message: None, lane, action, who, why: why.to_owned(), at }
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
