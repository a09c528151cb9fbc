use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::setting::SwitchSetting;
use super::source::SourceError;
use crate::context::Gate;
use crate::error::Error;
use crate::event::SwitchMode;
use crate::outcome::Rejection;

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
}

#[derive(Clone, Debug)]
struct Stand {
    position: Position,
    /// What every refusal says.
    text: Arc<str>,
    trouble: Option<SourceError>,
}

// === impl Switch ===

impl Switch {
    pub(super) fn new(setting: SwitchSetting, since: SystemTime) -> Self {
        let position = Position { setting, since };
        let text = position.to_string().into();
        Self {
            mode: AtomicU8::new(position.mode() as u8),
            rejected: AtomicU64::new(0),
            stand: Mutex::new(Stand { position, text, trouble: None }),
        }
    }

    /// Moves the switch, and says where it stood.
    pub(super) fn set(&self, setting: SwitchSetting, since: SystemTime) -> SwitchMode {
        let mut stand = self.stand();
        let from = stand.position.mode();
        // A new reason is no new stop: it has lasted since the first.
        let since = if from == setting.mode { stand.position.since } else { since };
        stand.position = Position { setting, since };
        stand.text = stand.position.to_string().into();
        self.mode.store(stand.position.mode() as u8, Ordering::Release);
        from
    }

    pub(super) fn position(&self) -> Position {
        self.stand().position.clone()
    }

    pub(super) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// Notes what is wrong with the source; whether that is news.
    pub(super) fn set_trouble(&self, trouble: Option<SourceError>) -> bool {
        let mut stand = self.stand();
        let news = stand.trouble != trouble;
        stand.trouble = trouble;
        news
    }

    pub(super) fn trouble(&self) -> Option<SourceError> {
        self.stand().trouble.clone()
    }

    fn stand(&self) -> MutexGuard<'_, Stand> {
        self.stand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate for Switch {
    fn mode(&self) -> SwitchMode {
        let mode = self.mode.load(Ordering::Acquire);
        SwitchMode::ALL.get(usize::from(mode)).copied().unwrap_or_default()
    }

    fn refusal(&self) -> Option<Error> {
        let why = match self.mode() {
            SwitchMode::On | SwitchMode::NoRetries => return None,
            SwitchMode::CacheOnly => Rejection::CacheOnly,
            SwitchMode::FallbackOnly => Rejection::FallbackOnly,
            SwitchMode::Off => Rejection::Stopped,
        };
        self.rejected.fetch_add(1, Ordering::Relaxed);
        let text = Arc::clone(&self.stand().text);
        Some(Error::rejected(why, text))
    }
}

// === impl Position ===

impl Position {
    /// The mode.
    #[must_use]
    pub fn mode(&self) -> SwitchMode {
        self.setting.mode
    }

    /// Who moved it there.
    #[must_use]
    pub fn who(&self) -> Option<&str> {
        self.setting.who.as_deref()
    }

    /// Why.
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

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} since {}", self.mode(), httpdate::fmt_http_date(self.since))?;
        if let Some(who) = self.who() {
            write!(f, " by {who}")?;
        }
        if let Some(why) = self.why() {
            write!(f, ": {why}")?;
        }
        Ok(())
    }
}
