//! The nightly comparison of both sides.

use std::collections::BTreeMap;
use std::time::Duration;

use outrigger::local_copy::{Load, LoadError, Loaded, LocalCopy};
use outrigger::outbox::Outbox;
use outrigger::{ConfigError, Integration, ResponseExt};

use crate::carry::look_at;
use crate::systems::Contact;

/// What a comparison found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    compared: usize,
    pub(crate) different: usize,
}

/// It is a copy itself, of what both sides differ in: so it is made at an interval, by one at a time, and
/// alerts if it is late or fails.
pub(crate) struct Comparison {
    pub(crate) report: LocalCopy<Report>,
}

impl Comparison {
    pub(crate) fn start(
        crm: &Integration,
        mailer: &Integration,
        outbox: &Outbox,
        every: Duration,
    ) -> Result<Self, ConfigError> {
        let sides = [("contacts", crm), ("recipients", mailer)].map(|(name, side)| {
            let of = side.clone();
            // The comparison loads them, so that they are as new as each other.
            LocalCopy::builder(name, side, Vec::len, move |load| contacts(of.clone(), load))
                .every(Duration::from_secs(24 * 3600))
                .start()
        });
        let [in_crm, in_mailer] = sides;
        let (in_crm, in_mailer, outbox) = (in_crm?, in_mailer?, outbox.clone());
        let compare = move |_| compare(in_crm.clone(), in_mailer.clone(), outbox.clone());
        let count = |report: &Report| report.compared;
        let report = LocalCopy::builder("comparison", mailer, count, compare).every(every);
        Ok(Self { report: report.start()? })
    }
}

async fn contacts(of: Integration, load: Load) -> Result<Loaded<Vec<Contact>>, LoadError> {
    let Some(answer) = load.fetch(of.get("/contacts")).await? else {
        return Ok(Loaded::unchanged());
    };
    let headers = answer.headers().clone();
    Ok(Loaded::new(answer.json().await?).validators(&headers))
}

async fn compare(
    in_crm: LocalCopy<Vec<Contact>>,
    in_mailer: LocalCopy<Vec<Contact>>,
    outbox: Outbox,
) -> Result<Loaded<Report>, LoadError> {
    let (in_crm, in_mailer) = tokio::try_join!(in_crm.reload(), in_mailer.reload())?;
    let known: BTreeMap<_, _> = in_mailer.iter().map(|one| (one.id.as_str(), one)).collect();
    let mut report = Report { compared: in_crm.len(), different: 0 };
    for ours in in_crm.iter() {
        if known.get(ours.id.as_str()).is_some_and(|theirs| theirs.email == ours.email) {
            continue;
        }
        report.different += 1;
        // What is to be done is decided when both are read again. While one waits, no other is enqueued.
        let told = |error: outrigger::outbox::OutboxError| LoadError::new(error.to_string());
        outbox.enqueue(look_at(&ours.id).dedup_key(&ours.id)).await.map_err(told)?;
    }
    Ok(Loaded::new(report))
}
