use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::*;
use crate::bulkhead::Priority::{High, Low};

/// One thread's calls; every third of those that wait goes away again.
fn call_often(permits: &Arc<Permits>, thread: u32, seen: impl Fn(&Permits)) {
    for round in 0..5_000 {
        let priority = if (round + thread).is_multiple_of(4) { Low } else { High };
        let permit = match permits.acquire(priority, QueueSlot::Counted) {
            AcquireOutcome::Admitted(permit) => Some(permit),
            AcquireOutcome::Queued(acquire) if (round + thread).is_multiple_of(3) => {
                drop(acquire);
                None
            }
            AcquireOutcome::Queued(mut acquire) => loop {
                match poll(&mut acquire) {
                    Poll::Ready(Ok(permit)) => break Some(permit),
                    Poll::Ready(Err(Shed)) => break None,
                    Poll::Pending => std::thread::yield_now(),
                }
            },
            AcquireOutcome::Full | AcquireOutcome::Uncounted => None,
        };
        seen(permits);
        if round % 2 == 0 {
            // Another thread comes while this one has its permit.
            std::thread::yield_now();
        }
        drop(permit);
    }
}

#[test]
fn places_are_neither_lost_nor_made_under_contention() {
    for queue in [0, 2, 100] {
        let permits = permits(3, queue);
        let most = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let (permits, most) = (Arc::clone(&permits), &most);
                scope.spawn(move || {
                    call_often(&permits, thread, |permits| {
                        most.fetch_max(permits.in_use(), Ordering::Relaxed);
                    });
                });
            }
        });
        assert_eq!((permits.in_use(), permits.waiting()), (0, 0));
        assert!(most.load(Ordering::Relaxed) <= 3);
    }
}

#[test]
fn places_are_neither_lost_nor_made_while_their_number_changes() {
    let permits = permits(3, 100);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let calling: Vec<_> = (0..6)
            .map(|thread| {
                let permits = Arc::clone(&permits);
                scope.spawn(move || call_often(&permits, thread, |_| {}))
            })
            .collect();
        scope.spawn(|| {
            for limit in (1..=5).cycle() {
                permits.reconfigure(bounded(limit, 100 / limit));
                if over.load(Ordering::Relaxed) {
                    break;
                }
                std::thread::yield_now();
            }
        });
        // A permit that is lost leaves somebody waiting for good.
        calling.into_iter().for_each(|thread| thread.join().unwrap());
        over.store(true, Ordering::Relaxed);
    });
    assert_eq!((permits.in_use(), permits.waiting()), (0, 0));
}
