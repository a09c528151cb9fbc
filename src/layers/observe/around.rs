use std::pin::pin;
use std::sync::Arc;

use super::layer::ObserveLayer;
use super::report::Report;
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
        // Boxed, so that a call that nobody listens to isn't the larger for it. It tells the end after
        // all that is further in has told its own.
        let mut report =
            self.tells().then(|| Box::new(Report::begin(&self.settings, call, attempt)));
        let mut running = pin!(next.run(call, attempt));
        let Some(report) = &mut report else { return running.await };
        let held = attempt.head(running.as_mut()).await;
        if held.error().is_none() {
            report.answered(held.class(&self.settings.classifier));
        }
        let mut running = match held.hand_up_head() {
            Ok(running) => running,
            Err(flow) => return report.end(flow),
        };
        loop {
            attempt.wanted().await;
            let flow = attempt.frame(running.as_mut()).await;
            report.received();
            if let Some(flow) = flow {
                return report.end(flow);
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
