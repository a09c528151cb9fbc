use super::*;
use crate::bulkhead::Priority::{High, Low};

#[test]
fn a_place_given_back_goes_to_who_came_first() {
    let places = places(1, 2);
    let held = admitted(&places, High);
    let (mut first, mut second) = (queued(&places, High), queued(&places, High));
    assert!(matches!(places.enter(High, Standing::Counted), Entry::Full));
    drop(held);
    assert!(poll(&mut second).is_pending());
    drop(turn(&mut first));
    turn(&mut second);
}

#[test]
fn nobody_overtakes_the_queue() {
    let places = places(1, 2);
    let held = admitted(&places, High);
    let _first = queued(&places, High);
    drop(held);
    // The place is promised, though nobody has picked it up yet.
    assert!(!places.has_room(High));
    queued(&places, High);
}

#[test]
fn a_ticket_dropped_after_its_turn_came_hands_the_place_on() {
    let places = places(1, 2);
    let held = admitted(&places, High);
    let (first, mut second) = (queued(&places, High), queued(&places, High));
    drop(held);
    drop(first);
    turn(&mut second);
}

#[test]
fn a_ticket_dropped_while_it_waits_leaves_no_trace() {
    let places = places(1, 2);
    let held = admitted(&places, High);
    drop(queued(&places, High));
    assert_eq!((places.in_use(), places.waiting()), (1, 0));
    drop(held);
    assert_eq!(places.in_use(), 0);
}

#[test]
fn low_priority_leaves_the_reserve_and_high_takes_it() {
    let places = places(4, 2);
    assert_eq!(places.reserved(), 1);
    let mut held: Vec<_> = (0..3).map(|_| admitted(&places, Low)).collect();
    assert!(!places.has_room(Low) && places.has_room(High));
    let mut low = queued(&places, Low);
    assert!(!places.has_room(Low) && places.has_room(High), "high passes who waits");
    held.push(admitted(&places, High));
    // A place of the reserve that is free again is still none for low priority.
    held.pop();
    assert!(poll(&mut low).is_pending());
    held.pop();
    turn(&mut low);
}

#[test]
fn a_reserve_is_a_share_and_at_least_one_and_never_all() {
    let reserved = |limit, percent| {
        let reserve = Ratio::percent(percent);
        PlacesConfig { reserve, ..bounded(limit, 0) }.reserve_of(limit)
    };
    assert_eq!([1, 2, 10, 19, 20, 64].map(|limit| reserved(limit, 10)), [0, 1, 1, 1, 2, 6]);
    assert_eq!([1, 2, 10].map(|limit| reserved(limit, 0)), [0, 0, 0]);
    assert_eq!([1, 2, 10].map(|limit| reserved(limit, 100)), [0, 1, 9]);
    assert_eq!(reserved(u32::MAX, 50), u32::MAX / 2);
}

#[test]
fn a_shed_ticket_is_told_and_gives_nothing_back() {
    let places = places(2, 2);
    let _held = (admitted(&places, High), admitted(&places, High));
    let (mut older, mut younger) = (queued(&places, Low), queued(&places, Low));
    let _high = queued(&places, High);
    assert!(matches!(poll(&mut younger), Poll::Ready(Err(Shed))));
    assert!(poll(&mut older).is_pending());
    drop(younger);
    assert_eq!((places.in_use(), places.waiting()), (2, 2));
    // Dropped before it has heard of it.
    let _second = queued(&places, High);
    drop(older);
    assert_eq!((places.in_use(), places.waiting()), (2, 2));
    assert!(
        matches!(places.enter(High, Standing::Counted), Entry::Full),
        "nobody of low priority is left"
    );
}

#[test]
fn a_limit_that_is_raised_lets_waiters_in_and_one_that_is_lowered_waits_for_room() {
    let places = places(1, 4);
    let mut held = vec![admitted(&places, High)];
    let mut tickets: Vec<_> = (0..4).map(|_| queued(&places, High)).collect();
    places.reconfigure(bounded(3, 4));
    held.extend(tickets.drain(..2).map(|mut ticket| turn(&mut ticket)));
    assert_eq!((places.in_use(), places.waiting()), (3, 2));
    places.reconfigure(bounded(1, 4));
    for _ in 0..2 {
        held.pop();
        assert!(tickets.iter_mut().all(|ticket| poll(ticket).is_pending()));
    }
    assert_eq!((places.in_use(), places.limit()), (1, Some(1)));
    held.pop();
    turn(&mut tickets[0]);
}

#[test]
fn a_shorter_queue_keeps_who_is_in_it() {
    let places = places(1, 3);
    let held = admitted(&places, High);
    let mut tickets: Vec<_> = (0..3).map(|_| queued(&places, High)).collect();
    places.reconfigure(bounded(1, 0));
    assert!(matches!(places.enter(High, Standing::Counted), Entry::Full));
    drop(held);
    tickets.iter_mut().for_each(|ticket| drop(turn(ticket)));
    assert_eq!((places.in_use(), places.waiting()), (0, 0));
}

#[test]
fn a_bound_that_is_lifted_lets_everybody_in_and_its_return_counts_from_there() {
    let places = places(1, 3);
    let held = admitted(&places, High);
    let mut ticket = queued(&places, Low);
    places.reconfigure(PlacesConfig::default());
    let low = turn(&mut ticket);
    assert!(matches!(places.enter(Low, Standing::Counted), Entry::Uncounted));
    assert_eq!((places.limit(), places.in_use()), (None, 2));
    places.reconfigure(bounded(1, 0));
    assert!(matches!(places.enter(High, Standing::Counted), Entry::Full));
    drop((held, low));
    admitted(&places, High);
}
