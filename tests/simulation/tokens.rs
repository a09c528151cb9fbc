//! Worlds in which tokens' issuers and the provider that reads them have bad days.
//!
//! As in [`runs`](crate::runs): `OUTRIGGER_SIM_WORLDS` says how many, `OUTRIGGER_SIM_SEED` which one `replay`
//! runs and shows.

#[path = "tokens/check.rs"]
mod check;
#[path = "tokens/log.rs"]
mod log;
#[path = "tokens/parties.rs"]
mod parties;
#[path = "tokens/spec.rs"]
mod spec;
#[path = "tokens/world.rs"]
mod world;

use crate::runs::number;
use spec::Spec;

#[test]
fn no_call_is_worse_off_than_its_token_allows_and_no_issuer_is_hurried() {
    let worlds = number("OUTRIGGER_SIM_WORLDS").unwrap_or(WORLDS);
    let (mut broken, mut calls, mut fetches) = (Vec::new(), [0; 4], 0);
    for seed in 0..worlds {
        let log = world::run(&Spec::of(seed));
        broken.extend(check::all(&log).err().map(|what| (seed, what)));
        calls = std::array::from_fn(|kind| calls[kind] + log.count(kind));
        fetches += log.fetches.len();
    }
    let [served, refused, without, repeated] = calls;
    println!(
        "{worlds} worlds: {served} calls served, {refused} refused, {without} without a token, \
        {repeated} repeated, {fetches} fetches"
    );
    assert!(broken.is_empty(), "{} worlds: {:#?}", broken.len(), &broken[..broken.len().min(5)]);
    assert!(calls.iter().all(|kind| *kind as u64 > worlds / 4), "hardly anything happened");
}

#[test]
fn replay() {
    let asked = number("OUTRIGGER_SIM_SEED");
    for seed in asked.map_or(0..3, |seed| seed..seed + 1) {
        let spec = Spec::of(seed);
        let log = world::run(&spec);
        if asked.is_some() {
            println!("{spec:#?}\n{}", log.lines().join("\n"));
        }
        let again = world::run(&spec).lines();
        let differs = log.lines().into_iter().zip(again).find(|(one, other)| one != other);
        assert_eq!(differs, None, "the world of seed {seed} is another one each time");
        check::all(&log).unwrap();
    }
}

const WORLDS: u64 = 100;
