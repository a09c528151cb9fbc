//! A provider lives through a bad minute while clients call it, side by side.
//!
//! `cargo run --features cache,sqlite --example outage`. Each client has a provider of its own on loopback, all living by
//! the same script: healthy, a brownout, rate limiting, hangs, resets, a full outage, recovery. A
//! provider has a capacity: what is asked beyond it slows its answers, then fails. The load is the
//! same for all: twenty calls a second, three of ten of them charges (with a cache all read), and one
//! call a second for two of the clients. The outbox's jobs are delivered by a process of its own,
//! which is killed while the provider is down, and started again. Everything in the table at the end
//! is counted while it runs. The exit code is not 0 if ours charged an order twice, lost a job, had no
//! rate to tell, or refused a call of a provider that was well.

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod books;
mod clients;
mod figures;
mod jobs;
mod provider;
mod script;
mod table;
mod tally;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use clients::{Client, Kind};
use figures::Figures;
use jobs::Jobs;
use provider::Provider;
use script::{Script, TOTAL};
use table::Column;
use tally::Tally;

/// One client, its provider, and what came of its calls.
struct Lane {
    kind: Kind,
    a_second: u64,
    client: Client,
    provider: Provider,
    tally: Arc<Tally>,
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    if let Some((file, provider)) = jobs::arguments() {
        jobs::deliver(file, provider).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let script = Script::starting_now();
    let jobs = Jobs::new()?;
    let mut lanes = Vec::new();
    for (kind, a_second) in LANES {
        let provider = Provider::start(script.clone()).await?;
        let client = Client::new(kind, provider.address(), jobs.outbox())?;
        lanes.push(Lane { kind, a_second, client, provider, tally: Arc::default() });
    }
    let jobs_provider = lanes.iter().find(|lane| lane.kind == Kind::Outbox);
    let jobs_provider = jobs_provider.ok_or("there is an outbox")?.provider.address();
    heading(&lanes);
    let (mut calls, (), workers) = tokio::join!(
        load(&lanes, &script),
        show_progress(&lanes, &script),
        jobs.work(jobs_provider, &script)
    );
    let _workers = workers?;

    // Whoever is still waiting gets a moment more.
    let all = async { while calls.join_next().await.is_some() {} };
    let _ended = timeout(PATIENCE, all).await;
    calls.shutdown().await;

    let now = script.elapsed();
    let columns = lanes.iter().map(|lane| {
        let figures = Figures::new(lane.tally.calls(), &lane.provider.books(), now);
        Column { kind: lane.kind, a_second: lane.a_second, figures }
    });
    let columns: Vec<_> = columns.collect();
    println!("\n{}", table::table(&columns));
    let broken = table::broken(&columns);
    broken.iter().for_each(|sentence| println!("BROKEN: {sentence}"));
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn heading(lanes: &[Lane]) {
    println!(
        "for {TOTAL:?}, share of the calls answered of those that ended since the last line:\n"
    );
    print!("{:>5}  {:<15}", "time", "the provider");
    lanes.iter().for_each(|lane| print!("{:>11}", format!("{}/s", lane.a_second)));
    print!("\n{:>22}", "");
    lanes.iter().for_each(|lane| print!("{:>11}", lane.kind.name()));
    println!();
}

/// The same calls to every client, at an even pace.
async fn load(lanes: &[Lane], script: &Script) -> JoinSet<()> {
    let mut calls = JoinSet::new();
    let mut pace = interval(Duration::from_secs(1) / TICKS as u32);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tick = 0;
    loop {
        pace.tick().await;
        if script.elapsed() >= TOTAL {
            return calls;
        }
        for lane in lanes.iter().filter(|lane| tick % (TICKS / lane.a_second) == 0) {
            let (client, tally) = (lane.client.clone(), Arc::clone(&lane.tally));
            let script = script.clone();
            let call = tally.begin(script.elapsed());
            calls.spawn(async move {
                let outcome = client.call(call as u64).await;
                tally.end(call, outcome, script.elapsed());
            });
        }
        tick += 1;
    }
}

async fn show_progress(lanes: &[Lane], script: &Script) {
    let start = Instant::now();
    let mut from = Duration::ZERO;
    for second in (3..=TOTAL.as_secs()).step_by(3) {
        let phase = script.phase();
        sleep_until(start + Duration::from_secs(second)).await;
        let to = script.elapsed();
        print!("{second:>4}s  {:<15}", phase.name());
        for lane in lanes {
            let calls = lane.tally.calls();
            let ended = calls.iter().filter(|call| call.ended_in(from..to));
            let (ended, answered) = ended.fold((0, 0), |(ended, answered), call| {
                (ended + 1, answered + usize::from(call.is_answered()))
            });
            match (answered * 100usize).checked_div(ended) {
                Some(share) => print!("{share:>9} %"),
                None => print!("{:>11}", "-"),
            }
        }
        println!();
        from = to;
    }
}

/// The clients, and the calls a second to each.
const LANES: [(Kind, u64); 8] = [
    (Kind::Bare, 20),
    (Kind::Naive, 20),
    (Kind::UserFlow, 20),
    (Kind::Background, 20),
    (Kind::Cached, 20),
    (Kind::Outbox, 20),
    (Kind::Bare, 1),
    (Kind::UserFlow, 1),
];
/// The most calls a second.
const TICKS: u64 = 20;
/// How long after the end a call may still take: time for the jobs that were held.
const PATIENCE: Duration = Duration::from_secs(12);
