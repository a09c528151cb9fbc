//! Runs many worlds, or one again.
//!
//! | variable | |
//! |---|---|
//! | `OUTRIGGER_SIM_WORLDS` | how many worlds are run, of the seeds from 0 on; 1,000 by default |
//! | `OUTRIGGER_SIM_SEED` | the world that `replay` runs, and shows step by step |

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::promises::Broken;
use crate::shrink::shrunk;
use crate::spec::Spec;
use crate::world::{self, Report};

/// What many worlds came to.
#[derive(Debug, Default)]
struct Sum {
    broken: BTreeMap<u64, Broken>,
    requests: usize,
}

#[test]
fn every_promise_holds_in_every_world() {
    let worlds = number("OUTRIGGER_SIM_WORLDS").unwrap_or(WORLDS);
    let sum = run(worlds);
    println!("{worlds} worlds, {} requests", sum.requests);
    let mut by_promise = BTreeMap::<_, Vec<_>>::new();
    for (seed, broken) in &sum.broken {
        by_promise.entry(broken.promise).or_default().push(*seed);
    }
    let replays: Vec<_> = sum.broken.iter().take(SHOWN).map(|(seed, broken)| {
        format!(
            "{broken:?}\n  OUTRIGGER_SIM_SEED={seed} cargo test --all-features --test simulation replay -- --nocapture\n"
        )
    }).collect();
    assert!(
        replays.is_empty(),
        "{} worlds broke a promise, {by_promise:?}:\n{}",
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
    let (next, (tell, told)) = (Arc::new(AtomicU64::new(0)), mpsc::channel());
    for _ in 0..2 {
        let (next, tell) = (Arc::clone(&next), tell.clone());
        thread::spawn(move || {
            let seeds = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
            for seed in seeds.take_while(|seed| *seed < worlds) {
                let said = tell.send((seed, None));
                let run = AssertUnwindSafe(|| world::run(&Spec::of(seed), false));
                let report = catch_unwind(run).unwrap_or_else(|_| Report::of_a_panic());
                if said.and_then(|()| tell.send((seed, Some(report)))).is_err() {
                    return;
                }
            }
        });
    }
    drop(tell);
    sum(&told)
}

fn sum(told: &mpsc::Receiver<(u64, Option<Report>)>) -> Sum {
    let (mut sum, mut under_way) = (Sum::default(), BTreeSet::new());
    loop {
        let report = match told.recv_timeout(STUCK) {
            Ok((seed, None)) => {
                under_way.insert(seed);
                continue;
            }
            Ok((seed, Some(report))) => {
                under_way.remove(&seed);
                sum.broken.extend(report.broken.clone().map(|broken| (seed, broken)));
                report
            }
            Err(RecvTimeoutError::Timeout) => {
                panic!("no world came to its end for {STUCK:?}: {under_way:?} are under way")
            }
            Err(RecvTimeoutError::Disconnected) => return sum,
        };
        sum.requests += report.requests;
    }
}

pub(crate) fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, and not {text:?}")))
}

const WORLDS: u64 = 1_000;
/// Of many worlds that break a promise, the first tell enough.
const SHOWN: usize = 5;
/// On a machine with much else to do, a world takes no second; one in which something spins without
/// letting time go on takes for ever.
const STUCK: Duration = Duration::from_secs(120);
