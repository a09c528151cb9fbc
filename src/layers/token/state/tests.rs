use proptest::prelude::{Just, Strategy, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::*;

mod published;

const LIFE: u64 = 3600;

/// A machine, its clocks and what a test sees.
struct Bench {
    machine: Machine<u32>,
    now: Now,
    rng: Rng,
    running: Option<(Flight, Now)>,
}

impl Bench {
    fn new() -> Self {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let now = Now { at: rt::now(), wall };
        let machine = Machine::new(TokenConfig::default());
        Self { machine, now, rng: Rng::seeded(7), running: None }
    }

    /// An ended token is sent for so many seconds.
    fn serving_expired(mut self, seconds: u64) -> Self {
        let serve_expired = Some(Duration::from_secs(seconds));
        self.machine.reconfigure(TokenConfig { serve_expired, ..TokenConfig::default() });
        self
    }

    /// With a token, number 1, that was asked for `age` seconds ago.
    fn aged(age: f64) -> Self {
        let mut bench = Self::new();
        assert_eq!(bench.ask(), "wait+");
        bench.token(1, LIFE as f64);
        bench.pass(age);
        bench
    }

    fn pass(&mut self, seconds: f64) {
        self.now = self.now.after(Duration::from_secs_f64(seconds));
    }

    /// In a word: the token, with `!` if it has ended, or what else, with `+` if a fetch begins.
    fn ask(&mut self) -> String {
        let (word, begin) = match self.machine.ask(self.now) {
            Ask::Use { token, ended_for, begin, .. } => {
                (format!("{token}{}", if ended_for.is_some() { "!" } else { "" }), begin)
            }
            Ask::Wait { begin } => ("wait".to_owned(), begin),
            Ask::Fail { error, .. } => (error.to_string(), None),
        };
        self.take_off(word, begin)
    }

    fn refuse(&mut self, generation: u64) -> String {
        match self.machine.refuse(generation, self.now) {
            Refusal::Repeat { begin } => self.take_off("repeat".to_owned(), begin),
            Refusal::Answer => "answer".to_owned(),
        }
    }

    fn take_off(&mut self, word: String, begin: Option<Flight>) -> String {
        match begin {
            Some(flight) => {
                assert!(self.running.replace((flight, self.now)).is_none(), "two fetches at once");
                word + "+"
            }
            None => word,
        }
    }

    fn land(&mut self, result: Result<(u32, Lifetime), TokenError>) -> Ended {
        self.land_if_wanted(result).expect("it is the running one")
    }

    fn land_if_wanted(&mut self, result: Result<(u32, Lifetime), TokenError>) -> Option<Ended> {
        let (flight, sent) = self.running.take().expect("a fetch runs");
        let outcome = result.map(|(token, lifetime)| Issued { token, lifetime, sent });
        self.machine.end(flight.number, outcome, self.now, &self.rng)
    }

    fn token(&mut self, token: u32, life: f64) {
        let life = Lifetime::For(Duration::from_secs_f64(life));
        assert!(matches!(self.land(Ok((token, life))), Ended::Refreshed { .. }));
    }

    fn error(&mut self, error: TokenError) -> Duration {
        match self.land(Err(error)) {
            Ended::Failed { retry_in, .. } => retry_in,
            Ended::Refreshed { .. } => panic!("an error is no token"),
        }
    }

    fn state(&self) -> TokenState {
        self.machine.state(self.now)
    }
}

fn down() -> TokenError {
    TokenError::transient("down")
}

fn revoked() -> TokenError {
    TokenError::settled("revoked")
}

#[test]
fn a_refusal_forces_a_fetch_only_for_the_current_token_and_not_within_a_back_off() {
    // The current one.
    let mut bench = Bench::aged(1000.0);
    assert_eq!(bench.refuse(1), "repeat+");
    assert_eq!((bench.state(), bench.ask().as_str()), (TokenState::Refused, "wait"));
    bench.token(2, LIFE as f64);
    assert_eq!((bench.ask().as_str(), bench.machine.generation()), ("2", 2));
    // An older one: the newer one is there.
    assert_eq!(bench.refuse(1), "repeat");
    // The newborn one.
    bench.pass(59.0);
    assert_eq!((bench.refuse(2).as_str(), bench.state()), ("answer", TokenState::Fresh));
    bench.pass(1.0);
    assert_eq!(bench.refuse(2), "repeat+");
    // The fetch fails: the old token stays refused, and the back-off isn't broken.
    bench.error(down().retry_in(Duration::from_secs(20)));
    assert_eq!((bench.refuse(2).as_str(), bench.ask().as_str()), ("answer", "down"));
    bench.pass(20.0);
    assert_eq!(bench.ask(), "wait+");
    bench.token(3, LIFE as f64);

    let mut bench = Bench::aged(3000.0);
    assert_eq!(bench.ask(), "1+");
    bench.error(down().retry_in(Duration::from_secs(20)));
    assert_eq!((bench.refuse(1).as_str(), bench.ask().as_str()), ("answer", "1"));
}

#[test]
fn fetches_that_refusals_force_come_further_and_further_apart() {
    let mut bench = Bench::aged(600.0);
    let mut forced = Vec::new();
    for second in 0..3600 {
        let generation = bench.machine.generation();
        if bench.refuse(generation) == "repeat+" {
            forced.push(second);
            bench.token(second + 2, 1e6);
        }
        bench.pass(1.0);
    }
    assert_eq!(forced, [0, 60, 120, 180, 260, 420, 740, 1340, 1940, 2540, 3140]);
    // A confirmed token is as good as a newborn one.
    let mut bench = Bench::aged(600.0);
    assert_eq!(bench.refuse(1), "repeat+");
    bench.token(1, 1e6);
    assert_eq!((bench.refuse(1).as_str(), bench.ask().as_str()), ("answer", "1"));
    assert_eq!(bench.machine.generation(), 1);
}

#[test]
fn lifetimes_that_are_none_are_failed_refreshes() {
    for (lifetime, is_token) in [
        (Lifetime::For(Duration::ZERO), false),
        (Lifetime::For(Duration::from_secs(1)), true),
        (Lifetime::For(Duration::from_secs(5)), true),
        (Lifetime::For(Duration::from_secs(60)), true),
        (Lifetime::For(Duration::from_secs(300)), true),
        (Lifetime::For(Duration::from_secs(3600)), true),
        (Lifetime::For(Duration::from_secs(1_000_000_000_000)), true),
        (Lifetime::Until(SystemTime::UNIX_EPOCH), false),
        (Lifetime::Unknown, true),
        (Lifetime::RenewAfter(Duration::from_secs(10)), true),
    ] {
        let mut bench = Bench::new();
        assert_eq!(bench.ask(), "wait+");
        let ended = bench.land(Ok((1, lifetime)));
        assert_eq!(matches!(ended, Ended::Refreshed { .. }), is_token, "{lifetime:?}");
        assert_eq!(bench.ask() == "1", is_token, "{lifetime:?}");
        // No busy loop, whatever it says.
        bench.pass(0.049);
        assert!(!bench.ask().ends_with('+'), "{lifetime:?}");
    }
}

#[test]
fn a_token_of_unknown_lifetime_is_renewed_and_has_no_end() {
    let mut bench = Bench::new();
    bench.ask();
    bench.land(Ok((1, Lifetime::Unknown)));
    bench.pass(239.0);
    assert_eq!((bench.ask().as_str(), bench.machine.ends()), ("1", None));
    bench.pass(62.0);
    assert_eq!(bench.ask(), "1+");
    bench.error(down());
    bench.pass(1e7);
    assert_eq!((bench.ask().as_str(), bench.state()), ("1+", TokenState::Soft));
}

#[test]
fn an_issuer_that_repeats_itself_is_asked_again_after_a_quarter_of_the_window() {
    let mut bench = Bench::aged(3000.0);
    assert_eq!(bench.ask(), "1+");
    bench.token(1, 600.0);
    bench.pass(179.0);
    assert_eq!(bench.ask(), "1");
    bench.pass(1.0);
    assert_eq!(bench.ask(), "1+");
    bench.token(2, 420.0);
    // Another token that ends no later: it is used, and renewed as soon.
    assert_eq!((bench.ask().as_str(), bench.machine.generation()), ("2", 2));
    bench.pass(180.0);
    assert_eq!(bench.ask(), "2+");
}

#[test]
fn a_successor_that_ends_earlier_has_its_own_end() {
    for (act, life) in [("refuse", 3600.0), ("renew", 3600.0), ("renew", 60.0)] {
        let mut bench = Bench::new();
        assert_eq!(bench.ask(), "wait+");
        bench.token(1, 24.0 * 3600.0);
        bench.pass(4.0 * 3600.0);
        let begin = match act {
            "refuse" => bench.refuse(1),
            _ => {
                let begin = bench.machine.begin(bench.now);
                bench.take_off("repeat".to_owned(), begin)
            }
        };
        assert_eq!(begin, "repeat+", "{act}");
        bench.token(2, life);
        // The issuer isn't asked sooner than for any token of that lifetime.
        bench.pass(life * 0.69);
        assert_eq!((bench.ask().as_str(), bench.state()), ("2", TokenState::Fresh), "{act} {life}");
        bench.pass(life * 0.31);
        assert_eq!((bench.state(), bench.ask().as_str()), (TokenState::Hard, "wait+"), "{act}");
    }
}

#[test]
fn back_off_begins_anew_when_callers_begin_to_feel_it() {
    let mut bench = Bench::aged(2700.0);
    while bench.ask().starts_with('1') {
        if bench.running.is_some() {
            bench.error(down());
        }
        bench.pass(0.1);
    }
    let mut tries = vec![bench.error(down())];
    for _ in 0..4 {
        bench.now = bench.now.after(*tries.last().unwrap());
        assert_eq!(bench.ask(), "wait+");
        tries.push(bench.error(down()));
    }
    for (wait, most) in tries.iter().zip([1, 2, 4, 8, 16]) {
        assert!(*wait <= Duration::from_secs(most), "{tries:?}");
    }
}

#[test]
fn back_off_grows_and_is_short_before_the_end_and_an_issuers_wish_wins() {
    let mut bench = Bench::new();
    for most in [1, 2, 4, 8, 16, 30, 30] {
        assert_eq!(bench.ask(), "wait+");
        let wait = bench.error(down());
        assert!((MIN_WAIT..=Duration::from_secs(most)).contains(&wait), "{wait:?} of {most}");
        assert_eq!((bench.ask().as_str(), bench.state()), ("down", TokenState::Failing));
        bench.now = bench.now.after(wait);
    }
    bench.ask();
    let wait = bench.error(revoked());
    assert!((30..=90).contains(&wait.as_secs()), "{wait:?}");
    bench.now = bench.now.after(wait);
    bench.ask();
    let asked = Duration::from_secs(3600);
    assert_eq!(bench.error(down().retry_in(asked)), Duration::from_secs(300));

    let mut bench = Bench::aged(3562.0);
    let mut tries = 0;
    while bench.ask().starts_with('1') {
        if bench.running.is_some() {
            tries += 1;
            assert!(bench.error(down()) <= Duration::from_secs(2));
        }
        bench.pass(0.01);
    }
    assert!((3..=40).contains(&tries), "{tries} tries in the last eight seconds");
}

#[test]
fn an_ended_token_is_sent_while_the_issuer_is_down_within_the_limit_and_only_where_that_is_set() {
    let mut bench = Bench::aged(3700.0).serving_expired(600);
    // Nobody knows yet that the issuer is down.
    assert_eq!((bench.ask().as_str(), bench.state()), ("wait+", TokenState::Hard));
    let wait = bench.error(down());
    assert_eq!((bench.ask().as_str(), bench.state()), ("1!", TokenState::Expired));
    bench.now = bench.now.after(wait);
    assert_eq!((bench.ask().as_str(), bench.ask().as_str()), ("1!+", "1!"));
    // What is told is when it ends: 3570 s and 600 s.
    match bench.land(Err(down().retry_in(Duration::from_secs(5)))) {
        Ended::Failed { served_for: Some(left), .. } => {
            assert_eq!(left.as_secs(), 470 - wait.as_secs() - 1);
        }
        other => panic!("{other:?}"),
    }
    // A failure of long ago says nothing of now.
    bench.pass(34.9);
    assert_eq!(bench.ask(), "1!+");
    bench.error(down().retry_in(Duration::from_secs(5)));
    bench.pass(35.0);
    assert_eq!(bench.ask(), "wait+");
    bench.error(down().retry_in(Duration::from_secs(300)));
    bench.pass(290.0);
    assert_eq!(bench.ask(), "1!");
    bench.pass(200.0);
    bench.ask();
    bench.error(down());
    assert_eq!((bench.ask().as_str(), bench.state()), ("down", TokenState::Failing));

    let mut bench = Bench::aged(3700.0).serving_expired(600);
    bench.ask();
    bench.error(revoked());
    assert_eq!(bench.ask(), "revoked");
    let mut bench = Bench::aged(3700.0);
    bench.ask();
    bench.error(down());
    assert_eq!(bench.ask(), "down");
}

#[test]
fn an_ended_token_that_the_provider_refuses_is_not_sent_again() {
    let mut bench = Bench::aged(3700.0).serving_expired(600);
    bench.ask();
    bench.error(down().retry_in(Duration::from_secs(20)));
    assert_eq!(bench.ask(), "1!");
    assert_eq!((bench.refuse(1).as_str(), bench.ask().as_str()), ("answer", "down"));
    bench.pass(20.0);
    assert_eq!((bench.refuse(1).as_str(), bench.ask().as_str()), ("repeat+", "wait"));
}

#[test]
fn an_invalidated_token_is_not_sent_again_nor_one_that_was_being_fetched() {
    let mut bench = Bench::aged(3000.0).serving_expired(600);
    assert_eq!(bench.ask(), "1+");
    bench.machine.invalidate();
    // One fetch at a time, also then.
    assert_eq!((bench.ask().as_str(), bench.state()), ("wait", TokenState::Refused));
    assert!(bench.land_if_wanted(Ok((2, Lifetime::Unknown))).is_none());
    assert_eq!(bench.ask(), "wait+");
    bench.error(down());
    assert_eq!(bench.ask(), "down");
    // Somebody who does that has mended something.
    bench.machine.invalidate();
    assert_eq!(bench.ask(), "wait+");
    bench.token(3, LIFE as f64);
    assert_eq!((bench.ask().as_str(), bench.machine.generation()), ("3", 2));
}

/// What can happen.
#[derive(Clone, Debug)]
enum Act {
    Pass(f64),
    SetWall(i64),
    Ask,
    Land(u32, f64),
    Fail(u8),
    Refuse(u64),
    Invalidate,
}

#[test]
fn an_early_renewal_that_brings_the_token_that_was_refused_meanwhile_is_no_answer_to_that() {
    // Well within the window of early renewals.
    let mut bench = Bench::aged(3_500.0);
    assert_eq!(bench.ask(), "1+");
    assert_eq!(bench.refuse(1), "repeat");
    bench.token(1, LIFE as f64);
    assert_eq!(bench.ask(), "wait+");
    assert_eq!(bench.running.as_ref().unwrap().0.reason, TokenReason::Refused);
    // What is given in the knowledge of the refusal is the issuer's last word for a while.
    bench.token(1, LIFE as f64);
    assert_eq!((bench.ask(), bench.refuse(1)), ("1".to_owned(), "answer".to_owned()));
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0.0..400.0f64).prop_map(Act::Pass),
        2 => (0.0..2.0f64).prop_map(Act::Pass),
        1 => (-4000..4000i64).prop_map(Act::SetWall),
        8 => Just(Act::Ask),
        4 => (0..5u32, prop_oneof![Just(0.0), Just(1.0), Just(60.0), Just(3600.0), Just(1e12)])
            .prop_map(|(token, life)| Act::Land(token, life)),
        2 => (0..3u8).prop_map(Act::Fail),
        2 => (0..3u64).prop_map(Act::Refuse),
        1 => Just(Act::Invalidate),
    ];
    prop::collection::vec(act, 1..120)
}

