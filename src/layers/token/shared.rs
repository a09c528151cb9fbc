//! The lock around the machine, and the task that fetches.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use http::HeaderValue;
use tokio::sync::watch;

use super::config::TokenConfig;
use super::error::TokenError;
use super::issuer::{AnyIssuer, Token, TokenRequest};
use super::layer::Settings;
use super::state::{Ask, Ended, Flight, Issued, Machine, Refusal};
use super::windows::Now;
use crate::event::Event;
use crate::pattern::ownership::Ownership;
use crate::rt::{self, Lock, callback};
use crate::terms::TokenState;

/// One token, and what fetches it. The lock is held for a few instructions, and never over an await.
pub(super) struct Cell {
    machine: Mutex<Machine<HeaderValue>>,
    issuer: Arc<dyn AnyIssuer>,
    /// Ticks when a fetch has ended.
    ended: watch::Sender<()>,
    /// How many seconds the issuer's clock is ahead of ours; [`UNKNOWN`] if it doesn't say.
    ahead: AtomicI64,
    pub(super) ownership: Arc<Ownership>,
}

/// What a caller gets of a cell.
pub(super) enum Given {
    Use(Used),
    Wait(watch::Receiver<()>),
    Fail { error: TokenError, retry_after: Duration },
}

/// A token that is sent.
pub(super) struct Used {
    pub(super) header: HeaderValue,
    pub(super) generation: u64,
    /// How long ago it ended, if it did.
    pub(super) ended_for: Option<Duration>,
}

/// A fetch that runs. If it is dropped, with its runtime, that is a failure: a fetch that never ends
/// would leave the token as it is for ever.
struct Fetch {
    cell: Arc<Cell>,
    settings: Settings,
    flight: Flight,
    sent: Now,
}

impl Cell {
    pub(super) fn new(
        issuer: Arc<dyn AnyIssuer>,
        config: TokenConfig,
        ownership: Arc<Ownership>,
    ) -> Self {
        Self {
            machine: Mutex::new(Machine::new(config)),
            issuer,
            ended: watch::Sender::new(()),
            ahead: AtomicI64::new(UNKNOWN),
            ownership,
        }
    }

    /// Another token of the same issuer.
    pub(super) fn renewed(&self, config: TokenConfig) -> Self {
        Self::new(Arc::clone(&self.issuer), config, Arc::default())
    }

    pub(super) fn reconfigure(&self, config: TokenConfig) {
        self.machine.locked().reconfigure(config);
    }

    pub(super) fn ask(self: &Arc<Self>, settings: &Settings) -> Given {
        let mut machine = self.machine.locked();
        let (given, begin) = match machine.ask(settings.now()) {
            Ask::Use { token: header, generation, ended_for, begin } => {
                (Given::Use(Used { header, generation, ended_for }), begin)
            }
            // Under the lock, so that no end is missed.
            Ask::Wait { begin } => (Given::Wait(self.ended.subscribe()), begin),
            Ask::Fail { error, retry_after } => (Given::Fail { error, retry_after }, None),
        };
        drop(machine);
        self.fetch(begin, settings);
        given
    }

    /// The provider refused a token; returns whether the request may be sent again.
    pub(super) fn refuse(self: &Arc<Self>, generation: u64, settings: &Settings) -> bool {
        let refusal = self.machine.locked().refuse(generation, settings.now());
        match refusal {
            Refusal::Repeat { begin } => {
                self.fetch(begin, settings);
                true
            }
            Refusal::Answer => false,
        }
    }

    /// Fetches a token now, unless a fetch runs.
    pub(super) fn renew(self: &Arc<Self>, settings: &Settings) {
        let begin = self.machine.locked().begin(settings.now());
        self.fetch(begin, settings);
    }

    /// Fetches a token now, unless a fetch runs or a back-off lasts; returns whether it does.
    pub(super) fn try_again(self: &Arc<Self>, settings: &Settings) -> bool {
        let begin = self.machine.locked().try_again(settings.now());
        self.fetch(begin, settings);
        begin.is_some()
    }

    pub(super) fn issuer(&self) -> &dyn AnyIssuer {
        &*self.issuer
    }

