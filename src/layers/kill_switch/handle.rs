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

    /// Moves the switch. Every refusal names who did it and why. Calls in flight finish.
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

    /// The present setting, and since when it holds.
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

    /// Whether that matters: a source that was never there is no problem while the switch is on.
    #[must_use]
    pub fn is_troubled(&self) -> bool {
        self.0.switch.is_troubled()
    }

    /// Follows `source` from now on. A setting by this handle holds until the source's next one. If
    /// the source could not be read and then has the same setting as before, that doesn't move the
    /// switch, unless it was [missing](SourceProblem::Missing) in between.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn follow(&self, mut source: impl SwitchSource) -> Following {
        let mut listener = SourceListener::new(self.clone());
        Following(rt::spawn_task(async move {
            let followed = async {
                while let Some(word) = source.next().await {
                    listener.on_update(word);
                }
            };
            if callback::run("switch source", followed).await.is_none() {
                listener.on_update(Err(SourceError::new(
                    SourceProblem::Unreadable,
                    "the source panicked",
                )));
                // Keep the error for as long as the source is followed.
                std::future::pending::<()>().await;
            }
        }))
    }
}

/// Follows one source; when dropped, its error is cleared.
struct SourceListener {
    of: SourceId,
    handle: KillSwitchHandle,
    /// Its last setting, unless it went missing since.
    last: Option<SwitchSetting>,
    /// It can't be read just now.
    is_troubled: bool,
}

impl SourceListener {
    fn new(handle: KillSwitchHandle) -> Self {
        Self { of: handle.0.switch.add_source(), handle, last: None, is_troubled: false }
    }

    fn on_update(&mut self, word: Result<SwitchSetting, SourceError>) {
        match word {
            Ok(setting) => {
                self.handle.0.switch.set_trouble(self.of, None);
                let was_troubled = std::mem::replace(&mut self.is_troubled, false);
                // The same setting as before an error doesn't override a later one by a handle.
                if !was_troubled || self.last.as_ref() != Some(&setting) {
                    self.last = Some(setting.clone());
                    self.handle.apply(setting);
                }
            }
            Err(error) => {
                let problem = error.problem();
                self.is_troubled = true;
                if problem == SourceProblem::Missing {
                    // A file that comes back counts as a new setting.
                    self.last = None;
                }
                if let Some(matters) = self.handle.0.switch.set_trouble(self.of, Some(error)) {
                    self.handle.0.tell(|| Event::KillSwitchSourceFailed { problem, matters });
                }
            }
        }
    }
}

impl Drop for SourceListener {
    fn drop(&mut self) {
        self.handle.0.switch.forget_source(self.of);
    }
}

impl Following {
    /// Follows until the source ends, or the runtime.
    pub fn detach(self) {
        self.0.detach();
    }
}
