//! An integration without anything that few use is composed of less, and does the same.

use std::time::Duration;

use http::{Method, Response};
use outrigger::backoff::Backoff;
use outrigger::event::{BreakerState, SwitchMode};
use outrigger::fallback::FallbackLayer;
use outrigger::fault_injection::FaultInjectionLayer;
use outrigger::hedge::HedgeLayer;
use outrigger::integration::OwnClient;
use outrigger::mirror::MirrorLayer;
use outrigger::retry::Retries;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{ErrorKind, Integration, IntegrationBuilder, Ratio};

use crate::call::{get, request, seconds};

type Builder = IntegrationBuilder<OwnClient>;

/// What one call came to.
type Came = (Result<(u16, String, Option<u32>), (ErrorKind, u32)>, Duration);

fn presets() -> [Builder; 2] {
    [Integration::user_flow("crm"), Integration::background("crm")].map(|preset| {
        // Nothing is left to chance.
        preset.retry(|retry| retry.backoff(Backoff::fixed(seconds(1))))
    })
}

/// Everything is there, and nothing has a reason to act.
fn equipped(preset: Builder) -> Builder {
    let target = Integration::user_flow("copy").service(Script::new([Answer::status(200)]));
    preset
        .fallback(FallbackLayer::value(Response::new("{}")).when(|_| false))
        .hedge(HedgeLayer::after(Duration::from_millis(2_999)))
        .mirror(MirrorLayer::new(target.build().unwrap(), Ratio::ZERO))
        .fault_injection(FaultInjectionLayer::allow)
        .subscriber(EventRecorder::new())
}

async fn came(crm: &Integration, method: Method) -> Came {
    let began = tokio::time::Instant::now();
    let sent = match crm.send(request(method)).await {
        Ok(response) => {
            let attempts = response.extensions().get::<Retries>().map(|retries| retries.attempts);
            let status = response.status().as_u16();
            response.into_body().text().await.map(|body| (status, body, attempts))
        }
        Err(error) => Err(error),
    };
    (sent.map_err(|error| (error.kind(), error.attempts())), began.elapsed())
}

/// A day with a provider, and what came of it.
async fn day(crm: &Integration) -> Vec<Came> {
    let mut day = Vec::new();
    for at in 0..30 {
        let methods = [Method::GET, Method::POST, Method::DELETE];
        day.push(came(crm, methods[at % 3].clone()).await);
        tokio::time::sleep(seconds(1)).await;
    }
    crm.kill_switch().set(SwitchMode::NoRetries, "ada", "");
    day.push(came(crm, Method::GET).await);
    crm.kill_switch().set(SwitchMode::Off, "ada", "");
    day.push(came(crm, Method::GET).await);
    crm.kill_switch().set(SwitchMode::On, "ada", "");
    crm.rate_limit().pause(seconds(600));
    day.push(came(crm, Method::GET).await);
    day
}

/// What layers that both have counted.
fn figures(crm: &Integration) -> (Option<(BreakerState, u32, u32)>, Option<u32>, u64) {
    let health = crm.health();
    let breaker = health.breaker.map(|breaker| (breaker.state, breaker.calls, breaker.failed));
    assert_eq!((health.bulkhead.in_use, health.bulkhead.waiting), (0, 0));
    (breaker, health.retries_saved, health.rate_limit.rejected)
}

fn answers() -> [Answer; 9] {
    [
        Answer::status(200).body("well"),
        Answer::status(404),
        Answer::status(503).header("retry-after", "2"),
        Answer::status(200).after(seconds(2)),
        Answer::broken(std::io::ErrorKind::ConnectionReset),
        Answer::status(500).after(seconds(1)),
        Answer::status(201).body("made"),
        Answer::broken(std::io::ErrorKind::ConnectionRefused),
        Answer::status(200),
    ]
}

#[tokio::test(start_paused = true)]
async fn calls_come_to_the_same_in_both() {
    for preset in presets() {
        let providers = [(); 2].map(|()| {
            let days = std::iter::repeat_n(answers(), 20).flatten();
            Script::new(days)
        });
        let retry = |builder: Builder| builder.retry(|retry| retry.retry_after_spread(Ratio::ZERO));
        let plain = retry(preset.clone()).service(providers[0].clone()).build().unwrap();
        let full = retry(equipped(preset)).service(providers[1].clone()).build().unwrap();
        let (one, figures) = (day(&plain).await, figures(&plain));
        let other = day(&full).await;
        assert_eq!((&other, self::figures(&full)), (&one, figures));
        assert!(
            one.iter().any(|(came, _)| came.is_err()) && one.iter().any(|(came, _)| came.is_ok())
        );
        let [one, other] = providers.map(|provider| provider.requests());
        assert_eq!(one.len(), other.len());
        for (one, other) in one.iter().zip(&other) {
            let names = |seen: &outrigger::testing::SeenRequest| -> Vec<_> {
                seen.headers().keys().cloned().collect()
            };
            assert_eq!((one.method(), names(one)), (other.method(), names(other)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_plain_has_handles_that_say_so() {
    let crm = Integration::user_flow("crm").service(Script::new([Answer::status(200)]));
    let crm = crm.build().unwrap();
    crm.mirror().set_share(Ratio::ONE);
    assert!(crm.fault_injection().start(outrigger::fault_injection::Plan::new()).is_err());
    assert_eq!(crm.send(get()).await.unwrap().status(), 200);
    assert_eq!((crm.mirror().mirrored(), crm.mirror().skipped()), (0, 0));
    assert_eq!((crm.hedge().delay(), crm.hedge().counts().sent), (None, 0));
}
