//! What a refused call is told, and what nobody is asked for it.

use std::time::{Duration, SystemTime};

use outrigger::event::{Event, SwitchMode};
use outrigger::fallback::FallbackLayer;
use outrigger::kill_switch::{KillSwitchLayer, SwitchSetting};
use outrigger::outcome::Rejection;
use outrigger::rt::Clock;
use outrigger::testing::ReadinessProbe;
use outrigger::{Delivery, ErrorKind};
use tower::{Layer, Service};

use super::{Switched, changes};
use crate::call::{get, ready, status};
use crate::clock::{secs, wait};

/// Sun, 06 Nov 1994 08:49:37 GMT.
fn a_morning() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_who_why_and_since_when_and_that_nothing_was_sent() {
    let crm = Switched::by(KillSwitchLayer::new().clock(Clock::anchored(a_morning())));
    crm.set(SwitchMode::Off);
    wait(secs(90)).await;
    let error = crm.call().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Stopped));
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    let text = "crm: integration switched off for api.example:443: \
        since Sun, 06 Nov 1994 08:49:37 GMT by ada: invoices are wrong";
    assert_eq!(error.to_string(), text);
    assert_eq!((error.integration(), error.retry_after()), (Some("crm"), None));
    assert!(error.call_id().is_some() && error.elapsed().is_some());
    assert_eq!((crm.provider.begun(), crm.switch.rejected()), (0, 1));
    let position = crm.switch.position();
    assert_eq!((position.who(), position.why()), (Some("ada"), Some("invoices are wrong")));
    assert_eq!((position.mode(), position.since()), (SwitchMode::Off, a_morning()));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_nobody_gave_a_reason_for_says_only_since_when() {
    let clock = Clock::anchored(a_morning());
    let off = SwitchSetting::new(SwitchMode::Off);
    let crm = Switched::by(KillSwitchLayer::new().clock(clock).initially(off));
    let text = crm.call().await.unwrap_err().to_string();
    assert_eq!(
        text,
        "crm: integration switched off for api.example:443: since Sun, 06 Nov 1994 08:49:37 GMT"
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_reason_is_no_new_stop() {
    let crm = Switched::by(KillSwitchLayer::new().clock(Clock::anchored(a_morning())));
    crm.set(SwitchMode::Off);
    wait(secs(60)).await;
    crm.switch.set(SwitchMode::Off, "bob", "until noon");
    assert_eq!(crm.switch.position().since(), a_morning());
    let text = crm.call().await.unwrap_err().to_string();
    assert!(text.ends_with("08:49:37 GMT by bob: until noon"), "{text}");
    assert_eq!(changes(&crm.events), [(SwitchMode::On, SwitchMode::Off)]);
    crm.set(SwitchMode::FallbackOnly);
    assert_eq!(crm.switch.position().since(), a_morning() + secs(60));
}

#[tokio::test(start_paused = true)]
async fn each_mode_lets_through_or_refuses_in_its_own_way() {
    let crm = Switched::new();
    for (mode, refusal) in [
        (SwitchMode::On, None),
        (SwitchMode::NoRetries, None),
        (SwitchMode::CacheOnly, Some(Rejection::CacheOnly)),
        (SwitchMode::FallbackOnly, Some(Rejection::FallbackOnly)),
        (SwitchMode::Off, Some(Rejection::Stopped)),
    ] {
        crm.set(mode);
        assert_eq!(crm.switch.mode(), mode);
        let result = crm.call().await.map_err(|error| error.kind());
        assert_eq!(result, refusal.map_or(Ok(200), |why| Err(ErrorKind::Rejected(why))), "{mode}");
    }
    assert_eq!((crm.provider.begun(), crm.switch.rejected()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn moves_and_refusals_are_told_and_a_move_to_where_it_stands_is_none() {
    use SwitchMode::{CacheOnly, Off, On};
    let crm = Switched::new();
    for mode in [Off, Off, CacheOnly] {
        crm.set(mode);
        let _ = crm.call().await;
    }
    crm.set(On);
    let _ = crm.call().await;
    let events = [
        Event::KillSwitchChanged { from: On, to: Off },
        Event::KillSwitchRejected { mode: Off },
        Event::KillSwitchRejected { mode: Off },
        Event::KillSwitchChanged { from: Off, to: CacheOnly },
        Event::KillSwitchRejected { mode: CacheOnly },
        Event::KillSwitchChanged { from: CacheOnly, to: On },
    ];
    assert_eq!(crm.events.events(), events);
}

#[tokio::test(start_paused = true)]
async fn while_it_is_off_the_inner_service_is_not_even_asked_whether_it_is_ready() {
    let layer = KillSwitchLayer::new();
    let inner = ReadinessProbe::new(Switched::new().provider);
    let watch = inner.clone();
    let service = layer.layer(inner);
    layer.handle().set(SwitchMode::Off, "ada", "");
    watch.set_ready(false);
    for _ in 0..10 {
        assert!(status(&service, get()).await.unwrap_err().is_rejected());
    }
    assert_eq!(watch.polls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_readied_while_it_was_off_asks_for_readiness_itself() {
    let layer = KillSwitchLayer::new().initially(SwitchSetting::new(SwitchMode::Off));
    // Panics where an instance is called that was not polled ready.
    let inner = ReadinessProbe::new(Switched::new().provider);
    let mut service = layer.layer(inner);
    let service = ready(&mut service).await;
    layer.handle().set(SwitchMode::On, "ada", "mended");
    assert_eq!(service.call(get()).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_readied_while_it_was_on_is_refused_once_it_is_off() {
    let layer = KillSwitchLayer::new();
    let provider = Switched::new().provider;
    let mut service = layer.layer(ReadinessProbe::new(provider.clone()));
    ready(&mut service).await;
    layer.handle().set(SwitchMode::Off, "ada", "");
    assert!(service.call(get()).await.unwrap_err().is_rejected());
    layer.handle().set(SwitchMode::On, "ada", "");
    // It gets ready anew.
    assert_eq!(service.call(get()).await.unwrap().status(), 200);
    assert_eq!(provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn services_of_one_layer_share_the_switch_and_a_changed_layer_has_its_own() {
    let layer = KillSwitchLayer::new();
    let provider = Switched::new().provider;
    let (one, other) = (layer.layer(provider.clone()), layer.clone().layer(provider.clone()));
    let apart = layer.clone().initially(SwitchSetting::new(SwitchMode::On)).layer(provider);
    layer.handle().set(SwitchMode::Off, "ada", "");
    assert!(status(&one, get()).await.is_err());
    assert!(status(&other, get()).await.is_err());
    assert!(status(&apart, get()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn no_fallback_answers_for_one_that_is_off_and_one_does_for_fallback_only() {
    let layer = KillSwitchLayer::new();
    let fallback = FallbackLayer::value(http::Response::new("rates"));
    let service = fallback.layer(layer.layer(Switched::new().provider));
    layer.handle().set(SwitchMode::FallbackOnly, "ada", "");
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    layer.handle().set(SwitchMode::Off, "ada", "");
    assert!(status(&service, get()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn it_is_moved_however_wrong_a_clock_is() {
    let (before, far) = (Duration::from_secs(1), Duration::from_secs(300_000_000_000));
    for at in [SystemTime::UNIX_EPOCH - before, SystemTime::UNIX_EPOCH + far] {
        let crm = Switched::by(KillSwitchLayer::new().clock(Clock::anchored(at)));
        crm.set(SwitchMode::Off);
        assert!(crm.call().await.unwrap_err().to_string().ends_with("invoices are wrong"));
        assert_eq!((crm.switch.position().since(), crm.provider.begun()), (at, 0));
        assert!(crm.switch.position().to_string().starts_with("off since"));
    }
}
