mod account;
mod figures;
mod lost;
mod world;

use std::time::Duration;

use super::fair::{Holder, OtherHolders, portion};
use world::{Fault, World};

const RATE: u64 = 100_000_000;
/// A hundredth is for those that have no lease.
const TO_GIVE: u64 = RATE / 100 * 99;

fn holder(using: u64, demand: u64) -> Holder {
    Holder { using, demand, rate: RATE }
}

/// What each gets once all have lowered and raised theirs.
fn settled(demands: &[u64]) -> Vec<u64> {
    let mut holders: Vec<_> = demands.iter().map(|demand| holder(0, *demand)).collect();
    for _ in 0..4 {
        for at in 0..holders.len() {
            let live = holders.iter().enumerate().filter(|(other, _)| *other != at);
            let live = live.map(|(_, holder)| *holder).collect();
            holders[at].using = portion(holders[at], &OtherHolders { live, silent: 0 }).share;
        }
    }
    holders.iter().map(|holder| holder.using).collect()
}

#[test]
fn those_that_want_little_get_it_and_the_others_get_the_same() {
    let shares = settled(&[1_000_000, 10_000_000, 500_000_000, 500_000_000]);
    assert!(shares[0] >= 1_250_000 && shares[1] >= 12_500_000, "{shares:?}");
    assert_eq!(shares[2], shares[3]);
    assert!(shares[2] > 40_000_000, "{shares:?}");
}

#[test]
fn one_that_is_idle_holds_little_and_enough_to_begin() {
    let shares = settled(&[0, 0, 0, 0, 80_000_000]);
    assert!(shares[..4].iter().all(|share| (1_000_000..5_000_000).contains(share)), "{shares:?}");
    assert!(shares[4] > 80_000_000, "{shares:?}");
}

#[test]
fn who_has_to_give_back_is_counted_with_what_it_had_until_it_says_so() {
    let newcomer = holder(0, RATE);
    let others = |using| OtherHolders { live: vec![holder(using, RATE)], silent: 0 };
    let answer = portion(newcomer, &others(RATE));
    assert_eq!((answer.share, answer.fair, answer.counted), (0, TO_GIVE / 2, 0));
    let other = OtherHolders { live: vec![newcomer], silent: 0 };
    let told = portion(holder(RATE, RATE), &other);
    assert_eq!((told.share, told.counted), (TO_GIVE / 2, RATE));
    assert_eq!(portion(newcomer, &others(told.share)).share, TO_GIVE / 2);
}

#[test]
fn of_two_rates_the_lower_one_holds() {
    let cautious = Holder { rate: RATE / 10, ..holder(0, RATE) };
    let others = OtherHolders { live: vec![cautious], silent: 0 };
    assert!(portion(holder(0, RATE), &others).share <= RATE / 10);
}

#[test]
fn those_that_crash_again_and_again_leave_nine_tenths_to_the_others() {
    let others = OtherHolders { live: Vec::new(), silent: 1_000 };
    assert!(portion(holder(0, RATE), &others).share >= RATE / 10 * 9 * 9 / 10);
}

#[test]
fn shares_are_never_more_than_the_rate_whatever_is_lost_and_whoever_stops() {
    for seed in 0..300 {
        let mut world = World::new(seed, 2 + seed as usize % 7, Duration::from_secs(10));
        for step in 0..3_000 {
            world.random_step();
            let (live, rate) = (world.live_shares(), world.rate());
            assert!(live <= rate + 1e-6, "seed {seed}, step {step}: {live} of {rate} a second");
            let counted = world.counted();
            assert!(counted <= rate + 1e-6, "seed {seed}, step {step}: {counted} are counted");
        }
        assert!(world.excess() <= 1e-6, "seed {seed}: {} over", world.excess());
    }
}

#[test]
fn nobody_starves() {
    for seed in 0..50 {
        let mut world = World::new(seed, 6, Duration::from_secs(10));
        world.demand_all(1_000.0);
        world.run(Duration::from_secs(30));
        let equal = world.rate() / 6.0;
        let least = world.shares().into_iter().fold(f64::MAX, f64::min);
        assert!(least > equal * 0.95, "seed {seed}: {:?}", world.shares());
    }
}

#[test]
fn the_share_of_one_that_is_killed_comes_back_when_its_lease_has_ended_and_after_a_farewell_at_once()
 {
    for (fault, before, after) in [(Fault::Killed, 8, 14), (Fault::Left, 0, 3)] {
        let mut world = World::new(7, 2, Duration::from_secs(10));
        world.demand_all(1_000.0);
        world.run(Duration::from_secs(20));
        world.fault(0, fault);
        world.run(Duration::from_secs(before));
        if fault == Fault::Killed {
            assert!(world.shares()[1] < world.rate() * 0.6, "{:?}", world.shares());
        }
        world.run(Duration::from_secs(after));
        assert!(world.shares()[1] > world.rate() * 0.9, "{:?}", world.shares());
    }
}
