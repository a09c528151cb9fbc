use super::layer::KillSwitchLayer;
use super::setting::SwitchSetting;
use super::source::{SourceError, SwitchSource};
use super::state::{Position, SourceId};
use crate::context::Gate;
use crate::event::{Event, SwitchMode};
use crate::rt::{self, Task};

/// Reads a kill switch and moves it.
#[derive(Clone, Debug)]
pub struct KillSwitchHandle(KillSwitchLayer);

/// A kill switch that follows a source; it stops following when this is dropped.
#[derive(Debug)]
#[must_use = "the switch stops following when this is dropped: keep it, or `detach` it"]
pub struct Following(Task);

impl KillSwitchHandle {
    pub(super) fn new(layer: KillSwitchLayer) -> Self {
        Self(layer)
    }

    /// Moves the switch: who does it and why stands on every refusal. Calls under way finish.
    pub fn set(&self, mode: SwitchMode, who: impl AsRef<str>, why: impl AsRef<str>) {
        self.apply(SwitchSetting::new(mode).who(who).why(why));
    }

    /// Moves the switch to a setting that came from elsewhere.
    pub fn apply(&self, setting: SwitchSetting) {
        let to = setting.mode;
        let from = self.0.switch.set(setting, self.0.clock.wall());
        if from != to {
            self.0.emitter.emit(None, || Event::KillSwitchChanged { from, to });
        }
    }

    /// The mode it is in.
    #[must_use]
    pub fn mode(&self) -> SwitchMode {
        self.0.switch.mode()
    }

    /// Where it stands, on whose word and since when.
    #[must_use]
    pub fn position(&self) -> Position {
        self.0.switch.position()
    }

    /// How many calls it has refused.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.0.switch.rejected()
    }

    /// Why a source that it follows can't be read just now.
    #[must_use]
    pub fn trouble(&self) -> Option<SourceError> {
        self.0.switch.trouble()
    }

    /// Whether that matters: what was never there isn't missed while everything is let through.
    #[must_use]
    pub fn is_troubled(&self) -> bool {
        self.0.switch.is_troubled()
    }

    /// Goes wherever `source` says, from now on; a word that came since by this handle holds until
    /// the source's next.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn follow(&self, mut source: impl SwitchSource) -> Following {
        let ear = Ear { of: self.0.switch.add_source(), handle: self.clone() };
        Following(rt::spawn_task(async move {
            while let Some(word) = source.next().await {
                ear.handle.hear(ear.of, word);
            }
        }))
    }

    fn hear(&self, of: SourceId, word: Result<SwitchSetting, SourceError>) {
        match word {
            Ok(setting) => {
                self.0.switch.set_trouble(of, None);
                self.apply(setting);
            }
            Err(error) => {
                let problem = error.problem();
                if let Some(matters) = self.0.switch.set_trouble(of, Some(error)) {
                    let failed = || Event::KillSwitchSourceFailed { problem, matters };
                    self.0.emitter.emit(None, failed);
                }
            }
        }
    }
}

/// What listens to one source; a source that is followed no more troubles nobody.
struct Ear {
    of: SourceId,
    handle: KillSwitchHandle,
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.handle.0.switch.forget_source(self.of);
    }
}

impl Following {
    /// Follows until the source has nothing more to say, or the runtime ends.
    pub fn detach(self) {
        self.0.detach();
    }
}
