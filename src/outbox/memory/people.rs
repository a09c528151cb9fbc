//! What people do, and what they see.

use super::ops::Inner;
use crate::outbox::dead_letter::{Acted, Action, Filter, Page, Selection};
use crate::outbox::error::{OutboxError, missing, refused, used_key};
use crate::outbox::id::MessageId;
use crate::outbox::input::Input;
use crate::outbox::stats::LaneStats;
use crate::outbox::store::{Pause, PausedBy};
use crate::outbox::stored::{Act, History, NewMessage, StoredMessage};
use crate::outbox::time::Timestamp;
use crate::terms::outbox::State;

impl Inner {
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
        found.filter(|message| self.finds(filter, message)).take(page.size).cloned().collect()
    }

    pub(super) fn count(&self, filter: &Filter) -> u64 {
        self.messages.values().filter(|message| self.finds(filter, message)).count() as u64
    }

    fn finds(&self, filter: &Filter, message: &StoredMessage) -> bool {
        let attempts = self.attempts.get(&message.content.id);
        filter.finds_with(message, attempts.map_or(&[], Vec::as_slice))
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
                let found = self.messages.values().filter(|message| self.finds(filter, message));
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
                        let batch = message.progress.batch_id;
                        let attempts = self.attempts.get_mut(&id).into_iter().flatten();
                        attempts.for_each(|attempt| attempt.error = None);
                        self.erase_batch(batch);
                    }
                    acted.changed.push(id);
                    self.acts.push(act(action.name(), id, who, why, now));
                }
                Err(refusal) => acted.refused.push((id, refusal)),
            }
        }
        acted
    }

    /// Forgets the request of a batch: it holds all of its messages.
    fn erase_batch(&mut self, batch: Option<MessageId>) {
        let members = self
            .messages
            .values_mut()
            .filter(|message| batch.is_some() && message.progress.batch_id == batch);
        members.for_each(|message| message.batch_request = None);
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
        if self.duplicate_of(&edited.content).is_some_and(|known| known.content.id != id)
            || self.get(id).is_some_and(|old| {
                old.message.content.idempotency_key == edited.content.idempotency_key
            })
        {
            return Err(used_key());
        }
        let message = self.find_mut(id).ok_or_else(missing)?;
        message.progress.apply(&Input::Replace { by }, now).map_err(refused)?;
        // The new one has the old one's place, and the old one a place at the end.
        self.last_seq += 1;
        let Some(mut old) = self.seq_of.get(&id).and_then(|seq| self.messages.remove(seq)) else {
            return Err(missing());
        };
        let edited = edited.in_place_of(&old);
        let place = std::mem::replace(&mut old.seq, self.last_seq);
        self.seq_of.insert(id, self.last_seq);
        self.messages.insert(self.last_seq, old);
        self.insert(place, edited);
        self.acts.push(act("edit", id, &who, &why, now));
        Ok(())
    }

    pub(super) fn prune(&mut self, before: Timestamp, most: usize, now: Timestamp) -> usize {
        let is_over = |message: &&StoredMessage| {
            let Some(settled) = message.progress.settled else { return false };
            message.progress.state != State::Dead
                && settled < before
                && message.progress.dedup_until.is_none_or(|until| until <= now)
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