proptest! {
    #[test]
    fn in_any_life_no_ended_token_is_given_and_no_issuer_is_hurried(
        acts in acts(),
        longer in prop_oneof![Just(0), 1..4000u64],
    ) {
        let mut bench = match longer {
            0 => Bench::new(),
            longer => Bench::new().serving_expired(longer),
        };
        let longer = Duration::from_secs(longer);
        let (mut generation, mut back_off, mut begun) = (0, None::<Instant>, 0);
        let mut end = bench.now;
        for act in acts {
            let was_running = bench.running.is_some();
            match act {
                Act::Pass(seconds) => bench.pass(seconds),
                Act::SetWall(by) => {
                    let by_much = Duration::from_secs(by.unsigned_abs());
                    bench.now.wall = match by < 0 {
                        true => bench.now.wall - by_much,
                        false => bench.now.wall + by_much,
                    };
                }
                Act::Ask => match bench.machine.ask(bench.now) {
                    Ask::Use { begin, ended_for, .. } => {
                        let held = bench.machine.held.as_ref().unwrap();
                        let has_ended = end.has_come(bench.now);
                        prop_assert!(!has_ended || ended_for.is_some(), "nobody is told");
                        prop_assert!(!end.after(longer).has_come(bench.now), "ended for too long");
                        prop_assert!(ended_for.is_none_or(|_| bench.machine.error().is_some()));
                        prop_assert!(!held.is_refused);
                        bench.take_off(String::new(), begin);
                    }
                    Ask::Wait { begin } => {
                        bench.take_off(String::new(), begin);
                        prop_assert!(bench.running.is_some(), "it waits for nothing");
                    }
                    Ask::Fail { retry_after, .. } => {
                        prop_assert_eq!(back_off, Some(bench.now.at + retry_after));
                    }
                },
                Act::Land(..) | Act::Fail(_) if bench.running.is_none() => {}
                Act::Land(token, life) => {
                    let life = Duration::from_secs_f64(life);
                    let sent = bench.running.as_ref().map(|(_, sent)| *sent);
                    match bench.land_if_wanted(Ok((token, Lifetime::For(life)))) {
                        Some(Ended::Failed { retry_in, .. }) => {
                            back_off = Some(bench.now.at + retry_in);
                        }
                        Some(Ended::Refreshed { .. }) => {
                            end = sent.expect("a fetch runs").after(life);
                            back_off = None;
                        }
                        None => {}
                    }
                }
                Act::Fail(how) => {
                    let error = [down(), revoked(), down().retry_in(Duration::from_secs(3))];
                    let ended = bench.land_if_wanted(Err(error[usize::from(how)].clone()));
                    if let Some(Ended::Failed { retry_in, .. }) = ended {
                        prop_assert!(retry_in >= MIN_WAIT);
                        back_off = Some(bench.now.at + retry_in);
                    }
                }
                Act::Invalidate => {
                    bench.machine.invalidate();
                    back_off = None;
                }
                Act::Refuse(back) => {
                    let of = bench.machine.generation().saturating_sub(back);
                    bench.refuse(of);
                }
            }
            if !was_running && bench.running.is_some() {
                begun += 1;
                prop_assert!(back_off.is_none_or(|until| bench.now.at >= until), "in a back-off");
            }
            prop_assert!(bench.machine.generation() >= generation, "generations only grow");
            generation = bench.machine.generation();
            prop_assert_eq!(bench.machine.flights, begun);
        }
    }
}
