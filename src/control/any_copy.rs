use super::controls::{Control, ControlState};
use super::health::LocalCopyHealth;

/// A local copy, as its integration's health and controls see it.
pub(crate) trait AnyCopy: Send + Sync {
    fn name(&self) -> &'static str;

    fn health(&self) -> LocalCopyHealth;

    fn control_state(&self) -> ControlState;

    fn control(&self) -> Box<dyn Control>;
}
