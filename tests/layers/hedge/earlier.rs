//! What an answer says of the other request.

use std::io::ErrorKind as Io;
use std::time::Duration;

use outrigger::Delivery::{Answered, NotSent, Unknown};
use outrigger::bulkhead::BulkheadLayer;
use outrigger::retry::Retries;
use outrigger::testing::{Answer, Script};
use tower::Layer;

use super::{Hedged, after, fixed};
use crate::call::{get, keyed_post, send};
use crate::clock::millis;

fn broken(how: Io, taken: u64) -> Answer {
    Answer::broken(how).after(millis(taken))
}

#[tokio::test(start_paused = true)]
async fn an_answer_says_what_is_known_of_the_other_request() {
    let (reset, refused) = (Io::ConnectionReset, Io::ConnectionRefused);
    for (first, second, code, earlier) in [
        // One overtook the other, which is on its way.
        (after(200, 100), after(201, 300), 200, Unknown),
        (after(200, 300), after(201, 100), 201, Unknown),
        (Answer::hang(), after(201, 10), 201, Unknown),
        // The other had failed before.
        (broken(reset, 60), after(200, 100), 200, Unknown),
        (broken(refused, 60), after(200, 100), 200, NotSent),
        (after(503, 60), after(200, 100), 200, Answered),
        (after(200, 300), broken(reset, 0), 200, Unknown),
        (after(200, 300), broken(refused, 0), 200, NotSent),
        (after(200, 300), after(503, 0), 200, Answered),
        // Neither did it, or one was refused for the other.
        (after(409, 60), broken(reset, 100), 409, Unknown),
        (after(409, 300), broken(reset, 10), 409, Unknown),
        (after(409, 60), after(422, 100), 409, Answered),
    ] {
        let crm = Hedged::fixed([first.clone(), second.clone()]);
        let response = send(&crm.service, keyed_post("amount=1")).await.unwrap();
        let retries = *response.extensions().get::<Retries>().expect("two requests went out");
        let shown = format!("{first:?}, {second:?}");
        assert_eq!((response.status().as_u16(), retries.earlier), (code, earlier), "{shown}");
        assert_eq!((retries.attempts, retries.waited), (2, Duration::ZERO), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_another_request_says_nothing() {
    let alone = Hedged::fixed([after(200, 20)]);
    let response = send(&alone.service, get()).await.unwrap();
    assert_eq!(response.extensions().get::<Retries>(), None);
    // The second waits for a place when the first is answered: it was never sent.
    let provider = Script::new([after(200, 100)]);
    let one_place = BulkheadLayer::new(1).queue(1).layer(provider.clone());
    let response = send(&fixed().layer(one_place), get()).await.unwrap();
    assert_eq!((response.extensions().get::<Retries>(), provider.begun()), (None, 1));
}
