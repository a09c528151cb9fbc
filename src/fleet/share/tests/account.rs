//! An account whose rate is set anew.

use std::time::Duration;

use super::super::fair::{FEWEST, OtherHolders, Portion, portion};
use super::super::lease::{LeaseTerms, ShareLease};
use super::{RATE, holder};
use crate::rate_limit::Quota;
use crate::rt::{self, Clock, Rng};

fn quota(requests: u32) -> Quota {
    Quota { requests, per: Duration::from_secs(1), burst: 1 }
}

fn lease_of(share: u64, fair: u64) -> ShareLease {
    let (now, terms) = (rt::now(), LeaseTerms { lease: Duration::from_secs(30) });
    let mut lease = ShareLease::new(terms, quota(100), now);
    let portion = Portion { share, fair, free: 0, counted: share, holders: FEWEST };
    lease.granted(portion, (now, Clock::system().wall()), now, &Rng::seeded(1));
    lease
}

#[test]
fn a_rate_that_is_lowered_lowers_shares_in_the_same_way_without_the_database() {
    let mut lease = lease_of(RATE / 40, RATE / 40);
    lease.set_quota(quota(10), rt::now());
    assert_eq!(lease.using(), 0.25);
    lease.set_quota(quota(100), rt::now());
    assert_eq!(lease.using(), 0.25, "more has to be given");
}

#[test]
fn who_holds_too_much_of_a_lowered_rate_keeps_its_fair_part() {
    let others = OtherHolders { live: vec![holder(RATE / 4, RATE * 2); 3], silent: 0 };
    let mut asking = holder(RATE / 4, RATE * 2);
    asking.rate = RATE / 2;
    let answer = portion(asking, &others);
    assert_eq!((answer.share, answer.counted), (answer.fair, RATE / 4));
    assert!(answer.fair > RATE / 9, "{answer:?}");
}

#[test]
fn a_share_is_to_rise_while_others_have_to_lower_theirs_and_while_nobody_has_answered() {
    let (now, clock, rng) = (rt::now(), Clock::system(), Rng::seeded(1));
    let mut unheard = ShareLease::new(LeaseTerms::default(), quota(100), now);
    assert!(unheard.share(clock, now).is_to_rise);
    unheard.failed(now, &rng);
    assert!(!unheard.share(clock, now).is_to_rise, "the database is away");
    assert!(lease_of(0, RATE / 2).share(clock, now).is_to_rise);
    assert!(!lease_of(RATE / 2, RATE / 2).share(clock, now).is_to_rise);
}
