//! Takes back leases that are over, ends what is past its deadline, and removes what is old.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::OutboxError;
use super::inner::{Inner, StoreCall};
use super::store::Reaped;
use super::time::Timestamp;
use crate::rt;

/// Works until it is dropped.
pub(super) async fn run(inner: Arc<Inner>) {
    let leases = || inner.lanes.iter().map(|lane| lane.lease);
    let longest = leases().max().unwrap_or(LONGEST);
    // A lease that is over is found a tenth of it later.
    let interval = (leases().min().unwrap_or(LONGEST) / 10).clamp(SHORTEST, LONGEST);
    let mut jumps = Jumps::new(rt::now(), inner.time());
    let mut prune_at = rt::now();
    loop {
        let now = rt::now();
        // A page of none only finds out whether the store answers.
        let page = if jumps.may_reap(now, inner.time(), longest) { PAGE } else { 0 };
        match reap(&inner, page).await {
            Ok(()) => inner.store_works(StoreCall::Reap),
            Err(_) => {
                inner.store_fails(StoreCall::Reap);
                // While the store is away, nobody can extend a lease.
                jumps.hold(rt::now(), longest);
            }
        }
        if prune_at <= now {
            prune_at = rt::after(now, PRUNE);
            prune(&inner).await;
        }
        rt::sleep_until(rt::after(rt::now(), inner.rng.about(interval))).await;
    }
}

async fn reap(inner: &Inner, page: usize) -> Result<(), OutboxError> {
    loop {
        let Reaped { changed, has_more } = inner.store.reap(page).await?;
        changed.iter().for_each(|recovered| inner.recovered(recovered));
        if page == 0 || !has_more {
            return Ok(());
        }
    }
}

async fn prune(inner: &Inner) {
    let Ok(now) = inner.store.now().await else { return };
    let before = now.minus(inner.retention);
    while matches!(inner.store.prune(before, PAGE).await, Ok(PAGE)) {}
}

/// Compares the wall clock with the monotonic one. After a jump, leases that seem to be over may not be:
/// their holders get a lease's time to extend them.
#[derive(Debug)]
struct Jumps {
    seen: (Instant, Timestamp),
    held_until: Option<Instant>,
}

impl Jumps {
    fn new(now: Instant, wall: Timestamp) -> Self {
        Self { seen: (now, wall), held_until: None }
    }

    fn may_reap(&mut self, now: Instant, wall: Timestamp, lease: Duration) -> bool {
        let (before, wall_before) = std::mem::replace(&mut self.seen, (now, wall));
        let expected = wall_before.plus(now.saturating_duration_since(before));
        let jump = expected.since(wall).max(wall.since(expected));
        if jump > TOLERATED {
            self.hold(now, lease);
        }
        self.held_until.is_none_or(|until| until <= now)
    }

    fn hold(&mut self, now: Instant, lease: Duration) {
        self.held_until = Some(rt::after(now, lease));
    }
}

const SHORTEST: Duration = Duration::from_secs(1);
/// Deadlines of waiting messages are found as late as this.
const LONGEST: Duration = Duration::from_secs(10);
const PRUNE: Duration = Duration::from_secs(60);
/// Small enough to hold up nobody else for long.
const PAGE: usize = 200;
/// More than clocks are corrected by between two looks.
const TOLERATED: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_jump_of_the_wall_clock_nothing_is_taken_back_for_a_lease() {
        let (start, lease) = (rt::now(), Duration::from_secs(60));
        let mut jumps = Jumps::new(start, Timestamp(0));
        let mut may = |secs: u64, wall: i64| {
            jumps.may_reap(start + Duration::from_secs(secs), Timestamp(wall * 1_000), lease)
        };
        assert!(may(1, 1));
        assert!(may(2, 3), "a second is no jump");
        assert!(!may(3, 64));
        assert!(!may(62, 123));
        assert!(may(64, 125));
        assert!(!may(65, 66), "back is a jump, too");
        assert!(may(126, 127));
    }
}
