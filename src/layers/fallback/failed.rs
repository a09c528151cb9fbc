use http::{HeaderValue, Method, StatusCode};

use super::layer::FallbackLayer;
use crate::context::{BusinessKey, Context, PathTemplate};
use crate::outcome::{Error, ErrorKind};
use crate::pattern::{Attempt, Wire};
use crate::replay::own_key;
use crate::terms::{Class, Delivery, Fault, Rejection};

/// A failed call, as a fallback sees it: the operation and the failure.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failed {
    /// The method.
    pub method: Method,
    /// The path's template, where the request had one. The path itself is not kept: it may hold
    /// what must not be recorded.
    pub path: Option<PathTemplate>,
    /// What the business calls the operation, where the request said.
    pub business_key: Option<BusinessKey>,
    /// The class of the failure.
    pub class: Class,
    /// The status, if the provider answered.
    pub status: Option<StatusCode>,
    /// The error, if there is no answer; without its source.
    pub error: Option<Error>,
    /// Whether the provider may have acted all the same.
    pub delivery: Delivery,
    pub(super) context: Context,
    /// The caller's own key, if a recorder needs it.
    pub(super) own_key: Option<HeaderValue>,
}

/// In a response's extensions: a fallback made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FellBack {
    /// What the call failed of.
    pub class: Class,
    /// The status, where the provider answered.
    pub status: Option<StatusCode>,
    /// Whether the provider may have acted all the same.
    pub delivery: Delivery,
}

/// The facts of a request that are kept until its outcome is known.
#[derive(Debug)]
pub(super) struct Facts {
    method: Method,
    path: Option<PathTemplate>,
    business_key: Option<BusinessKey>,
    /// The caller's own key, where it may be needed.
    own_key: Option<HeaderValue>,
}

/// Whether a kill switch decides about the fallback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SwitchRule {
    /// It doesn't: the outcome decides.
    No,
    /// The fallback must answer.
    MustAnswer,
    /// The fallback must not answer.
    MustNot,
}

impl Failed {
    /// The call's ids, keys and times, which connect it to logs and to the provider's records.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn answered(
        facts: Facts,
        context: Context,
        class: Class,
        status: Option<StatusCode>,
    ) -> Self {
        // The answer is the last attempt's; the provider may have acted on an earlier one.
        let delivery = context.call().delivery_of_answer();
        let Facts { method, path, business_key, own_key } = facts;
        let error = None;
        Self { method, path, business_key, class, status, error, delivery, context, own_key }
    }

    pub(super) fn unanswered(facts: Facts, context: Context, class: Class, error: &Error) -> Self {
        let (delivery, status) = (error.delivery(), error.last_status());
        let error = Some(error.said().with_context(&context));
        let Facts { method, path, business_key, own_key } = facts;
        Self { method, path, business_key, class, status, error, delivery, context, own_key }
    }

    pub(super) fn mark(&self) -> FellBack {
        FellBack { class: self.class, status: self.status, delivery: self.delivery }
    }

    /// Whether it is the provider's failure, or a request that never reached it.
    pub(super) fn is_worth_a_fallback(&self) -> bool {
        match self.class {
            Class::Throttled | Class::Rejected(_) | Class::Timeout(_) => true,
            class => class.is_failure() || class.is_moved() || self.is_unreadable(),
        }
    }

    /// Whether the provider answered something that can't be read.
    fn is_unreadable(&self) -> bool {
        let kind = self.error.as_ref().map(Error::kind);
        kind == Some(ErrorKind::Transport(Fault::Protocol)) && self.delivery == Delivery::Answered
    }
}

impl Facts {
    /// Absent if the request was sent already.
    pub(super) fn of<W: Wire>(settings: &FallbackLayer, attempt: &Attempt<W>) -> Option<Self> {
        attempt.request(|request| {
            // Most requests have no extensions.
            let others = (!request.extensions().is_empty()).then(|| request.extensions());
            let own_key = || own_key(request, &settings.key_header);
            Self {
                method: request.method().clone(),
                path: others.and_then(|others| others.get::<PathTemplate>().cloned()),
                business_key: others.and_then(|others| others.get::<BusinessKey>().cloned()),
                own_key: settings.recorder.as_ref().and_then(|_| own_key()),
            }
        })
    }
}

impl SwitchRule {
    /// Read from the error and not from the class, which a classifier can change.
    pub(super) fn of(failed: &Failed) -> Self {
        match failed.error.as_ref().map(Error::kind) {
            Some(ErrorKind::Rejected(Rejection::FallbackOnly)) => Self::MustAnswer,
            Some(ErrorKind::Rejected(Rejection::Stopped)) => Self::MustNot,
            _ => Self::No,
        }
    }
}
