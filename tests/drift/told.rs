//! Who is told, and how often.

use outrigger::drift::{DriftKind, DriftLayer};
use outrigger::testing::{Answer, Script};
use outrigger::{ConfigError, Integration};

use crate::bench::{Bench, answer, bare, get, noon, secs, stamp, wait};

const DAY: u64 = 24 * 3600;
const OLD: [(&str, &str); 1] = [("deprecation", "@1688169599")];

#[tokio::test(start_paused = true)]
async fn it_is_told_once_and_again_after_a_day() {
    let bench = Bench::new();
    assert_eq!(bench.headers(&OLD).await.len(), 1);
    wait(secs(DAY - 1)).await;
    assert_eq!(bench.headers(&OLD).await.len(), 0);
    wait(secs(1)).await;
    assert_eq!(bench.headers(&OLD).await.len(), 1);
    let drifts = bench.handle().drifts();
    assert_eq!(drifts.len(), 1);
    assert_eq!((drifts[0].first_seen, drifts[0].last_seen), (noon(), noon() + secs(DAY)));
}

#[tokio::test(start_paused = true)]
async fn another_value_is_told_at_once_and_two_in_turn_are_told_once_each() {
    let bench = Bench::new();
    let other = [("deprecation", "@1767225599")];
    assert_eq!(bench.headers(&OLD).await.len(), 1);
    assert_eq!(bench.headers(&other).await.len(), 1);
    for _ in 0..10 {
        assert_eq!(bench.headers(&OLD).await.len() + bench.headers(&other).await.len(), 0);
    }
    // The earliest is listed, as long as it is a day's news.
    assert_eq!(bench.handle().drifts()[0].at, Some(stamp(1_688_169_599)));
    wait(secs(DAY)).await;
    assert_eq!(bench.headers(&other).await[0].at, Some(stamp(1_767_225_599)));
    assert_eq!(bench.handle().drifts()[0].at, Some(stamp(1_767_225_599)));
    assert_eq!(bench.headers(&OLD).await[0].at, Some(stamp(1_688_169_599)));
    bench.headers(&other).await;
    assert_eq!(bench.handle().drifts()[0].at, Some(stamp(1_688_169_599)));
}

