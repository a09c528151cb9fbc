use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_TYPE;
use http_body_util::Full;

use super::injection::{Ending, Injected, Injection};
use super::layer::FaultInjectionLayer;
use crate::context::AttemptState;
use crate::event::Event;
use crate::outcome::{Error, ErrorKind};
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::terms::{Delivery, Fault, InjectedFault};

/// Injects faults, as code around a call: what a [`FaultInjectionLayer`](super::FaultInjectionLayer) makes of
/// its settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct FaultInjectionPattern {
    settings: FaultInjectionLayer,
}

impl Pattern for FaultInjectionPattern {
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
            // Boxed, because few calls get a fault, and its size would be part of every call.
            Some(Ok(Some(injection))) => {
                Box::pin(self.inject(injection, call, attempt, next)).await
            }
        }
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}

impl FaultInjectionPattern {
    pub(super) fn new(settings: FaultInjectionLayer) -> Self {
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
        // From here on it counts as sent, as it would without a fault.
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
            // Only a limit further out ends this.
            Ending::Hang => return std::future::pending().await,
            Ending::Reset => return Err(reset(call, attempt)),
            Ending::Status(status) => *response.status_mut() = status,
            Ending::Answer { body, content_type } => {
                response.headers_mut().insert(CONTENT_TYPE, content_type);
                *response.body_mut() = body;
            }
        }
        response.extensions_mut().insert(Injected { fault });
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
            // An empty body has no frame to delay.
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
        self.settings.emitter.emit(Some(&attempt.context()), || Event::FaultInjected { fault });
    }
}

/// A connection reset. As with a real one, it is unknown whether the provider acted.
fn reset<W: Wire>(call: &Call, attempt: &Attempt<W>) -> Error {
    Error::new(ErrorKind::Transport(Fault::Reset), Delivery::Unknown)
        .with_detail("injected")
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
