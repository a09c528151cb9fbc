//! A provider lives through its worst minute while four clients call it, side by side.
//!
//! `cargo run --example outage`. Each client has a provider of its own on loopback, all living by
//! the same script: healthy, a brownout, rate limiting, hangs, resets, a full outage, recovery. The
//! load is the same for all: twenty calls a second, three of ten of them charges. Everything in the
//! table at the end is counted while it runs.

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod clients;
mod provider;
mod script;
mod tally;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use clients::Client;
use provider::Provider;
use script::{Script, TOTAL};
use tally::Tally;

/// One client, its provider, and what came of its calls.
struct Lane {
    client: Client,
    provider: Provider,
    tally: Arc<Tally>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let script = Script::starting_now();
    let mut lanes = Vec::new();
    for name in ["bare hyper", "naive retry", "user_flow", "background"] {
        let provider = Provider::start(script.clone()).await?;
        let tally = Arc::new(Tally::default());
        let client = Client::new(name, provider.address(), &tally)?;
        lanes.push(Lane { client, provider, tally });
    }
    println!(
        "{} calls a second to each of {} clients, for {TOTAL:?}",
        1_000 / EVERY_MS,
        lanes.len()
    );
    println!("share of the calls answered since the last line:\n");
    print!("{:>5}  {:<14}", "time", "the provider");
    lanes.iter().for_each(|lane| print!("{:>13}", lane.client.name()));
    println!();

    let calls = load(&lanes, &script);
    let progress = show_progress(&lanes, &script);
    let (mut calls, ()) = tokio::join!(calls, progress);

    // Whoever is still waiting gets a moment more.
    let last = sleep(PATIENCE);
    tokio::pin!(last);
    loop {
        tokio::select! {
            ended = calls.join_next() => if ended.is_none() { break },
            () = &mut last => break,
        }
    }
    calls.shutdown().await;

    let rows: Vec<_> = lanes
        .iter()
        .map(|lane| tally::Row::new(lane.client.name(), &lane.tally, &lane.provider))
        .collect();
    println!("\n{}", tally::table(&rows));
    Ok(())
}

/// The same calls to every client, at an even pace.
async fn load(lanes: &[Lane], script: &Script) -> JoinSet<()> {
    let mut calls = JoinSet::new();
    let mut pace = interval(Duration::from_millis(EVERY_MS));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut order = 0;
    while script.elapsed() < TOTAL {
        pace.tick().await;
        order += 1;
        for lane in lanes {
            let (client, tally) = (lane.client.clone(), Arc::clone(&lane.tally));
            tally.begin();
            calls.spawn(async move {
                let began = Instant::now();
                let result = client.call(order).await;
                tally.end(result, began.elapsed());
            });
        }
    }
    calls
}

async fn show_progress(lanes: &[Lane], script: &Script) {
    let mut before: Vec<_> = lanes.iter().map(|lane| lane.tally.counts()).collect();
    let start = Instant::now();
    for second in (2..=TOTAL.as_secs()).step_by(2) {
        let phase = script.phase();
        sleep_until(start + Duration::from_secs(second)).await;
        print!("{second:>4}s  {:<14}", phase.name());
        for (lane, before) in lanes.iter().zip(&mut before) {
            let now = lane.tally.counts();
            let (answered, ended) = (now.answered - before.answered, now.ended - before.ended);
            match (answered * 100).checked_div(ended) {
                Some(share) => print!("{share:>12}%"),
                None => print!("{:>13}", "-"),
            }
            *before = now;
        }
        println!();
    }
}

/// One call to each client in this time.
const EVERY_MS: u64 = 50;
/// How long after the end a call may still take.
const PATIENCE: Duration = Duration::from_secs(4);
