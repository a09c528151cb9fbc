use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::Notify;

use super::setting::SwitchSetting;
use super::source::SourceError;
use crate::context::Stopped;
use crate::pattern::ownership::Ownership;
use crate::rt::clamp_to_year_9999;
use crate::terms::SwitchMode;

/// A kill switch's setting, and since when it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    setting: SwitchSetting,
    since: SystemTime,
}

/// The switch. Its mode is read with one load, everything else under a lock that only refused calls
/// take.
#[derive(Debug)]
pub(super) struct Switch {
    mode: AtomicU8,
    rejected: AtomicU64,
    state: Mutex<SwitchState>,
    /// Wakes waiting calls when it is moved.
    pub(super) moved: Notify,
    pub(super) ownership: Ownership,
}

#[derive(Clone, Debug)]
struct SwitchState {
    position: Position,
    /// The text of every refusal.
    text: Arc<str>,
    /// The sources that are followed.
    sources: Vec<Source>,
    /// The id of the next source.
    next: SourceId,
}

#[derive(Clone, Debug)]
struct Source {
    id: SourceId,
    /// Whether it could be read at some time.
    was_there: bool,
    /// Why it can't be read now.
    trouble: Option<SourceError>,
}

/// One of the sources that a switch follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SourceId(u64);

// === impl Switch ===

impl Switch {
    pub(super) fn new(setting: SwitchSetting, since: SystemTime) -> Self {
        let position = Position { setting, since };
        let text = position.told().into();
        Self {
            mode: AtomicU8::new(position.mode() as u8),
            rejected: AtomicU64::new(0),
            state: Mutex::new(SwitchState {
                position,
                text,
                sources: Vec::new(),
                next: SourceId::default(),
            }),
            moved: Notify::new(),
            ownership: Ownership::default(),
        }
    }

    /// Moves the switch, and returns the previous mode.
    pub(super) fn set(&self, setting: SwitchSetting, since: SystemTime) -> SwitchMode {
        let mut state = self.state();
        let from = state.position.mode();
        // Another reason for the same mode doesn't change the time since when it holds.
        let since = if from == setting.mode { state.position.since } else { since };
        state.position = Position { setting, since };
        state.text = state.position.told().into();
        self.mode.store(state.position.mode() as u8, Ordering::Release);
        drop(state);
        self.moved.notify_waiters();
        from
    }

    pub(super) fn mode(&self) -> SwitchMode {
        let mode = self.mode.load(Ordering::Acquire);
        SwitchMode::ALL.get(usize::from(mode)).copied().unwrap_or_default()
    }

    /// The mode and the refusal's text, both of the same setting.
    pub(super) fn refusal(&self) -> Option<(SwitchMode, Stopped)> {
        self.mode().rejection()?;
        let state = self.state();
        let mode = state.position.mode();
        // It may have been moved back just now.
        Some((mode, Stopped { why: mode.rejection()?, detail: Arc::clone(&state.text) }))
    }

    pub(super) fn count_rejected(&self) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn position(&self) -> Position {
        self.state().position.clone()
    }

    pub(super) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// Adds a source.
    pub(super) fn add_source(&self) -> SourceId {
        let mut state = self.state();
        state.next.0 += 1;
        let id = state.next;
        state.sources.push(Source { id, was_there: false, trouble: None });
        id
    }

    /// Removes a source.
    pub(super) fn forget_source(&self, of: SourceId) {
        self.state().sources.retain(|source| source.id != of);
    }

    /// Sets or clears a source's error. Returns, for a new error, whether it matters.
    pub(super) fn set_trouble(&self, of: SourceId, trouble: Option<SourceError>) -> Option<bool> {
        let mut state = self.state();
        let is_moved = state.is_moved();
        let source = state.sources.iter_mut().find(|source| source.id == of)?;
        source.was_there |= !trouble.as_ref().is_some_and(SourceError::is_missing);
        let is_news = trouble.is_some() && source.trouble != trouble;
        source.trouble = trouble;
        is_news.then(|| source.is_troubled(is_moved))
    }

    /// The worst error: one of a source that can't be read before one that is missing.
    pub(super) fn trouble(&self) -> Option<SourceError> {
        let state = self.state();
        let troubles = state.sources.iter().filter_map(|source| source.trouble.as_ref());
        troubles.min_by_key(|error| error.is_missing()).cloned()
    }

    /// Whether a source has an error that matters.
    pub(super) fn is_troubled(&self) -> bool {
        let state = self.state();
        state.sources.iter().any(|source| source.is_troubled(state.is_moved()))
    }

    fn state(&self) -> MutexGuard<'_, SwitchState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SwitchState {
    fn is_moved(&self) -> bool {
        self.position.mode() != SwitchMode::On
    }
}

impl Source {
    /// A file that is written only in an emergency is usually missing.
    fn is_troubled(&self, is_moved: bool) -> bool {
        let matters = |error: &SourceError| !error.is_missing() || self.was_there || is_moved;
        self.trouble.as_ref().is_some_and(matters)
    }
}

// === impl Position ===

impl Position {
    /// The mode that the switch is in.
    #[must_use]
    pub fn mode(&self) -> SwitchMode {
        self.setting.mode
    }

    /// Who moved it there, if that is known.
    #[must_use]
    pub fn who(&self) -> Option<&str> {
        self.setting.who.as_deref()
    }

    /// Why it was moved there, if that is known.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        self.setting.why.as_deref()
    }

    /// Since when it has been in this mode.
    #[must_use]
    pub fn since(&self) -> SystemTime {
        self.since
    }
}

impl Position {
    /// Since when, by whom and why, without the mode.
    fn told(&self) -> String {
        let since = httpdate::fmt_http_date(clamp_to_year_9999(self.since));
        let who = self.who().map(|who| format!(" by {who}")).unwrap_or_default();
        let why = self.why().map(|why| format!(": {why}")).unwrap_or_default();
        format!("since {since}{who}{why}")
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.mode(), self.told())
    }
}
