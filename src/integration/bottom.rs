use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use super::IntegrationWire;
use super::adapt::Adapt;
use crate::pattern::{Attempt, Call, Flow, Next, send};
use crate::transport::Transport;

/// The transport, as the innermost part of a stack. It makes an instance for every attempt.
///
/// It is a trait object, so that the stack is compiled once, in this crate, and not for each client
/// in the user's crate.
pub(super) struct Bottom(Box<dyn AnyTransport>);

type BoxedFlow<'a> = Pin<Box<dyn Future<Output = Flow> + Send + 'a>>;

trait AnyTransport: Send + Sync {
    fn send<'a>(&'a self, call: &'a Call, attempt: &'a Attempt<IntegrationWire>) -> BoxedFlow<'a>;
}

struct Template<T>(Mutex<Adapt<T>>);

impl Bottom {
    pub(super) fn new<T: Transport>(transport: T, captures: bool) -> Self {
        Self(Box::new(Template(Mutex::new(Adapt::new(transport, captures)))))
    }
}

impl<T: Transport> AnyTransport for Template<T> {
    fn send<'a>(&'a self, call: &'a Call, attempt: &'a Attempt<IntegrationWire>) -> BoxedFlow<'a> {
        let transport = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(send(transport, false, true, call, attempt))
    }
}

impl Next<IntegrationWire> for Bottom {
    async fn run(&self, call: &Call, attempt: &Attempt<IntegrationWire>) -> Flow {
        self.0.send(call, attempt).await
    }
}
