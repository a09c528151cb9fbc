//! A worker to start from: it keeps to the provider's rate, obeys its 429s and loses no mail.
//!
//! `cargo run --example mail_worker`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod provider;

use std::time::Duration;

use outrigger::event::{Event, Origin, Subscriber};
use outrigger::{Delivery, Integration};
use tokio::task::JoinSet;

/// Tells of every retry.
struct Tell;

impl Subscriber for Tell {
    fn on_event(&self, event: &Event, _: &Origin<'_>) {
        if let Event::RetryScheduled { attempt, class, delay, .. } = event {
            println!("attempt {attempt} failed ({class}); the next in {delay:.1?}");
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = provider::start(|nth, _| match nth {
        3 => provider::answer(500, "oh no"),
        6 => {
            let mut slower = provider::answer(429, "slower");
            slower.headers_mut().insert("retry-after", 1.into());
            slower
        }
        10 => provider::answer(422, "no such address"),
        _ => provider::answer(202, "queued"),
    })
    .await?;

    let mails = Integration::background("mails")
        .base_url(url)
        .deadline(Duration::from_secs(2 * 3600)) // later, the news is old
        .rate_limit(|rate| rate.requests(20, Duration::from_secs(1)))
        .bulkhead(|places| places.concurrency(4))
        .subscriber(Tell)
        .build()?;

    let mut jobs = JoinSet::new();
    for id in 1..=12 {
        // The outbox's own id: also after a restart, the provider takes the mail once.
        let mail = serde_json::json!({ "to": format!("reader{id}@mail.test") });
        let call = mails.post("send").json(&mail).idempotency_key(format!("mail-{id}")).send();
        jobs.spawn(async move { (id, call.await) });
    }

    let mut queued = 0;
    while let Some(job) = jobs.join_next().await {
        match job? {
            (_, Ok(response)) if response.status().is_success() => queued += 1,
            (id, Ok(answer)) if answer.status() == 422 => println!("mail {id} is wrong"),
            (id, Ok(answer)) => println!("mail {id} stays in the outbox: {}", answer.status()),
            (id, Err(error)) if error.delivery() == Delivery::NotSent => {
                println!("mail {id} stays in the outbox: {error}");
            }
            (id, Err(error)) => println!("ask whether mail {id} was sent: {error}"),
        }
    }
    println!("{queued} mails are queued");
    assert_eq!(queued, 11, "one had a wrong address");
    Ok(())
}
