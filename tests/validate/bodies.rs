//! Bodies that are large, slow, broken, compressed or streamed.

use std::time::Duration;

use http::Method;
use outrigger::event::Event;
use outrigger::outcome::Fault;
use outrigger::testing::Answer;
use outrigger::validate::{Finding, Media, Required, Unchecked, Verdict, function};
use outrigger::{ErrorKind, ResponseExt};

use crate::bench::{Bench, enforced, failed, json, request, secs};

fn unchecked(bench: &Bench) -> Vec<Unchecked> {
    let of = |event| match event {
        Event::AnswerUnchecked { why, .. } => Some(why),
        _ => None,
    };
    bench.events.events().into_iter().filter_map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn what_nobody_can_look_at_passes_and_is_counted_unless_it_must_be_checked() {
    let large = r#"{"a": 12345678}"#;
    for (answer, why) in [
        (json(large), Unchecked::TooLarge),
        (json(large).breaks_after(12), Unchecked::TooLarge),
        (json("{}").header("content-encoding", "gzip"), Unchecked::Encoded),
        (
            Answer::status(200).header("content-type", "text/event-stream").body("data: 1"),
            Unchecked::Streamed,
        ),
        (
            Answer::status(200).header("content-type", "multipart/mixed; boundary=x").body("x"),
            Unchecked::Streamed,
        ),
    ] {
        let layer = enforced(Required::new(["/id"])).body_cap(10);
        let bench = Bench::new([answer.clone()], layer.clone());
        assert_eq!(bench.get().await.unwrap().status(), 200);
        assert_eq!((unchecked(&bench), bench.provider.begun()), (vec![why], 1));

        let bench = Bench::with(
            [answer],
            layer.must_check(true),
            outrigger::IntegrationBuilder::without_retry,
        );
        let error = bench.get().await.unwrap_err();
        assert_eq!(failed(&error).verdict(), Verdict::Invalid);
        assert_eq!(failed(&error).reason(), format!("it can't be checked: {why}"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_identity_coding_and_a_body_of_just_the_cap_are_checked() {
    for body in [r#"{"a": 1}"#, r#"{"a": 12}"#, r#"{"a": 123}"#, r#"{"a": 1234}"#] {
        let layer = enforced(Required::new(["/id"])).body_cap(10);
        let answer = json(body).header("content-encoding", "identity");
        let bench = Bench::with([answer], layer, outrigger::IntegrationBuilder::without_retry);
        assert_eq!(bench.get().await.is_err(), body.len() <= 10, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_of_the_head_holds_no_body_back() {
    let answer = || json("{}").stalls_after(1);
    let bench = Bench::new([answer()], enforced(Media::json()));
    assert_eq!(bench.get().await.unwrap().status(), 200);
    // One that reads the body waits for it, for as long as a body may be silent.
    let bench = Bench::with([answer()], enforced(Required::new(["/id"])), |builder| {
        builder.without_retry()
    });
    let began = tokio::time::Instant::now();
    let error = bench.get().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(began.elapsed(), secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_while_it_is_held_back_is_a_failed_attempt_and_repeated() {
    let check = || enforced(Required::new(["/id"]));
    let broken = || json(r#"{"id": 1}"#).breaks_after(4);
    let bench = Bench::new([broken(), json(r#"{"id": 1}"#)], check());
    assert_eq!(bench.get().await.unwrap().text().await.unwrap(), r#"{"id": 1}"#);
    assert_eq!(bench.provider.begun(), 2);
    let bench = Bench::new([broken()], check());
    let error = bench.send(Method::POST).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport(Fault::Closed));
    assert_eq!(bench.provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn answers_without_a_body_of_their_own_are_not_looked_at() {
    let never = || enforced(function("never", |_, _| -> Finding { panic!("it is asked in vain") }));
    for status in [204, 205, 206, 304] {
        let bench = Bench::new([Answer::status(status)], never());
        assert_eq!(bench.get().await.unwrap().status(), status);
        assert_eq!(unchecked(&bench), []);
    }
    let bench = Bench::new([json("")], never());
    assert!(bench.send(Method::HEAD).await.is_ok());
    assert_eq!(unchecked(&bench), []);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_is_survived() {
    let panics = || function("panics", |_, _| -> Finding { panic!("a mistake") });
    let bench = Bench::new([json("{}")], enforced(panics()).enforce(Media::json()));
    assert_eq!(bench.get().await.unwrap().text().await.unwrap(), "{}");
    assert_eq!(unchecked(&bench), [Unchecked::Panicked]);
    let gate = outrigger::validate::Check::when(panics(), |_| panic!("a mistake"));
    let bench = Bench::new([json("{}")], enforced(gate));
    assert_eq!(bench.get().await.unwrap().text().await.unwrap(), "{}");
    assert_eq!(unchecked(&bench), [Unchecked::Panicked]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_while_a_body_is_held_back_leaves_nothing() {
    let bench = Bench::new([json("{}").stalls_after(1)], enforced(Required::new(["/id"])));
    let call = bench.api.send(request(Method::GET));
    assert!(tokio::time::timeout(Duration::from_millis(10), call).await.is_err());
    assert_eq!(bench.api.bulkhead().in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn json_that_cant_be_read_here_is_unchecked_and_what_is_none_is_a_failure() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    for body in [deep.as_str(), r#"{"a":1e999}"#, r#"{"a":"\ud83d"}"#] {
        let bench = Bench::new([json(body)], enforced(Required::new(["/id"])));
        assert_eq!(bench.get().await.unwrap().text().await.unwrap(), body);
        assert_eq!(unchecked(&bench), [Unchecked::Unreadable], "{body}");
    }
    let bench = Bench::with([json("[[")], enforced(Required::new(["/0"])), |builder| {
        builder.without_retry()
    });
    assert_eq!(failed(&bench.get().await.unwrap_err()).verdict(), Verdict::Transient);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_there_twice_is_counted_and_the_last_counts() {
    let bench = Bench::new(
        [json(r#"{"id":null,"id":1,"a":{":":":"}}"#), json(r#"{"id":1}"#)],
        enforced(Required::new(["/id"])),
    );
    for _ in 0..2 {
        bench.get().await.unwrap();
    }
    assert_eq!(bench.api.validation().unwrap().duplicates(), 1);
    assert_eq!(bench.api.health().validation.unwrap().duplicates, 1);
}
