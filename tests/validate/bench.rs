//! An integration with checks, in front of a provider that a test controls.

use std::error::Error as StdError;
use std::time::Duration;

use http::{Method, Request, Response};
use outrigger::integration::Service;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::validate::{Check, FailedCheck, Finding, ValidateLayer, function};
use outrigger::{Body, Error, Integration, IntegrationBuilder};

pub(crate) struct Bench {
    pub(crate) api: Integration,
    pub(crate) provider: Script,
    pub(crate) events: EventRecorder,
}

impl Bench {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>, checks: ValidateLayer) -> Self {
        Self::with(answers, checks, |builder| builder)
    }

    pub(crate) fn with(
        answers: impl IntoIterator<Item = Answer>,
        checks: ValidateLayer,
        adjust: impl FnOnce(IntegrationBuilder<Service<Script>>) -> IntegrationBuilder<Service<Script>>,
    ) -> Self {
        let (provider, events) = (Script::new(answers), EventRecorder::new());
        let builder = Integration::user_flow("api").service(provider.clone());
        let builder = builder.validate(checks).subscriber(events.clone());
        Self { api: adjust(builder).build().unwrap(), provider, events }
    }

    pub(crate) async fn send(&self, method: Method) -> Result<Response<Body>, Error> {
        self.api.send(request(method)).await
    }

    pub(crate) async fn get(&self) -> Result<Response<Body>, Error> {
        self.send(Method::GET).await
    }
}

pub(crate) fn request(method: Method) -> Request<Body> {
    let mut request = Request::new(Body::from("an order"));
    *request.method_mut() = method;
    *request.uri_mut() = http::Uri::from_static("http://api.test/orders");
    request
}

/// An answer of JSON.
pub(crate) fn json(body: &str) -> Answer {
    Answer::status(200).header("content-type", "application/json").body(body.to_owned())
}

/// A check that finds the same in every answer.
pub(crate) fn always(finding: fn() -> Finding) -> impl Check {
    function("always", move |_, _| finding())
}

pub(crate) fn enforced(check: impl Check) -> ValidateLayer {
    ValidateLayer::new().enforce(check)
}

/// Which check an error is of.
pub(crate) fn failed(error: &Error) -> &FailedCheck {
    error.source().and_then(|source| source.downcast_ref()).expect("an error of a check")
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
