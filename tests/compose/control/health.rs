use std::time::{Duration, SystemTime};

use outrigger::circuit_breaker::{Consecutive, Mode};
use outrigger::control::{BulkheadHealth, Health, KeyedBreakersHealth, Registry, Status};
use outrigger::event::{BreakerState, SourceProblem, SwitchMode};
use outrigger::fault_injection::{FaultInjectionLayer, Plan};
use outrigger::hedge::HedgeLayer;
use outrigger::integration::OwnClient;
use outrigger::kill_switch::{SourceError, SwitchSetting, SwitchSource};
use outrigger::mirror::MirrorLayer;
use outrigger::testing::{Answer, Script};
use outrigger::{Integration, IntegrationBuilder, Ratio};

use crate::call::{failure, get, hold, millis, once, poll_once, read, seconds, status};

fn preset() -> IntegrationBuilder<OwnClient> {
    Integration::user_flow("crm").breaker(|breaker| breaker.open_jitter(Ratio::ZERO))
}

fn crm(provider: &Script) -> Integration {
    preset().service(provider.clone()).build().unwrap()
}

fn brief(health: &Health) -> (Status, bool) {
    (health.status, health.since.is_some())
}

#[tokio::test(start_paused = true)]
async fn all_is_well() {
    let crm = crm(&Script::new([Answer::status(200)]));
    for _ in 0..30 {
        read(crm.send(get())).await.unwrap();
    }
    let health = crm.health();
    assert_eq!(brief(&health), (Status::Up, false));
    assert_eq!((&health.integration[..], health.is_injecting_faults), ("crm", false));
    let breaker = health.breaker.unwrap();
    assert_eq!((breaker.state, breaker.open_for), (BreakerState::Closed, None));
    assert_eq!((breaker.calls, breaker.failed, breaker.slow), (30, 0, 0));
    assert_eq!((breaker.rejected, breaker.abandoned), (0, 0));
    assert_eq!((health.bulkhead.limit, health.bulkhead.in_use), (Some(64), 0));
    assert_eq!((health.rate_limit.interval, health.rate_limit.paused_for), (None, None));
    assert_eq!((health.retries_saved, health.hedge.delay), (Some(20), None));
    assert_eq!((health.mirror, health.pool), (None, None));
    let names: Vec<_> = health.controls.iter().map(|control| control.name).collect();
    assert_eq!(names, ["kill_switch", "circuit_breaker", "fault_injection"]);
    assert!(health.controls.iter().all(|control| control.is_default && control.error.is_none()));
}

