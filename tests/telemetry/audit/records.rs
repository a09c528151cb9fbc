use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue};
use outrigger::context::{BusinessKey, CorrelationId, PathTemplate, Scope, TraceContext};
use outrigger::event::SwitchMode;
use outrigger::fallback::FallbackLayer;
use outrigger::hedge::HedgeLayer;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::rt::Clock;
use outrigger::telemetry::audit::{Audit, AuditBuilder, AuditRecord};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Delivery, IdempotencyKey, Integration};
use serde_json::Value;

use super::{Collected, collecting};
use crate::call::{get, post, read};

fn ends(records: &[AuditRecord]) -> Vec<(u32, &'static str)> {
    records.iter().map(|record| (record.attempt, record.end)).collect()
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_a_record() {
    let collected = Collected::default();
    let began = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
    let audit = Audit::to(collected.clone()).clock(Clock::anchored(began)).start().unwrap();
    let crm = Integration::user_flow("crm")
        .subscriber(audit.clone())
        .service(Script::new([
            Answer::status(503).after(Duration::from_millis(250)),
            Answer::status(200).body("fine"),
        ]))
        .build()
        .unwrap();
    let mut request = post();
    request.extensions_mut().insert(IdempotencyKey::new("order-1042").unwrap());
    let trace = TraceContext::root();
    let scope = Scope::new().trace(trace.clone());
    scope.run(async { read(crm.send(request)).await }).await.unwrap();

    let records = collected.records(&audit);
    assert_eq!(ends(&records), [(1, "answered"), (2, "answered")]);
    let line: Value = serde_json::from_str(&records[0].to_json()).unwrap();
    assert_eq!(line["at"], "1970-01-02T00:00:00.000000Z");
    assert_eq!((&line["integration"], &line["method"]), (&"crm".into(), &"POST".into()));
    assert_eq!((&line["host"], &line["port"]), (&"crm.test".into(), &443.into()));
    assert_eq!(line["template"], "/orders/{id}");
    assert_eq!(line["idempotency_key"], "order-1042");
    assert_eq!(line["business_key"], "KEY-SECRET", "it is there to be found by");
    assert_eq!((&line["status"], &line["error"]), (&503.into(), &"server_error".into()));
    assert_eq!((&line["delivery"], &line["body_read"]), (&"answered".into(), &true.into()));
    assert_eq!((&line["head"], &line["elapsed"]), (&0.25.into(), &0.25.into()));
    assert_eq!((&line["sent"], &line["received"]), (&11.into(), &0.into()));
    assert_eq!(line["trace_id"], trace.trace_id().to_string());
    assert_eq!(line["span_id"].as_str().unwrap().len(), 16);
    assert_eq!(line["exchange"], Value::Null, "nobody asked for it");

    let second: Value = serde_json::from_str(&records[1].to_json()).unwrap();
    assert_eq!((&second["attempt"], &second["status"]), (&2.into(), &200.into()));
    assert_eq!((&second["received"], &second["error"]), (&4.into(), &Value::Null));
    assert_eq!(
        (&second["call_id"], &second["correlation_id"]),
        (&line["call_id"], &line["correlation_id"])
    );
    assert_ne!(second["span_id"], line["span_id"]);
}

#[tokio::test(start_paused = true)]
async fn what_support_asks_by_is_recorded_as_it_is() {
    let (audit, collected) = collecting();
    let crm = Integration::user_flow("crm").subscriber(audit.clone());
    let crm = crm.service(Script::new([Answer::status(200)])).build().unwrap();
    for key in ["2026061800012345", "4242424242424242", "ada@crm.test"] {
        let mut request = post();
        request.extensions_mut().insert(IdempotencyKey::new(key).unwrap());
        if let Ok(id) = CorrelationId::new(key) {
            request.extensions_mut().insert(id);
        }
        request.extensions_mut().insert(BusinessKey::new(format!("payment-card:1042 {key}")));
        request.extensions_mut().insert(PathTemplate::new("/v1/session/:id/lines"));
        read(crm.send(request)).await.unwrap();
    }
    let records = collected.records(&audit);
    let correlations: Vec<_> = records.iter().map(|r| r.correlation_id.as_deref()).collect();
    assert_eq!(correlations[..2], [Some("2026061800012345"), Some("[redacted]")]);
    for (record, shown) in records.iter().zip(["2026061800012345", "[redacted]", "[redacted]"]) {
        assert_eq!(record.idempotency_key.as_deref(), Some(shown));
        assert_eq!(record.business_key, Some(format!("payment-card:1042 {shown}")));
        assert_eq!(record.template.as_deref(), Some("/v1/session/:id/lines"));
    }
}

#[tokio::test(start_paused = true)]
async fn each_audit_keeps_as_much_of_a_body_as_it_asked_for() {
    let audits = [Some(4), Some(4_096), None].map(|cap| {
        let collected = Collected::default();
        let audit = Audit::to(collected.clone());
        let audit = cap.into_iter().fold(audit, AuditBuilder::failures);
        (audit.start().unwrap(), collected)
    });
    let crm = Integration::user_flow("crm");
    let crm = audits.iter().fold(crm, |crm, (audit, _)| crm.subscriber(audit.clone()));
    let answer = Answer::status(404).body("[true,false,null,[true]]");
    let crm = crm.service(Script::new([answer])).build().unwrap();
    read(crm.send(post())).await.unwrap();
    let shown = audits.map(|(audit, collected)| {
        let exchange = collected.records(&audit).remove(0).exchange?;
        let bodies = [exchange.request_body, exchange.response_body];
        assert_eq!(bodies[1].total, 24);
        Some(bodies.map(|body| body.shown.unwrap()))
    });
    assert_eq!(shown[0].as_ref().unwrap()[1], "[[cut]");
    assert_eq!(shown[1].as_ref().unwrap()[1], "[true,false,null,[true]]");
    assert_eq!(shown[2], None);
}

#[tokio::test(start_paused = true)]
async fn what_never_went_out_is_a_record_too() {
    let (audit, collected) = collecting();
    let rates = Integration::user_flow("rates")
        .fallback(FallbackLayer::value(http::Response::new("{}")))
        .subscriber(audit.clone())
        .service(Script::new([Answer::status(200)]));
    let rates = rates.build().unwrap();
    rates.kill_switch().set(SwitchMode::FallbackOnly, "ada", "moving");
    read(rates.send(get())).await.unwrap();
    let crm = Integration::user_flow("crm")
        .subscriber(audit.clone())
        .service(Script::new([Answer::status(200)]))
        .build()
        .unwrap();
    crm.kill_switch().set(SwitchMode::Off, "ada", "moving");
    read(crm.send(post())).await.unwrap_err();

    let records = collected.records(&audit);
    assert_eq!(ends(&records), [(0, "answered_here"), (0, "refused")]);
    assert_eq!(records[0].delivery, Some(Delivery::NotSent));
    assert_eq!(
        (records[1].error, records[1].delivery),
        (Some("switched_off"), Some(Delivery::NotSent))
    );
    assert_eq!(records[1].business_key.as_deref(), Some("KEY-SECRET"));
}

#[tokio::test(start_paused = true)]
async fn hedges_and_cancelled_calls_are_told_apart() {
    let (audit, collected) = collecting();
    let crm = Integration::user_flow("crm")
        .hedge(HedgeLayer::after(Duration::from_millis(50)))
        .subscriber(audit.clone())
        .service(Script::new([Answer::hang(), Answer::status(200), Answer::hang()]))
        .build()
        .unwrap();
    read(crm.send(get())).await.unwrap();
    let hasty = tokio::time::timeout(Duration::from_millis(10), crm.send(get())).await;
    assert!(hasty.is_err());
    let records = collected.records(&audit);
    let mut told = ends(&records);
    told.sort_unstable();
    assert_eq!(told, [(1, "abandoned"), (1, "overtaken"), (2, "answered")]);
    assert!(records.iter().all(|record| record.exchange.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_left_is_not_read() {
    let (audit, collected) = collecting();
    let crm = Integration::user_flow("crm").subscriber(audit.clone());
    let crm = crm.service(Script::new([Answer::status(200).body("fine")])).build().unwrap();
    drop(crm.send(get()).await.unwrap());
    let records = collected.records(&audit);
    assert_eq!(ends(&records), [(1, "answered")]);
    assert!(!records[0].body_read);
    assert_eq!(records[0].received, 0);
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_shown_and_nothing_else_is() {
    let (audit, collected) = collecting();
    let refused = r#"{"code":"no_such_thing","card":{"number":"1"}}"#;
    let crm = Integration::user_flow("crm")
        .subscriber(audit.clone())
        .service(Script::new([
            Answer::status(200).body("fine"),
            Answer::status(422).header("content-type", "application/json").body(refused),
        ]))
        .build()
        .unwrap();
    let sent = || {
        let request = http::Request::post("https://crm.test/orders/7?page=2");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(Body::from("amount=7&cvc=123")).unwrap()
    };
    read(crm.send(sent())).await.unwrap();
    read(crm.send(sent())).await.unwrap();
    let records = collected.records(&audit);
    assert!(records[0].exchange.is_none());
    let shown = records[1].exchange.as_ref().unwrap();
    assert_eq!(shown.uri, "https://crm.test/orders/[redacted]?page=[redacted]");
    assert_eq!(shown.request_body.shown.as_deref(), Some("amount=[redacted]&cvc=[redacted]"));
    let answer = r#"{"code":"no_such_thing","card":{"number":"[string 1]"}}"#;
    assert_eq!(shown.response_body.shown.as_deref(), Some(answer));
    assert_eq!(shown.response_body.total, refused.len() as u64);
    assert!(shown.response_body.is_whole);
    let media = ("content-type".to_owned(), "application/json".to_owned());
    assert!(shown.response_headers.contains(&media));
}

#[tokio::test(start_paused = true)]
async fn another_subscribers_wish_is_not_this_ones() {
    let (asking, _) = collecting();
    let collected = Collected::default();
    let audit = Audit::to(collected.clone()).start().unwrap();
    let crm = Integration::user_flow("crm").subscriber(asking).subscriber(audit.clone());
    let crm = crm.service(Script::new([Answer::status(404)])).build().unwrap();
    read(crm.send(get())).await.unwrap();
    assert!(collected.records(&audit)[0].exchange.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_stopped_is_found_by_its_callers_own_key() {
    let (audit, collected) = collecting();
    let own = HeaderName::from_static("paypal-request-id");
    let crm = || Integration::user_flow("crm").subscriber(audit.clone());
    for (crm, header) in [
        (crm(), None),
        (crm(), Some(HeaderName::from_static("idempotency-key"))),
        (crm().idempotency(IdempotencyLayer::new(KeyProfile::paypal())), Some(own)),
    ] {
        let crm = crm.service(Script::new([Answer::status(200)])).build().unwrap();
        crm.kill_switch().set(SwitchMode::Off, "ada", "moving");
        crm.apply(&outrigger::IntegrationConfig::default()).unwrap();
        let mut request = post();
        match header {
            None => {
                drop(request.extensions_mut().insert(IdempotencyKey::new("order-1042").unwrap()));
            }
            Some(header) => {
                request.headers_mut().insert(header, HeaderValue::from_static("order-1042"));
            }
        }
        let error = read(crm.send(request)).await.unwrap_err();
        assert_eq!(error.idempotency_key().unwrap(), "order-1042");
        let error = read(crm.send(post())).await.unwrap_err();
        assert_eq!(error.idempotency_key(), None, "it had none, and nothing was sent");
    }
    let records = collected.records(&audit);
    let keys: Vec<_> = records.iter().map(|record| record.idempotency_key.as_deref()).collect();
    assert_eq!(keys, [Some("order-1042"), None].repeat(3));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_sent_is_one_record() {
    for without_retry in [false, true] {
        let (audit, collected) = collecting();
        let crm = Integration::user_flow("crm").subscriber(audit.clone());
        let crm = if without_retry { crm.without_retry() } else { crm };
        let nowhere = http::Request::get("/orders").body(Body::empty()).unwrap();
        read(crm.build().unwrap().send(nowhere)).await.unwrap_err();
        let records = collected.records(&audit);
        assert_eq!(ends(&records), [(1, "failed")]);
        let told = (records[0].error, records[0].delivery);
        assert_eq!(told, (Some("unsendable_request"), Some(Delivery::NotSent)));
    }
}
