use std::time::Duration;

use outrigger::context::{CorrelationId, Scope};
use outrigger::outbox::{Action, Message, OutboxErrorKind, Phase, Priority, State};
use outrigger::rt::Rng;

use super::bench::{LANE, Open, mail, open};

pub(crate) async fn an_enqueued_message_is_stored_as_it_was_given(with: Open<'_>) {
    let bench = open(with).await;
    let scope = Scope::new().correlation_id(CorrelationId::new("order-7").unwrap());
    let message = scope.run_now(|| {
        Message::new(http::Method::PUT, "https://api.mailer.example/mails/7?draft=1")
            .header("x-one", "1")
            .header("x-one", "2")
            .header("x-raw", http::HeaderValue::from_bytes(b"\xe9t\xe9").unwrap())
            .body(&b"\x00\xff\r\n"[..])
            .idempotency_key("key-7")
            .dedup_key("mail 7")
            .order_key("user 7")
            .template("/mails/{id}")
            .priority(Priority::High)
            .deadline(Duration::from_secs(100))
            .not_before(Duration::from_millis(1_500))
            .max_attempts(3)
            .keep_answer(10)
    });
    let enqueued = bench.enqueue_in(LANE, message).await;
    assert!(!enqueued.is_duplicate && enqueued.idempotency_key == "key-7");

    let now = bench.now().await;
    let stored = bench.get(enqueued.id).await.message;
    let (content, progress) = (stored.content, stored.progress);
    assert_eq!((content.id, content.lane.as_str()), (enqueued.id, LANE));
    assert_eq!(content.method, http::Method::PUT);
    assert_eq!(content.uri, "https://api.mailer.example/mails/7?draft=1");
    let ones: Vec<_> = content.headers.get_all("x-one").iter().collect();
    assert_eq!(ones, ["1", "2"]);
    assert_eq!(content.headers["x-raw"].as_bytes(), b"\xe9t\xe9");
    assert_eq!(&content.body[..], b"\x00\xff\r\n");
    assert_eq!(content.fingerprint.len(), 36);
    assert_eq!(content.idempotency_key, "key-7");
    assert_eq!(content.dedup_key.as_deref(), Some("mail 7"));
    assert_eq!(content.order_key.as_deref(), Some("user 7"));
    assert_eq!(content.correlation_id.as_deref(), Some("order-7"));
    assert_eq!(content.template.as_deref(), Some("/mails/{id}"));
    assert_eq!((content.priority, content.keep_answer), (Priority::High, 10));
    assert_eq!(content.created, now);
    assert_eq!((progress.state, progress.phase), (State::Ready, Phase::Send));
    assert_eq!(progress.not_before, now.plus(Duration::from_millis(1_500)));
    assert_eq!(progress.deadline, now.plus(Duration::from_secs(100)));
    assert_eq!((progress.max_attempts, progress.attempt, progress.token), (3, 0, 0));
}

pub(crate) async fn a_message_for_later_has_its_time_from_then_on(with: Open<'_>) {
    let bench = open(with).await;
    let days = |days: u64| Duration::from_secs(days * 24 * 3600);
    let id = bench.enqueue(mail("1").not_before(days(2))).await;
    let deadline = bench.get(id).await.message.progress.deadline;
    assert_eq!(deadline, bench.now().await.plus(days(3)));
    let late = mail("2").not_before(days(2)).deadline(days(2));
    let error = late.build(LANE, bench.now().await, &Rng::seeded(1)).unwrap_err();
    assert_eq!(error.kind(), OutboxErrorKind::Message);
}

pub(crate) async fn a_key_that_is_stored_already_stores_nothing(with: Open<'_>) {
    let bench = open(with).await;
    let first = bench.enqueue_in(LANE, mail("1").idempotency_key("k")).await;
    let again = bench.enqueue_in(LANE, mail("2").idempotency_key("k")).await;
    assert!(again.is_duplicate);
    assert_eq!(again.id, first.id);
    assert_eq!(bench.claim_bodies(10).await, ["1"]);
}

pub(crate) async fn a_business_key_is_free_again_once_its_message_is_delivered(with: Open<'_>) {
    let bench = open(with).await;
    let first = bench.enqueue_in(LANE, mail("1").dedup_key("welcome 42")).await;
    let again = bench.enqueue_in(LANE, mail("2").dedup_key("welcome 42")).await;
    assert!(again.is_duplicate && again.id == first.id);
    assert_eq!(again.idempotency_key, first.idempotency_key);

    let claimed = bench.claim_one(LANE).await;
    assert!(bench.enqueue_in(LANE, mail("3").dedup_key("welcome 42")).await.is_duplicate);
    bench.deliver(&claimed).await;
    assert!(!bench.enqueue_in(LANE, mail("4").dedup_key("welcome 42")).await.is_duplicate);
    assert_eq!(bench.claim_bodies(10).await, ["4"]);
}

pub(crate) async fn a_business_key_of_another_lane_is_another_key(with: Open<'_>) {
    let bench = open(with).await;
    bench.enqueue_in(LANE, mail("1").dedup_key("welcome 42")).await;
    let other = bench.enqueue_in("crm", mail("2").dedup_key("welcome 42")).await;
    assert!(!other.is_duplicate);
}

pub(crate) async fn a_business_key_stays_taken_for_a_window_after_its_message_was_delivered(
    with: Open<'_>,
) {
    let bench = open(with).await;
    let welcome = |body| mail(body).dedup_key("welcome 42").dedup_window(Duration::from_secs(60));
    let first = bench.enqueue(welcome("1")).await;
    let claimed = bench.claim_one(LANE).await;
    bench.deliver(&claimed).await;
    bench.advance(Duration::from_millis(59_999)).await;
    let again = bench.enqueue_in(LANE, welcome("2")).await;
    assert!(again.is_duplicate && again.id == first, "{again:?}");
    // It is kept for that, whatever the retention.
    assert_eq!(bench.store.prune(bench.now().await, 10).await.unwrap(), 0);
    assert!(!bench.enqueue_in("crm", welcome("other lane")).await.is_duplicate);

    bench.advance(Duration::from_millis(1)).await;
    assert_eq!(bench.store.prune(bench.now().await, 10).await.unwrap(), 1);
    let second = bench.enqueue_in(LANE, welcome("3")).await;
    assert!(!second.is_duplicate);
    let claimed = bench.claim_one(LANE).await;
    bench.deliver(&claimed).await;
    bench.advance_secs(60).await;
    // Its row is still there.
    let third = bench.enqueue_in(LANE, welcome("4")).await;
    assert!(!third.is_duplicate);
    assert!(bench.enqueue_in(LANE, welcome("5")).await.is_duplicate);
    assert_eq!(bench.state(second.id).await, "delivered");
}

pub(crate) async fn only_a_message_that_had_its_business_key_keeps_it_for_a_window(with: Open<'_>) {
    let bench = open(with).await;
    let welcome = |body| mail(body).dedup_key("welcome 42").dedup_window(Duration::from_secs(600));
    let first = bench.enqueue(welcome("1")).await;
    let slow = bench.claim_one(LANE).await;
    bench.advance_secs(60).await;
    bench.store.reap(10).await.unwrap();
    bench.act(first, Action::Cancel).await;
    // The key is another one's now, and the success of the first is told after that.
    let second = bench.enqueue_in(LANE, welcome("2")).await;
    assert!(!second.is_duplicate);
    assert_eq!(bench.deliver(&slow).await.state, State::Delivered);
    assert_eq!(bench.enqueue_in(LANE, welcome("3")).await.id, second.id);
    assert_eq!(bench.get(first).await.message.progress.dedup_until, None);
}
