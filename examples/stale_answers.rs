//! A provider dies, answers go on, marked; then it is back.
//!
//! `cargo run --example stale_answers --features cache`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use outrigger::Integration;
use outrigger::cache::{CacheLayer, CacheOutcome};
use outrigger::testing::{Answer, Script};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let is_down = Arc::new(AtomicBool::new(false));
    let provider = exchange(Arc::clone(&is_down));
    let rates = Integration::user_flow("rates")
        .cache(
            CacheLayer::new()
                .fresh_for(Duration::from_millis(400))
                .stale_while_revalidate(Duration::from_millis(400))
                .stale_if_error(Duration::from_secs(3600)),
        )
        .service(provider.clone())
        .build()?;

    println!("The exchange is up: each rate is fresh for 400 ms.");
    show(&rates, 4).await;

    is_down.store(true, Ordering::Relaxed);
    println!("\nThe exchange is down.");
    show(&rates, 8).await;
    let error = rates.get("http://exchange.test/usd").send().await?;
    println!("  a rate that nobody has asked for before: {}", error.status());

    is_down.store(false, Ordering::Relaxed);
    println!("\nThe exchange is back.");
    show(&rates, 8).await;

    let cache = rates.cache().ok_or("it has a cache")?;
    println!("\n{} requests reached the exchange; of the calls,", provider.begun());
    for outcome in CacheOutcome::ALL {
        println!("{:>4} {outcome}", cache.count(outcome));
    }
    Ok(())
}

/// Asks for the rate some times, and says what it got.
async fn show(rates: &Integration, times: u32) {
    for _ in 0..times {
        match rates.get("http://exchange.test/eur").send().await {
            Ok(response) => {
                let outcome = response.extensions().get::<CacheOutcome>().copied();
                let outcome = outcome.unwrap_or(CacheOutcome::Bypass);
                let mark = if outcome.is_stale() { " (perhaps outdated)" } else { "" };
                let status = response.status();
                let rate = response.into_body().text().await.unwrap_or_default();
                println!("  {status} {rate}{mark}: {outcome}");
            }
            Err(error) => println!("  {error}"),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A provider of rates that change with each request.
fn exchange(is_down: Arc<AtomicBool>) -> Script {
    let asked = AtomicU32::new(0);
    Script::by(move |_| match is_down.load(Ordering::Relaxed) {
        true => Answer::status(503),
        false => {
            let cents = asked.fetch_add(1, Ordering::Relaxed);
            let rate = format!("1.{:02}", cents % 100);
            Answer::status(200).body(rate).after(Duration::from_millis(50))
        }
    })
}
