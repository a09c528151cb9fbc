//! An answer after a lost attempt says so, to the caller and to who listens.

use std::io;

use outrigger::event::{End, Event};
use outrigger::retry::Retries;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{Delivery, IdempotencyKey, Integration};

use crate::call::{post, read};

#[tokio::test(start_paused = true)]
async fn a_conflict_after_a_lost_attempt_is_told_as_what_it_may_be() {
    let exists = || Answer::status(409).body(r#"{"error":"the idempotency key already exists"}"#);
    let lost = Answer::broken(io::ErrorKind::ConnectionReset);
    for (answers, status, earlier, told) in [
        (vec![Answer::hang(), exists()], 409, Delivery::Unknown, Delivery::Unknown),
        (vec![lost.clone(), Answer::status(422)], 422, Delivery::Unknown, Delivery::Unknown),
        (vec![Answer::status(503), exists()], 409, Delivery::Answered, Delivery::Answered),
        // It is done, whatever came of the first.
        (vec![lost, Answer::status(200)], 200, Delivery::Unknown, Delivery::Answered),
    ] {
        let events = EventRecorder::new();
        let crm = Integration::user_flow("crm")
            .subscriber(events.clone())
            .service(Script::new(answers.clone()))
            .build()
            .unwrap();
        let mut order = post();
        order.extensions_mut().insert(IdempotencyKey::new("order-1042").unwrap());
        let response = read(crm.send(order)).await.unwrap();
        let retries = response.extensions().get::<Retries>().unwrap();
        let came = (response.status().as_u16(), retries.attempts, retries.earlier);
        assert_eq!(came, (status, 2, earlier), "{answers:?}");
        let ends = events.events();
        let end = ends.iter().find_map(|event| match event {
            Event::CallFinished { end: End::Answered { delivery, .. }, attempts, .. } => {
                Some((*delivery, *attempts))
            }
            _ => None,
        });
        assert_eq!(end, Some((told, 2)), "{answers:?}");
    }
}
