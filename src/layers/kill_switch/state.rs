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

/// Where a kill switch stands, on whose word and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    setting: SwitchSetting,
    since: SystemTime,
}

/// The switch: its mode is read with one load, all else under a lock that no call takes unless it is
/// refused.
#[derive(Debug)]
pub(super) struct Switch {
    mode: AtomicU8,
    rejected: AtomicU64,
    stand: Mutex<Stand>,
    /// Wakes calls that wait, when it is moved.
    pub(super) moved: Notify,
    pub(super) ownership: Ownership,
}

#[derive(Clone, Debug)]
struct Stand {
    position: Position,
    /// What every refusal says.
    text: Arc<str>,
    /// Those that are followed.
    sources: Vec<Source>,
    /// The next source's.
    next: SourceId,
}

#[derive(Clone, Debug)]
struct Source {
    id: SourceId,
    /// There was something to be read, some time.
    was_there: bool,
    /// Why it can't be read just now.
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
            stand: Mutex::new(Stand {
                position,
                text,
                sources: Vec::new(),
                next: SourceId::default(),
            }),
            moved: Notify::new(),
            ownership: Ownership::default(),
        }
    }

    /// Moves the switch, and says where it stood.
    pub(super) fn set(&self, setting: SwitchSetting, since: SystemTime) -> SwitchMode {
        let mut stand = self.stand();
        let from = stand.position.mode();
        // A new reason is no new stop: it has lasted since the first.
        let since = if from == setting.mode { stand.position.since } else { since };
        stand.position = Position { setting, since };
        stand.text = stand.position.told().into();
        self.mode.store(stand.position.mode() as u8, Ordering::Release);
        drop(stand);
        self.moved.notify_waiters();
        from
    }

    pub(super) fn mode(&self) -> SwitchMode {
        let mode = self.mode.load(Ordering::Acquire);
        SwitchMode::ALL.get(usize::from(mode)).copied().unwrap_or_default()
    }

    /// Why nothing may be sent, and by which mode: both of one setting.
    pub(super) fn refusal(&self) -> Option<(SwitchMode, Stopped)> {
        self.mode().rejection()?;
        let stand = self.stand();
        let mode = stand.position.mode();
        // It may have been moved back just now.
        Some((mode, Stopped { why: mode.rejection()?, detail: Arc::clone(&stand.text) }))
    }

    pub(super) fn count_rejected(&self) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn position(&self) -> Position {
        self.stand().position.clone()
    }

    pub(super) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// A source that will be followed.
    pub(super) fn add_source(&self) -> SourceId {
        let mut stand = self.stand();
        stand.next.0 += 1;
        let id = stand.next;
        stand.sources.push(Source { id, was_there: false, trouble: None });
        id
    }

    /// A source that is followed no more.
    pub(super) fn forget_source(&self, of: SourceId) {
        self.stand().sources.retain(|source| source.id != of);
    }

    /// Notes what is wrong with a source, or that nothing is; if it is news that something is,
    /// whether that matters.
    pub(super) fn set_trouble(&self, of: SourceId, trouble: Option<SourceError>) -> Option<bool> {
        let mut stand = self.stand();
        let is_moved = stand.is_moved();
        let source = stand.sources.iter_mut().find(|source| source.id == of)?;
        source.was_there |= !trouble.as_ref().is_some_and(SourceError::is_missing);
        let is_news = trouble.is_some() && source.trouble != trouble;
        source.trouble = trouble;
        is_news.then(|| source.is_troubled(is_moved))
    }

    /// What is wrong, the worst first: what can't be read before what isn't there.
    pub(super) fn trouble(&self) -> Option<SourceError> {
        let stand = self.stand();
        let troubles = stand.sources.iter().filter_map(|source| source.trouble.as_ref());
        troubles.min_by_key(|error| error.is_missing()).cloned()
    }

    /// Whether what is wrong with a source matters.
    pub(super) fn is_troubled(&self) -> bool {
        let stand = self.stand();
        stand.sources.iter().any(|source| source.is_troubled(stand.is_moved()))
    }

    fn stand(&self) -> MutexGuard<'_, Stand> {
        self.stand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stand {
    fn is_moved(&self) -> bool {
        self.position.mode() != SwitchMode::On
    }
}

impl Source {
    /// A file that is written only in an emergency is missing on all good days.
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

    /// Who moved it there, where that was said.
    #[must_use]
    pub fn who(&self) -> Option<&str> {
        self.setting.who.as_deref()
    }

    /// Why it was moved there, where that was said.
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
    /// Since when, by whom and why; the mode is said by whoever says this.
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
