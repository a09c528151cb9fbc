use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::provider::Provider;

/// What came of one client's calls.
#[derive(Default)]
pub(crate) struct Tally(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    begun: u64,
    attempts: u64,
    answered: u64,
    unknown: u64,
    waits: Vec<Duration>,
    /// What callers waited for in all, and did not get.
    in_vain: Duration,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With a success.
    Answered,
    /// With a failure that is one.
    Failed,
    /// Without an answer, and the customer may have been charged.
    Unknown,
}

#[derive(Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) answered: u64,
    pub(crate) ended: u64,
}

impl Tally {
    pub(crate) fn begin(&self) {
        self.kept().begun += 1;
    }

    pub(crate) fn attempt(&self) {
        self.kept().attempts += 1;
    }

    pub(crate) fn end(&self, outcome: Outcome, waited: Duration) {
        let mut kept = self.kept();
        kept.waits.push(waited);
        if outcome != Outcome::Answered {
            kept.in_vain += waited;
        }
        match outcome {
            Outcome::Answered => kept.answered += 1,
            Outcome::Unknown => kept.unknown += 1,
            Outcome::Failed => {}
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        let kept = self.kept();
        Counts { answered: kept.answered, ended: kept.waits.len() as u64 }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One client's line of the table.
pub(crate) struct Row {
    name: &'static str,
    cells: Vec<String>,
}

impl Row {
    pub(crate) fn new(name: &'static str, tally: &Tally, provider: &Provider) -> Self {
        let mut kept = tally.kept();
        kept.waits.sort_unstable();
        let ended = kept.waits.len() as u64;
        let quantile = |share: f64| {
            let at = (ended as f64 * share) as usize;
            kept.waits.get(at.min(kept.waits.len().saturating_sub(1))).copied().unwrap_or_default()
        };
        let seconds = |wait: Duration| format!("{:.2} s", wait.as_secs_f64());
        let cells = vec![
            kept.begun.to_string(),
            kept.answered.to_string(),
            (ended - kept.answered).to_string(),
            (kept.begun - ended).to_string(),
            seconds(quantile(0.5)),
            seconds(quantile(0.99)),
            seconds(quantile(1.0)),
            format!("{:.0} s", kept.in_vain.as_secs_f64()),
            format!("{:.2}", kept.attempts as f64 / kept.begun.max(1) as f64),
            provider.requests().to_string(),
            provider.requests_while_down().to_string(),
            provider.charged_twice().to_string(),
            kept.unknown.to_string(),
        ];
        Self { name, cells }
    }
}

/// All lines, a client a column.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = format!("{:<38}", "");
    rows.iter().for_each(|row| {
        let _ = write!(text, "{:>13}", row.name);
    });
    for (at, title) in TITLES.iter().enumerate() {
        let _ = write!(text, "\n{title:<38}");
        for row in rows {
            let _ = write!(text, "{:>13}", row.cells[at]);
        }
    }
    text
}

const TITLES: [&str; 13] = [
    "calls",
    "answered",
    "failed",
    "still waiting at the end",
    "wait, p50",
    "wait, p99",
    "longest wait",
    "waited in vain, all calls together",
    "attempts a call",
    "requests that the provider received",
    "  of these, while it was down",
    "orders charged twice",
    "charges whose outcome is unknown",
];
