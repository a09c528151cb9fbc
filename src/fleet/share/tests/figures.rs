//! Figures for the page. `cargo test --all-features --lib fleet::share -- --nocapture figures`.

use std::time::Duration;

use super::world::World;

/// The share of what could be sent that was sent, while demand moves in this way.
fn used(number: usize, mut demand: impl FnMut(&mut World, u64)) -> (f64, f64) {
    let mut world = World::new(11, number, Duration::from_secs(30));
    demand(&mut world, 0);
    world.run(Duration::from_secs(60));
    let (sent, renewals) = (world.sent, world.renewals);
    let mut wanted = 0.0;
    for second in 0..600 {
        demand(&mut world, second);
        let all: f64 = world.instances.iter().map(|instance| instance.wanted).sum();
        wanted += all.min(world.rate());
        world.run(Duration::from_secs(1));
    }
    ((world.sent - sent) / wanted, (world.renewals - renewals) as f64 / 600.0)
}

#[test]
fn most_of_the_rate_is_used_whether_demand_stands_still_or_moves() {
    for number in [5, 40] {
        let each = 100.0 / number as f64;
        let (too_much, renewals) = used(number, |world, _| world.demand_all(each * 2.0));
        println!(
            "{number} instances, twice too much: {too_much:.3} used, {renewals:.2} renewals a second"
        );
        assert!(too_much > 0.97);
        let (steady, _) = used(number, |world, _| world.demand_all(each * 0.7));
        println!("{number} instances, 70 % steady: {steady:.3} answered");
        assert!(steady > 0.99);
        let (moving, renewals) = used(number, |world, second| {
            // All of it is wanted by one after the other, for 20 s each.
            let busy = (second / 20) as usize % number;
            world.demand_all(each * 0.1);
            world.instances[busy].wanted = 80.0;
        });
        println!(
            "{number} instances, one busy at a time for 20 s: {moving:.3} answered, {renewals:.2} renewals a second"
        );
        assert!(moving > 0.75);
    }
}

#[test]
fn a_share_follows_demand_within_seconds() {
    for (name, others) in [("idle", 1.0), ("wanting all", 1_000.0)] {
        let mut world = World::new(1, 5, Duration::from_secs(30));
        world.demand_all(others);
        world.instances[0].wanted = 0.1;
        world.run(Duration::from_secs(60));
        world.instances[0].wanted = 60.0;
        let fair = if others > 10.0 { 20.0 } else { 60.0 };
        let mut took = Duration::ZERO;
        while world.shares()[0] < fair * 0.9 {
            world.run(Duration::from_millis(100));
            took += Duration::from_millis(100);
            assert!(took < Duration::from_secs(15), "{:?}", world.shares());
        }
        println!("others {name}: {took:?} to nine tenths of its share");
    }
}
