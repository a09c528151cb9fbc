use std::pin::pin;
use std::sync::Arc;

use super::end_guard::EndGuard;
use super::layer::ObserveLayer;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};

/// Tells when a call or an attempt begins and ends, as code around a call: what a
/// [`ObserveLayer`](super::ObserveLayer) makes of its settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct ObservePattern {
    settings: Arc<ObserveLayer>,
}

impl ObservePattern {
    pub(super) fn new(settings: &ObserveLayer) -> Self {
        Self { settings: Arc::new(settings.clone()) }
    }
}

impl Pattern for ObservePattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        // Boxed, so that it costs no memory if nobody listens. Declared before the inner future, so that
        // it is dropped after it.
        let mut guard =
            self.tells().then(|| Box::new(EndGuard::begin(&self.settings, call, attempt)));
        let mut running = pin!(next.run(call, attempt));
        let Some(guard) = &mut guard else { return running.await };
        let held = attempt.head(running.as_mut()).await;
        if held.error().is_none() {
            guard.answered(held.class(&self.settings.classifier));
        }
        let mut running = match held.hand_up_head() {
            Ok(running) => running,
            Err(flow) => return guard.end(flow),
        };
        loop {
            attempt.wanted().await;
            let flow = attempt.frame(running.as_mut()).await;
            guard.received();
            if let Some(flow) = flow {
                return guard.end(flow);
            }
        }
    }

    fn tells(&self) -> bool {
        self.settings.emitter.is_listened_to()
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}
