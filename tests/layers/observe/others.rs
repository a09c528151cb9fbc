//! Attempts that somebody else makes between the two layers.

use http::{Request, Response};
use outrigger::event::{End, Event};
use outrigger::observe::ObserveLayer;
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;
use outrigger::{Body, Error};
use tower::{Service, ServiceBuilder, ServiceExt};

use super::listener;
use crate::call::get;
use crate::clock::secs;

/// Tries a second time, whatever came of the first.
#[derive(Clone)]
struct Once(bool);

impl tower::retry::Policy<Request<Body>, Response<Body>, Error> for Once {
    type Future = std::future::Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<Body>,
        result: &mut Result<Response<Body>, Error>,
    ) -> Option<Self::Future> {
        let again = result.is_err() && !std::mem::replace(&mut self.0, true);
        again.then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        let mut again = get();
        again.extensions_mut().clone_from(request.extensions());
        Some(again)
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_after_another_ones_retry_is_told_as_one() {
    let (told, emitter) = listener();
    let mut service = ServiceBuilder::new()
        .layer(ObserveLayer::call(emitter.clone()))
        .map_response(|response: Response<_>| response.map(Body::new))
        .retry(Once(false))
        .map_response(|response: Response<_>| response.map(Body::new))
        .layer(ObserveLayer::attempt(emitter))
        .layer(TimeoutLayer::new().attempt(secs(1)))
        .map_request(|request: Request<_>| request.map(Body::new))
        .service(Script::new([Answer::hang(), Answer::status(200).body("late, but here")]));
    let response = service.ready().await.unwrap().call(get()).await.unwrap();
    drop(response);
    let events = told.events();
    let ends = events.iter().filter_map(|event| match event {
        Event::AttemptFinished { end, .. } | Event::CallFinished { end, .. } => Some(end),
        _ => None,
    });
    let is_answered: Vec<_> = ends.map(|end| matches!(end, End::Answered { .. })).collect();
    assert_eq!(is_answered, [false, true, true], "{events:#?}");
}
