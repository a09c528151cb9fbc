//! Settings from a file: read with all its mistakes at once, and applied anew while calls run.
//!
//! `cargo run --example config_file --features serde`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod folder;
mod server;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::{Request, Response};
use outrigger::control::Registry;
use outrigger::{ConfigError, Integration, IntegrationConfig};
use tokio::time::sleep;

const FILE: &str = r#"
preset = "user_flow"
deadline = "5s"

[retry]
max_attempts = 2
budget = { ratio = "5%" }

[bulkhead]
concurrency = 8
"#;

const CHANGED: &str = r#"
preset = "user_flow"
deadline = "3s"

[bulkhead]
concurrency = 32

[rate_limit]
requests = 100
per = "1s"
burst = 10
"#;

const MISTAKEN: &str = r#"
preset = "user_flow"
deadline = "2 parsecs"

[retry]
max_atempts = 0
budget = { ratio = 5 }

[rate_limits]
requests = 100

[circuit_breaker]
failure_ratio = "250%"
"#;

/// What a service does with its settings: apply the file whenever it has changed, and go on with the
/// old ones where the new ones can't work.
async fn follow(file: PathBuf, mut known: String, crm: Integration) {
    loop {
        sleep(Duration::from_millis(50)).await;
        let Ok(text) = fs::read_to_string(&file) else { continue };
        if text != known {
            match read(&text).and_then(|config| Ok(crm.apply(&config)?)) {
                Ok(()) => println!("  applied"),
                Err(error) => println!("  not applied: {error}"),
            }
            known = text;
        }
    }
}

/// A syntax error is TOML's own; a [`ConfigError`] names every setting that is wrong.
fn read(text: &str) -> Result<IntegrationConfig, Box<dyn std::error::Error>> {
    Ok(IntegrationConfig::read(toml::Deserializer::parse(text)?)?)
}

/// Calls one after the other; counts those that were answered and those that weren't.
async fn traffic(crm: Integration, url: String, counts: Arc<[AtomicU32; 2]>) {
    loop {
        let request = Request::get(&url).body(()).expect("the URL is one");
        let failed = usize::from(crm.send(request).await.is_err());
        counts[failed].fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = server::start(|_| async {
        sleep(Duration::from_millis(20)).await;
        Response::new("Ada".to_owned())
    })
    .await?;
    let folder = folder::Folder::fresh("config-file")?;
    let registry = Registry::new();

    println!("a file with mistakes names all of them:");
    let error = read(MISTAKEN).err().ok_or("the mistakes were not found")?;
    let error = error.downcast::<ConfigError>()?;
    for mistake in error.errors() {
        println!("  {}: {}", mistake.field(), mistake.problem());
    }
    let names = |field: &str| error.errors().iter().any(|mistake| mistake.field() == field);
    assert!(names("deadline") && names("retry.budget.ratio"), "paths are told: {error}");

    println!("a file without:");
    let file = folder.write("crm.toml", FILE)?;
    let crm = Integration::from_config("crm", read(&fs::read_to_string(&file)?)?)?
        .register(&registry)
        .build()?;
    println!("  {} places", crm.bulkhead().limit().unwrap_or(0));
    assert_eq!(crm.bulkhead().limit(), Some(8), "the file's word counts");

    println!("it changes while calls run:");
    let counts = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
    for _ in 0..8 {
        tokio::spawn(traffic(crm.clone(), url.clone(), Arc::clone(&counts)));
    }
    tokio::spawn(follow(file, FILE.to_owned(), crm.clone()));
    sleep(Duration::from_millis(300)).await;
    folder.write("crm.toml", CHANGED)?;
    sleep(Duration::from_millis(500)).await;
    let every = crm.rate_limit().interval().ok_or("the rate limit was not applied")?;
    println!("  {} places, and a call every {every:?}", crm.bulkhead().limit().unwrap_or(0));
    assert_eq!(crm.bulkhead().limit(), Some(32), "the changed file's word counts");

    println!("a change that can't work changes nothing:");
    folder.write("crm.toml", &CHANGED.replace("concurrency = 32", "concurrency = 0"))?;
    sleep(Duration::from_millis(300)).await;
    assert_eq!(crm.bulkhead().limit(), Some(32), "it stays as it was");

    let [answered, failed] = [0, 1].map(|at: usize| counts[at].load(Ordering::Relaxed));
    println!("all the while: {answered} calls answered, {failed} failed");
    assert!(answered > 50 && failed == 0, "no call notices");

    println!("how everything is, for a page or a probe:");
    let health = serde_json::to_value(registry.health())?;
    println!("{health}");
    assert_eq!(health[0]["bulkhead"]["limit"], 32, "health tells what holds");
    Ok(())
}
