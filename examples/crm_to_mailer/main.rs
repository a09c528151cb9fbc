//! Two systems that are kept the same: the contacts of a CRM, in a mailer.
//!
//! The CRM's webhooks go through an inbox and an outbox to the mailer. A webhook that is sent twice is handled
//! once, one that is lost is found by the nightly comparison, and one that is late changes nothing. What was changed in
//! the mailer waits for a person. See the guide `keeping_two_systems_the_same`.
//!
//! `cargo run --example crm_to_mailer --features inbox,sqlite`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod carry;
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
use outrigger::outbox::{Action, By, Filter, Outbox, OutboxError, Page, Selection, StoredMessage};
use tower::service_fn;

use carry::{Carrier, look_at};
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
        let one = Integration::user_flow(name).base_url(format!("http://{name}.test"));
        one.without_retry().subscriber(Print).service(system.provider()).build()
    });
    let (crm, mailer) = (crm?, mailer?);
    let decided = Outbox::sqlite(&database).build()?;
    let carrier = Carrier { crm: crm.clone(), mailer: mailer.clone(), decided };
    let lane = Integration::user_flow("carrier")
        .base_url("http://mailer.test")
        .without_retry()
        .subscriber(Print)
        .service(service_fn(move |request| carrier.clone().carry(request)))
        .build()?;
    let outbox = Outbox::sqlite(database).lane(&lane).on_event("crm", webhooks::handle).build()?;
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

    println!(
        "Carol was changed in the mailer later; Dave on both sides at once. Then a night has passed."
    );
    for (id, in_mailer_at) in [("carol", 3), ("dave", 2)] {
        in_crm.put(Contact::new(id, "crm.example", 2));
        in_mailer.put(Contact::new(id, "mailer.example", in_mailer_at));
    }
    in_crm.put(Contact::new("bob", "newer.example", 2));
    let comparison = Comparison::start(&crm, &mailer, &outbox, DAY)?;
    println!("  compared: {:?}", comparison.report.ready().await?);
    until(&outbox, || in_mailer.has("bob")).await;
    println!("  the mailer has {in_mailer}");

    println!("Bob's first webhook comes now, and is older than what the comparison found.");
    webhooks::send(&inbox, "msg_2", &Contact::new("bob", "new.example", 1)).await?;

    let [carol, dave] = [dead(&outbox, "carol").await?, dead(&outbox, "dave").await?];
    println!("A person finds {} and decides that the CRM is right.", carol.content.uri);
    let known = in_mailer.get("carol").version();
    let decided = look_at("carol").json(&in_crm.get("carol")).header("if-match", known);
    outbox.edit(carol.content.id, decided, By { who: "grace", why: "she called Carol" }).await?;
    println!("She finds {} and decides that the mailer is right.", dave.content.uri);
    let why = By { who: "grace", why: "she called Dave" };
    outbox.act(Selection::One(dave.content.id), Action::Discard, why).await?;
    until(&outbox, || in_mailer.get("carol").email == in_crm.get("carol").email).await;
    println!("  the mailer has {in_mailer}");

    println!(
        "Another night has passed. Dave is as different as before, and nobody is asked again."
    );
    assert_eq!(comparison.report.reload().await?.different, 1);
    assert_eq!(waiting_for_people(&outbox).await?, 0);

    println!("The CRM is down for two nights.");
    in_crm.set_down(true);
    tokio::time::sleep(DAY * 5 / 2).await;
    in_crm.set_down(false);
    println!("It is back: {:?}", comparison.report.reload().await?);

    assert_eq!(
        in_mailer.to_string(),
        "ada@new.example, bob@newer.example, carol@crm.example, dave@mailer.example"
    );
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

/// The message of this contact that waits for a person.
async fn dead(outbox: &Outbox, contact: &str) -> Result<StoredMessage, OutboxError> {
    loop {
        let dead = Filter::dead().order_key(contact);
        if let Some(message) = outbox.browse(dead, Page::first(1)).await?.pop() {
            return Ok(message);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How many messages wait for a person when the workers have nothing to do.
async fn waiting_for_people(outbox: &Outbox) -> Result<u64, OutboxError> {
    loop {
        let stats = outbox.stats("carrier").await?;
        if stats.ready + stats.leased == 0 {
            return Ok(stats.dead_in_all());
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
