use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::access::{Access, Actor, Scope};
use super::acts::Acts;
use super::form_token::FormTokens;
use super::lanes::{Counted, CountedLanes};
use super::live::Streams;
use super::page::{
    self, Card, Frame, InstancesView, IntegrationView, LanePage, MessageView, Note, OverviewView,
    TaskView,
};
use super::recent::Recent;
use super::route::LaneView;
use super::task::Tasks;
use super::wanted::Wanted;
use super::words::{self, Words};
use crate::control::{Health, Registry};
use crate::outbox::{
    History, LaneStats, MessageId, Outbox, OutboxError, Page, ShownAnswer, ShownMessage,
    StoredMessage,
};
use crate::redact::{Redactor, StandardRedactor};
use crate::rt::Clock;
use crate::terms::Right;
use crate::terms::outbox::State;

/// What all requests share.
pub(super) struct Inner {
    pub(super) registry: Registry,
    pub(super) access: Box<dyn Access>,
    pub(super) recent: Option<Recent>,
    pub(super) outbox: Option<Outbox>,
    pub(super) redactor: Arc<dyn Redactor>,
    pub(super) clock: Clock,
    pub(super) tokens: FormTokens,
    pub(super) acts: Arc<Acts>,
    pub(super) tasks: Tasks,
    pub(super) wanted: Wanted,
    pub(super) streams: Streams,
    pub(super) lanes: CountedLanes,
    pub(super) words: Box<dyn Words>,
}

/// Why there is no page.
pub(super) enum NoPage {
    NotAllowed,
    NotFound,
    /// The outbox's store doesn't answer.
    Away(OutboxError),
}

impl Inner {
    pub(super) fn redactor() -> Arc<dyn Redactor> {
        Arc::new(StandardRedactor::new())
    }

