//! Recorded once: by signed id, by body, at once and later.

use std::collections::BTreeSet;

use outrigger::inbox::{
    Facts, GitHub, Inbox, InboxError, InboxErrorKind, Received, ReceivedEvent, Shopify, Slack,
    Stripe, Verified,
};
use outrigger::outbox::{MemoryStore, Outbox, Timestamp};

use crate::away::Away;
use crate::bench::{
    Bench, NOW, OTHER, PATIENCE, SOURCE, clock, duplicate, on_every_store, receive, recorded,
    standard,
};
use crate::sign;

const SECRET: &str = "a secret of the tests";

on_every_store! {
    an_event_is_stored_with_what_the_scheme_knows_of_it_and_no_signature
    a_signed_id_is_one_event_whatever_time_signature_and_body_it_comes_with
    an_unsigned_id_that_is_changed_or_dropped_makes_no_new_event
    one_body_under_two_topics_is_two_events_of_shopify
    a_command_of_slack_is_known_by_its_time_and_a_question_leaves_no_row
    an_id_of_any_length_and_signs_is_recorded_once
    one_id_at_two_sources_is_two_events
    an_event_of_another_api_version_is_recorded_and_counted
}

async fn an_event_is_stored_with_what_the_scheme_knows_of_it_and_no_signature(bench: Bench) {
    let inbox = bench.inbox(Stripe::new([SECRET]).unwrap());
    let body = r#"{"id":"evt_1","created":1614265300,"type":"invoice.paid","data":{"object":{"id":"in_7"}},"api_version":"2026-10-28"}"#;
    let signed = sign::stripe(&[SECRET], NOW, body).and("x-forwarded-for", "10.0.0.1");
    let id = recorded(receive(&inbox, &signed).await);
    let rows = bench.rows().await;
    let row = &rows[0];
    assert_eq!((row.content.id, &row.content.lane[..]), (id, "inbox:acme"));
    assert_eq!(row.content.idempotency_key, "inbox:acme:id:evt_1");
    assert_eq!((&row.content.body[..], row.content.order_key.as_deref()), (body.as_bytes(), None));
    let names: BTreeSet<_> = row.content.headers.keys().map(http::HeaderName::as_str).collect();
    let expected = [
        "content-type",
        "outrigger-event-api-version",
        "outrigger-event-id",
        "outrigger-event-kind",
        "outrigger-event-order-key",
        "outrigger-event-time",
    ];
    assert_eq!(names, BTreeSet::from(expected));
}

