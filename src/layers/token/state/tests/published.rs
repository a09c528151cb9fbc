//! The scenarios that AWS publishes for the credential caches of its SDKs (smithy-rs,
//! `credential-refresh-tests.json`, commit 71d3859), in their order and in our words.
//!
//! Departures, by their letters:
//!
//! - A: in the window the old token is given at once and the new one to the next caller; there, one caller
//!   waits for the new one.
//! - B: while refreshes fail, a token that has ended is an error; there, it is given. With
//!   `serve_expired` it is given here too.
//! - C: a settled error in the window is told, the old token goes on, and the issuer is asked again after
//!   about a minute; there, it is an error and the next caller asks again.
//! - D: the window is a fifth of the lifetime and at most 15 min; there, 5, 15 or 60 min by a table. A
//!   configured one is the most here.
//! - E: a token that the provider refused is never given again; there, it is while refreshes fail.
//! - F: the first error of all begins a back-off too, of at most a second, and a settled one of about a
//!   minute; there, the next caller asks again.

use std::time::Duration;

use super::{Bench, LIFE, down, revoked};
use crate::layers::token::config::TokenConfig;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A caller asks and gets this: see [`Bench::ask`].
    Ask(&'static str),
    /// The issuer's answer: a token of so many seconds, the next number.
    Fresh(f64),
    Error,
    /// An error, and a back-off of so many seconds.
    ErrorFor(u64),
    Settled,
    /// A token that has ended.
    Ended,
    Pass(f64),
    /// The provider refuses the token of this generation; what follows.
    Refuse(u64, &'static str),
    /// So many seconds before its hard end, at most and at least, the token is renewed.
    Window(f64, f64),
    /// The longest window is configured.
    Configured(u64),
    ServeExpired(u64),
}

use Step::*;

type Scenario = (&'static str, Option<f64>, &'static [Step]);

const HOUR: f64 = LIFE as f64;
const VALID: Option<f64> = Some(1000.0);
const ADVISORY: Option<f64> = Some(2995.0);
const MANDATORY: Option<f64> = Some(3550.0);
const EXPIRED: Option<f64> = Some(3700.0);

/// Its letters of departure, the age of the present token, and the steps.
const SCENARIOS: [Scenario; 26] = [
    ("1", VALID, &[Ask("1")]),
    ("2 A", ADVISORY, &[Ask("1+"), Fresh(HOUR), Ask("2")]),
    ("3", ADVISORY, &[Ask("1+"), Error, Ask("1")]),
    ("4 A", MANDATORY, &[Ask("1+"), Fresh(HOUR), Ask("2")]),
    ("5", MANDATORY, &[Ask("1+"), Error, Ask("1")]),
    ("6", EXPIRED, &[Ask("wait+"), Fresh(HOUR), Ask("2")]),
    ("7 B", EXPIRED, &[Ask("wait+"), Error, Ask("down")]),
    ("7", EXPIRED, &[ServeExpired(600), Ask("wait+"), Error, Ask("1!")]),
    (
        "8 F",
        None,
        &[Ask("wait+"), Error, Ask("down"), Pass(1.0), Ask("wait+"), Fresh(HOUR), Ask("1")],
    ),
    ("9", ADVISORY, &[Ask("1+"), Ended, Ask("1")]),
    ("10", MANDATORY, &[Ask("1+"), Ended, Ask("1")]),
    ("11 D", None, &[Ask("wait+"), Fresh(600.0), Window(120.0, 96.0)]),
    ("12 D", None, &[Ask("wait+"), Fresh(1230.0), Window(246.0, 196.0)]),
    ("13 D", None, &[Ask("wait+"), Fresh(6.0 * HOUR), Window(900.0, 720.0)]),
    (
        "14 D",
        None,
        &[
            Ask("wait+"),
            Fresh(6.0 * HOUR),
            Pass(6.0 * HOUR - 740.0),
            Ask("1+"),
            Fresh(600.0),
            Ask("2"),
            Window(120.0, 96.0),
        ],
    ),
    ("15", None, &[Configured(1800), Ask("wait+"), Fresh(6.0 * HOUR), Window(1800.0, 1440.0)]),
    (
        "16 C",
        ADVISORY,
        &[Ask("1+"), Settled, Ask("1"), Pass(90.0), Ask("1+"), Fresh(HOUR), Ask("2")],
    ),
    (
        "17 C",
        MANDATORY,
        &[Ask("1+"), Settled, Ask("1"), Pass(90.0), Ask("wait+"), Fresh(HOUR), Ask("2")],
    ),
    ("18", VALID, &[Refuse(1, "repeat+"), Ask("wait"), Fresh(HOUR), Ask("2")]),
    ("19 E", VALID, &[Refuse(1, "repeat+"), Error, Ask("down")]),
    (
        "20 B",
        EXPIRED,
        &[
            Ask("wait+"),
            ErrorFor(280),
            Pass(60.0),
            Refuse(1, "answer"),
            Ask("down"),
            Pass(220.0),
            Ask("wait+"),
            Fresh(HOUR),
            Ask("2"),
        ],
    ),
    (
        "20 E",
        EXPIRED,
        &[
            ServeExpired(600),
            Ask("wait+"),
            ErrorFor(280),
            Pass(60.0),
            Ask("1!"),
            Refuse(1, "answer"),
            Ask("down"),
        ],
    ),
    ("21", VALID, &[Refuse(0, "repeat"), Ask("1")]),
    (
        "22 B",
        EXPIRED,
        &[
            Ask("wait+"),
            ErrorFor(280),
            Pass(200.0),
            Ask("down"),
            Pass(80.0),
            Ask("wait+"),
            Fresh(HOUR),
            Ask("2"),
        ],
    ),
    (
        "22",
        EXPIRED,
        &[
            ServeExpired(600),
            Ask("wait+"),
            ErrorFor(280),
            Pass(200.0),
            Ask("1!"),
            Pass(80.0),
            Ask("1!+"),
            Fresh(HOUR),
            Ask("2"),
        ],
    ),
    (
        "23 F",
        None,
        &[Ask("wait+"), Settled, Ask("revoked"), Pass(90.0), Ask("wait+"), Fresh(HOUR), Ask("1")],
    ),
];

#[test]
fn the_published_scenarios_come_out_as_there_but_for_the_departures() {
    for (name, age, steps) in SCENARIOS {
        let mut bench = age.map_or_else(Bench::new, Bench::aged);
        let mut next = 1 + u32::from(age.is_some());
        for (at, step) in steps.iter().enumerate() {
            take(*step, &mut bench, &mut next, &format!("{name}, step {at}: {step:?}"));
        }
    }
}

fn take(step: Step, bench: &mut Bench, next: &mut u32, place: &str) {
    match step {
        Ask(expected) => assert_eq!(bench.ask(), expected, "{place}"),
        Fresh(life) => {
            bench.token(*next, life);
            *next += 1;
        }
        Error => drop(bench.error(down())),
        ErrorFor(wait) => drop(bench.error(down().retry_in(Duration::from_secs(wait)))),
        Settled => drop(bench.error(revoked())),
        Ended => drop(bench.land(Ok((9, super::Lifetime::For(Duration::ZERO))))),
        Pass(seconds) => bench.pass(seconds),
        Refuse(generation, expected) => assert_eq!(bench.refuse(generation), expected, "{place}"),
        Window(most, least) => {
            let held = bench.machine.held.as_ref().expect("a token");
            let window = (held.hard.expect("an end").at - held.soft.at).as_secs_f64();
            assert!((least * 0.999..=most * 1.001).contains(&window), "{place}: {window}");
        }
        Configured(longest) => {
            let renew_ahead = Duration::from_secs(longest);
            bench.machine.reconfigure(TokenConfig { renew_ahead, ..TokenConfig::default() });
        }
        ServeExpired(limit) => {
            let serve_expired = Some(Duration::from_secs(limit));
            bench.machine.reconfigure(TokenConfig { serve_expired, ..TokenConfig::default() });
        }
    }
}
