//! What callers and providers get on a bad day, through four kinds of client.
//!
//! `cargo bench --bench outage`. Nothing is timed: whole days are lived through in virtual time over
//! a provider in memory, and counted. It prints three tables, and a sentence for every bar that is
//! not held.
//!
//! `cargo bench --bench outage -- --seeds 5 --first-seed 100 --rate 50 --longer 0.5 --only reset --check`:
//! other seeds (3, from 1 on), other calls a second in all scenarios, troubles half as long, only the
//! scenarios whose name says `reset`, and an exit code that isn't 0 if a bar is not held.

#[expect(dead_code, reason = "tables read less than worlds do")]
#[path = "../tests/simulation/provider.rs"]
mod provider;

#[path = "../tests/simulation/plans.rs"]
mod plans;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use plans::figures::Figures;
use plans::scenario::Scenario;
use plans::stack::Stack;
use plans::{bars, catalog};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let asked = match Asked::read(&arguments) {
        Ok(asked) => asked,
        Err(mistake) => {
            eprintln!("{mistake}");
            return ExitCode::FAILURE;
        }
    };
    let persons = asked.adjust(catalog::persons());
    let jobs = asked.adjust(catalog::jobs());
    let persons = live(&asked, persons, &[Stack::Bare, Stack::Tower, Stack::UserFlow]);
    let jobs = live(&asked, jobs, &[Stack::Background]);

    table(
        "Useful over the whole run, % / seconds of traffic lost after the provider is back",
        &persons,
        useful,
    );
    let down: Vec<_> =
        persons.iter().filter(|lived| lived.scenario.outages().count() > 0).collect();
    table(
        "Load while down, x what was asked / mean wait of a call in vain, s / \
         worst second's requests per call / unsafe calls of unknown outcome",
        down,
        load,
    );
    table(
        "Jobs answered (load while down / requests in the first second after it, x the usual / \
         the last job from before is done after, s)",
        &jobs,
        answered,
    );

    let broken = persons
        .iter()
        .flat_map(|lived| bars::persons(&lived.scenario, &lived.figures[0].1, &lived.figures[2].1));
    let broken = broken
        .chain(jobs.iter().flat_map(|lived| bars::jobs(&lived.scenario, &lived.figures[0].1)));
    let broken: Vec<_> = broken.collect();
    println!("\n{} bars are not held", broken.len());
    broken.iter().for_each(|sentence| println!("- {sentence}"));
    match asked.checks && !broken.is_empty() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

/// What the arguments ask for.
struct Asked {
    seeds: u64,
    first_seed: u64,
    rate: Option<f64>,
    longer: f64,
    only: String,
    checks: bool,
}

/// A scenario, and what each stack came to in it, over all seeds.
struct Lived {
    scenario: Scenario,
    figures: Vec<(Stack, Figures)>,
}

impl Asked {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let (seeds, first_seed, only) = (3, 1, String::new());
        let mut asked = Self { seeds, first_seed, rate: None, longer: 1.0, only, checks: false };
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            if name == "--check" {
                asked.checks = true;
            }
            // Cargo says this to all benches.
            if name == "--check" || name == "--bench" {
                continue;
            }
            let value = arguments.next().ok_or(format!("{name}: what?"))?;
            let number =
                || value.parse::<f64>().map_err(|error| format!("{name} {value}: {error}"));
            match name.as_str() {
                "--seeds" => asked.seeds = number()? as u64,
                "--first-seed" => asked.first_seed = number()? as u64,
                "--rate" => asked.rate = Some(number()?),
                "--longer" => asked.longer = number()?,
                "--only" => asked.only.clone_from(value),
                _ => return Err(format!("{name}: unknown")),
            }
        }
        Ok(asked)
    }

    fn adjust(&self, scenarios: Vec<Scenario>) -> Vec<Scenario> {
        let those = scenarios.into_iter().filter(|scenario| scenario.name.contains(&self.only));
        let longer = those.map(|scenario| scenario.longer(self.longer));
        longer
            .map(|scenario| match self.rate {
                Some(rate) => scenario.rate(rate),
                None => scenario,
            })
            .collect()
    }
}

/// Lives through all of them, on two threads.
fn live(asked: &Asked, scenarios: Vec<Scenario>, stacks: &[Stack]) -> Vec<Lived> {
    let runs: Vec<_> = scenarios
        .iter()
        .flat_map(|scenario| stacks.iter().map(move |stack| (scenario, *stack)))
        .collect();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(vec![Figures::default(); runs.len()]));
    let work = || {
        let mine = || next.fetch_add(1, Ordering::Relaxed);
        for at in std::iter::repeat_with(mine) {
            let Some((scenario, stack)) = runs.get(at) else { return };
            let seeds = asked.first_seed..asked.first_seed + asked.seeds;
            let lived: Vec<_> = seeds.map(|seed| plans::run(scenario, *stack, seed)).collect();
            done.lock().expect("no panic holds it")[at] = Figures::sum(&lived);
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(work);
        threads.spawn(work);
    });
    let mut figures = done.into_inner().expect("no panic held it").into_iter();
    let lived = scenarios.iter().map(|scenario| Lived {
        scenario: scenario.clone(),
        figures: stacks.iter().copied().zip(figures.by_ref()).collect(),
    });
    lived.collect()
}

fn table<'a>(
    title: &str,
    lived: impl IntoIterator<Item = &'a Lived>,
    cell: fn(&Figures) -> String,
) {
    println!("\n{title}\n");
    for (at, lived) in lived.into_iter().enumerate() {
        if at == 0 {
            print!("{:<42}", "");
            lived.figures.iter().for_each(|(stack, _)| print!("{:>33}", stack.name()));
            println!();
        }
        print!("{:<42}", lived.scenario.name);
        lived.figures.iter().for_each(|(_, figures)| print!("{:>33}", cell(figures)));
        println!();
    }
}

fn useful(figures: &Figures) -> String {
    format!("{:.1} / {:.1}", figures.useful_share() * 100.0, figures.lost_after)
}

fn load(figures: &Figures) -> String {
    let wait = figures.wait_in_vain.map_or("for ever".to_owned(), seconds);
    let (load, worst) = (figures.load_while_down(), figures.worst_second);
    format!("{load:.2} / {wait} / {worst:.2} / {}", figures.unknown)
}

fn answered(figures: &Figures) -> String {
    let (load, first) = (figures.load_while_down(), figures.first_second_back);
    let last = figures.done_after.map_or("never".to_owned(), seconds);
    format!("{} of {} ({load:.2} / {first:.1} / {last})", figures.answered, figures.calls)
}

fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}