async fn a_signed_id_is_one_event_whatever_time_signature_and_body_it_comes_with(bench: Bench) {
    let inbox = bench.inbox(Stripe::new([SECRET]).unwrap());
    let event = |more: &str| format!(r#"{{"id":"evt_1","more":"{more}"}}"#);
    let first = recorded(receive(&inbox, &sign::stripe(&[SECRET], NOW, &event("a"))).await);
    for more in ["a", "b"] {
        let again = sign::stripe(&[SECRET], NOW + 60, &event(more));
        assert_eq!(duplicate(receive(&inbox, &again).await), (first, false));
    }
    recorded(receive(&inbox, &sign::stripe(&[SECRET], NOW, r#"{"id":"evt_2"}"#)).await);
    assert_eq!(bench.rows().await.len(), 2);
    assert_eq!((inbox.counts().recorded, inbox.counts().duplicates), (2, 2));
}

async fn an_unsigned_id_that_is_changed_or_dropped_makes_no_new_event(bench: Bench) {
    let inbox = bench.inbox(GitHub::new([SECRET]).unwrap());
    let signed = sign::github(SECRET, "delivery-1", r#"{"ref":"refs/heads/main"}"#);
    let first = recorded(receive(&inbox, &signed).await);
    for again in [
        signed.clone(),
        signed.clone().with("x-github-delivery", "delivery-2"),
        signed.clone().without("x-github-delivery"),
        signed.clone().with("x-github-event", "ping"),
    ] {
        assert_eq!(duplicate(receive(&inbox, &again).await), (first, false));
    }
    // A body that was never seen is never taken for one that was, whatever id it comes with.
    recorded(receive(&inbox, &sign::github(SECRET, "delivery-1", r#"{"ref":"other"}"#)).await);
}

async fn one_body_under_two_topics_is_two_events_of_shopify(bench: Bench) {
    let inbox = bench.inbox(Shopify::new([SECRET]).unwrap());
    let signed = |topic, event| sign::shopify(SECRET, topic, event, r#"{"id":1}"#);
    let paid = recorded(receive(&inbox, &signed("orders/paid", "e1")).await);
    recorded(receive(&inbox, &signed("orders/create", "e1")).await);
    assert_eq!(duplicate(receive(&inbox, &signed("orders/paid", "e2")).await).0, paid);
}

async fn a_command_of_slack_is_known_by_its_time_and_a_question_leaves_no_row(bench: Bench) {
    let inbox = bench.inbox(Slack::new([SECRET]).unwrap());
    let command = |seconds| sign::slack(SECRET, seconds, "command=%2Fdeploy");
    let first = recorded(receive(&inbox, &command(NOW)).await);
    assert_eq!(duplicate(receive(&inbox, &command(NOW)).await).0, first);
    recorded(receive(&inbox, &command(NOW + 1)).await);
    let question = sign::slack(SECRET, NOW, r#"{"type":"url_verification","challenge":"c"}"#);
    assert_eq!(receive(&inbox, &question).await, Ok(Received::Answer("c".into())));
    assert_eq!((bench.rows().await.len(), inbox.counts().answered), (2, 1));
}

async fn an_id_of_any_length_and_signs_is_recorded_once(bench: Bench) {
    let inbox = bench.inbox(Stripe::new([SECRET]).unwrap());
    for id in ["x".repeat(5_000), "a b".into(), "Zoë 🦀".into(), r"\u0000\n".into()] {
        let signed = sign::stripe(&[SECRET], NOW, &format!(r#"{{"id":"{id}","type":"{id}"}}"#));
        let first = recorded(receive(&inbox, &signed).await);
        assert_eq!(duplicate(receive(&inbox, &signed).await).0, first);
    }
    assert_eq!(bench.rows().await.len(), 4);
}

async fn one_id_at_two_sources_is_two_events(bench: Bench) {
    let [one, other] = [SOURCE, OTHER].map(|source| {
        let inbox = Inbox::builder(source, standard(), &bench.outbox).clock(bench.clock);
        inbox.time_limit(PATIENCE).build().unwrap()
    });
    let signed = sign::standard(&[&[7; 24]], "msg_1", NOW, "{}");
    recorded(receive(&one, &signed).await);
    recorded(receive(&other, &signed).await);
}

#[tokio::test]
async fn a_header_that_is_kept_cannot_say_what_the_scheme_does_not() {
    let scheme = |head: &http::request::Parts,
                  _: &bytes::Bytes,
                  _: Timestamp|
     -> Result<Verified, InboxError> {
        Ok(Facts::of_body().keep(&head.headers, &["outrigger-event-id", "x-tenant"]).into())
    };
    let bench = Bench::new();
    let forged = sign::new(&[("outrigger-event-id", "evt_1"), ("x-tenant", "7")], "{}");
    recorded(receive(&bench.inbox(scheme), &forged).await);
    let event = ReceivedEvent::of(&bench.rows().await[0]);
    assert_eq!((event.id(), event.header("x-tenant")), (None, Some("7")));
}

#[tokio::test(start_paused = true)]
async fn while_the_store_fails_or_hangs_the_provider_is_asked_to_send_again() {
    let store = Away::new(MemoryStore::new());
    let outbox = Outbox::with_store(store.clone()).build().unwrap();
    let inbox = Inbox::builder("acme", Stripe::new([SECRET]).unwrap(), &outbox);
    let inbox = inbox.clock(clock()).build().unwrap();
    let signed = sign::stripe(&[SECRET], NOW, r#"{"id":"evt_1"}"#);
    let (head, body) = signed.request().into_parts();
    for away in [Away::fail, Away::hang] {
        away(&store);
        let receiving = inbox.receive(&head, body.clone().into());
        let minute = std::time::Duration::from_secs(60);
        let error = tokio::time::timeout(minute, receiving).await.expect("in time").unwrap_err();
        assert_eq!((error.kind(), error.status().as_u16()), (InboxErrorKind::Store, 503));
    }
    store.come_back();
    recorded(receive(&inbox, &signed).await);
}

async fn an_event_of_another_api_version_is_recorded_and_counted(bench: Bench) {
    let inbox = bench.builder(Stripe::new([SECRET]).unwrap()).api_version("2026-10-28");
    let inbox = inbox.build().unwrap();
    for (at, version) in ["2026-10-28", "2027-01-01", "2027-02-01"].into_iter().enumerate() {
        let body = format!(r#"{{"id":"evt_{at}","api_version":"{version}"}}"#);
        recorded(receive(&inbox, &sign::stripe(&[SECRET], NOW, &body)).await);
    }
    // One that doesn't say its version is no other one.
    recorded(receive(&inbox, &sign::stripe(&[SECRET], NOW, r#"{"id":"evt_9"}"#)).await);
    assert_eq!((inbox.counts().recorded, inbox.counts().other_version), (4, 2));
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn while_another_process_holds_the_file_the_provider_is_asked_to_send_again() {
    let bench = Bench::sqlite();
    let limit = std::time::Duration::from_millis(200);
    let inbox = bench.builder(Stripe::new([SECRET]).unwrap()).time_limit(limit).build().unwrap();
    let other = outrigger::outbox::rusqlite::Connection::open(bench.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let signed = sign::stripe(&[SECRET], NOW, r#"{"id":"evt_1"}"#);
    assert_eq!(receive(&inbox, &signed).await, Err(InboxErrorKind::Store));
    other.execute_batch("ROLLBACK").unwrap();
    // Sent again, it is there once, whether the first one was stored after all or not.
    let mut sent = receive(&inbox, &signed).await;
    for _ in 0..300 {
        if sent.is_ok() {
            break;
        }
        sent = receive(&inbox, &signed).await;
    }
    assert!(sent.is_ok(), "{sent:?}");
    assert_eq!(bench.rows().await.len(), 1);
}
