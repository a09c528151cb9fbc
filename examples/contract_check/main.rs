//! A check for CI: do a provider's answers still have the shape that the team committed?
//!
//! `orders.json` is the committed file. The provider runs in this process: version 1 answers as the file
//! says, version 2 has lost the field `total` and knows a new state. In CI this would be the provider's
//! sandbox, asked once a night.
//!
//! ```text
//! cargo run --features json --example contract_check              # shows both versions
//! cargo run --features json --example contract_check -- check v2  # one version: exits with 1
//! cargo run --features json --example contract_check -- learn v1  # writes the file anew
//! ```

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use outrigger::Integration;
use outrigger::drift::{DriftKind, DriftLayer, ShapeConfig, Shapes};
use outrigger::testing::{Answer, Script};
use serde_json::{Value, json};

const COMMITTED: &str = include_str!("orders.json");
/// Calls of each endpoint. Too few to meet each optional field, which is why those are never "gone".
const CALLS: u32 = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => {
            let (now, later) = (check("v1").await?, check("v2").await?);
            println!("CI would pass with v1: {now}; with v2: {later}");
            Ok(if now && !later { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        ["check", version] => {
            Ok(if check(version).await? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        ["learn", version] => {
            print!("{}", learn(version).await?.to_json());
            Ok(ExitCode::SUCCESS)
        }
        _ => Err("say `check v1`, `check v2` or `learn v1`".into()),
    }
}

/// Whether the answers have the committed shape. New fields are shown, and no failure.
async fn check(version: &str) -> Result<bool, Box<dyn Error>> {
    let committed = Shapes::from_json(COMMITTED)?;
    let now = learn(version).await?;
    // A check that asked for nothing must not pass.
    let unasked: Vec<_> =
        committed.endpoints().filter(|it| !now.endpoints().any(|n| n == *it)).collect();
    if !unasked.is_empty() {
        return Err(format!("no answer of {}", unasked.join(", ")).into());
    }
    let changes = committed.changes(&now);
    println!("{version}: {} changes", changes.len());
    for change in &changes {
        println!("  {change}");
    }
    Ok(changes.iter().all(|change| change.kind == DriftKind::NewField))
}

/// Calls each endpoint some times, and returns the shapes of the answers.
async fn learn(version: &str) -> Result<Shapes, Box<dyn Error>> {
    // Ten a second are looked at, and then every tenth: so the calls are spread.
    let pause = Duration::from_millis(101);
    let shapes = ShapeConfig::new().answers(CALLS).time(Duration::ZERO);
    let shop = Integration::background("shop")
        .service(provider(version.to_owned()))
        .drift(DriftLayer::new().shapes(shapes))
        .build()?;
    for number in 0..CALLS {
        let list = shop.get("http://shop.test/v1/orders").template("/v1/orders").send();
        list.await?.into_body().bytes().await?;
        let one = shop.get(format!("http://shop.test/v1/orders/{number}"));
        one.template("/v1/orders/{id}").send().await?.into_body().bytes().await?;
        tokio::time::sleep(pause).await;
    }
    Ok(shop.drift().export())
}

/// The provider, in this process.
fn provider(version: String) -> Script {
    let mut number = 0;
    Script::by(move |request| {
        number += 1;
        let order = order(number, &version);
        let body = match request.uri().path() {
            "/v1/orders" => json!({ "data": [order, self::order(number + 1, &version)] }),
            _ => order,
        };
        Answer::status(200).header("content-type", "application/json").body(body.to_string())
    })
}

fn order(number: usize, version: &str) -> Value {
    let states = ["open", "paid", "sent"];
    match version {
        "v1" => json!({ "id": number, "state": states[number / 2 % 3], "total": 17.5 }),
        _ => {
            json!({ "id": number, "state": "returned", "amount": { "value": 1750, "currency": "eur" } })
        }
    }
}
