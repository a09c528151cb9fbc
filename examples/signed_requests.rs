//! A bank that wants signed requests: it checks each, refuses old ones, and its clock is not ours.
//!
//! `cargo run --example signed_requests --features sign`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

use std::time::{Duration, SystemTime};

use outrigger::event::{Event, Origin, Subscriber};
use outrigger::sign::SignLayer;
use outrigger::sign::message::{
    Message, MessageError, MessageSigner, MessageVerifier, SigningKey, VerifyingKey,
};
use outrigger::testing::{Answer, Script, SeenRequest};
use outrigger::{Integration, ResponseExt};

/// What both sides agree on: a request without one of these is refused.
const COVERED: [&str; 4] = ["@method", "@target-uri", "content-type", "content-digest"];

/// Prints what becomes of signatures.
struct Print;

impl Subscriber for Print {
    fn on_event(&self, event: &Event, _: &Origin<'_>) {
        match event {
            Event::Signed { key_id: Some(key) } => println!("  signed with {key}"),
            Event::ClockSkewed { ahead, .. } => {
                println!("  refused: its clock is {ahead} s ahead of ours");
            }
            _ => {}
        }
    }
}

/// The bank's clock is ten minutes ahead.
fn its_time() -> SystemTime {
    SystemTime::now() + Duration::from_secs(600)
}

fn check(verifier: &MessageVerifier, request: &SeenRequest) -> Result<(), MessageError> {
    let (head, body) = request.clone().into_parts();
    verifier.verify(&Message::request(&head).body(&body), its_time()).map(drop)
}

fn answer(verifier: &MessageVerifier, request: &SeenRequest) -> Answer {
    let date = httpdate::fmt_http_date(its_time());
    match check(verifier, request) {
        Ok(()) => Answer::status(201).body("paid"),
        Err(why) => Answer::status(401).header("date", &date).body(why.to_string()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let verifier = {
        let key = VerifyingKey::hmac_sha256("a secret of both")?;
        MessageVerifier::new([("shop-7", key)], COVERED)?
    };
    let checks = verifier.clone();
    let provider = Script::by(move |request| answer(&checks, request));

    let key = SigningKey::hmac_sha256("a secret of both")?;
    let signer = MessageSigner::new("shop-7", key, COVERED)?;
    let bank = Integration::user_flow("bank")
        .base_url("https://bank.example/v1")
        .subscriber(Print)
        .service(provider.clone())
        .sign(SignLayer::new(signer))
        .build()?;
    let pay = || bank.post("payments").header("content-type", "application/json");

    println!("the first payment is refused for its time, and repeated with the bank's:");
    let answer = pay().body(r#"{"amount": 10}"#).send().await?.error_for_status()?;
    println!("  {}", answer.text().await?);
    assert_eq!(provider.begun(), 2);

    println!("the second one is right at once:");
    let answer = pay().body(r#"{"amount": 20}"#).send().await?.error_for_status()?;
    println!("  {}", answer.text().await?);
    assert_eq!(provider.begun(), 3);
    let ahead = bank.health().signing.ok_or("it signs")?.clock_ahead;
    println!("health: the bank's clock is {ahead} s ahead");

    println!("somebody changes the second payment on its way:");
    let changed = provider.requests()[2].clone().map(|_| r#"{"amount": 2000}"#.into());
    let refusal = check(&verifier, &changed).expect_err("it was changed");
    println!("  refused: {refusal}");
    Ok(())
}
