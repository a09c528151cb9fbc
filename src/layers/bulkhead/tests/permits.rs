use super::*;
use crate::bulkhead::Priority::{High, Low};

#[test]
fn a_place_given_back_goes_to_who_came_first() {
    let permits = permits(1, 2);
    let held = admitted(&permits, High);
    let (mut first, mut second) = (queued(&permits, High), queued(&permits, High));
    assert!(matches!(permits.acquire(High, QueueSlot::Counted), AcquireOutcome::Full));
    drop(held);
    assert!(poll(&mut second).is_pending());
    drop(state(&mut first));
    state(&mut second);
}

#[test]
fn nobody_overtakes_the_queue() {
    let permits = permits(1, 2);
    let held = admitted(&permits, High);
    let _first = queued(&permits, High);
    drop(held);
    // The permit is promised, though nobody has picked it up yet.
    assert!(!permits.has_free_permit(High));
    queued(&permits, High);
}

#[test]
fn a_ticket_dropped_after_its_turn_came_hands_the_place_on() {
    let permits = permits(1, 2);
    let held = admitted(&permits, High);
    let (first, mut second) = (queued(&permits, High), queued(&permits, High));
    drop(held);
    drop(first);
    state(&mut second);
}

#[test]
fn a_ticket_dropped_while_it_waits_leaves_no_trace() {
    let permits = permits(1, 2);
    let held = admitted(&permits, High);
    drop(queued(&permits, High));
    assert_eq!((permits.in_use(), permits.waiting()), (1, 0));
    drop(held);
    assert_eq!(permits.in_use(), 0);
}

#[test]
fn low_priority_leaves_the_reserve_and_high_takes_it() {
    let permits = permits(4, 2);
    assert_eq!(permits.reserved(), 1);
    let mut held: Vec<_> = (0..3).map(|_| admitted(&permits, Low)).collect();
    assert!(!permits.has_free_permit(Low) && permits.has_free_permit(High));
    let mut low = queued(&permits, Low);
    assert!(
        !permits.has_free_permit(Low) && permits.has_free_permit(High),
        "high passes who waits"
    );
    held.push(admitted(&permits, High));
    // A permit of the reserve that is free again is still none for low priority.
    held.pop();
    assert!(poll(&mut low).is_pending());
    held.pop();
    state(&mut low);
}

#[test]
fn a_reserve_is_a_share_and_at_least_one_and_never_all() {
    let reserved = |limit, percent| {
        let reserve = Ratio::percent(percent);
        PermitsConfig { reserve, ..bounded(limit, 0) }.reserve_of(limit)
    };
    assert_eq!([1, 2, 10, 19, 20, 64].map(|limit| reserved(limit, 10)), [0, 1, 1, 1, 2, 6]);
    assert_eq!([1, 2, 10].map(|limit| reserved(limit, 0)), [0, 0, 0]);
    assert_eq!([1, 2, 10].map(|limit| reserved(limit, 100)), [0, 1, 9]);
    assert_eq!(reserved(u32::MAX, 50), u32::MAX / 2);
}

#[test]
fn a_shed_ticket_is_told_and_gives_nothing_back() {
    let permits = permits(2, 2);
    let _held = (admitted(&permits, High), admitted(&permits, High));
    let (mut older, mut younger) = (queued(&permits, Low), queued(&permits, Low));
    let _high = queued(&permits, High);
    assert!(matches!(poll(&mut younger), Poll::Ready(Err(Shed))));
    assert!(poll(&mut older).is_pending());
    drop(younger);
    assert_eq!((permits.in_use(), permits.waiting()), (2, 2));
    // Dropped before it has heard of it.
    let _second = queued(&permits, High);
    drop(older);
    assert_eq!((permits.in_use(), permits.waiting()), (2, 2));
    assert!(
        matches!(permits.acquire(High, QueueSlot::Counted), AcquireOutcome::Full),
        "nobody of low priority is left"
    );
}

#[test]
fn a_limit_that_is_raised_lets_waiters_in_and_one_that_is_lowered_waits_for_room() {
    let permits = permits(1, 4);
    let mut held = vec![admitted(&permits, High)];
    let mut tickets: Vec<_> = (0..4).map(|_| queued(&permits, High)).collect();
    permits.reconfigure(bounded(3, 4));
    held.extend(tickets.drain(..2).map(|mut acquire| state(&mut acquire)));
    assert_eq!((permits.in_use(), permits.waiting()), (3, 2));
    permits.reconfigure(bounded(1, 4));
    for _ in 0..2 {
        held.pop();
        assert!(tickets.iter_mut().all(|acquire| poll(acquire).is_pending()));
    }
    assert_eq!((permits.in_use(), permits.limit()), (1, Some(1)));
    held.pop();
    state(&mut tickets[0]);
}

#[test]
fn a_shorter_queue_keeps_who_is_in_it() {
    let permits = permits(1, 3);
    let held = admitted(&permits, High);
    let mut tickets: Vec<_> = (0..3).map(|_| queued(&permits, High)).collect();
    permits.reconfigure(bounded(1, 0));
    assert!(matches!(permits.acquire(High, QueueSlot::Counted), AcquireOutcome::Full));
    drop(held);
    tickets.iter_mut().for_each(|acquire| drop(state(acquire)));
    assert_eq!((permits.in_use(), permits.waiting()), (0, 0));
}

#[test]
fn a_bound_that_is_lifted_lets_everybody_in_and_its_return_counts_from_there() {
    let permits = permits(1, 3);
    let held = admitted(&permits, High);
    let mut acquire = queued(&permits, Low);
    permits.reconfigure(PermitsConfig::default());
    let low = state(&mut acquire);
    assert!(matches!(permits.acquire(Low, QueueSlot::Counted), AcquireOutcome::Uncounted));
    assert_eq!((permits.limit(), permits.in_use()), (None, 2));
    permits.reconfigure(bounded(1, 0));
    assert!(matches!(permits.acquire(High, QueueSlot::Counted), AcquireOutcome::Full));
    drop((held, low));
    admitted(&permits, High);
}
