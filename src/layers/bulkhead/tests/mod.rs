//! What can't be seen from outside: the permits by themselves, and settings that change.

mod contention;
mod model;
mod permits;
mod reconfigured;

use std::sync::Arc;
use std::task::{Poll, Waker};

use super::config::PermitsConfig;
use super::limit::Priority;
use super::permits::{AcquireOutcome, Permit, Permits};
use super::queue::{Acquire, QueueSlot, Shed};
use crate::settings::Ratio;

fn bounded(concurrency: u32, queue: u32) -> PermitsConfig {
    let (concurrency, reserve) = (Some(concurrency), Ratio::percent(10));
    PermitsConfig { concurrency, queue, reserve, adaptive: None }
}

fn permits(concurrency: u32, queue: u32) -> Arc<Permits> {
    Arc::new(Permits::new(bounded(concurrency, queue)))
}

#[track_caller]
fn admitted(permits: &Arc<Permits>, priority: Priority) -> Permit {
    match permits.acquire(priority, QueueSlot::Counted) {
        AcquireOutcome::Admitted(permit) => permit,
        other => panic!("expected a permit, got {other:?}"),
    }
}

#[track_caller]
fn queued(permits: &Arc<Permits>, priority: Priority) -> Acquire {
    match permits.acquire(priority, QueueSlot::Counted) {
        AcquireOutcome::Queued(acquire) => acquire,
        other => panic!("expected a place in the queue, got {other:?}"),
    }
}

fn poll(acquire: &mut Acquire) -> Poll<Result<Permit, Shed>> {
    acquire.poll(Waker::noop())
}

#[track_caller]
fn state(acquire: &mut Acquire) -> Permit {
    match poll(acquire) {
        Poll::Ready(Ok(permit)) => permit,
        other => panic!("its state should have come: {other:?}"),
    }
}