/// Ten failures in a row, and one more two seconds after the first.
async fn go_down(crm: &Integration) {
    for _ in 0..10 {
        read(crm.send(once())).await.unwrap();
    }
    tokio::time::sleep(seconds(2)).await;
    read(crm.send(once())).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_down_until_a_call_may_try_the_provider() {
    let failures = [(); 11].map(|()| Answer::status(500));
    let slow = Answer::status(200).after(seconds(1));
    let crm = crm(&Script::new(failures.into_iter().chain([slow])));
    go_down(&crm).await;
    failure(crm.send(get())).await;
    tokio::time::sleep(millis(300)).await;
    let health = crm.health();
    assert_eq!(brief(&health), (Status::Down, true));
    let breaker = health.breaker.unwrap();
    assert_eq!((breaker.state, breaker.open_for), (BreakerState::Open, Some(millis(300))));
    assert_eq!(breaker.rejected, 1);

    // The next call would go out: by the clock, and not only once one has come.
    tokio::time::sleep(millis(300)).await;
    let health = crm.health();
    assert_eq!(brief(&health), (Status::Degraded, true));
    assert_eq!(health.breaker.unwrap().state, BreakerState::HalfOpen);
    let mut probe = crm.send(get());
    assert!(poll_once(&mut probe).is_pending());
    assert_eq!(brief(&crm.health()), (Status::Down, true), "others are refused meanwhile");
    read(probe).await.unwrap();
    assert_eq!(brief(&crm.health()), (Status::Up, false));
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_that_only_reports_is_degraded() {
    let crm = preset()
        .breaker(|breaker| {
            let breaker = breaker.consecutive(Consecutive::Always(1)).no_success_for(seconds(0));
            breaker.mode(Mode::ReportOnly)
        })
        .service(Script::new([Answer::status(500)]))
        .build()
        .unwrap();
    read(crm.send(once())).await.unwrap();
    assert_eq!(crm.breaker().state(), BreakerState::Open);
    assert_eq!(brief(&crm.health()), (Status::Degraded, true), "calls go out");
}

#[tokio::test(start_paused = true)]
async fn one_of_several_breakers_that_is_open_is_degraded() {
    let failures = [(); 11].map(|()| Answer::status(500));
    let provider = Script::new(failures.into_iter().chain([Answer::status(200)]));
    let crm = preset()
        .breaker(|breaker| breaker.keyed(8, seconds(600), |head| head.uri.path().into()))
        .service(provider)
        .build()
        .unwrap();
    assert_eq!(crm.health().keyed_breakers, Some(KeyedBreakersHealth::default()));
    go_down(&crm).await;
    failure(crm.send(once())).await;
    let mut other = once();
    *other.uri_mut() = http::Uri::from_static("http://crm.test/customers");
    read(crm.send(other)).await.unwrap();
    let health = crm.health();
    let breakers = health.keyed_breakers.unwrap();
    assert_eq!((breakers.keys, breakers.open), (2, 1));
    assert_eq!((health.status, health.breaker), (Status::Degraded, None));
    let breakers = crm.keyed_breakers().unwrap();
    assert_eq!(breakers.get("/orders").unwrap().state(), BreakerState::Open);
    assert_eq!(breakers.get("/customers").unwrap().state(), BreakerState::Closed);
    breakers.get("/orders").unwrap().force_closed();
    assert_eq!(crm.health().status, Status::Up);
    let one = preset().service(Script::new([Answer::status(200)])).build().unwrap();
    assert!(one.keyed_breakers().is_none() && one.health().keyed_breakers.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_somebody_forced() {
    let crm = crm(&Script::new([Answer::status(200)]));
    crm.breaker().force_open();
    tokio::time::sleep(seconds(3)).await;
    let health = crm.health();
    assert_eq!(brief(&health), (Status::Down, true));
    assert_eq!(health.breaker.unwrap().open_for, Some(seconds(3)));
    crm.breaker().force_closed();
    assert_eq!(crm.health().status, Status::Degraded, "somebody moved a control");
    crm.breaker().release();
    assert_eq!(brief(&crm.health()), (Status::Up, false));
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_provider_asked_for() {
    let asks = Answer::status(429).header("retry-after", "20");
    let crm = crm(&Script::new([asks, Answer::status(200)]));
    read(crm.send(once())).await.unwrap();
    failure(crm.send(get())).await;
    let health = crm.health();
    assert_eq!(health.status, Status::Degraded);
    assert_eq!(health.rate_limit.paused_for, Some(seconds(20)));
    assert_eq!(health.rate_limit.rejected, 1);
    tokio::time::sleep(seconds(21)).await;
    assert_eq!(crm.health().rate_limit.paused_for, None);
    assert_eq!(crm.health().status, Status::Up);
}

#[tokio::test(start_paused = true)]
async fn a_fault_injection() {
    let crm = preset()
        .fault_injection(FaultInjectionLayer::allow)
        .service(Script::new([Answer::status(200)]))
        .build()
        .unwrap();
    crm.fault_injection().start(Plan::new().hang(Ratio::percent(1))).unwrap();
    let health = crm.health();
    assert_eq!((health.status, health.is_injecting_faults), (Status::Degraded, true));
    crm.fault_injection().stop();
    assert_eq!((crm.health().status, crm.health().is_injecting_faults), (Status::Up, false));
}

#[tokio::test(start_paused = true)]
async fn somebody_stopped_it_which_is_worse_than_all_else() {
    let crm = crm(&Script::new([Answer::status(200)]));
    crm.breaker().force_open();
    for mode in [SwitchMode::Off, SwitchMode::FallbackOnly, SwitchMode::CacheOnly] {
        crm.kill_switch().set(mode, "ada", "wrong invoices");
        let health = crm.health();
        let since = crm.kill_switch().position().since();
        assert_eq!((health.status, health.since), (Status::Stopped, Some(since)), "{mode:?}");
        assert!(since <= SystemTime::now() + Duration::from_secs(60));
        assert_eq!(health.controls[0].who.as_deref(), Some("ada"));
    }
    crm.breaker().release();
    crm.kill_switch().set(SwitchMode::NoRetries, "ada", "");
    let health = crm.health();
    let since = crm.kill_switch().position().since();
    assert_eq!((health.status, health.since), (Status::Degraded, Some(since)), "calls go out");
    crm.kill_switch().set(SwitchMode::On, "ada", "");
    assert_eq!(crm.health().status, Status::Up);
}

#[tokio::test(start_paused = true)]
async fn what_moves_the_switch_cannot_be_read() {
    struct Source(u32);
    impl SwitchSource for Source {
        async fn next(&mut self) -> Option<Result<SwitchSetting, SourceError>> {
            self.0 += 1;
            tokio::time::sleep(seconds(1)).await;
            match self.0 {
                1 => {
                    Some(Err(SourceError::new(SourceProblem::Unreadable, "the file can't be read")))
                }
                2 => Some(Ok(SwitchSetting::new(SwitchMode::On))),
                _ => None,
            }
        }
    }
    let crm = crm(&Script::new([Answer::status(200)]));
    crm.kill_switch().follow(Source(0)).detach();
    tokio::time::sleep(millis(1_500)).await;
    let health = crm.health();
    assert_eq!(health.status, Status::Degraded);
    assert_eq!(health.controls[0].error.as_deref(), Some("the file can't be read"));
    assert!(health.controls[0].is_default, "it stays where it is");
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(crm.health().status, Status::Up);
}

#[tokio::test(start_paused = true)]
async fn who_is_under_way_and_who_waits() {
    let crm = preset()
        .bulkhead(|bulkhead| bulkhead.concurrency(2).queue(5))
        .rate_limit(|limit| limit.requests(10, seconds(1)).burst(10))
        .service(Script::new([Answer::hang()]))
        .build()
        .unwrap();
    let _held = hold(&crm, 5);
    let mut expected = BulkheadHealth::default();
    (expected.limit, expected.in_use, expected.waiting) = (Some(2), 2, 3);
    let health = crm.health();
    assert_eq!(health.bulkhead, expected);
    assert_eq!(health.rate_limit.interval, Some(millis(100)));
    assert_eq!(health.status, Status::Up);
}

#[tokio::test(start_paused = true)]
async fn second_requests_copies_and_no_breaker() {
    let registry = Registry::new();
    let provider = Script::new([Answer::status(200).after(seconds(2))]);
    let jobs = Integration::background("jobs")
        .without_breaker()
        .hedge(HedgeLayer::after(seconds(1)))
        .mirror(MirrorLayer::new(crm(&provider), Ratio::ONE))
        .service(provider.clone())
        .register(&registry)
        .build()
        .unwrap();
    assert_eq!(status(jobs.send(get())).await.0, 200);
    tokio::time::sleep(seconds(10)).await;
    let health = registry.health_of("jobs").unwrap();
    assert_eq!(health, jobs.health());
    assert_eq!(health.breaker, None);
    assert_eq!((health.hedge.delay, health.hedge.sent), (Some(seconds(1)), 1));
    let mirror = health.mirror.unwrap();
    assert_eq!((mirror.share, mirror.mirrored, mirror.skipped), (1_000_000, 1, 0));
}

#[cfg(feature = "hyper")]
#[tokio::test]
async fn an_own_clients_pool() {
    let pool = preset().build().unwrap().health().pool.unwrap();
    assert_eq!((pool.open, pool.opened, pool.waiting), (0, 0, 0));
}
