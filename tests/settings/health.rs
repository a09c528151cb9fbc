//! Health as data: a page or a program that reads it finds the same fields tomorrow.

use outrigger::control::{Registry, Status};
use outrigger::event::SwitchMode;
use outrigger::hedge::HedgeLayer;
use outrigger::mirror::MirrorLayer;
use outrigger::testing::{Answer, Script};
use outrigger::{Integration, Ratio};
use serde_json::{Value, json};

use crate::call::{answers, failure, get, once, seconds, status, user_flow};

fn written(integration: &Integration) -> Value {
    serde_json::to_value(integration.health()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn health_has_these_fields() {
    let crm = Integration::user_flow("crm").build().unwrap();
    let mut written = written(&crm);
    // When the process began.
    let since = written["controls"][0]["since"].take();
    assert!(is_time(&since), "{since}");
    let control = |name: &str, position: &str| {
        json!({
            "name": name, "position": position, "is_default": true,
            "who": null, "why": null, "since": null, "error": null, "has_error": false,
        })
    };
    let expected = json!({
        "integration": "crm",
        "status": "up",
        "since": null,
        "is_injecting_faults": false,
        "controls": [
            control("kill_switch", "on"),
            control("circuit_breaker", "automatic"),
            control("fault_injection", "off"),
        ],
        "breaker": {
            "state": "closed", "open_for": null, "calls": 0, "failed": 0, "slow": 0,
            "rejected": 0, "abandoned": 0, "held": 0, "is_report_only": false,
            "is_hinted": false,
        },
        "keyed_breakers": null,
        "bulkhead": { "limit": 64, "in_use": 0, "waiting": 0 },
        "rate_limit": { "interval": null, "paused_for": null, "waiting": 0, "rejected": 0 },
        "share": null,
        "retries_saved": 20,
        "hedge": { "delay": null, "sent": 0, "won": 0, "skipped": 0 },
        "cache": null,
        "mirror": null,
        "pool": {
            "open": 0, "idle": 0, "in_use": 0, "connecting": 0, "waiting": 0, "opened": 0,
            "closed": {
                "by_peer": 0, "broken": 0, "idle": 0, "expired": 0, "cut": 0, "misdirected": 0,
                "surplus": 0,
            },
        },
        "validation": null,
        "fallback": null,
        "token": null,
        "lanes": [],
        "keyed_tokens": null,
        "local_copies": [],
        "signing": null,
        "pins": [],
        "drifts": [],
        "fleet": null,
        "local_copies": [],
        "expiries": [],
    });
    assert_eq!(written, expected);
}

#[tokio::test(start_paused = true)]
async fn durations_are_seconds_shares_are_parts_of_one_and_times_are_rfc_3339() {
    let asks = Answer::status(429).header("retry-after", "20");
    let crm = Integration::user_flow("crm")
        .breaker(|breaker| breaker.open_jitter(Ratio::ZERO))
        .hedge(HedgeLayer::after(std::time::Duration::from_millis(1_500)))
        .mirror(MirrorLayer::new(user_flow(&answers(200)), Ratio::per_million(125_000)))
        .service(Script::new([asks]))
        .build()
        .unwrap();
    status(crm.send(once())).await.unwrap();
    crm.breaker().force_open();
    crm.kill_switch().set(SwitchMode::NoRetries, "ada", "a drill");
    tokio::time::sleep(seconds(5)).await;
    let written = written(&crm);
    assert_eq!(written["status"], "down");
    assert!(is_time(&written["since"]));
    assert_eq!(written["breaker"]["state"], "open");
    assert_eq!(written["breaker"]["open_for"], 5.0);
    assert_eq!(written["rate_limit"]["paused_for"], 15.0);
    assert_eq!(written["hedge"]["delay"], 1.5);
    assert_eq!(written["mirror"]["share"], 0.125);
    assert_eq!(written["controls"][0]["who"], "ada");
    assert_eq!(written["controls"][0]["position"], "no-retries");
    assert_eq!(written["controls"][1]["position"], "open");
    let paced = Integration::user_flow("erp").rate_limit(|limit| limit.requests(4, seconds(1)));
    let paced = self::written(&paced.service(answers(200)).build().unwrap());
    assert_eq!(paced["rate_limit"]["interval"], 0.25);
}

#[tokio::test(start_paused = true)]
async fn all_of_a_registry_is_a_list_and_a_half_open_breaker_says_so() {
    let registry = Registry::new();
    let failures = [(); 11].map(|()| Answer::status(500));
    let crm = Integration::user_flow("crm")
        .register(&registry)
        .breaker(|breaker| breaker.open_jitter(Ratio::ZERO))
        .service(Script::new(failures.into_iter().chain([Answer::hang()])))
        .build()
        .unwrap();
    for _ in 0..10 {
        status(crm.send(once())).await.unwrap();
    }
    tokio::time::sleep(seconds(2)).await;
    status(crm.send(once())).await.unwrap();
    failure(crm.send(get())).await;
    tokio::time::sleep(seconds(1)).await;
    let written = serde_json::to_value(registry.health()).unwrap();
    assert_eq!(written[0]["breaker"]["state"], "half_open");
    assert_eq!(written[0]["status"], "degraded");
}

#[test]
fn each_status_is_a_word() {
    let words = [Status::Up, Status::Degraded, Status::Down, Status::Stopped]
        .map(|status| (serde_json::to_value(status).unwrap(), status.to_string()));
    for (written, shown) in &words {
        assert_eq!(written, shown);
    }
    assert_eq!(words.map(|(_, shown)| shown), ["up", "degraded", "down", "stopped"]);
}

/// `2024-02-29T12:00:00.000Z`
fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.len() == 24 && text.ends_with('Z') && text.as_bytes()[10] == b'T'
}
