use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::*;
use crate::bulkhead::Priority::{High, Low};

/// One thread's calls; every third of those that wait goes away again.
fn call_often(places: &Arc<Places>, thread: u32, seen: impl Fn(&Places)) {
    for round in 0..5_000 {
        let priority = if (round + thread).is_multiple_of(4) { Low } else { High };
        let permit = match places.enter(priority, Standing::Counted) {
            Entry::Admitted(permit) => Some(permit),
            Entry::Queued(ticket) if (round + thread).is_multiple_of(3) => {
                drop(ticket);
                None
            }
            Entry::Queued(mut ticket) => loop {
                match poll(&mut ticket) {
                    Poll::Ready(Ok(permit)) => break Some(permit),
                    Poll::Ready(Err(Shed)) => break None,
                    Poll::Pending => std::thread::yield_now(),
                }
            },
            Entry::Full | Entry::Uncounted => None,
        };
        seen(places);
        if round % 2 == 0 {
            // Another thread comes while this one has its place.
            std::thread::yield_now();
        }
        drop(permit);
    }
}

#[test]
fn places_are_neither_lost_nor_made_under_contention() {
    for queue in [0, 2, 100] {
        let places = places(3, queue);
        let most = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let (places, most) = (Arc::clone(&places), &most);
                scope.spawn(move || {
                    call_often(&places, thread, |places| {
                        most.fetch_max(places.in_use(), Ordering::Relaxed);
                    });
                });
            }
        });
        assert_eq!((places.in_use(), places.waiting()), (0, 0));
        assert!(most.load(Ordering::Relaxed) <= 3);
    }
}

#[test]
fn places_are_neither_lost_nor_made_while_their_number_changes() {
    let places = places(3, 100);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let calling: Vec<_> = (0..6)
            .map(|thread| {
                let places = Arc::clone(&places);
                scope.spawn(move || call_often(&places, thread, |_| {}))
            })
            .collect();
        scope.spawn(|| {
            for limit in (1..=5).cycle() {
                places.reconfigure(bounded(limit, 100 / limit));
                if over.load(Ordering::Relaxed) {
                    break;
                }
                std::thread::yield_now();
            }
        });
        // A place that is lost leaves somebody waiting for good.
        calling.into_iter().for_each(|thread| thread.join().unwrap());
        over.store(true, Ordering::Relaxed);
    });
    assert_eq!((places.in_use(), places.waiting()), (0, 0));
}
