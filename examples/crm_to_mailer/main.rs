//! Two systems that are kept the same: the contacts of a CRM, in a mailer.
//!
//! The CRM's webhooks go through an inbox and an outbox to the mailer. A webhook that is sent twice is handled
//! once, one that is lost is found by the nightly comparison, and what the comparison finds to be newer in the mailer
//! waits for a person. A webhook itself is sent without a condition. See the guide `keeping_two_systems_the_same`.
//!
//! `cargo run --example crm_to_mailer --features inbox,sqlite`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod compare;
#[path = "../folder/mod.rs"]
mod folder;
mod systems;
mod webhooks;

use std::error::Error;
use std::time::Duration;

use outrigger::Integration;
use outrigger::event::{Event, Origin, Subscriber};
use outrigger::inbox::{Inbox, StandardWebhooks};
use outrigger::outbox::{By, Filter, Outbox, Page};

use compare::Comparison;
use systems::{Contact, System};

/// A day of this example.
const DAY: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let files = folder::Folder::fresh("crm-to-mailer")?;
    let database = files.write("app.db", "")?;
    let (in_crm, in_mailer) = (System::default(), System::default());
    let [crm, mailer] = [("crm", &in_crm), ("mailer", &in_mailer)].map(|(name, system)| {
        let one = Integration::user_flow(name).base_url("http://system.test").subscriber(Print);
        one.without_retry().service(system.provider()).build()
    });
    let (crm, mailer) = (crm?, mailer?);
    let outbox =
        Outbox::sqlite(database).lane(&mailer).on_event("crm", webhooks::handle).build()?;
    let scheme = StandardWebhooks::new([webhooks::SECRET])?;
    let inbox = Inbox::builder("crm", scheme, &outbox).build()?;
    let worker = tokio::spawn({
        let outbox = outbox.clone();
        async move { outbox.run().await }
    });

    println!("Ada and Bob are new in the CRM. Ada's webhook comes twice, Bob's is lost.");
    for id in ["ada", "bob"] {
        in_crm.put(Contact::new(id, "new.example", 1));
    }
    for _ in 0..2 {
        webhooks::send(&inbox, "msg_1", &in_crm.get("ada")).await?;
    }
    until(&outbox, || in_mailer.has("ada")).await;
    println!("  the mailer has {}; {} duplicate", in_mailer, inbox.counts().duplicates);

    println!("Carol was changed on both sides. Then a night has passed.");
    in_crm.put(Contact::new("carol", "crm.example", 2));
    in_mailer.put(Contact::new("carol", "mailer.example", 3));
    let comparison = Comparison::start(&crm, &mailer, &outbox, DAY)?;
    println!("  compared: {:?}", comparison.report.ready().await?);
    until(&outbox, || in_mailer.has("bob")).await;
    println!("  the mailer has {in_mailer}");

    let dead = dead(&outbox).await?;
    println!("A person finds {} and decides that the CRM is right.", dead.content.uri);
    let decided = compare::update(&in_crm.get("carol")).header("if-match", "\"3\"");
    outbox.edit(dead.content.id, decided, By { who: "grace", why: "she called Carol" }).await?;
    until(&outbox, || in_mailer.to_string() == in_crm.to_string()).await;
    println!("  the mailer has {in_mailer}");

    println!("The CRM is down for two nights.");
    in_crm.set_down(true);
    tokio::time::sleep(DAY * 5 / 2).await;
    in_crm.set_down(false);
    println!("It is back: {:?}", comparison.report.reload().await?);

    assert_eq!(in_mailer.to_string(), in_crm.to_string());
    assert_eq!(in_mailer.writes(), ["ada", "bob", "carol"], "each was written once");
    outbox.shut_down(Duration::from_secs(1));
    worker.await??;
    Ok(())
}

/// Waits for the workers.
async fn until(outbox: &Outbox, is_done: impl Fn() -> bool) {
    while !is_done() {
        // What a handler enqueues is found within 5 s, or at once by this.
        outbox.wake();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The message that waits for a person.
async fn dead(
    outbox: &Outbox,
) -> Result<outrigger::outbox::StoredMessage, outrigger::outbox::OutboxError> {
    loop {
        let mut dead = outbox.browse(Filter::dead(), Page::first(1)).await?;
        if let Some(message) = dead.pop() {
            return Ok(message);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Where alerts would come from: these events, or the gauges `outrigger.local_copy.*`.
struct Print;

impl Subscriber for Print {
    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        let of = origin.integration().unwrap_or_default();
        match event {
            Event::LocalCopy { copy, event: outrigger::event::LocalCopyEvent::Late } => {
                println!("  ALERT {of}: {copy} is late");
            }
            Event::LocalCopy {
                copy: "comparison",
                event: outrigger::event::LocalCopyEvent::LoadFailed { failure, .. },
            } => println!("  ALERT {of}: the comparison {}", failure.name()),
            Event::Outbox(event) => println!("  ALERT {of}: a message is {}", event.name()),
            _ => {}
        }
    }
}
