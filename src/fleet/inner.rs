use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::database::Database;
use super::share;
use super::state::State;
use super::words::Words;
use crate::control::{AnyFleet, Controllable, FleetHealth, FleetWord, Registry};
#[cfg(feature = "console")]
use crate::control::{FleetAnswer, FleetConfigure, FleetSet, FleetSettings, FleetView, Obeyed};
use crate::event::{Emitter, Event};
use crate::integration::Integration;
use crate::outbox::OutboxError;
use crate::rt::{self, Clock, Lock, Rng};
use crate::terms::fleet::FleetEvent;

/// What a fleet's handles share.
pub(super) struct Inner {
    pub(super) database: Database,
    pub(super) registry: Registry,
    /// This instance.
    pub(super) name: String,
    pub(super) host: String,
    /// For how long a share of an account's rate is given.
    pub(super) lease: Duration,
    pub(super) emitter: Emitter,
    pub(super) rng: Rng,
    pub(super) clock: Clock,
    pub(super) state: Mutex<State<Weak<dyn Controllable>>>,
    pub(super) hearing: Mutex<Hearing>,
    /// Is told each time that the database has answered.
    pub(super) heard: watch::Sender<bool>,
    /// There is something to look at now.
    pub(super) wake: Notify,
    pub(super) stop: watch::Sender<bool>,
    pub(super) is_running: AtomicBool,
}

/// When the database answered.
pub(super) struct Hearing {
    /// The last time; when the fleet was built, if it never has.
    pub(super) last: Instant,
    pub(super) has_heard: bool,
    /// Why the last look failed, if it did; then subscribers know.
    failure: Option<String>,
    /// Why it could not write, the last time that it was heard.
    untold: Option<String>,
    /// Why an integration is given no share, if so.
    pub(super) no_share: Option<String>,
}

impl Hearing {
    pub(super) fn new(now: Instant) -> Self {
        Self { last: now, has_heard: false, failure: None, untold: None, no_share: None }
    }
}

impl Inner {
    /// The database has answered, and what it says is obeyed.
    pub(super) fn on_heard(&self, untold: Option<&OutboxError>) {
        let was_failing = {
            let mut hearing = self.hearing.locked();
            (hearing.last, hearing.has_heard) = (rt::now(), true);
            hearing.untold = untold.map(ToString::to_string);
            hearing.failure.take().is_some()
        };
        self.heard.send_replace(true);
        if was_failing {
            self.emitter.emit(None, || Event::Fleet(FleetEvent::Heard));
        }
    }

    /// The database hasn't answered.
    pub(super) fn on_unheard(&self, why: &OutboxError) {
        let was_failing = self.hearing.locked().failure.replace(why.to_string()).is_some();
        if !was_failing {
            self.emitter.emit(None, || Event::Fleet(FleetEvent::Unheard));
        }
    }

    pub(super) fn known_revision(&self) -> Option<u64> {
        self.state.locked().revision()
    }

    pub(super) fn learn(&self, words: Words) {
        let now = words.revision;
        let before = self.known_revision();
        self.state.locked().learn(words);
        if before.is_some_and(|before| now < before) {
            self.emitter.emit(None, || Event::Fleet(FleetEvent::Restored));
        }
    }

    pub(super) async fn shown_words(&self) -> Result<Vec<FleetWord>, OutboxError> {
        Ok(self.database.words().await?.all.iter().map(|word| word.shown()).collect())
    }

    /// All integrations that are registered.
    pub(super) fn integrations(&self) -> impl Iterator<Item = Integration> {
        self.registry.all().into_iter().filter_map(Integration::of)
    }

    /// Only one may run.
    pub(super) fn starts(&self) -> bool {
        !self.is_running.swap(true, Ordering::SeqCst)
    }
}

impl AnyFleet for Inner {
    fn health(&self, integration: &str) -> FleetHealth {
        let (last, has_heard, error) = {
            let hearing = self.hearing.locked();
            let error = [&hearing.failure, &hearing.untold, &hearing.no_share];
            let error = error.into_iter().flatten().next().cloned();
            (hearing.last, hearing.has_heard, error)
        };
        let wanted_until =
            self.state.locked().words_of(integration).filter_map(|word| word.until).min();
        let heard_ago = rt::now().saturating_duration_since(last);
        let unheard_since = self.clock.wall().checked_sub(heard_ago);
        FleetHealth {
            instance: self.name.clone(),
            has_heard,
            heard_ago,
            error,
            unheard_since: unheard_since.filter(|_| heard_ago > UNHEARD),
            wanted_until: wanted_until.map(Into::into),
            troubles: self.troubles(|name| name == integration),
        }
    }

    fn obey(&self, newcomer: Arc<dyn Controllable>) {
        self.obey_one(&newcomer);
        Integration::of(newcomer).iter().for_each(|it| share::begin(it, self.clock));
    }

    #[cfg(feature = "console")]
    fn set(self: Arc<Self>, set: FleetSet) -> FleetAnswer<Obeyed> {
        Box::pin(self.set_by_console(set))
    }

    #[cfg(feature = "console")]
    fn configure(self: Arc<Self>, new: FleetConfigure) -> FleetAnswer<Obeyed, Vec<String>> {
        Box::pin(self.configure_by_console(new))
    }

    #[cfg(feature = "console")]
    fn settings(self: Arc<Self>, integration: String) -> FleetAnswer<FleetSettings> {
        Box::pin(async move {
            let settings = self.settings_for_console(&integration).await;
            settings.map_err(|error| error.to_string())
        })
    }

    #[cfg(feature = "console")]
    fn view(self: Arc<Self>) -> FleetAnswer<FleetView> {
        Box::pin(async move { self.database.view().await.map_err(|error| error.to_string()) })
    }

    #[cfg(feature = "console")]
    fn words(self: Arc<Self>) -> FleetAnswer<Vec<FleetWord>> {
        Box::pin(async move { self.shown_words().await.map_err(|error| error.to_string()) })
    }
}

/// Longer than a look takes that is repeated on another connection.
const UNHEARD: Duration = Duration::from_secs(10);
