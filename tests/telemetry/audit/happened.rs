//! Whether a call happened, as the page for whoever is on call has it read from the lines.

use std::io::ErrorKind as Io;
use std::time::Duration;

use outrigger::telemetry::audit::AuditRecord;
use outrigger::testing::{Answer, Script};
use outrigger::{Delivery, Error, IdempotencyKey, Integration};
use serde_json::Value;

use super::collecting;
use crate::call::{post, read};

/// The page's rule, read from the lines of one call.
fn told_by(records: &[AuditRecord]) -> Delivery {
    let lines: Vec<Value> =
        records.iter().map(|record| serde_json::from_str(&record.to_json()).unwrap()).collect();
    assert!(lines.iter().all(|line| line["call_id"] == lines[0]["call_id"]), "{lines:?}");
    let one_says = |delivery: Value| lines.iter().any(move |line| line["delivery"] == delivery);
    let is_the_answer = |line: &Value| line["delivery"] == "answered" && line["error"].is_null();
    if lines.iter().any(is_the_answer) {
        Delivery::Answered
    } else if one_says("unknown".into()) || one_says(Value::Null) {
        Delivery::Unknown
    } else if one_says("answered".into()) {
        Delivery::Answered
    } else {
        Delivery::NotSent
    }
}

/// What two attempts at a call with a key came to, and their lines.
async fn twice(answers: [Answer; 2]) -> (Result<u16, Error>, Vec<AuditRecord>) {
    let (audit, collected) = collecting();
    let crm = Integration::user_flow("crm")
        .retry(|retry| retry.max_attempts(2))
        .subscriber(audit.clone())
        .service(Script::new(answers))
        .build()
        .unwrap();
    let mut request = post();
    request.extensions_mut().insert(IdempotencyKey::new("order-1042").unwrap());
    let result = read(crm.send(request)).await.map(|response| response.status().as_u16());
    (result, collected.records(&audit))
}

#[tokio::test(start_paused = true)]
async fn a_last_attempt_that_was_not_sent_does_not_undo_an_earlier_one_that_may_have_been() {
    let refused = || Answer::broken(Io::ConnectionRefused);
    let (result, records) = twice([Answer::hang(), refused()]).await;
    assert_eq!(records.last().unwrap().delivery, Some(Delivery::NotSent));
    assert_eq!(told_by(&records), Delivery::Unknown);
    assert_eq!(result.unwrap_err().delivery(), Delivery::Unknown);

    let (result, records) = twice([refused(), refused()]).await;
    assert_eq!(told_by(&records), Delivery::NotSent);
    assert_eq!(result.unwrap_err().delivery(), Delivery::NotSent);
}

#[tokio::test(start_paused = true)]
async fn a_success_is_the_answer_whatever_came_before_and_a_failure_is_not() {
    let (result, records) = twice([Answer::hang(), Answer::status(201)]).await;
    assert_eq!((result.unwrap(), told_by(&records)), (201, Delivery::Answered));
    let (result, records) = twice([Answer::hang(), Answer::status(503)]).await;
    assert_eq!((result.unwrap(), told_by(&records)), (503, Delivery::Unknown));
    let (result, records) = twice([Answer::status(503), Answer::status(503)]).await;
    assert_eq!((result.unwrap(), told_by(&records)), (503, Delivery::Answered));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_caller_left_has_to_be_asked_about() {
    let (audit, collected) = collecting();
    let crm = Integration::user_flow("crm").subscriber(audit.clone());
    let crm = crm.service(Script::new([Answer::hang()])).build().unwrap();
    let left = tokio::time::timeout(Duration::from_millis(10), crm.send(post())).await;
    assert!(left.is_err());
    let records = collected.records(&audit);
    assert_eq!(records[0].delivery, Some(Delivery::Unknown));
    assert_eq!(told_by(&records), Delivery::Unknown);
}
