//! What the database knows of an account, as one look at it shows. It is pure.

use std::time::Duration;

use super::fair::{Holder, OtherHolders, Portion, portion};
use crate::outbox::Timestamp;

/// An account as it was at one moment. All times are the database's.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    pub(super) now: Timestamp,
    pub(super) entries: Vec<LedgerEntry>,
}

/// One holder's lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LedgerEntry {
    pub(super) name: String,
    pub(super) holder: Holder,
    pub(super) ends: Timestamp,
}

impl Ledger {
    /// What this holder gets.
    pub(super) fn renew(&self, name: &str, mut asking: Holder) -> Portion {
        let is_live = |entry: &&LedgerEntry| entry.ends > self.now;
        let is_silent =
            |entry: &&LedgerEntry| !is_live(entry) && entry.ends.plus(FORGOTTEN) > self.now;
        let known = self.entries.iter().find(|entry| entry.name == name).filter(is_live);
        // What others were given since can't be used any more.
        asking.using = asking.using.min(known.map_or(0, |entry| entry.holder.using));
        let others = || self.entries.iter().filter(|entry| entry.name != name);
        let live = others().filter(is_live).map(|entry| entry.holder).collect();
        let silent = others().filter(is_silent).count() as u64;
        portion(asking, &OtherHolders { live, silent })
    }
}

/// For how long something is left to a holder whose lease has ended without a word.
pub(super) const FORGOTTEN: Duration = Duration::from_secs(600);