    pub(super) fn frame<'a>(
        &'a self,
        actor: &'a Actor,
        now: SystemTime,
        note: Option<Note>,
    ) -> Frame<'a> {
        let may_search = self.access.may(actor, Right::Search, Scope::All);
        let has_fleet = self.registry.fleet().is_some();
        let words = &*self.words;
        Frame { actor, words, tokens: &self.tokens, now, note, may_search, has_fleet }
    }

    /// Those that this person may look at, worst first.
    pub(super) async fn overview(&self, actor: &Actor) -> Result<OverviewView, NoPage> {
        self.needs(actor, Right::Look, Scope::All)?;
        let Counted { mut lanes, trouble, .. } = match &self.outbox {
            Some(outbox) => self.lanes.now(outbox).await,
            None => Counted::default(),
        };
        lanes.retain(|lane| self.access.may(actor, Right::Look, Scope::Lane(&lane.name)));
        Ok(OverviewView { cards: self.cards(actor), lanes, trouble })
    }

    pub(super) fn cards(&self, actor: &Actor) -> Vec<Card> {
        let may = |name: &str| self.access.may(actor, Right::Look, Scope::Integration(name));
        let known = self.registry.health().into_iter().filter(|health| may(&health.integration));
        let mut cards: Vec<_> = known.map(|health| self.card(actor, health)).collect();
        let now = self.clock.wall();
        cards.sort_by_key(|card| words::rank(&card.health, &card.lately(now)));
        cards
    }

    fn card(&self, actor: &Actor, mut health: Health) -> Card {
        health.lanes.retain(|one| self.access.may(actor, Right::Look, Scope::Lane(&one.lane)));
        let minutes = self.recent.as_ref().map(|recent| recent.minutes(&health.integration));
        let moved = health.controls.iter().filter(|control| !control.is_default);
        let until =
            moved.filter_map(|control| self.wanted.until(&health.integration, control.name));
        let of_fleet = health.fleet.as_ref().and_then(|fleet| fleet.wanted_until);
        let until = until.chain(of_fleet).min();
        Card { health, minutes, until }
    }

    pub(super) fn integration(&self, actor: &Actor, name: &str) -> Result<IntegrationView, NoPage> {
        let scope = Scope::Integration(name);
        self.needs(actor, Right::Look, scope)?;
        let health = self.registry.health_of(name).ok_or(NoPage::NotFound)?;
        let controls = self.registry.controls(name);
        let controls = controls.iter().map(|control| (control.state(), control.positions()));
        Ok(IntegrationView {
            controls: controls.collect(),
            card: self.card(actor, health),
            failures: self.recent.as_ref().map(|recent| recent.failures(name, FAILURES)),
            may_steer: self.access.may(actor, Right::Steer, scope),
        })
    }

    /// All instances, if there is a fleet. What they are told of integrations that this person may not look at is left out.
    pub(super) async fn instances(&self, actor: &Actor) -> Result<InstancesView, NoPage> {
        self.needs(actor, Right::Look, Scope::All)?;
        let fleet = self.registry.fleet().ok_or(NoPage::NotFound)?;
        let may = |name: &str| self.access.may(actor, Right::Look, Scope::Integration(name));
        let (view, said) = match Arc::clone(&fleet).view().await {
            Ok(view) => (view.only(may), fleet.words().await),
            Err(why) => return Ok(Err(why)),
        };
        Ok(said
            .map(|said| (view, said.into_iter().filter(|word| may(&word.integration)).collect())))
    }

    pub(super) async fn lane(&self, actor: &Actor, view: LaneView) -> Result<LanePage, NoPage> {
        let scope = Scope::Lane(&view.lane);
        self.needs(actor, Right::Look, scope)?;
        if view.key.is_some() {
            self.needs(actor, Right::Search, Scope::All)?;
        }
        let outbox = self.outbox.as_ref().ok_or(NoPage::NotFound)?;
        let stats: LaneStats = outbox.stats(view.lane.clone()).await?;
        let at = outbox.store().now().await?;
        let page = Page { after: view.after, ..Page::first(MESSAGES) };
        let messages = outbox.browse(view.filter(at), page).await?;
        let dead = match view.state {
            Some(State::Dead) => outbox.count(view.filter(at)).await?,
            _ => 0,
        };
        let may = |right| self.access.may(actor, right, scope);
        Ok(LanePage {
            has_more: messages.len() == MESSAGES,
            may_steer: may(Right::Steer),
            may_replay: may(Right::Replay),
            may_discard: may(Right::Discard),
            view: view.clone(),
            stats,
            at,
            dead,
            messages,
        })
    }

    /// A message; `is_revealed` shows it unredacted, for which the right was asked already.
    pub(super) async fn message(
        &self,
        actor: &Actor,
        id: MessageId,
        is_revealed: bool,
    ) -> Result<MessageView, NoPage> {
        let outbox = self.outbox.as_ref().ok_or(NoPage::NotFound)?;
        let history: History = outbox.history(id).await?.ok_or(NoPage::NotFound)?;
        let lane = history.message.content.lane.clone();
        let scope = Scope::Lane(&lane);
        self.needs(actor, Right::Look, scope)?;
        let may = |right| self.access.may(actor, right, scope);
        let shown = match is_revealed {
            true => revealed(&history.message),
            false => history.message.shown(&*self.redactor),
        };
        Ok(MessageView {
            may_reveal: may(Right::Reveal),
            may_replay: may(Right::Replay),
            may_discard: may(Right::Discard),
            history,
            shown,
            is_revealed,
        })
    }

    pub(super) fn task(&self, actor: &Actor, number: u64) -> Result<TaskView, NoPage> {
        self.needs(actor, Right::Look, Scope::All)?;
        let task = self.tasks.get(number).ok_or(NoPage::NotFound)?;
        let may_stop = self.access.may(actor, task.act.right, Scope::Lane(&task.lane));
        Ok(TaskView { task, may_stop })
    }

    /// The parts of the overview that may change; `None` when this person may not look any more.
    pub(super) async fn parts(&self, actor: &Actor) -> Option<Vec<String>> {
        let view = self.overview(actor).await.ok()?;
        Some(page::parts(&*self.words, &view, self.clock.wall()))
    }

    pub(super) fn needs(
        &self,
        actor: &Actor,
        right: Right,
        scope: Scope<'_>,
    ) -> Result<(), NoPage> {
        self.access.may(actor, right, scope).then_some(()).ok_or(NoPage::NotAllowed)
    }
}

/// All of it, as it is.
fn revealed(message: &StoredMessage) -> ShownMessage {
    let content = &message.content;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let lines = |headers: &http::HeaderMap| {
        headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect()
    };
    ShownMessage {
        method: content.method.clone(),
        uri: content.uri.to_string(),
        headers: lines(&content.headers),
        body: content.sealed_by.is_none().then(|| text(&content.body)),
        answer: message.answer.as_ref().map(|answer| ShownAnswer {
            status: answer.status,
            headers: lines(&answer.headers),
            body: answer.sealed_by.is_none().then(|| text(&answer.body)),
        }),
        sealed_by: content.sealed_by.clone(),
    }
}

impl From<OutboxError> for NoPage {
    fn from(error: OutboxError) -> Self {
        Self::Away(error)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("registry", &self.registry).finish_non_exhaustive()
    }
}

/// How many failures a page shows.
const FAILURES: usize = 20;
/// How many messages a page shows.
const MESSAGES: usize = 50;
