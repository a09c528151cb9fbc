//! Spans and metrics say the same of each attempt.

use std::io::{Error, ErrorKind as Io};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body::Frame;
use metrics_exporter_prometheus::PrometheusBuilder;
use outrigger::hedge::HedgeLayer;
use outrigger::integration::{OwnClient, Source};
use outrigger::outcome::{Class, HttpClassifier};
use outrigger::telemetry::metrics::Metrics;
use outrigger::telemetry::tracing::Spans;
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration, IntegrationBuilder};

use crate::call::{get, read};
use crate::capture::Capture;

/// The attempts' error types by spans and by metrics, in alphabetical order; empty where there is
/// none.
async fn error_types<T: Source>(
    shop: IntegrationBuilder<T>,
    leave_after: Duration,
) -> [Vec<String>; 2] {
    let (told, _guard) = Capture::here();
    let recorder = PrometheusBuilder::new().build_recorder();
    let exporter = recorder.handle();
    let shop = shop.subscriber(Spans::new()).subscriber(Metrics::recorded_by(recorder));
    let _ = tokio::time::timeout(leave_after, read(shop.build().unwrap().send(get()))).await;

    let spans = told.spans("attempt");
    for span in &spans {
        let (error, status) = (span.fields.of("error.type"), span.fields.of("otel.status_code"));
        assert_eq!(error.is_empty(), status.is_empty(), "{span:?}");
    }
    let mut by_spans: Vec<_> =
        spans.iter().map(|span| span.fields.of("error.type").to_owned()).collect();
    let page = exporter.render();
    let counted =
        page.lines().filter(|line| line.starts_with("http_client_request_duration_count{"));
    let mut by_metrics: Vec<_> = counted.flat_map(label).collect();
    by_spans.sort_unstable();
    by_metrics.sort_unstable();
    [by_spans, by_metrics]
}

/// A sample's error type, as often as it counts.
fn label(sample: &str) -> Vec<String> {
    let (series, times) = sample.rsplit_once(' ').expect("a value");
    let error = series.split_once("error_type=\"").and_then(|(_, rest)| rest.split_once('"'));
    let error = error.map_or("", |(error, _)| error).to_owned();
    vec![error; times.parse().expect("a number")]
}

fn shop() -> IntegrationBuilder<OwnClient> {
    let judged = HttpClassifier::new().with(|head| match head.status.as_u16() {
        404 => Some(Class::Success),
        202 => Some(Class::Invalid),
        203 => Some(Class::Other),
        _ => None,
    });
    Integration::user_flow("shop").classifier(judged).without_retry()
}

#[tokio::test(start_paused = true)]
async fn an_answers_error_type_is_its_status_if_it_failed_by_it() {
    for (status, error) in [
        (200, ""),
        (207, ""),
        (302, "302"),
        (304, ""),
        (404, ""),
        (202, "invalid_answer"),
        (203, "_OTHER"),
        (401, "401"),
        (410, "410"),
        (429, "429"),
        (503, "503"),
        (799, "_OTHER"),
    ] {
        let answers = shop().service(Script::new([Answer::status(status)]));
        let told = error_types(answers, Duration::MAX).await;
        assert_eq!(told, [[error], [error]], "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_it_is_a_word() {
    for (answer, error) in [
        (Answer::hang(), "attempt_timeout"),
        (Answer::broken(Io::ConnectionReset), "connection_reset"),
        (Answer::broken(Io::ConnectionRefused), "connection_refused"),
        (Answer::broken(Io::Other), "_OTHER"),
    ] {
        let told = error_types(shop().service(Script::new([answer])), Duration::MAX).await;
        assert_eq!(told, [[error], [error]]);
    }
    let broken = |_: http::Request<Body>| async {
        let frames = [Ok(Frame::data(Bytes::from("half"))), Err(Error::from(Io::ConnectionReset))];
        let body = http_body_util::StreamBody::new(futures_util::stream::iter(frames));
        Ok::<_, Error>(Response::new(Body::new(body)))
    };
    let told = error_types(shop().service(tower::service_fn(broken)), Duration::MAX).await;
    assert_eq!(told[0], told[1]);
    assert!(told[0][0].starts_with("connection") || told[0][0].starts_with("body"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_or_is_overtaken_makes_no_error() {
    let left = shop().service(Script::new([Answer::hang()]));
    assert_eq!(error_types(left, Duration::from_millis(10)).await, [[""], [""]]);
    let hedged = |second| {
        let shop = shop().hedge(HedgeLayer::after(Duration::from_millis(50)));
        shop.service(Script::new([Answer::hang(), second]))
    };
    let told = error_types(hedged(Answer::status(200)), Duration::MAX).await;
    assert_eq!(told, [["", ""], ["", ""]]);
    let told = error_types(hedged(Answer::status(503)), Duration::MAX).await;
    assert_eq!(told, [["503", "attempt_timeout"], ["503", "attempt_timeout"]]);
    let told = error_types(hedged(Answer::hang()), Duration::from_millis(100)).await;
    assert_eq!(told, [["", ""], ["", ""]]);
}
