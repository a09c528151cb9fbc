//! What people see: events, counts, health and samples.

use outrigger::Ratio;
use outrigger::event::{Event, Kept};
use outrigger::redact::{Redactor, StandardRedactor};
use outrigger::rt::{Clock, Rng};
use outrigger::testing::Answer;
use outrigger::validate::{Finding, Media, Required, ValidateLayer, Verdict, function};

use crate::bench::{Bench, json, secs};

#[tokio::test(start_paused = true)]
async fn every_check_of_every_answer_is_told_once() {
    let layer = ValidateLayer::new()
        .report(function("half", |_, _| Finding::partial("half")))
        .enforce(function("fine", |_, _| Finding::pass()))
        .enforce(Required::new(["/id"]));
    let bench = Bench::with([json("{}")], layer, outrigger::IntegrationBuilder::without_retry);
    assert!(bench.get().await.is_err());
    let told: Vec<_> = bench.events.events().into_iter().filter(is_of_a_check).collect();
    assert_eq!(
        told,
        [
            Event::AnswerPassed { check: "half", partial: true },
            Event::AnswerPassed { check: "fine", partial: false },
            Event::AnswerRejected { check: "required", verdict: Verdict::Invalid, enforced: true },
        ]
    );
    let health = bench.api.health().validation.unwrap();
    let last = health.last_rejection.unwrap();
    assert_eq!((health.rejected, health.unchecked), (1, 0));
    assert_eq!((last.check, last.status, last.pointer.as_deref()), ("required", 200, Some("/id")));
    let none = Bench::new([json("{}")], ValidateLayer::new());
    assert!(none.api.health().validation.is_none() && none.api.validation().is_none());
}

fn is_of_a_check(event: &Event) -> bool {
    matches!(
        event,
        Event::AnswerPassed { .. } | Event::AnswerRejected { .. } | Event::AnswerUnchecked { .. }
    )
}

#[tokio::test(start_paused = true)]
async fn samples_are_kept_on_request_redacted_one_a_second_and_twenty_a_check() {
    let secret = r#"{"name": "s3cr3t-Ada", "error": "not_found"}"#;
    let checks = || ValidateLayer::new().report(Required::new(["/id"]));
    let bench = Bench::new([json(secret)], checks());
    assert!(bench.get().await.is_ok());
    assert!(bench.api.validation().unwrap().samples().is_empty());

    let bench = Bench::new([json(secret)], checks().keep_samples(StandardRedactor::new()));
    let samples = || bench.api.validation().unwrap().samples();
    for _ in 0..5 {
        bench.get().await.unwrap();
    }
    assert_eq!(samples().len(), 1);
    let sample = samples().remove(0);
    let body = sample.body.clone().unwrap();
    assert!(body.contains("not_found") && !body.contains("s3cr3t"), "{body}");
    assert!(sample.correlation_id.is_some());
    assert!(!format!("{sample:?}").contains("s3cr3t"));
    for _ in 0..40 {
        tokio::time::sleep(secs(1)).await;
        bench.get().await.unwrap();
    }
    assert_eq!(samples().len(), 20);
    assert_eq!(bench.api.validation().unwrap().rejected(), 45);
}

#[tokio::test(start_paused = true)]
async fn a_sample_shows_at_most_two_kilobytes_of_a_body() {
    let long = Answer::status(200).body(format!("[{}0]", "0,".repeat(5_000)));
    let layer =
        ValidateLayer::new().report(Required::new(["/id"])).keep_samples(StandardRedactor::new());
    let bench = Bench::new([long], layer);
    bench.get().await.unwrap();
    let body = bench.api.validation().unwrap().samples().remove(0).body.unwrap();
    assert!(body.matches("number").count() < 1_100, "{}", body.len());
}

#[tokio::test(start_paused = true)]
async fn a_sample_of_an_answer_whose_body_no_check_reads_shows_it() {
    let login = || Answer::status(200).header("content-type", "text/html");
    let long = format!("<title>Log in</title>{}", "<p>".repeat(100_000));
    let media = || ValidateLayer::new().report(Media::json());
    for page in [login().body("<title>Log in</title>"), login().body(long)] {
        let bench = Bench::new([page], media().keep_samples(ShowAll));
        bench.get().await.unwrap();
        let body = bench.api.validation().unwrap().samples().remove(0).body.unwrap();
        assert!(body.starts_with("<title>Log in") && body.len() <= 2_048, "{body}");
    }
    // A body that doesn't come is waited for a second, and only for samples.
    let silent = || login().body("<title>").stalls_after(0);
    for (layer, waited) in [(media().keep_samples(ShowAll), secs(1)), (media(), secs(0))] {
        let bench = Bench::new([silent()], layer);
        let began = tokio::time::Instant::now();
        assert_eq!(bench.get().await.unwrap().status(), 200);
        assert_eq!(began.elapsed(), waited);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sampled_check_looks_at_its_share_and_never_acts() {
    let check = function("costly", |_, _| Finding::invalid("always"));
    let layer = ValidateLayer::new().sample(Ratio::percent(10), check).rng(Rng::seeded(7));
    let layer = layer.clock(Clock::system());
    let bench = Bench::new([json("{}")], layer);
    for _ in 0..1_000 {
        assert!(bench.get().await.is_ok());
    }
    let looked_at = bench.api.validation().unwrap().rejected();
    assert!((60..140).contains(&looked_at), "{looked_at}");
}

#[tokio::test(start_paused = true)]
async fn a_handle_that_was_taken_before_reads_every_integration_of_the_layer() {
    let layer = ValidateLayer::new().report(Required::new(["/id"]));
    let handle = layer.handle();
    for _ in 0..2 {
        Bench::new([json("{}")], layer.clone()).get().await.unwrap();
    }
    assert_eq!(handle.rejected(), 2);
}

/// Shows bodies as they are.
struct ShowAll;

impl Redactor for ShowAll {
    fn header(&self, _: &http::HeaderName, _: &http::HeaderValue) -> String {
        String::new()
    }

    fn uri(&self, _: &http::Uri) -> String {
        String::new()
    }

    fn body(&self, _: &http::HeaderMap, body: &Kept) -> Option<String> {
        Some(String::from_utf8_lossy(&body.bytes).into_owned())
    }

    fn text(&self, _: &str) -> String {
        String::new()
    }
}
