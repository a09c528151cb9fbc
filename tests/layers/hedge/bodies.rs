//! What becomes of the request's body.

use outrigger::Ratio;
use outrigger::retry::RetryBudget;
use outrigger::testing::Answer;

use super::{Hedged, after, fixed};
use crate::call::{keyed_post, status};
use crate::clock::{begin, millis, wait};
use crate::provider::{piped, streamed};

#[tokio::test(start_paused = true)]
async fn a_body_is_sent_whole_both_times() {
    for body in ["amount=1000".into(), streamed(&["amount", "=1000"])] {
        let crm = Hedged::fixed([Answer::hang(), after(200, 10)]);
        assert_eq!(status(&crm.service, keyed_post(body)).await.unwrap(), 200);
        let bodies: Vec<_> =
            crm.provider.requests().iter().map(|seen| seen.body().clone()).collect();
        assert_eq!(bodies, ["amount=1000", "amount=1000"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_body_is_still_being_sent_is_not_doubled_and_costs_no_budget() {
    let budget = RetryBudget::new(Ratio::ONE, 0).burst(1);
    let crm = Hedged::by(fixed().budget(budget.clone()), [after(200, 200)]);
    let (pipe, body) = piped();
    pipe.feed("amount");
    let service = crm.service.clone();
    let call = begin(async move { status(&service, keyed_post(body)).await }).await;
    wait(millis(100)).await;
    pipe.feed("=1000");
    drop(pipe);
    assert_eq!(call.await.unwrap().unwrap(), 200);
    assert_eq!(
        (crm.provider.begun(), crm.provider.requests()[0].body()),
        (1, &"amount=1000".into())
    );
    assert_eq!((budget.saved(), crm.events.events()), (Some(1), vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_large_to_be_kept_is_sent_once() {
    let crm = Hedged::fixed([after(200, 200)]);
    for (size, requests) in [(1 << 20, 2), ((1 << 20) + 1, 1)] {
        let before = crm.provider.begun();
        let body = vec![b'x'; size];
        assert_eq!(status(&crm.service, keyed_post(body)).await.unwrap(), 200);
        assert_eq!(crm.provider.begun() - before, requests, "{size} bytes");
    }
}
