//! The target of the fuzzer, over its seeds and what is near them.

#[path = "../fuzz/signature.rs"]
mod signature;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds/signature");
    let read = |entry: std::io::Result<fs::DirEntry>| fs::read(entry.unwrap().path()).unwrap();
    let mut seeds: Vec<_> = fs::read_dir(folder).unwrap().map(read).collect();
    seeds.sort();
    seeds
}

#[test]
fn two_of_the_fuzzers_seeds_hold_and_no_part_of_them_does() {
    let held = seeds().iter().filter(|seed| signature::holds(seed) == Some(true)).count();
    assert_eq!(held, 2);
    for seed in seeds() {
        // The last bytes are the body, and one of them is missing.
        (0..seed.len()).for_each(|end| assert_ne!(signature::holds(&seed[..end]), Some(true)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_near_a_seed_keeps_the_promises(
        seed in proptest::sample::select(seeds()),
        at in any::<prop::sample::Index>(),
        put in proptest::collection::vec(any::<u8>(), 0..4),
        text in "[ -~]{0,6}",
    ) {
        for put in [put, text.into_bytes()] {
            let mut near = seed.clone();
            let at = at.index(near.len());
            near.splice(at..(at + put.len()).min(seed.len()), put);
            signature::holds(&near);
        }
    }
}
