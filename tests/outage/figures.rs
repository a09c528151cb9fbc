//! What is counted of a client whose every call is sent once.

use std::time::Duration;

use crate::plans::catalog::outage;
use crate::plans::run;
use crate::plans::scenario::Scenario;
use crate::plans::stack::Stack;
use crate::provider::plan::Mode;

#[test]
fn a_bare_client_loses_an_outage_and_nothing_after_it() {
    let figures = run(&outage("reset", Mode::Reset, 20), Stack::Bare, 1);
    assert_eq!((figures.calls, figures.useful, figures.answered), (4_000, 3_600, 3_600));
    assert_eq!((figures.calls_while_down, figures.requests_while_down), (400, 400));
    assert_eq!((figures.lost_after, figures.recovered_after), (0.0, Some(Duration::ZERO)));
    assert_eq!((figures.worst_second, figures.first_second_back), (1.0, 1.0));
    assert_eq!(figures.wait_in_vain, Some(Duration::ZERO));
    assert!((90..150).contains(&figures.unknown), "about three of ten: {}", figures.unknown);
}

#[test]
fn whoever_is_never_answered_waits_for_ever() {
    let figures = run(&outage("stuck", Mode::Stuck, 20), Stack::Bare, 1);
    assert_eq!((figures.unfinished, figures.answered), (400, 3_600));
    assert_eq!((figures.wait_in_vain, figures.done_after), (None, None));
}

#[test]
fn an_answer_that_comes_too_late_is_of_no_use() {
    let slow = Mode::Slow { answer: Duration::from_secs(6) };
    let figures = run(&Scenario::new("slow").then(slow, 5).recovers(10), Stack::Bare, 1);
    assert_eq!((figures.calls, figures.answered), (2_700, 2_700));
    assert_eq!(figures.answered - figures.useful, 100);
}

#[test]
fn the_same_seed_comes_to_the_same_figures() {
    let run = |seed| {
        let scenario = outage("reset", Mode::Reset, 20);
        format!("{:?}", run(&scenario, Stack::UserFlow, seed))
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
