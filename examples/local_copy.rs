//! A price list that is served while its provider is down, doesn't believe an empty answer, and survives a
//! restart.
//!
//! `cargo run --example local_copy`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod folder;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use outrigger::control::Registry;
use outrigger::local_copy::{Load, LoadError, Loaded, LocalCopy};
use outrigger::testing::{Answer, Script};
use outrigger::{Integration, ResponseExt};

type Prices = Vec<String>;

/// What the provider does: 0 is down, 1 answers with an empty list, 2 with prices.
type Mood = Arc<AtomicU32>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mood = Mood::new(AtomicU32::new(2));
    let files = folder::Folder::fresh("local-copy")?;
    let file = files.write("about", "snapshots of the example\n")?.with_file_name("prices");
    let registry = Registry::new();
    let shop = Integration::user_flow("shop")
        .without_retry()
        .register(&registry)
        .service(provider(Arc::clone(&mood)))
        .build()?;

    let prices = start(&shop, &file)?;
    prices.ready().await?;
    show("The provider is up.", &prices).await;
    mood.store(0, Ordering::Relaxed);
    show("It is down.", &prices).await;
    mood.store(1, Ordering::Relaxed);
    show("It answers 200, and an empty list.", &prices).await;

    // The last handle: the task ends with it.
    drop(prices);
    mood.store(0, Ordering::Relaxed);
    let prices = start(&shop, &file)?;
    prices.ready().await?;
    show("It is down, and we were restarted.", &prices).await;

    mood.store(2, Ordering::Relaxed);
    registry.set("shop", "prices", "reload", "ada", "they say that they are back")?;
    show("It is back.", &prices).await;
    Ok(())
}

/// Starts to keep the copy, and its snapshot in the file.
fn start(shop: &Integration, file: &Path) -> Result<LocalCopy<Prices>, Box<dyn Error>> {
    let of = shop.clone();
    let copy = LocalCopy::builder("prices", shop, Vec::len, move |one| load(of.clone(), one))
        .every(Duration::from_millis(200))
        .max_age(Duration::from_secs(3600))
        .snapshot(
            file,
            |prices| Ok(serde_json::to_vec(prices)?),
            |bytes| Ok(serde_json::from_slice(bytes)?),
        );
    Ok(copy.start()?)
}

async fn load(shop: Integration, load: Load) -> Result<Loaded<Prices>, LoadError> {
    let Some(answer) = load.fetch(shop.get("http://shop.test/prices")).await? else {
        return Ok(Loaded::unchanged());
    };
    let headers = answer.headers().clone();
    let prices = answer.text().await?.lines().map(str::to_owned).collect();
    Ok(Loaded::new(prices).validators(&headers))
}

async fn show(what: &str, prices: &LocalCopy<Prices>) {
    println!("\n{what}");
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let health = prices.health();
        let age = health.age.unwrap_or_default().as_millis();
        let from = if health.is_from_snapshot { ", from the snapshot" } else { "" };
        match prices.get() {
            Ok(prices) => {
                print!("  {} prices, {age} ms old{from}, {}", prices.len(), health.state.name());
            }
            Err(error) => print!("  {error}"),
        }
        println!("{}", health.error.map(|error| format!("; {error}")).unwrap_or_default());
    }
}

/// A provider whose list has a validator.
fn provider(mood: Mood) -> Script {
    Script::by(move |request| match mood.load(Ordering::Relaxed) {
        0 => Answer::status(503),
        1 => Answer::status(200),
        _ if request.headers().contains_key("if-none-match") => Answer::status(304),
        _ => Answer::status(200).header("etag", "\"7\"").body("tea 3.20\ncoffee 4.10\nmilk 1.05\n"),
    })
}
