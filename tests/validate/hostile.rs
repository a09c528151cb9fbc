//! Bodies that are made to hurt, and secrets that are planted in bodies.

use outrigger::redact::StandardRedactor;
use outrigger::testing::Answer;
use outrigger::validate::graphql::GraphQl;
use outrigger::validate::{
    Check, Decodes, Problems, Required, StatusField, ValidateLayer, Vendors,
};

use crate::bench::{Bench, failed, json};

/// All checks that read JSON, on one body.
fn all() -> ValidateLayer {
    ValidateLayer::new()
        .report(Required::new(["/a/0/b", "/z"]))
        .report(StatusField::slack())
        .report(StatusField::new("/s", 1).each("").named("each"))
        .report(GraphQl::shopify())
        .report(Problems::new())
        .report(Vendors::new())
        .report(Decodes::<std::collections::BTreeMap<String, u8>>::new())
        .body_cap(1 << 21)
}

#[tokio::test(start_paused = true)]
async fn a_megabyte_of_depth_width_or_noise_is_read_in_time() {
    let mega = 1 << 20;
    let wide = format!("{{\"errors\":[{}{{}}]}}", "{},".repeat(mega / 3));
    let keys =
        (0..60_000).map(|key| format!("\"k{key}\":{{\"userErrors\":[]}},")).collect::<String>();
    for body in [
        "[".repeat(mega),
        "{\"a\":".repeat(mega / 5),
        format!("[{}0]", "0,".repeat(mega / 2)),
        wide,
        format!("{{\"data\":{{{keys}\"k\":0}}}}"),
        format!("\"{}\"", "\\u0041".repeat(mega / 6)),
        "<".repeat(mega),
        format!("{{\"message\":\"{}\"}}", "secondary rate limi ".repeat(mega / 20)),
    ] {
        for status in [200, 403] {
            let answer = Answer::status(status).header("content-type", "application/problem+json");
            let bench = Bench::new([answer.body(body.clone())], all());
            let began = std::time::Instant::now();
            bench.get().await.unwrap();
            let took = began.elapsed();
            // A second in a build for users; a test's is slower, and so may be its machine.
            assert!(took < std::time::Duration::from_secs(20), "{took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_in_a_body_is_in_no_error_event_sample_health_or_debug() {
    // As a value and as a key.
    let secret = "s3cr3t Ada-77 key";
    let body = serde_json::json!({
        "ok": false, "error": secret, "type": secret, "s3": {secret: secret},
        "errors": [{"message": secret, "extensions": {"code": secret}}], secret: [secret],
    });
    let checks = || -> Vec<Box<dyn Fn() -> ValidateLayer>> {
        vec![
            Box::new(|| ValidateLayer::new().enforce(Required::new(["/id"]))),
            Box::new(|| ValidateLayer::new().enforce(StatusField::slack())),
            Box::new(|| ValidateLayer::new().enforce(GraphQl::new())),
            Box::new(|| ValidateLayer::new().enforce(Vendors::new()).enforce(Problems::new())),
            Box::new(|| {
                ValidateLayer::new()
                    .enforce(Decodes::<std::collections::BTreeMap<String, u8>>::new())
            }),
        ]
    };
    for layer in checks() {
        let layer = layer().keep_samples(StandardRedactor::new());
        let bench = Bench::with(
            [json(&body.to_string())],
            layer,
            outrigger::IntegrationBuilder::without_retry,
        );
        let result = bench.get().await;
        let mut said = format!("{:?} {:?}", bench.events.events(), bench.api.health());
        said += &format!("{:?}", bench.api.validation().unwrap().samples());
        if let Err(error) = &result {
            said += &format!("{error} {error:?} {:?} {}", failed(error), failed(error));
        }
        if let Ok(answer) = &result {
            said += &format!("{:?}", answer.extensions().get::<outrigger::validate::FailedCheck>());
        }
        assert!(!said.contains(secret), "{said}");
    }
}
