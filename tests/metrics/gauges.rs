//! What is a state: read when somebody looks.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use outrigger::control::{Registry, Status};
use outrigger::event::SwitchMode;
use outrigger::kill_switch::SwitchFile;
use outrigger::testing::{Answer, Script};
use outrigger::{Integration, IntegrationConfig};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::page::Page;
use crate::trouble::{Bench, call};

fn shop(bench: &Bench, answer: Answer) -> Integration {
    Integration::user_flow("shop")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .service(Script::new([answer]))
        .build()
        .unwrap()
}

fn is(page: &Page, status: &str) -> bool {
    page.sum("outrigger_status", &[("outrigger_status", status)]) == 1.0
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_shown_with_its_time() {
    let bench = Bench::new();
    let shop = shop(&bench, Answer::status(500));
    assert!(is(&bench.page(), "up"));
    for _ in 0..10 {
        call(&shop, Method::GET).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    call(&shop, Method::GET).await;
    let before = bench.page().sum("outrigger_breaker_open_time_seconds", &[]);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let page = bench.page();
    assert_eq!(page.sum("outrigger_breaker_state", &[("outrigger_state", "open")]), 1.0);
    assert_eq!(page.sum("outrigger_breaker_state", &[("outrigger_state", "closed")]), 0.0);
    let open = page.sum("outrigger_breaker_open_time_seconds", &[]);
    assert!((open - before - 0.3).abs() < 1e-6, "{before} and then {open}");
    assert!(is(&page, "down") && !is(&page, "up"));
}

#[cfg(feature = "fleet")]
#[tokio::test(start_paused = true)]
async fn the_share_of_an_accounts_rate_is_shown_and_what_calls_ask_for() {
    let bench = Bench::new();
    let limited = Integration::user_flow("shop")
        .rate_limit(|limit| limit.requests(300, Duration::from_secs(1)).account("live"));
    let shop = limited.register(&bench.registry).service(Script::new([Answer::status(200)]));
    let shop = shop.build().unwrap();
    assert_eq!(bench.page().sum("outrigger_rate_limit_share", &[]), 0.0);
    // It has no lease as long as the fleet doesn't run.
    let pool = outrigger::outbox::postgres::PostgresPool::no_tls("host=127.0.0.1").unwrap();
    let fleet = outrigger::fleet::Fleet::postgres(&bench.registry, &pool).build();
    let page = bench.page();
    assert_eq!(page.sum("outrigger_rate_limit_share", &[]), 0.3, "a thousandth");
    assert_eq!(page.sum("outrigger_rate_limit_demand", &[]), 0.0);
    drop((shop, fleet));
}

#[tokio::test(start_paused = true)]
async fn a_moved_kill_switch_is_shown_with_its_mode_and_since_when() {
    let bench = Bench::new();
    let shop = shop(&bench, Answer::status(200));
    shop.kill_switch().set(SwitchMode::Off, "ada", "invoices are wrong");
    let page = bench.page();
    assert_eq!(page.sum("outrigger_kill_switch_mode", &[("outrigger_mode", "off")]), 1.0);
    assert_eq!(page.sum("outrigger_kill_switch_mode", &[("outrigger_mode", "on")]), 0.0);
    assert_eq!(page.sum("outrigger_control_moved", &[("outrigger_control", "kill_switch")]), 1.0);
    assert!(is(&page, "stopped"));
    assert!(page.sum("outrigger_status_since_seconds", &[]) > 1.7e9, "a date of this century");
}

#[tokio::test(start_paused = true)]
async fn a_switch_file_that_is_missing_is_trouble_only_if_it_should_be_there() {
    let (bench, name) = (Bench::new(), format!("outrigger-gauges-{}", std::process::id()));
    let path = std::env::temp_dir().join(name);
    let shop = shop(&bench, Answer::status(200));
    let _following = shop.kill_switch().follow(SwitchFile::new(&path));
    let trouble = [("outrigger_control", "kill_switch")];
    let look = async || {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let page = bench.page();
        (page.sum("outrigger_control_trouble", &trouble), shop.health().status)
    };
    assert_eq!(look().await, (0.0, Status::Up), "it is written in an emergency alone");
    let failures = "outrigger_kill_switch_source_failures_total";
    assert_eq!(bench.page().sum(failures, &[]), 0.0);
    std::fs::write(&path, "off").unwrap();
    assert_eq!(look().await, (0.0, Status::Stopped));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(look().await, (1.0, Status::Stopped), "nobody can switch it on again by the file");
    assert_eq!(bench.page().sum(failures, &[]), 1.0);
    shop.kill_switch().set(SwitchMode::On, "ada", "all is well");
    assert_eq!(look().await, (1.0, Status::Degraded), "status and gauge agree");
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_zero() {
    let bench = Bench::new();
    let shop = shop(&bench, Answer::status(200));
    assert!(is(&bench.page(), "up"));
    assert!(bench.page().sum("outrigger_bulkhead_limit", &[]) > 0.0);
    drop(shop);
    let page = bench.page();
    assert!(!is(&page, "up"));
    assert_eq!(page.sum("outrigger_bulkhead_limit", &[]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn settings_that_change_are_shown() {
    let bench = Bench::new();
    let shop = shop(&bench, Answer::status(200));
    let other: IntegrationConfig = toml::from_str("[bulkhead]\nconcurrency = 7").unwrap();
    shop.apply(&other).unwrap();
    assert_eq!(bench.page().sum("outrigger_bulkhead_limit", &[]), 7.0);
}

#[tokio::test(start_paused = true)]
async fn of_two_with_one_name_places_are_added_up_and_either_status_is_shown() {
    let bench = Bench::new();
    let (one, other) = (shop(&bench, Answer::status(200)), shop(&bench, Answer::status(200)));
    let alone = Bench::new();
    let single = shop(&alone, Answer::status(200));
    other.kill_switch().set(SwitchMode::Off, "ada", "one of two");
    let page = bench.page();
    let limit = alone.page().sum("outrigger_bulkhead_limit", &[]);
    assert_eq!(page.sum("outrigger_bulkhead_limit", &[]), 2.0 * limit);
    assert!(is(&page, "up") && is(&page, "stopped"));
    drop((one, single));
}

#[tokio::test(start_paused = true)]
async fn a_look_at_one_registry_leaves_the_others_integrations_alone() {
    let bench = Bench::new();
    let shop = shop(&bench, Answer::status(200));
    let page = bench.page();
    assert!(is(&page, "up"));
    bench.metrics.observe(&Registry::new());
    assert!(is(&Page::of(&bench.exporter), "up"));
    drop(shop);
}

#[tokio::test(start_paused = true)]
async fn a_registry_can_be_observed_every_so_often() {
    let bench = Bench::new();
    let shop = shop(&bench, Answer::status(200));
    let observing = bench.metrics.observe_every(&bench.registry, Duration::from_secs(10));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(is(&Page::of(&bench.exporter), "up"));
    shop.kill_switch().set(SwitchMode::Off, "ada", "why not");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(is(&Page::of(&bench.exporter), "stopped"));
    drop(observing);
    shop.kill_switch().set(SwitchMode::On, "ada", "all is well");
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(is(&Page::of(&bench.exporter), "stopped"), "nobody looked again");
}

/// A client that shows a certificate which ends when this year begins.
fn certified(bench: &Bench, year: i32) -> Integration {
    let mut params = rcgen::CertificateParams::new(["shop.test".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().into();
    let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_client_auth_cert(vec![certificate], key.into())
        .unwrap();
    let builder = Integration::user_flow("shop").hyper(|client| client.tls(tls));
    builder.register(&bench.registry).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn of_two_certificates_the_one_that_ends_first_is_shown() {
    let bench = Bench::new();
    let (one, other) = (certified(&bench, 2041), certified(&bench, 2040));
    let ours = [("outrigger_credential", "client_certificate")];
    let shown = || bench.page().sum("outrigger_credential_expiry_seconds", &ours);
    // 2040-01-01T00:00:00Z, and a leap year later.
    assert_eq!(shown(), 2_208_988_800.0);
    drop(other);
    assert_eq!(shown(), 2_208_988_800.0 + 366.0 * 86_400.0);
    drop(one);
    assert_eq!(shown(), 0.0, "none is known");
}

#[tokio::test(start_paused = true)]
async fn a_lane_is_shown_with_what_waits_what_died_and_whether_it_pauses() {
    let bench = Bench::new();
    let page = bench.live_through_all().await;
    let of = |lane: &'static str, more: (&'static str, &'static str)| {
        [("outrigger_integration", lane), ("outrigger_lane", lane), more]
    };
    let messages =
        |lane, state| page.sum("outrigger_outbox_messages", &of(lane, ("outrigger_state", state)));
    let dead = |lane, why| page.sum("outrigger_outbox_dead", &of(lane, ("outrigger_reason", why)));
    assert_eq!(dead("outbox mail", "rejected"), 1.0);
    assert_eq!((dead("outbox mail", "exhausted"), messages("outbox mail", "ready")), (0.0, 0.0));
    assert_eq!((messages("outbox late", "ready"), messages("outbox late", "due")), (1.0, 0.0));
    let paused = |lane| page.sum("outrigger_outbox_paused", &[("outrigger_lane", lane)]);
    assert_eq!((paused("outbox late"), paused("outbox mail")), (1.0, 0.0));
    let oldest = |lane| page.sum("outrigger_outbox_oldest_seconds", &[("outrigger_lane", lane)]);
    assert!(oldest("outbox late") > 0.0 && oldest("outbox mail") == 0.0);
}
