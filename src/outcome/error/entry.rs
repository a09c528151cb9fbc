//! Conversions into errors, and what each proves about the delivery.

use super::{BoxError, Error, ErrorKind};
use crate::context::{Context, Stopped};
use crate::outcome::foreign;
use crate::terms::{Delivery, Fault};

impl Error {
    /// Converts an inner service's error. An error of ours is passed on; another one is read once.
    ///
    /// A service may take several steps for a call (a redirect, a token, a retry of its own), and
    /// its error belongs to the last one. So an error that isn't ours proves nothing about the
    /// delivery.
    pub(crate) fn from_inner(error: impl Into<BoxError>, context: Option<&Context>) -> Self {
        let ours = foreign::read(error.into());
        match context {
            Some(context) => ours.ending(context),
            None => ours,
        }
    }

    /// The error as a call's result, for the layer that holds this context.
    ///
    /// Its delivery is that of the call that it belongs to, which may be another one, for example a
    /// step on the way. And "not sent" is about one request: it holds for the call only if nothing
    /// else was sent since the layer was called.
    pub(crate) fn ending(mut self, context: &Context) -> Self {
        let of = self.0.context.as_ref();
        let is_of = |of: &Context| of.is_same_call(context) || of.is_inside(context);
        let is_of_call = of.is_some_and(is_of);
        let is_last_step = self.0.delivery == Delivery::NotSent && context.handed_over() > 0;
        if !is_of_call || is_last_step {
            self.0.delivery = Delivery::Unknown;
        }
        self.with_context(context)
    }

    /// Converts the error of a client that sends one request a call, whose delivery is that of this
    /// request.
    pub(crate) fn from_client(error: impl Into<BoxError>, context: Option<&Context>) -> Self {
        let mut ours = foreign::read_client(error.into());
        if let Some(context) = context {
            // It may have belonged to another call (a resolver's). This call failed with it.
            ours.0.context = Some(context.clone());
        }
        ours
    }

    /// The error of a service that didn't become ready for a call.
    pub(crate) fn not_ready(error: impl Into<BoxError>, context: &Context) -> Self {
        let mut ours = Self::from_inner(error, None).unsent();
        // It may have belonged to another call. This call ends with it.
        ours.0.context = Some(context.clone());
        ours
    }

    /// An error while the answer's body was read. The provider has answered this attempt, but
    /// perhaps not every earlier one.
    pub(crate) fn from_body(error: impl Into<BoxError>, context: Option<&Context>) -> Self {
        let mut ours = Self::from_inner(error, context);
        if ours.0.kind == ErrorKind::Other {
            ours.0.kind = ErrorKind::Transport(Fault::Body);
        }
        let answered = |context: &Context| context.call().delivery_of_answer();
        ours.0.delivery = ours.0.context.as_ref().map_or(Delivery::Answered, answered);
        ours
    }

    /// An error of a service that didn't become ready: the request was not sent.
    pub(crate) fn unsent(mut self) -> Self {
        self.0.delivery = Delivery::NotSent;
        self
    }

    /// An error of a request whose own body failed: a part of it may have arrived.
    pub(crate) fn half_sent(mut self) -> Self {
        (self.0.kind, self.0.delivery) = (ErrorKind::Request, Delivery::Unknown);
        self
    }

    /// The error of a call that was stopped.
    pub(crate) fn stopped(by: Stopped, context: &Context) -> Self {
        let error = Self::rejected(by.why, by.detail);
        error.with_elapsed(context.elapsed()).with_context(context)
    }
}

impl Context {
    /// The error to end the call with, if it was stopped. To be asked after each wait.
    pub(crate) fn refusal(&self) -> Option<Error> {
        self.stopped().map(|by| Error::stopped(by, self))
    }
}
