//! Limits in clock time: on the call, on an attempt, on silence in a body, on an upload.

mod attempt;
mod deadline;
mod delivery;
mod idle;
mod inherited;
mod readiness;
mod upload;

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::Request;
use http_body::Frame;
use http_body_util::StreamBody;
use outrigger::event::{Emitter, Event};
use outrigger::outcome::Phase;
use outrigger::testing::EventRecorder;
use outrigger::{Body, Delivery, Error, ErrorKind};

use crate::clock::wait;

/// Somebody to listen, and where to send what is to be heard.
fn listener() -> (EventRecorder, Emitter) {
    let events = EventRecorder::new();
    let emitter = Emitter::named("crm").with(events.clone());
    (events, emitter)
}

/// Everything that a timeout says of itself must agree.
fn assert_timed_out(error: &Error, phase: Phase, limit: Duration, delivery: Delivery) {
    assert_eq!(error.kind(), ErrorKind::Timeout(phase), "{error}");
    assert!(error.is_timeout() && !error.is_rejected());
    assert_eq!((error.limit(), error.delivery()), (Some(limit), delivery), "{error}");
    let name = error.integration().map_or(String::new(), |name| format!("{name}: "));
    let host = match phase {
        Phase::ResponseHead | Phase::BodyIdle => "from api.example:443",
        _ => "at api.example:443",
    };
    assert_eq!(error.to_string(), format!("{name}{phase} timed out after {limit:?} {host}"));
}

fn told(phase: Phase, limit: Duration) -> Vec<Event> {
    vec![Event::TimedOut { phase, limit }]
}

/// A body of so many frames, with as much silence before each and before its end.
fn trickle(frames: u32, silence: Duration) -> Body {
    Body::new(StreamBody::new(stream::unfold(frames, move |left| async move {
        wait(silence).await;
        let frame = Frame::data(Bytes::from_static(b"drop "));
        (left > 0).then(|| (Ok::<_, Infallible>(frame), left - 1))
    })))
}

/// The same request, with something in its extensions.
fn bringing(fact: impl Clone + Send + Sync + 'static, mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(fact);
    request
}