    /// The present token isn't sent any more.
    pub(super) fn invalidate(&self) {
        self.machine.locked().invalidate();
    }

    pub(super) fn is_fetching(&self) -> bool {
        self.machine.locked().is_fetching()
    }

    pub(super) fn state(&self, settings: &Settings) -> TokenState {
        self.machine.locked().state(settings.now())
    }

    pub(super) fn generation(&self) -> u64 {
        self.machine.locked().generation()
    }

    pub(super) fn ends(&self) -> Option<SystemTime> {
        self.machine.locked().ends()
    }

    pub(super) fn error(&self) -> Option<TokenError> {
        self.machine.locked().error().cloned()
    }

    /// How many seconds the issuer's clock is ahead of ours, if it said its time.
    pub(super) fn ahead(&self) -> Option<i64> {
        Some(self.ahead.load(Ordering::Relaxed)).filter(|ahead| *ahead != UNKNOWN)
    }

    /// Begins a fetch in a task of its own, so that no caller who leaves ends it.
    fn fetch(self: &Arc<Self>, flight: Option<Flight>, settings: &Settings) {
        let Some(flight) = flight else { return };
        let (cell, sent) = (Arc::clone(self), settings.now());
        let fetch = Fetch { cell, settings: settings.clone(), flight, sent };
        rt::spawn(fetch.run());
    }

    fn end(&self, fetch: &Fetch, outcome: Result<Token, TokenError>) {
        let settings = &fetch.settings;
        let now = settings.now();
        let outcome = outcome.and_then(|token| {
            self.compare_clocks(token.issuer_time, now.wall);
            let Token { secret, lifetime, .. } = &token;
            let header = settings.header_value(secret)?;
            Ok(Issued { token: header, lifetime: *lifetime, sent: fetch.sent })
        });
        let number = fetch.flight.number;
        let ended = self.machine.locked().end(number, outcome, now, &settings.rng);
        self.ended.send_replace(());
        let elapsed = now.at.saturating_duration_since(fetch.sent.at);
        if let Some(ended) = ended {
            self.ownership.notify(&settings.emitter, || ended.event(elapsed));
        }
    }

    fn compare_clocks(&self, issuers: Option<SystemTime>, ours: SystemTime) {
        let Some(issuers) = issuers else { return };
        let seconds = |ahead: Duration| i64::try_from(ahead.as_secs()).unwrap_or(i64::MAX);
        let ahead = match issuers.duration_since(ours) {
            Ok(ahead) => seconds(ahead),
            Err(behind) => -seconds(behind.duration()),
        };
        self.ahead.store(ahead, Ordering::Relaxed);
    }
}

impl Fetch {
    async fn run(self) {
        let limit = self.cell.machine.locked().config().fetch_timeout;
        let request = TokenRequest { reason: self.flight.reason };
        let work = callback::run("issuer", Arc::clone(&self.cell.issuer).issue_boxed(request));
        let due: Option<Instant> = Some(rt::after(rt::now(), limit));
        let outcome = match rt::until(due, work).await {
            Some(Some(outcome)) => outcome,
            Some(None) => Err(TokenError::transient("the issuer's code panicked")),
            None => Err(TokenError::transient(format!("no token came within {limit:?}"))),
        };
        self.cell.end(&self, outcome);
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        // A fetch that has ended changes nothing any more.
        let left = TokenError::transient("the fetch was cancelled with its runtime");
        self.cell.end(self, Err(left));
    }
}

impl Ended {
    fn event(&self, elapsed: Duration) -> Event {
        match self {
            Self::Refreshed { generation, lifetime } => {
                let (generation, lifetime) = (*generation, *lifetime);
                Event::TokenRefreshed { generation, lifetime, elapsed }
            }
            Self::Failed { error, retry_in, served_for } => Event::TokenRefreshFailed {
                failure: error.failure(),
                elapsed,
                retry_in: *retry_in,
                served_for: *served_for,
            },
        }
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell").field("generation", &self.generation()).finish_non_exhaustive()
    }
}

const UNKNOWN: i64 = i64::MIN;
