use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use outrigger::event::SwitchMode;
use outrigger::outbox::{
    By, DeadReason, Filter, Lane, Outbox, OutboxErrorKind, Page, PausedBy, Polling, TicketState,
    Timestamp,
};
use outrigger::testing::{Answer, Script};
use tokio::time::Instant;

use super::bench::{bodies, builder, integration, mail, memory, provider, run, secs, sleep, start};

#[tokio::test(start_paused = true)]
async fn a_refusal_with_a_time_pauses_the_lane_and_is_no_attempt() {
    let mut count = 0;
    let script = Script::by(move |_| {
        count += 1;
        if count == 1 {
            Answer::status(429).header("retry-after", "40")
        } else {
            Answer::status(200)
        }
    });
    let running = run(Lane::new(&integration("mailer", &script)).concurrency(1));
    let began = Instant::now();
    let first = running.enqueue(mail("1").max_attempts(1)).await;
    let second = running.enqueue(mail("2").max_attempts(1)).await;
    sleep(20).await;
    assert_eq!(script.requests().len(), 1, "the second waits, too");
    let paused = running.outbox.stats("mailer").await.unwrap().paused.unwrap();
    assert_eq!(paused.by, PausedBy::Worker);
    for ticket in [&first, &second] {
        let state = running.outbox.wait(ticket.id, secs(600)).await.unwrap();
        assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    }
    assert!(began.elapsed() >= secs(40));
    assert_eq!(running.outcomes(first.id).await, ["snoozed", "delivered"]);
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_use_up_no_attempts_of_any_message() {
    let open = Arc::new(AtomicUsize::new(0));
    let is_open = Arc::clone(&open);
    let script = Script::by(move |_| match is_open.load(Ordering::SeqCst) {
        0 => Answer::status(401),
        _ => Answer::status(200),
    });
    let running = run(Lane::new(&integration("mailer", &script)).concurrency(2));
    let mut tickets = Vec::new();
    for _ in 0..50 {
        tickets.push(running.enqueue(mail("1").max_attempts(1)).await);
    }
    sleep(600).await;
    let asked = script.requests().len();
    assert!((5..=22).contains(&asked), "about two a minute: {asked}");
    open.store(1, Ordering::SeqCst);
    for ticket in tickets {
        let state = running.outbox.wait(ticket.id, secs(12 * 3600)).await.unwrap();
        assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_claimed_while_the_integration_is_switched_off() {
    let script = provider([Answer::status(200)]);
    let mailer = integration("mailer", &script);
    let running = run(&mailer);
    mailer.kill_switch().set(SwitchMode::Off, "ada", "they move");
    let ticket = running.enqueue(mail("1")).await;
    sleep(3_600).await;
    assert_eq!(running.history(ticket.id).await.message.progress.token, 0);
    mailer.kill_switch().set(SwitchMode::On, "ada", "moved");
    running.outbox.wait(ticket.id, secs(60)).await.unwrap();
    assert_eq!(running.outcomes(ticket.id).await, ["delivered"]);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_costs_no_attempts_and_is_probed_by_one_message() {
    let down = Arc::new(AtomicUsize::new(1));
    let is_down = Arc::clone(&down);
    let script = Script::by(move |_| match is_down.load(Ordering::SeqCst) {
        0 => Answer::status(200),
        _ => Answer::status(503),
    });
    // A breaker that refuses at once.
    let mailer = outrigger::Integration::user_flow("mailer")
        .breaker(|breaker| breaker.no_success_for(secs(5)))
        .service(script.clone())
        .build()
        .unwrap();
    let running = run(&mailer);
    let mut tickets = Vec::new();
    for _ in 0..100 {
        tickets.push(running.enqueue(mail("1")).await);
    }
    sleep(3_600).await;
    let messages = running.outbox.browse(Filter::all(), Page::first(999)).await.unwrap();
    let attempts: u32 = messages.iter().map(|message| message.progress.attempt).sum();
    assert_eq!(usize::try_from(attempts).unwrap(), script.requests().len());
    let snoozes: u32 = messages.iter().map(|message| message.progress.snoozes).sum();
    assert!(snoozes > 0 && attempts < 1_000, "{snoozes} {attempts}");
    down.store(0, Ordering::SeqCst);
    for ticket in tickets {
        let state = running.outbox.wait(ticket.id, secs(24 * 3600)).await.unwrap();
        assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_hangs_holds_up_no_other() {
    let (hangs, works) = (provider([Answer::hang()]), provider([Answer::status(200)]));
    let outbox = memory()
        .lane(&integration("crm", &hangs))
        .lane(&integration("mailer", &works))
        .build()
        .unwrap();
    let running = start(outbox);
    for _ in 0..50 {
        running.enqueue(mail("1").lane("crm")).await;
    }
    let began = Instant::now();
    let ticket = running.enqueue(mail("2").lane("mailer")).await;
    running.outbox.wait(ticket.id, secs(60)).await.unwrap();
    assert!(began.elapsed() < secs(1));
    for message in [mail("3"), mail("3").lane("maler")] {
        let refused = running.outbox.enqueue(message).await.unwrap_err();
        assert_eq!(refused.kind(), OutboxErrorKind::Lane);
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_are_under_way_than_the_lane_and_the_bulkhead_allow() {
    for (lane, bulkhead, most) in [(3, 16, 3), (16, 3, 3)] {
        let script = provider([Answer::status(200).after(secs(10))]);
        let mailer = builder("mailer")
            .bulkhead(|places| places.concurrency(bulkhead))
            .service(script.clone())
            .build()
            .unwrap();
        let running = run(Lane::new(&mailer).concurrency(lane));
        for _ in 0..9 {
            running.enqueue(mail("1")).await;
        }
        sleep(5).await;
        assert_eq!(script.begun(), most);
        let stats = running.outbox.stats("mailer").await.unwrap();
        assert_eq!(stats.leased, most as u64, "nothing leased waits for a place");
        sleep(30).await;
        assert_eq!(script.begun(), 9);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_leased_waits_for_its_turn_under_a_rate() {
    let script = provider([Answer::status(200)]);
    let mailer = builder("mailer")
        .rate_limit(|rate| rate.requests(1, secs(1)))
        .service(script.clone())
        .build()
        .unwrap();
    let running = run(&mailer);
    let mut tickets = Vec::new();
    for _ in 0..20 {
        tickets.push(running.enqueue(mail("1")).await);
    }
    for _ in 0..10 {
        sleep(1).await;
        let leased = running.outbox.stats("mailer").await.unwrap().leased;
        assert!(leased <= 1, "{leased}");
    }
    let sent = script.requests().len();
    assert!((8..=12).contains(&sent), "{sent}");
    for ticket in tickets {
        running.outbox.wait(ticket.id, secs(60)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn messages_of_one_key_arrive_in_order_whatever_fails() {
    let mut count = 0;
    let script = Script::by(move |_| {
        count += 1;
        Answer::status(if count % 3 == 1 { 500 } else { 200 })
    });
    let running = run(&integration("mailer", &script));
    let all = ["1", "2", "3", "4", "5", "6", "7", "8"];
    let mut tickets = Vec::new();
    for body in all {
        tickets.push(running.enqueue(mail(body).order_key("user 7")).await);
    }
    for ticket in tickets {
        running.outbox.wait(ticket.id, secs(3600)).await.unwrap();
    }
    let mut arrived = bodies(&script);
    arrived.dedup();
    assert_eq!(arrived, all);
}

#[tokio::test(start_paused = true)]
async fn a_person_pauses_and_resumes_a_lane() {
    let script = provider([Answer::status(200)]);
    let running = run(&integration("mailer", &script));
    let by = By { who: "ada", why: "they asked" };
    running.outbox.pause("mailer", Timestamp::NEVER, by).await.unwrap();
    let ticket = running.enqueue(mail("1")).await;
    sleep(24 * 3600 / 2).await;
    assert!(script.requests().is_empty());
    running.outbox.resume("mailer", by).await.unwrap();
    running.outbox.wait(ticket.id, secs(5)).await.unwrap();
    assert_eq!(script.requests().len(), 1);
}

#[test]
fn settings_that_cannot_work_are_named_together() {
    let script = provider([Answer::status(200)]);
    let mailer = integration("mailer", &script);
    let lane = Lane::new(&mailer).concurrency(0).call_limit(secs(60)).lease(secs(60));
    let refused = Outbox::memory().lane(lane).lane(&mailer).build().unwrap_err();
    assert_eq!(refused.kind(), OutboxErrorKind::Settings);
    let text = refused.to_string();
    for part in ["3 settings", "mailer.concurrency", "mailer.lease", "two lanes"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[tokio::test]
async fn a_message_that_is_wrong_is_not_stored() {
    let script = provider([Answer::status(200)]);
    let outbox = memory().lane(&integration("mailer", &script)).build().unwrap();
    for (message, part) in [
        (mail("1").header("authorization", "Bearer x"), "authorization"),
        (mail("1").header("bad name", "x"), "header"),
        (outrigger::outbox::Message::post("http://a b/"), "uri"),
        (mail("1").idempotency_key(""), "idempotency key"),
        (mail("1").max_attempts(0), "max_attempts"),
    ] {
        let refused = outbox.enqueue(message).await.unwrap_err();
        assert_eq!(refused.kind(), OutboxErrorKind::Message);
        assert!(refused.to_string().contains(part), "{part} is not in {refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_asks_for_no_time_or_for_a_month_is_asked_within_reason() {
    let refuse = |wait: &str| provider([Answer::status(429).header("retry-after", wait)]);
    // Without a rate limit, which makes a wait of its own out of no time.
    let mailer = builder("mailer").without_rate_limit().service(refuse("0")).build().unwrap();
    let running = run(&mailer);
    let state = running.end_of(mail("1").max_attempts(3)).await;
    assert_eq!(state, TicketState::Parked { why: DeadReason::Exhausted, replaced_by: None });

    let script = refuse("2592000");
    let running = run(&integration("mailer", &script));
    let ticket = running.enqueue(mail("1")).await;
    sleep(10).await;
    let paused = running.outbox.stats("mailer").await.unwrap().paused.unwrap();
    let now = running.outbox.store().now().await.unwrap();
    assert!(paused.until <= now.plus(secs(3600)), "{paused:?}");
    let next = running.history(ticket.id).await.message.progress.not_before;
    assert!(next <= now.plus(secs(3600)), "{next}");
}

#[tokio::test(start_paused = true)]
async fn a_job_is_not_asked_for_all_the_time() {
    let script =
        provider([Answer::status(202).header("location", "/7").header("retry-after", "0")]);
    let lane = Lane::new(&integration("mailer", &script)).polling(Polling::new());
    let state = run(lane).end_of(mail("1").deadline(secs(60))).await;
    assert_eq!(state, TicketState::Parked { why: DeadReason::Expired, replaced_by: None });
    assert!((30..=61).contains(&script.requests().len()), "{}", script.requests().len());
}
