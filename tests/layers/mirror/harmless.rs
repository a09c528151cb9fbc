//! Whatever the copy does, the real call goes on as it would have.

use std::future::{Ready, pending};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use outrigger::mirror::MirrorLayer;
use outrigger::outcome::{Class, ResponseHead};
use outrigger::testing::Answer;
use outrigger::{Body, BoxError, Error, Ratio};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::Mirrored;
use crate::call::{fetch, get, send};
use crate::clock::{millis, secs, settle, timed, wait, within};
use crate::provider::{Provider, Streaming, piped};

/// Panics wherever it is told to.
#[derive(Clone, Copy)]
enum Panics {
    Readying,
    Calling,
    Answering,
    NeverReady,
}

impl Service<Request<Body>> for Panics {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Self::Readying => panic!("while readying"),
            Self::NeverReady => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        match self {
            Self::Calling => panic!("while calling"),
            _ => Box::pin(async { panic!("while answering") }),
        }
    }
}

/// The real call through a mirror, and how many copies are over after a minute.
async fn real_call<T>(layer: MirrorLayer<T>) -> (bytes::Bytes, u64)
where
    T: Service<Request<Body>, Response = Response<Body>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
{
    let service = layer.layer(Provider::new(Answer::status(200).body("the real one")));
    let (took, body) = timed(fetch(&service, get())).await;
    assert_eq!(took, millis(0));
    wait(secs(60)).await;
    assert_eq!(layer.handle().in_flight(), 0, "its place is free again");
    (body.unwrap(), layer.handle().mirrored())
}

#[tokio::test(start_paused = true)]
async fn a_target_that_panics_or_is_never_ready_harms_nobody() {
    for panics in [Panics::Readying, Panics::Calling, Panics::Answering, Panics::NeverReady] {
        let layer = MirrorLayer::new(panics, Ratio::ONE);
        let (body, mirrored) = real_call(layer).await;
        assert_eq!((&body[..], mirrored), (&b"the real one"[..], 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_hangs_or_fails_harms_nobody() {
    let hangs = service_fn(|_| pending::<Result<Response<Body>, Error>>());
    assert_eq!(real_call(MirrorLayer::new(hangs, Ratio::ONE)).await.1, 1);
    let fails = service_fn(|_| async { Err::<Response<Body>, BoxError>("no".into()) });
    assert_eq!(real_call(MirrorLayer::new(fails, Ratio::ONE)).await.1, 1);
}

#[tokio::test(start_paused = true)]
async fn functions_of_the_users_that_panic_harm_nobody() {
    let mirrored =
        Mirrored::to(Answer::status(200), |layer| layer.compare(|_, _| panic!("while comparing")));
    assert_eq!(fetch(&mirrored.service, get()).await.unwrap(), "the real one");
    settle().await;
    assert_eq!(mirrored.told(), [(Class::Success, None)], "measured all the same");

    let mirrored =
        Mirrored::to(Answer::status(200), |layer| layer.prepare(|_| panic!("while preparing")));
    assert_eq!(fetch(&mirrored.service, get()).await.unwrap(), "the real one");
    settle().await;
    assert_eq!(mirrored.told(), [(Class::Other, None)]);

    let mirrored =
        Mirrored::to(Answer::status(200), |layer| layer.choose(|_| panic!("while choosing")));
    assert_eq!(fetch(&mirrored.service, get()).await.unwrap(), "the real one");
    settle().await;
    assert_eq!(mirrored.told(), []);
    assert_eq!(mirrored.handle.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_classifier_that_panics_harms_nobody() {
    struct Panicking;
    impl outrigger::outcome::Classify for Panicking {
        fn response(&self, _: &ResponseHead<'_>) -> Class {
            panic!("while classifying")
        }
        fn error(&self, _: &Error) -> Class {
            panic!("while classifying")
        }
    }
    let mirrored =
        Mirrored::to(Answer::status(503), |layer| layer.classifier(Panicking).compare(|_, _| true));
    assert_eq!(fetch(&mirrored.service, get()).await.unwrap(), "the real one");
    settle().await;
    assert_eq!(mirrored.told(), [(Class::ServerError, Some(true))], "by the default one");
}

#[tokio::test(start_paused = true)]
async fn a_real_call_that_fails_fails_as_it_would_have() {
    let mirrored = Mirrored::to(Answer::status(200), |layer| layer.compare(|_, _| true));
    mirrored.provider.set(Answer::broken(std::io::ErrorKind::ConnectionReset));
    let error = send(&mirrored.service, get()).await.unwrap_err();
    assert_eq!(error.to_string(), "crm: connection reset by api.example:443");
    assert!(std::error::Error::source(&error).unwrap().is::<std::io::Error>());
}

#[tokio::test(start_paused = true)]
async fn dropping_the_real_call_leaves_the_copy_to_itself() {
    let mirrored =
        Mirrored::to(Answer::status(200).after(secs(2)), |layer| layer.compare(|_, _| true));
    mirrored.provider.set(Answer::hang());
    assert!(within(secs(1), send(&mirrored.service, get())).await.is_none());
    wait(secs(5)).await;
    assert_eq!(mirrored.told(), [(Class::Success, None)]);
    assert_eq!(mirrored.handle.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_real_body_comes_frame_by_frame_as_it_is_fed() {
    let layer = MirrorLayer::new(Streaming::new([]), Ratio::ONE).compare(|_, _| true);
    let (pipe, body) = piped();
    let service = layer.layer(Streaming::new([body]));
    let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
    for text in ["one", "two"] {
        pipe.feed(text);
        assert_eq!(crate::call::frame(&mut body).await.unwrap().unwrap(), text);
    }
    pipe.break_off();
    assert!(crate::call::frame(&mut body).await.unwrap().is_err());
}

#[test]
fn without_a_runtime_the_copy_is_skipped() {
    #[derive(Clone)]
    struct AtOnce;
    impl Service<Request<Body>> for AtOnce {
        type Response = Response<Body>;
        type Error = Error;
        type Future = Ready<Result<Response<Body>, Error>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
            Poll::Ready(Ok(()))
        }
        fn call(&mut self, _: Request<Body>) -> Self::Future {
            std::future::ready(Ok(Response::new(Body::empty())))
        }
    }
    let layer = MirrorLayer::new(AtOnce, Ratio::ONE).compare(|_, _| true);
    let mut call = Box::pin(layer.layer(AtOnce).oneshot(get()));
    let polled = call.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop()));
    assert!(polled.is_ready());
    let handle = layer.handle();
    assert_eq!((handle.skipped(), handle.in_flight(), handle.mirrored()), (1, 0, 0));
}
