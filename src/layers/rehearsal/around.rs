use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_TYPE;
use http_body_util::Full;

use super::injection::{Ending, Injection, Rehearsed};
use super::layer::RehearsalLayer;
use crate::context::AttemptState;
use crate::event::Event;
use crate::outcome::{Error, ErrorKind};
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::terms::{Delivery, Fault, InjectedFault};

/// Injects faults, as code around a call: what a [`RehearsalLayer`](super::RehearsalLayer) makes of
/// its settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct RehearsalPattern {
    settings: RehearsalLayer,
}

impl Pattern for RehearsalPattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let asked = attempt.request(|request| self.settings.injection(request.headers_mut()));
        match asked {
            None | Some(Ok(None)) => next.run(call, attempt).await,
            Some(Err(why)) => Err(refused(why, call, attempt)),
            // Boxed: few calls get a fault, and every one would carry the room.
            Some(Ok(Some(injection))) => {
                Box::pin(self.inject(injection, call, attempt, next)).await
            }
        }
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}

impl RehearsalPattern {
    pub(super) fn new(settings: RehearsalLayer) -> Self {
        Self { settings }
    }

    async fn inject<W: Wire>(
        &self,
        injection: Injection,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let Injection { latency, slow_body, ending } = injection;
        // From here on it is as if it had gone out: limits further out don't see a difference.
        attempt.state(AttemptState::leave_queue);
        if let Some(latency) = latency {
            self.tell(InjectedFault::Latency, attempt);
            call.sleep(latency).await;
        }
        match ending {
            Some(ending) => self.make(ending, slow_body, call, attempt).await,
            None => self.slowly(slow_body, next.run(call, attempt), call, attempt).await,
        }
    }

    /// Ends the call without the provider.
    async fn make<W: Wire>(
        &self,
        ending: Ending,
        slow_body: Option<Duration>,
        call: &Call,
        attempt: &Attempt<W>,
    ) -> Flow {
        let fault = ending.fault();
        self.tell(fault, attempt);
        attempt.lose_request();
        let mut response = Response::new(Bytes::new());
        match ending {
            // Nobody wakes this; whoever set a limit wakes itself.
            Ending::Hang => return std::future::pending().await,
            Ending::Reset => return Err(reset(call, attempt)),
            Ending::Status(status) => *response.status_mut() = status,
            Ending::Answer { body, content_type } => {
                response.headers_mut().insert(CONTENT_TYPE, content_type);
                *response.body_mut() = body;
            }
        }
        response.extensions_mut().insert(Rehearsed { fault });
        let response = response.map(|bytes| Full::new(W::Data::from(bytes)));
        self.slowly(slow_body, attempt.play(response), call, attempt).await
    }

    /// Runs to the body's end, with a pause before each frame that the reader asks for.
    async fn slowly<W: Wire>(
        &self,
        pause: Option<Duration>,
        running: impl Future<Output = Flow> + Send,
        call: &Call,
        attempt: &Attempt<W>,
    ) -> Flow {
        let Some(pause) = pause else { return running.await };
        let mut running = pin!(running);
        let mut running = match attempt.head(running.as_mut()).await.hand_up_head() {
            Ok(running) => running,
            // An empty body has none to be slow with.
            Err(flow) => return flow,
        };
        self.tell(InjectedFault::SlowBody, attempt);
        loop {
            attempt.wanted().await;
            call.sleep(pause).await;
            if let Some(flow) = attempt.frame(running.as_mut()).await {
                return flow;
            }
        }
    }

    fn tell<W: Wire>(&self, fault: InjectedFault, attempt: &Attempt<W>) {
        self.settings.switch.count();
        self.settings.emitter.emit(Some(&attempt.context()), || Event::Rehearsed { fault });
    }
}

/// As a real one, of which nobody knows how far the request came.
fn reset<W: Wire>(call: &Call, attempt: &Attempt<W>) -> Error {
    Error::new(ErrorKind::Transport(Fault::Reset), Delivery::Unknown)
        .with_detail("rehearsed")
        .with_context(&attempt.context())
        .with_elapsed(call.elapsed())
}

/// A request that can't be read is not sent.
fn refused<W: Wire>(why: &'static str, call: &Call, attempt: &Attempt<W>) -> Error {
    Error::new(ErrorKind::Request, Delivery::NotSent)
        .with_detail(why)
        .with_context(&attempt.context())
        .with_elapsed(call.elapsed())
}
