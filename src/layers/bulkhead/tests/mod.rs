//! What can't be seen from outside: the places by themselves, and settings that change.

mod contention;
mod model;
mod places;
mod reconfigured;

use std::sync::Arc;
use std::task::{Poll, Waker};

use super::config::PlacesConfig;
use super::limit::Priority;
use super::places::{Entry, Permit, Places};
use super::queue::{Shed, Standing, Ticket};
use crate::settings::Ratio;

fn bounded(concurrency: u32, queue: u32) -> PlacesConfig {
    let (concurrency, reserve) = (Some(concurrency), Ratio::percent(10));
    PlacesConfig { concurrency, queue, reserve, adaptive: None }
}

fn places(concurrency: u32, queue: u32) -> Arc<Places> {
    Arc::new(Places::new(bounded(concurrency, queue)))
}

#[track_caller]
fn admitted(places: &Arc<Places>, priority: Priority) -> Permit {
    match places.enter(priority, Standing::Counted) {
        Entry::Admitted(permit) => permit,
        other => panic!("expected a place, got {other:?}"),
    }
}

#[track_caller]
fn queued(places: &Arc<Places>, priority: Priority) -> Ticket {
    match places.enter(priority, Standing::Counted) {
        Entry::Queued(ticket) => ticket,
        other => panic!("expected a place in the queue, got {other:?}"),
    }
}

fn poll(ticket: &mut Ticket) -> Poll<Result<Permit, Shed>> {
    ticket.poll(Waker::noop())
}

#[track_caller]
fn turn(ticket: &mut Ticket) -> Permit {
    match poll(ticket) {
        Poll::Ready(Ok(permit)) => permit,
        other => panic!("its turn should have come: {other:?}"),
    }
}
