//! A provider that takes a field away: a schema notices, first without acting, then as a failure.
//!
//! `cargo run --features json,json-schema --example json_schema`

use std::error::Error;

use outrigger::redact::StandardRedactor;
use outrigger::testing::{Answer, Script};
use outrigger::validate::{Check, JsonSchema, ValidateLayer};
use outrigger::{Integration, ResponseExt};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // What this service reads of an answer, and nothing else: a new field is no failure.
    let charge = JsonSchema::new(&json!({
        "type": "object",
        "required": ["id", "amount"],
        "properties": { "amount": { "type": "integer", "minimum": 0 } },
    }))?
    .when(|answer| answer.uri.path().starts_with("/v1/charges/"));

    // A new check only tells, until its metrics show that it is right.
    let layer = ValidateLayer::new().report(charge.clone()).keep_samples(StandardRedactor::new());
    let bank = bank(layer)?;
    let answer: Value = bank.get("http://bank.test/v1/charges/7").send().await?.json().await?;
    println!("it passes: {answer}");
    for sample in bank.validation().into_iter().flat_map(|checks| checks.samples()) {
        println!("and is noticed: {}; {}", sample.failed, sample.body.unwrap_or_default());
    }

    let bank = self::bank(ValidateLayer::new().enforce(charge))?;
    let error = bank.get("http://bank.test/v1/charges/7").send().await.unwrap_err();
    println!("then it is a failure, as a 500 is: {error}");
    assert_eq!(error.attempts(), 2);
    Ok(())
}

fn bank(checks: ValidateLayer) -> Result<Integration, outrigger::ConfigError> {
    let changed = r#"{"id":"ch_7","amount_minor":1000,"customer":"Ada Lovelace"}"#;
    let provider =
        Script::new([Answer::status(200).header("content-type", "application/json").body(changed)]);
    Integration::user_flow("bank").validate(checks).service(provider).build()
}
