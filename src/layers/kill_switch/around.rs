use std::sync::Arc;

use super::layer::KillSwitchLayer;
use crate::context::Stop;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};

/// Lets people stop all calls, as code around a call: what a
/// [`KillSwitchLayer`](super::KillSwitchLayer) makes of its settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct KillSwitchPattern {
    settings: Arc<KillSwitchLayer>,
}

impl KillSwitchPattern {
    pub(super) fn new(settings: &KillSwitchLayer) -> Self {
        Self { settings: Arc::new(settings.clone()) }
    }
}

impl Pattern for KillSwitchPattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        if let Some(error) = self.settings.refusal_of(attempt) {
            return Err(error);
        }
        // Layers further in that wait ask the switch again.
        call.facts().add_stop(Arc::clone(&self.settings) as Arc<dyn Stop>);
        next.run(call, attempt).await
    }

    fn may_send(&self) -> bool {
        self.settings.switch.mode().lets_calls_through()
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}
