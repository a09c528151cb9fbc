//! People stop an integration while calls run: by a file, and by an admin endpoint.
//!
//! `cargo run --example kill_switch`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod admin;
#[path = "../folder/mod.rs"]
mod folder;
#[path = "../server/mod.rs"]
mod server;
mod traffic;

use std::sync::Arc;
use std::time::Duration;

use http::Response;
use outrigger::Integration;
use outrigger::context::BusinessKey;
use outrigger::event::{SourceProblem, SwitchMode};
use outrigger::fallback::{FallbackLayer, FallbackRecord, FallbackRecorder};
use outrigger::kill_switch::SwitchFile;

use crate::admin::endpoint;
use crate::traffic::{Shared, Tally, traffic, until, watch, with};

/// What support repairs flows by.
#[derive(Default)]
struct Kept(Shared<Vec<FallbackRecord>>);

impl FallbackRecorder for Kept {
    fn record(&self, record: FallbackRecord) {
        with(&self.0, |kept| kept.push(record));
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // One server is the provider (/rates) and the admin endpoint (/switch).
    let (tally, flag) = (Shared::<Tally>::default(), Shared::<String>::default());
    let (at_provider, told) = (Arc::clone(&tally), Arc::clone(&flag));
    let url = server::start(move |request| {
        let answer = match request.uri().path() {
            "/switch" => with(&told, |told| told.clone()),
            _ => with(&at_provider, |tally| {
                tally.at_provider += 1;
                "live".to_owned()
            }),
        };
        async { Response::new(answer) }
    })
    .await?;

    let kept = Arc::new(Kept::default());
    let yesterdays = FallbackLayer::value(Response::new("yesterday's"));
    let rates = Integration::user_flow("rates")
        .fallback(yesterdays.record_to(Arc::clone(&kept)))
        .build()?;
    let switch = rates.kill_switch();
    tokio::spawn(traffic(rates, url.clone(), Arc::clone(&tally)));

    let folder = folder::Folder::fresh("kill-switch")?;
    let file = folder.write("rates.switch", "on\n")?;
    let _following = switch.follow(SwitchFile::new(file).every(Duration::from_millis(50)));
    println!("the file says on:");
    let seen = watch(&switch, SwitchMode::On, &tally).await?;
    assert!(seen.answered > 0 && seen.refused + seen.fell_back == 0, "all is well: {seen:?}");

    println!("the file says off: calls are refused at once, and no fallback hides it");
    folder.write("rates.switch", "off\nwho: ada\nwhy: the rates are ten times too high\n")?;
    let seen = watch(&switch, SwitchMode::Off, &tally).await?;
    println!("  {}", seen.last_refusal);
    assert!(seen.refused > 0 && seen.answered + seen.fell_back == 0, "all refused: {seen:?}");
    assert_eq!(seen.at_provider, 0, "nothing reaches the provider");
    assert!(seen.last_refusal.contains("ada: the rates are ten times"), "it says who and why");

    println!("the file says fallback-only:");
    folder.write("rates.switch", "fallback-only\nwho: ada\nwhy: yesterday's will do\n")?;
    let seen = watch(&switch, SwitchMode::FallbackOnly, &tally).await?;
    assert!(seen.fell_back > 0 && seen.answered + seen.refused == 0, "all fell back: {seen:?}");
    let record = with(&kept.0, |kept| kept.last().cloned()).ok_or("nothing was recorded")?;
    let basket = record.business_key.as_ref().map_or("", BusinessKey::as_str);
    println!("  recorded: {basket}, {} ({:?})", record.class, record.delivery);

    println!("the file makes no sense: the switch stays where it is");
    folder.write("rates.switch", "onn\n")?;
    let trouble = until(|| switch.trouble()).await?;
    println!("  {}", trouble.to_string().rsplit_once('/').map_or("", |(_, text)| text));
    assert_eq!(trouble.problem(), SourceProblem::Malformed);
    let seen = watch(&switch, SwitchMode::FallbackOnly, &tally).await?;
    assert_eq!(seen.answered + seen.refused, 0, "nothing changed: {seen:?}");

    println!("the file says on again:");
    folder.write("rates.switch", "on\n")?;
    let seen = watch(&switch, SwitchMode::On, &tally).await?;
    assert!(seen.answered > 0 && seen.fell_back == 0, "traffic is back: {seen:?}");
    assert_eq!(switch.trouble(), None, "and nothing is wrong any more");

    println!("an admin endpoint is followed too, and whoever spoke last is obeyed:");
    with(&flag, |flag| *flag = "off\nwho: the admin page\nwhy: a drill".to_owned());
    let _also = switch.follow(endpoint(format!("{url}/switch"))?);
    let seen = watch(&switch, SwitchMode::Off, &tally).await?;
    println!("  {}", seen.last_refusal);
    assert_eq!(seen.answered + seen.fell_back, 0, "all refused: {seen:?}");
    with(&flag, |flag| *flag = "on".to_owned());
    let seen = watch(&switch, SwitchMode::On, &tally).await?;
    assert!(seen.answered > 0, "traffic is back: {seen:?}");
    Ok(())
}
