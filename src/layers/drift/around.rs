use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use http::response::Parts;
use http::{Method, Uri};

use super::layer::DriftLayer;
use super::shapes::Reading;
use super::signal::{Signal, essence, signals};
use super::state::Endpoint;
use crate::context::PathTemplate;
use crate::pattern::{Attempt, Call, Flow, Held, Next, Pattern, Wire};
use crate::rt::Lock;

/// Notices changes of a provider's API, as code around a call: what a
/// [`DriftLayer`](super::DriftLayer) makes of its settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct DriftPattern {
    layer: Arc<DriftLayer>,
}

/// What was asked for.
struct Asked {
    uri: Uri,
    method: Method,
    template: Option<PathTemplate>,
}

impl Pattern for DriftPattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let asked = attempt.request(|request| Asked {
            uri: request.uri().clone(),
            method: request.method().clone(),
            template: request.extensions().get().cloned(),
        });
        let mut running = pin!(next.run(call, attempt));
        let Some(asked) = asked else { return running.await };
        let held = attempt.head(running.as_mut()).await;
        let endpoint = Endpoint::new(&asked.uri, &asked.method, asked.template);
        let looked = held.answer(|head| {
            (self.look(head, &asked.uri, &endpoint), Reading::begin(&self.layer, head, &endpoint))
        });
        let Some((signals, reading)) = looked else { return held.hand_up().await };
        self.tell(signals, &endpoint, attempt);
        match reading {
            Some(reading) => self.read(reading, held, &endpoint, attempt).await,
            None => held.hand_up().await,
        }
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.layer.emitter.integration()
    }
}

impl DriftPattern {
    pub(super) fn new(layer: DriftLayer) -> Self {
        Self { layer: Arc::new(layer) }
    }

    fn look(&self, head: &Parts, asked: &Uri, endpoint: &Endpoint) -> Vec<Signal> {
        let mut found = signals(&head.headers, &self.layer.config.notice_headers, asked);
        // Errors often are of another type, and come from elsewhere.
        let essence = essence(&head.headers).filter(|_| head.status.is_success());
        if let Some(essence) = essence.filter(|_| endpoint.template.is_some()) {
            found.extend(self.layer.shared.state.locked().media(endpoint, essence));
        }
        found
    }

    fn tell<W: Wire>(&self, signals: Vec<Signal>, of: &Endpoint, attempt: &Attempt<W>) {
        if signals.is_empty() {
            return;
        }
        let (now, context) = (self.layer.now(), attempt.context());
        for signal in signals {
            let drift = self.layer.shared.state.locked().notice(of, signal, now);
            if let Some(drift) = drift {
                self.layer.emitter.emit_drift(&context, &drift);
            }
        }
    }

    /// Reads the body along with the caller.
    async fn read<W: Wire, F: Future<Output = Flow>>(
        &self,
        mut reading: Reading,
        held: Held<'_, W, F>,
        of: &Endpoint,
        attempt: &Attempt<W>,
    ) -> Flow {
        let mut running = match held.hand_up_head() {
            Ok(running) => running,
            Err(flow) => return flow,
        };
        loop {
            attempt.wanted().await;
            let flow = attempt.frame(running.as_mut()).await;
            attempt.last_frame(|frame| reading.take(frame));
            let is_over = matches!(flow, Some(Ok(())));
            // Readers that know the length may never ask for the end.
            if is_over || attempt.size_hint().exact() == Some(0) {
                self.tell(reading.end(&self.layer), of, attempt);
            }
            if let Some(flow) = flow {
                return flow;
            }
        }
    }
}
