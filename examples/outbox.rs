//! Mails through a durable queue in one file, in two processes: one enqueues, one delivers.
//!
//! ```text
//! cargo run --example outbox --features json,sqlite -- enqueue ada@example.com
//! cargo run --example outbox --features json,sqlite -- run
//! ```
//!
//! `run` starts a provider beside itself that fails every third mail. Stop it with Ctrl-C while it works, or
//! kill it: the next `run` goes on where it was.

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod provider;

use std::time::Duration;

use outrigger::Integration;
use outrigger::outbox::{Filter, Lane, Message, Outbox, Page, UnknownOutcome};

/// Both processes mean the same file.
fn file() -> std::path::PathBuf {
    std::env::temp_dir().join("outrigger-example-outbox.db")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("enqueue"), Some(address)) => enqueue(&address).await,
        (Some("run"), None) => run().await,
        _ => Err("say `enqueue <address>` or `run`".into()),
    }
}

/// Any process may enqueue. This one has no lanes, so that the message names its own.
async fn enqueue(address: &str) -> Result<(), Box<dyn std::error::Error>> {
    let outbox = Outbox::sqlite(file()).build()?;
    let mail = Message::post("/mails")
        .lane("mailer")
        .json(&serde_json::json!({ "to": address }))
        // Who clicks twice gets one mail.
        .dedup_key(format!("welcome {address}"))
        .order_key(address);
    let ticket = outbox.enqueue(mail).await?;
    println!(
        "{} {}",
        ticket.id,
        if ticket.is_duplicate { "was there already" } else { "is stored" }
    );
    Ok(())
}

/// One process has the workers.
async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let url = provider::start(|nth, _| match nth % 3 {
        1 => provider::answer(503, "try again"),
        _ => provider::answer(202, "queued"),
    })
    .await?;
    let mailer = Integration::background("mailer").base_url(url).build()?;
    // This provider takes a mail once, by its key.
    let lane = Lane::new(&mailer).unknown_outcome(UnknownOutcome::Resend);
    let outbox = Outbox::sqlite(file()).lane(lane).build()?;

    let stops = outbox.clone();
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        stops.shut_down(Duration::from_secs(10));
    });
    let shows = outbox.clone();
    tokio::spawn(async move {
        loop {
            if let Ok(stats) = shows.stats("mailer").await {
                println!(
                    "{} wait, {} are being sent, {} are dead",
                    stats.ready,
                    stats.leased,
                    stats.dead_in_all()
                );
            }
            for dead in shows.browse(Filter::dead(), Page::first(10)).await.unwrap_or_default() {
                println!("{} is dead: {:?}", dead.content.id, dead.progress.dead_reason);
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    });
    outbox.run().await?;
    Ok(())
}
