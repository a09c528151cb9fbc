//! What people do with an outbox. Each act is recorded with who did it and why.

use super::dead_letter::{Acted, Action, Filter, Page, Selection};
use super::error::{OutboxError, missing};
use super::handle::Outbox;
use super::id::MessageId;
use super::input::ExpiredKey;
use super::message::Message;
use super::stats::LaneStats;
use super::store::{Pause, PausedBy};
use super::stored::{History, StoredMessage};
use super::time::Timestamp;
use crate::terms::outbox::Phase;

/// Who does something, and why: both are recorded.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// Who.
    pub who: &'a str,
    /// Why.
    pub why: &'a str,
}

impl Outbox {
    /// Messages in the order in which they were enqueued. Their requests and answers are as they are: show
    /// what [`StoredMessage::shown`] makes of them.
    ///
    /// # Errors
    ///
    /// The store doesn't answer.
    pub async fn browse(
        &self,
        filter: Filter,
        page: Page,
    ) -> Result<Vec<StoredMessage>, OutboxError> {
        self.inner.store.browse(filter, page).await
    }

    /// How many messages a filter finds.
    ///
    /// # Errors
    ///
    /// The store doesn't answer.
    pub async fn count(&self, filter: Filter) -> Result<u64, OutboxError> {
        self.inner.store.count(filter).await
    }

    /// One message with its attempts and what people did to it.
    ///
    /// # Errors
    ///
    /// The store doesn't answer.
    pub async fn history(&self, id: MessageId) -> Result<Option<History>, OutboxError> {
        self.inner.store.get(id).await
    }

    /// How a lane is.
    ///
    /// # Errors
    ///
    /// The store doesn't answer.
    pub async fn stats(&self, lane: impl Into<String>) -> Result<LaneStats, OutboxError> {
        self.inner.store.stats(lane.into()).await
    }

    /// Sends dead messages again, each with its own key. One act replays a message once, also if two people
    /// click at once. A message whose key the provider has forgotten is refused: see [`Action::Replay`].
    ///
    /// ```
    /// # async fn replay(outbox: outrigger::outbox::Outbox) -> Result<(), outrigger::outbox::OutboxError> {
    /// use outrigger::outbox::{By, DeadReason, Filter, Selection};
    ///
    /// let timed_out = Filter::dead().lane("mailer").reason(DeadReason::Expired);
    /// let by = By { who: "ada", why: "the provider is back" };
    /// let acted = outbox.replay(Selection::All(timed_out), by).await?;
    /// println!("{} sent again, {} refused", acted.changed.len(), acted.refused.len());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The store doesn't answer.
    pub async fn replay(&self, on: Selection, by: By<'_>) -> Result<Acted, OutboxError> {
        self.act(on, Action::Replay(ExpiredKey::Refuse), by).await
    }

    /// Does to messages what [`Action`] says. One that refuses doesn't stop the others.
    ///
    /// # Errors
    ///
    /// The store doesn't answer.
    pub async fn act(
        &self,
        on: Selection,
        action: Action,
        by: By<'_>,
    ) -> Result<Acted, OutboxError> {
        let acted = self.inner.store.act(on, action, by.who.into(), by.why.into()).await?;
        acted.changed.iter().for_each(|id| self.inner.waiters.changed(*id));
        self.wake();
        Ok(acted)
    }

    /// Puts a corrected message in the place of a dead one. It has a new key, because its content is another.
    /// Its lane, its order key, its business key, its tenant, its template and its correlation id are the old one's, where
    /// it doesn't say otherwise.
    ///
    /// # Errors
    ///
    /// [`OutboxErrorKind::Refused`](super::OutboxErrorKind::Refused) if there is no such dead message;
    /// [`OutboxErrorKind::Message`](super::OutboxErrorKind::Message) if the new one can't be sent as it is; or
    /// the store doesn't answer.
    pub async fn edit(
        &self,
        id: MessageId,
        edited: Message,
        by: By<'_>,
    ) -> Result<MessageId, OutboxError> {
        let store = &self.inner.store;
        let StoredMessage { content: old, progress, .. } =
            store.get(id).await?.ok_or_else(missing)?.message;
        let lane = edited.lane_name().unwrap_or(&old.lane).to_owned();
        let mut new = edited.or_of(&old).build(&lane, store.now().await?, &self.inner.rng)?;
        if progress.phase == Phase::Handle {
            new.progress.phase = Phase::Handle;
        }
        let new_id = new.content.id;
        store.edit(id, new, by.who.into(), by.why.into()).await?;
        self.inner.waiters.changed(id);
        self.inner.wake(&lane);
        Ok(new_id)
    }

    /// Stops claims in a lane until a time, or until [`resume`](Self::resume) with [`Timestamp::NEVER`]. What is
    /// under way goes on.
    ///
    /// # Errors
    ///
    /// The store doesn't answer.
    pub async fn pause(
        &self,
        lane: impl Into<String>,
        until: Timestamp,
        by: By<'_>,
    ) -> Result<(), OutboxError> {
        let (lane, why) = (lane.into(), by.why.to_owned());
        let by = PausedBy::Person(by.who.to_owned());
        self.inner.store.pause(Pause { lane, until, by, why }).await
    }

    /// Ends a lane's pause, whoever made it.
    ///
    /// # Errors
    ///
    /// The store doesn't answer.
    pub async fn resume(&self, lane: impl Into<String>, by: By<'_>) -> Result<(), OutboxError> {
        let lane = lane.into();
        self.inner.store.resume(lane.clone(), by.who.into(), by.why.into()).await?;
        self.inner.wake(&lane);
        Ok(())
    }
}
