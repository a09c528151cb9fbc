use std::error::Error as _;

use http_body_util::BodyExt;
use outrigger::correlation::{Correlation, CorrelationLayer};
use outrigger::{Body, BoxError, Delivery, Error, ErrorKind};
use tower::{Layer, Service, ServiceExt};

use super::{read, request};
use crate::provider::{Bottom, Fault, Provider};
use crate::subject::{Subject, Wrapped};

pub(crate) async fn a_foreign_error<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Provider, Service: Wrapped<Body>>,
{
    let subject = make();
    subject.prepare().await;
    let mut service = subject.layer(Provider::with(Fault::Calling));
    let call = service.ready().await.expect("ready").call(request("order"));
    let error = read::<L::Service, Body>(call).await.expect_err("it fails");
    if L::OWN_ERRORS {
        let error = ours(error);
        assert_eq!(error.kind(), ErrorKind::Other);
        assert_eq!(error.delivery(), Delivery::Unknown);
        assert!(error.source().expect("a source").is::<Bottom>());
    } else {
        assert!(error.is::<Bottom>());
    }
}

pub(crate) async fn an_error_of_ours<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Correlation<Provider>, Service: Wrapped<Body>>,
{
    let subject = make();
    subject.prepare().await;
    let inner = CorrelationLayer::new().layer(Provider::with(Fault::Calling));
    let mut service = subject.layer(inner);
    let call = service.ready().await.expect("ready").call(request("order"));
    let error = read::<L::Service, Body>(call).await.expect_err("it fails");
    let error = ours(error);
    assert!(error.source().expect("a source").is::<Bottom>());
    assert!(error.correlation_id().is_some());
}

pub(crate) async fn an_error_while_readying<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Provider, Service: Wrapped<Body>>,
{
    let subject = make();
    subject.prepare().await;
    let mut service = subject.layer(Provider::with(Fault::Readying));
    // A barrier has the error in the call, the others have it before.
    let error: BoxError = match service.ready().await {
        Err(error) => error.into(),
        Ok(service) => {
            let call = service.call(request("order"));
            read::<L::Service, Body>(call).await.expect_err("it fails")
        }
    };
    if L::OWN_ERRORS {
        let error = ours(error);
        assert_eq!(error.delivery(), Delivery::NotSent);
        assert!(error.source().expect("a source").is::<Bottom>());
    } else {
        assert!(error.is::<Bottom>());
    }
}

pub(crate) async fn an_error_in_the_body<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Provider, Service: Wrapped<Body>>,
{
    let subject = make();
    subject.prepare().await;
    let mut service = subject.layer(Provider::with(Fault::Body));
    let call = service.ready().await.expect("ready").call(request("order"));
    let error: BoxError = match call.await {
        Ok(response) => response.into_body().collect().await.expect_err("it breaks").into(),
        // The layer held the body back.
        Err(error) => error.into(),
    };
    let bottom =
        error.is::<Bottom>() || error.source().is_some_and(<dyn std::error::Error>::is::<Bottom>);
    assert!(bottom, "{error:?}");
}

fn ours(error: BoxError) -> Box<Error> {
    error.downcast().expect("an error of ours")
}
