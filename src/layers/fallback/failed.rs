use http::{HeaderValue, Method, StatusCode};

use super::layer::FallbackLayer;
use crate::context::{BusinessKey, Context, PathTemplate};
use crate::outcome::{Error, ErrorKind};
use crate::pattern::{Attempt, Wire};
use crate::replay::own_key;
use crate::terms::{Class, Delivery, Fault, Rejection};

/// A call that failed, as a fallback sees it: which operation, and of what.
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
    /// What the call failed of.
    pub class: Class,
    /// The status, where the provider answered.
    pub status: Option<StatusCode>,
    /// What was wrong, where there is no answer; its source stays with the original.
    pub error: Option<Error>,
    /// Whether the provider may have acted all the same.
    pub delivery: Delivery,
    pub(super) context: Context,
    /// The caller's own key, where it may be needed.
    pub(super) own_key: Option<HeaderValue>,
}

/// Marks a response that a fallback gave, in its extensions.
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

/// What is kept of a request until its outcome is known.
#[derive(Debug)]
pub(super) struct Facts {
    method: Method,
    path: Option<PathTemplate>,
    business_key: Option<BusinessKey>,
    /// The caller's own key, where it may be needed.
    own_key: Option<HeaderValue>,
}

/// What a kill switch wants of a fallback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switched {
    /// Nothing: the outcomes decide.
    No,
    /// It must answer.
    Must,
    /// It must not.
    MustNot,
}

impl Failed {
    /// The call's ids, keys and times: what ties this to logs, and to what the provider knows.
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
        // This is the last attempt's word; an earlier one may have been acted on all the same.
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

    /// What the provider is to blame for, and what never reached it.
    pub(super) fn is_worth_a_fallback(&self) -> bool {
        match self.class {
            Class::Throttled | Class::Rejected(_) | Class::Timeout(_) => true,
            class => class.is_failure() || class.is_moved() || self.is_unreadable(),
        }
    }

    /// The provider answered, and there is no answer to hand on.
    fn is_unreadable(&self) -> bool {
        let kind = self.error.as_ref().map(Error::kind);
        kind == Some(ErrorKind::Transport(Fault::Protocol)) && self.delivery == Delivery::Answered
    }
}

impl Facts {
    /// Absent where the request was sent already.
    pub(super) fn of<W: Wire>(settings: &FallbackLayer, attempt: &Attempt<W>) -> Option<Self> {
        attempt.request(|request| {
            // Most calls carry their context at most.
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

impl Switched {
    /// By who refused the call: a switch isn't a classifier's to read in another way.
    pub(super) fn of(failed: &Failed) -> Self {
        match failed.error.as_ref().map(Error::kind) {
            Some(ErrorKind::Rejected(Rejection::FallbackOnly)) => Self::Must,
            Some(ErrorKind::Rejected(Rejection::Stopped)) => Self::MustNot,
            _ => Self::No,
        }
    }
}
