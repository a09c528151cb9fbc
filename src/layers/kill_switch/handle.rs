use super::layer::KillSwitchLayer;
use super::setting::SwitchSetting;
use super::source::{SourceError, SwitchSource};
use super::state::{Position, SourceId};
use crate::event::Event;
use crate::rt::{self, Task, callback};
use crate::terms::{SourceProblem, SwitchMode};

/// Reads a kill switch and moves it, from any thread and without waiting. Clones move the same
/// switch.
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
            self.0.tell(|| Event::KillSwitchChanged { from, to });
        }
    }

    /// The mode that calls find now.
    #[must_use]
    pub fn mode(&self) -> SwitchMode {
        self.0.switch.mode()
    }

    /// Where it stands, on whose word and since when.
    #[must_use]
    pub fn position(&self) -> Position {
        self.0.switch.position()
    }

    /// How many calls were refused since the switch was made, those included that were stopped in a
    /// queue further in.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.0.switch.rejected()
    }

    /// Why a source that it follows can't be read just now; `None` if all can. The switch stays
    /// where it is meanwhile.
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
    /// the source's next. What it says after trouble is none if it said the same before, unless
    /// there was nothing in between ([`SourceProblem::Missing`]).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn follow(&self, mut source: impl SwitchSource) -> Following {
        let mut ear = Ear::new(self.clone());
        Following(rt::spawn_task(async move {
            let followed = async {
                while let Some(word) = source.next().await {
                    ear.hear(word);
                }
            };
            if callback::run("switch source", followed).await.is_none() {
                ear.hear(Err(SourceError::new(SourceProblem::Unreadable, "the source panicked")));
                // Said for as long as anybody thinks that it is followed.
                std::future::pending::<()>().await;
            }
        }))
    }
}

/// What listens to one source; a source that is followed no more troubles nobody.
struct Ear {
    of: SourceId,
    handle: KillSwitchHandle,
    /// What it said last, unless that is gone since.
    last: Option<SwitchSetting>,
    /// It can't be read just now.
    is_troubled: bool,
}

impl Ear {
    fn new(handle: KillSwitchHandle) -> Self {
        Self { of: handle.0.switch.add_source(), handle, last: None, is_troubled: false }
    }

    fn hear(&mut self, word: Result<SwitchSetting, SourceError>) {
        match word {
            Ok(setting) => {
                self.handle.0.switch.set_trouble(self.of, None);
                let was_troubled = std::mem::replace(&mut self.is_troubled, false);
                // What is as it was before the trouble is no news: who spoke since is obeyed.
                if !was_troubled || self.last.as_ref() != Some(&setting) {
                    self.last = Some(setting.clone());
                    self.handle.apply(setting);
                }
            }
            Err(error) => {
                let problem = error.problem();
                self.is_troubled = true;
                if problem == SourceProblem::Missing {
                    // What was taken away and comes again was written anew.
                    self.last = None;
                }
                if let Some(matters) = self.handle.0.switch.set_trouble(self.of, Some(error)) {
                    self.handle.0.tell(|| Event::KillSwitchSourceFailed { problem, matters });
                }
            }
        }
    }
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
