use http::{HeaderMap, Method, StatusCode, Uri};

use super::finding::Finding;
use super::prefix::Prefix;
use crate::context::PathTemplate;

/// Looks at one answer. See the [module](super).
///
/// It must be a pure and quick function: it runs on the caller's task, a millisecond for 64 KiB is a
/// lot. If it panics, the answer passes as unchecked.
pub trait Check: Send + Sync + 'static {
    /// Its name, in metrics, events and errors: one of few, such as `required`.
    fn name(&self) -> &'static str;

    /// Whether it is for this answer. By default, for those with a 2xx.
    fn applies(&self, answer: &Answered<'_>) -> bool {
        answer.status.is_success()
    }

    /// Whether it reads the body. If no check does, an answer isn't held back for its body.
    fn reads_body(&self) -> bool {
        true
    }

    /// What it finds.
    fn check(&self, answer: &Answered<'_>, body: &Prefix<'_>) -> Finding;

    /// The same check, only for some of the answers that it is for:
    ///
    /// ```
    /// use outrigger::validate::{Check, Size};
    ///
    /// let charges = Size::at_least(2).when(|answer| answer.uri.path().starts_with("/v1/charges"));
    /// # let _ = charges;
    /// ```
    fn when<F>(self, gate: F) -> When<Self, F>
    where
        F: Fn(&Answered<'_>) -> bool + Send + Sync + 'static,
        Self: Sized,
    {
        When { check: self, gate }
    }

    /// The same check, only for answers to requests with this
    /// [`PathTemplate`](crate::context::PathTemplate).
    fn at(
        self,
        template: impl Into<std::sync::Arc<str>>,
    ) -> When<Self, impl Fn(&Answered<'_>) -> bool + Send + Sync + 'static>
    where
        Self: Sized,
    {
        let template = PathTemplate::new(template);
        self.when(move |answer| answer.template == Some(&template))
    }

    /// The same check under another name, where a layer has several of one kind.
    fn named(self, name: &'static str) -> Named<Self>
    where
        Self: Sized,
    {
        Named { check: self, name }
    }
}

/// An answer's head, and what was asked. `Debug` shows the method and the status.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Answered<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The request's URI.
    pub uri: &'a Uri,
    /// The request's path template, if it had one.
    pub template: Option<&'a PathTemplate>,
    /// The answer's status.
    pub status: StatusCode,
    /// The answer's headers.
    pub headers: &'a HeaderMap,
}

/// A check for some answers. See [`Check::when`].
#[derive(Clone, Debug)]
pub struct When<C, F> {
    check: C,
    gate: F,
}

/// A check under another name. See [`Check::named`].
#[derive(Clone, Debug)]
pub struct Named<C> {
    check: C,
    name: &'static str,
}

/// A check that is a function. See [`function`].
#[derive(Clone, Debug)]
pub struct Function<F> {
    name: &'static str,
    check: F,
}

/// A check of your own, for answers with a 2xx.
///
/// ```
/// use outrigger::validate::{ValidateLayer, Finding, function};
///
/// let balance = function("balance", |answer, body| match body.whole() {
///     Ok(b"{}") => Finding::invalid("there is no balance"),
///     Ok(_) => Finding::pass(),
///     Err(unchecked) => unchecked,
/// });
/// let layer = ValidateLayer::new().enforce(balance);
/// # let _ = layer;
/// ```
pub fn function<F>(name: &'static str, check: F) -> Function<F>
where
    F: Fn(&Answered<'_>, &Prefix<'_>) -> Finding + Send + Sync + 'static,
{
    Function { name, check }
}

impl<F> Check for Function<F>
where
    F: Fn(&Answered<'_>, &Prefix<'_>) -> Finding + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn check(&self, answer: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        (self.check)(answer, body)
    }
}

impl<C, F> Check for When<C, F>
where
    C: Check,
    F: Fn(&Answered<'_>) -> bool + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        self.check.name()
    }

    fn applies(&self, answer: &Answered<'_>) -> bool {
        (self.gate)(answer) && self.check.applies(answer)
    }

    fn reads_body(&self) -> bool {
        self.check.reads_body()
    }

    fn check(&self, answer: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        self.check.check(answer, body)
    }
}

impl<C: Check> Check for Named<C> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn applies(&self, answer: &Answered<'_>) -> bool {
        self.check.applies(answer)
    }

    fn reads_body(&self) -> bool {
        self.check.reads_body()
    }

    fn check(&self, answer: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        self.check.check(answer, body)
    }
}

impl std::fmt::Debug for Answered<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answered")
            .field("method", self.method)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
