//! Those that have lost their way to the database, or that the database has lost.

use std::time::Duration;

use super::world::{Fault, World};

const LEASE: Duration = Duration::from_secs(10);

/// All want more than there is, for long enough.
fn busy(seed: u64, number: usize) -> World {
    let mut world = World::new(seed, number, LEASE);
    world.demand_all(1_000.0);
    world.run(LEASE * 3);
    world
}

#[test]
fn an_outage_of_the_database_that_is_shorter_than_a_lease_takes_the_share_from_nobody() {
    let mut world = busy(3, 5);
    let before = world.shares();
    world.database_is_up(false);
    world.run(LEASE / 2);
    assert_eq!(world.shares(), before);
    world.database_is_up(true);
    for _ in 0..100 {
        world.run(Duration::from_millis(100));
        assert!(world.shares().iter().all(|share| *share > world.rate() / 5.0 * 0.9));
    }
}

#[test]
fn after_a_longer_outage_all_have_their_shares_within_seconds_and_never_more_than_the_rate() {
    let mut world = busy(3, 5);
    world.database_is_up(false);
    world.run(Duration::from_secs(900));
    assert!(world.shares().iter().all(|share| *share > 0.0 && *share <= world.rate() / 100.0));
    world.database_is_up(true);
    world.run(Duration::from_secs(5));
    let shares = world.shares();
    assert!(shares.iter().all(|share| *share > world.rate() / 5.0 * 0.9), "{shares:?}");
    assert!(world.excess() <= 1e-6, "{} over", world.excess());
}

#[test]
fn one_that_is_killed_is_dead_when_its_lease_has_ended_however_long_nobody_asks() {
    for pause in [LEASE, LEASE * 2, LEASE * 100] {
        let mut world = busy(7, 1);
        world.fault(0, Fault::Killed);
        world.run(pause);
        world.start();
        world.demand_all(1_000.0);
        world.run(Duration::from_millis(500));
        assert!(world.shares()[1] > world.rate() * 0.9, "{pause:?}: {:?}", world.shares());
    }
}

#[test]
fn lives_that_are_shorter_than_a_lease_do_not_prolong_those_before_them() {
    let mut world = busy(7, 1);
    for life in 0..7 {
        world.fault(life, Fault::Killed);
        world.run(LEASE + Duration::from_secs(1));
        world.start();
        world.demand_all(1_000.0);
        world.run(LEASE / 2);
        assert!(world.shares()[life + 1] > world.rate() * 0.8, "{life}: {:?}", world.shares());
    }
}

#[test]
fn a_lease_that_ends_later_than_any_can_ends_as_one_that_was_given_now() {
    let mut world = busy(4, 3);
    // The database's clock was ahead for a moment.
    world.ends_later(Duration::from_secs(86_400));
    world.fault(0, Fault::Killed);
    world.run(LEASE * 2);
    assert!(world.shares()[1] > world.rate() / 2.0 * 0.9, "{:?}", world.shares());
}

#[test]
fn one_that_is_alone_without_the_database_goes_on_with_a_hundredth_that_nobody_else_has() {
    let mut world = busy(5, 3);
    world.fault(0, Fault::Partitioned);
    world.run(Duration::from_secs(300));
    assert!((world.shares()[0] - world.rate() / 100.0).abs() < 1e-6, "{:?}", world.shares());
    world.run(Duration::from_secs(3_000));
    assert!((world.shares()[0] - world.rate() / 1_000.0).abs() < 1e-6, "{:?}", world.shares());
    assert!(world.excess() <= 1e-6, "{} over", world.excess());
    world.fault(0, Fault::Healed);
    world.run(Duration::from_secs(20));
    assert!(world.shares()[0] > world.rate() / 3.0 * 0.9, "{:?}", world.shares());
}

#[test]
fn half_of_a_fleet_that_is_cut_off_is_never_over_the_rate_not_after_an_hour_either() {
    let mut world = busy(6, 40);
    // Forty that have had no answer yet are more than the ten that the rate has room for.
    let before = world.excess();
    (0..20).for_each(|at| world.fault(at, Fault::Partitioned));
    world.run(Duration::from_secs(3_600));
    assert!(world.shares().iter().all(|share| *share > 0.0), "{:?}", world.shares());
    assert!(world.excess() - before <= 1e-6, "{} over", world.excess() - before);
}

#[test]
fn the_end_of_a_share_raises_it_for_nobody_however_many_they_are() {
    let mut world = busy(8, 200);
    world.database_is_up(false);
    world.run(LEASE * 2);
    let all: f64 = world.shares().iter().sum();
    assert!(all <= world.rate() / 10.0 + 1e-6, "{all}");
}

#[test]
fn two_hundred_that_start_without_the_database_use_a_fifth_of_the_rate() {
    let mut world = World::new(9, 200, LEASE);
    world.database_is_up(false);
    world.demand_all(1_000.0);
    world.run(LEASE);
    let all: f64 = world.shares().iter().sum();
    assert!((all - world.rate() / 5.0).abs() < 1e-6, "{all}");
}

#[test]
fn instances_that_flap_for_longer_than_anybody_is_remembered_are_never_over_the_rate() {
    for seed in 0..8 {
        let mut world = World::new(seed, 3 + seed as usize, Duration::from_secs(4));
        for _ in 0..60_000 {
            world.random_step();
        }
        assert!(world.excess() <= 1e-6, "seed {seed}: {} over", world.excess());
    }
}
