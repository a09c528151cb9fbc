//! Runs many worlds, or one again.
//!
//! | variable | |
//! |---|---|
//! | `OUTRIGGER_SIM_WORLDS` | how many worlds are run, of the seeds from 0 on; 1,000 by default |
//! | `OUTRIGGER_SIM_SEED` | the world that `replay` runs, and shows step by step |

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::promises::{Broken, Promise};
use crate::shrink::shrunk;
use crate::spec::Spec;
use crate::world::{self, Report};

/// What many worlds came to.
#[derive(Debug, Default)]
struct Sum {
    broken: BTreeMap<u64, Broken>,
    later: BTreeMap<Promise, u64>,
    requests: usize,
}

#[test]
fn every_promise_holds_in_every_world() {
    let worlds = number("OUTRIGGER_SIM_WORLDS").unwrap_or(WORLDS);
    let sum = run(worlds);
    println!("{worlds} worlds, {} requests; kept later: {:?}", sum.requests, sum.later);
    let replays: Vec<_> = sum.broken.iter().take(SHOWN).map(|(seed, broken)| {
        format!(
            "{broken:?}\n  OUTRIGGER_SIM_SEED={seed} cargo test --all-features --test simulation replay -- --nocapture\n"
        )
    }).collect();
    assert!(
        replays.is_empty(),
        "{} worlds broke a promise:\n{}",
        sum.broken.len(),
        replays.concat()
    );
    assert!(sum.requests as u64 > worlds, "hardly anything happened");
}

/// The same seed makes the same world, to the last step; one that breaks a promise is shown as it is
/// and as small as it gets.
#[test]
fn replay() {
    let asked = number("OUTRIGGER_SIM_SEED");
    for seed in asked.map_or(0..SHOWN as u64, |seed| seed..seed + 1) {
        let spec = Spec::of(seed);
        let report = world::run(&spec, true);
        if asked.is_some() {
            println!("{spec:#?}\n{}", report.trace.join("\n"));
        }
        let again = world::run(&spec, true);
        let differs = report.trace.iter().zip(&again.trace).find(|(one, other)| one != other);
        assert_eq!(differs, None, "the world of seed {seed} is another one each time");
        if let Some(broken) = report.broken {
            let smallest = shrunk(&spec, broken.promise);
            let trace = world::run(&smallest, true).trace.join("\n");
            panic!(
                "seed {seed}: {broken:?}\nin the least world that breaks it:\n{smallest:#?}\n{trace}"
            );
        }
    }
}

/// On two threads, each world in a runtime of its own.
fn run(worlds: u64) -> Sum {
    let (next, sum) = (AtomicU64::new(0), Mutex::new(Sum::default()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= worlds {
                        return;
                    }
                    let run = AssertUnwindSafe(|| world::run(&Spec::of(seed), false));
                    let report = catch_unwind(run).unwrap_or_else(|_| Report::of_a_panic());
                    let mut sum = sum.lock().expect("nobody panics with it");
                    sum.requests += report.requests;
                    for later in report.later {
                        *sum.later.entry(later.promise).or_default() += 1;
                    }
                    sum.broken.extend(report.broken.map(|broken| (seed, broken)));
                }
            });
        }
    });
    sum.into_inner().expect("nobody panics with it")
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, and not {text:?}")))
}

const WORLDS: u64 = 1_000;
/// Of many worlds that break a promise, the first tell enough.
const SHOWN: usize = 5;