#[tokio::test(start_paused = true)]
async fn what_was_said_last_is_listed_though_it_was_told_before() {
    let bench = Bench::new();
    let [one, other] = ["299 - \"one\"", "299 - \"other\""];
    for (warning, told) in [(one, 1), (other, 1), (one, 0)] {
        assert_eq!(bench.headers(&[("warning", warning)]).await.len(), told);
        let listed = bench.handle().drifts()[0].detail.clone();
        assert_eq!(listed.as_deref(), warning.split('"').nth(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_that_is_another_one_each_time_is_told_eight_times_a_day() {
    let bench = Bench::new();
    let mut told = 0;
    for number in 0..100 {
        let warning = format!("299 - \"request {number} uses v1\"");
        told += bench.headers(&[("warning", &warning)]).await.len();
    }
    assert_eq!(told, 8);
    wait(secs(DAY)).await;
    assert_eq!(bench.headers(&[("warning", "299 - \"request 7 uses v1\"")]).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn hosts_methods_and_templates_are_told_apart_and_paths_are_not() {
    let bench = Bench::new();
    let old = || answer(&OLD, "");
    let (mut other_path, mut other_host) = (bare("GET"), bare("GET"));
    *other_path.uri_mut() = http::Uri::from_static("https://ada:hunter2@api.example:8443/b");
    *other_host.uri_mut() = http::Uri::from_static("https://eu.api.example/b");
    let (mut named, mut told) = (Vec::new(), 0);
    for request in [get("/a"), get("/b"), bare("GET"), bare("POST"), other_host, other_path] {
        let drifts = bench.send(request, old()).await;
        told += drifts.len();
        let name = |drift: &outrigger::drift::Drift| {
            format!("{} {}", drift.endpoint, drift.host.as_deref().unwrap_or_default())
        };
        named.extend(drifts.iter().map(name));
    }
    assert_eq!(told, 5, "{named:?}");
    let first = ["GET /a api.example", "GET /b api.example", "GET api.example"];
    assert_eq!(named[..3], first);
    assert_eq!(named[3..], ["POST api.example", "GET eu.api.example"]);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_templates_are_bounded_and_the_oldest_goes() {
    let bench = Bench::new();
    for number in 0..10_000 {
        let request = get(&format!("/v1/{number}/{{id}}"));
        assert_eq!(bench.send(request, answer(&OLD, "")).await.len(), 1);
        if number % 10 == 0 {
            wait(secs(10)).await;
        }
    }
    let known = bench.handle().drifts();
    assert_eq!(known.len(), 1_000);
    assert!(known.iter().any(|drift| drift.endpoint == "GET /v1/9999/{id}"));
    assert!(known.iter().all(|drift| drift.last_seen >= noon() + secs(9_000)));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_seen_for_a_month_and_what_is_forgotten_is_no_longer_listed() {
    let bench = Bench::new();
    bench.headers(&OLD).await;
    wait(secs(34 * DAY)).await;
    assert_eq!(bench.handle().drifts().len(), 1);
    wait(secs(DAY)).await;
    assert_eq!(bench.handle().drifts(), []);
    assert_eq!(bench.headers(&OLD).await.len(), 1);
    bench.handle().forget();
    assert_eq!(bench.handle().drifts(), []);
    assert_eq!(bench.headers(&OLD).await.len(), 1, "it still says so");
}

#[tokio::test(start_paused = true)]
async fn an_integrations_health_lists_dates_first_and_changes_nothing_else() {
    let old = Answer::status(200)
        .header("deprecation", "true")
        .header("sunset", "Fri, 30 Jun 2023 23:59:59 GMT")
        .body("as it was");
    let builder = Integration::user_flow("crm").service(Script::new([old]));
    let crm = builder.clone().drift(DriftLayer::new()).build().unwrap();
    let answer = crm.get("http://crm.test/a").template("/a").send().await.unwrap();
    assert_eq!(answer.headers()["deprecation"], "true");
    assert_eq!(answer.into_body().text().await.unwrap(), "as it was");
    let health = crm.health();
    let kinds: Vec<_> = health.drifts.iter().map(|drift| drift.kind).collect();
    assert_eq!(kinds, [DriftKind::Sunset, DriftKind::Deprecation]);
    assert_eq!(health.status, outrigger::control::Status::Up);
    assert_eq!(health.drifts, crm.drift().drifts());

    let unwatched = builder.build().unwrap();
    let _answer = unwatched.get("http://crm.test/a").send().await.unwrap();
    assert_eq!(unwatched.health().drifts, []);
}

#[tokio::test(start_paused = true)]
async fn integrations_of_one_layer_share_what_a_handle_was_taken_of() {
    let old = || Script::new([Answer::status(200).header("deprecation", "true")]);
    let make = |layer: &DriftLayer| {
        Integration::user_flow("crm").service(old()).drift(layer.clone()).build().unwrap()
    };
    let (apart, shared) = (DriftLayer::new(), DriftLayer::new());
    let handle = shared.handle();
    for (layer, other) in [(apart, 0), (shared, 1)] {
        let (one, two) = (make(&layer), make(&layer));
        let _answer = one.get("http://crm.test/a").send().await.unwrap();
        assert_eq!((one.drift().drifts().len(), two.drift().drifts().len()), (1, other));
    }
    assert_eq!(handle.drifts().len(), 1);
}

#[test]
fn a_header_that_is_read_anyway_is_a_mistake_that_says_so() {
    let layer = DriftLayer::new().notice_header(http::header::LINK);
    let error: ConfigError = layer.check().unwrap_err();
    let error = error.to_string();
    assert!(error.contains("notice_headers") && error.contains("link"), "{error}");
    DriftLayer::new().check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_file_switches_it_on_and_off_while_calls_run_and_what_was_noticed_stays() {
    let old = Answer::status(200).header("deprecation", "true");
    let crm = Integration::user_flow("crm").service(Script::new([old])).build().unwrap();
    let call = async || crm.get("http://crm.test/a").send().await.unwrap();
    call().await;
    assert_eq!(crm.drift().drifts(), []);
    let apply = |file: &str| crm.apply(&toml::from_str(file).unwrap()).unwrap();
    apply("drift = { watch = true, shapes = { answers = 10 } }");
    call().await;
    assert_eq!(crm.drift().drifts().len(), 1);
    apply("");
    let seen = crm.drift().drifts();
    wait(secs(60)).await;
    call().await;
    assert_eq!(crm.drift().drifts(), seen, "nobody looks");
}

#[test]
fn a_call_without_a_sign_allocates_nothing_for_it() {
    use futures_util::FutureExt;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _context = runtime.enter();
    let allocated = |layer: DriftLayer| {
        let usual = Answer::status(200).header("content-type", "application/json").body("{}");
        let builder = Integration::user_flow("crm").service(Script::new([usual]));
        let crm = builder.drift(layer).build().unwrap();
        let mut counted = 0;
        for _ in 0..9 {
            let request = crm.get("http://crm.test/a/1").template("/a/{id}");
            let call = async { request.send().await.unwrap().into_body().bytes().await.unwrap() };
            let info = allocation_counter::measure(|| drop(call.now_or_never().unwrap()));
            counted = info.count_total;
        }
        counted
    };
    assert_eq!(allocated(DriftLayer::new()), allocated(DriftLayer::disabled()));
}
