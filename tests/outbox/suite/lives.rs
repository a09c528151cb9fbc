//! Random lives of one message: after each step, the stored row is what the pure machine says.

use std::time::Duration;

use outrigger::outbox::{
    Action, DeadReason, Effect, ExpiredKey, Input, LeaseRef, Outcome, Phase, Progress, Report,
    Selection, Settlement, State,
};
use outrigger::rt::Rng;

use super::bench::{Bench, Open, mail, open, request};

pub(crate) async fn every_life_of_a_message_is_that_of_the_machine(with: Open<'_>) {
    let bench = open(with).await;
    for seed in 0..60 {
        let mut life = Life {
            bench: &bench,
            lane: format!("life {seed}"),
            draw: Draw(seed),
            steps: Vec::new(),
        };
        life.run().await;
    }
}

struct Life<'a> {
    bench: &'a Bench,
    lane: String,
    draw: Draw,
    steps: Vec<String>,
}

impl Life<'_> {
    async fn run(&mut self) {
        let attempts = self.draw.below(4) + 1;
        let message = mail("1").max_attempts(u32::try_from(attempts).unwrap());
        let message = message.deadline(Duration::from_secs(300));
        let mut new = message.build(&self.lane, self.bench.now().await, &Rng::system()).unwrap();
        if self.draw.below(4) == 0 {
            new.progress.phase = Phase::Handle;
        }
        let id = self.bench.store.enqueue(vec![new]).await.unwrap().remove(0).id;
        let mut model = self.bench.get(id).await.message.progress;
        for _ in 0..30 {
            let before = model.clone();
            self.step(id, &mut model).await;
            let stored = self.bench.get(id).await.message.progress;
            assert_eq!(stored, model, "from {before:?} by {:#?}", self.steps);
            check(&before, &model, &self.steps);
        }
    }

    async fn step(&mut self, id: outrigger::outbox::MessageId, model: &mut Progress) {
        let bench = self.bench;
        let now = bench.now().await;
        let kind = self.draw.below(12);
        self.steps.push(format!("step {kind} at {now}"));
        // The current lease, an older one, or one that doesn't exist yet.
        let token = (model.token + 1).saturating_sub([1, 1, 1, 2, 0][self.draw.below(5)]);
        match kind {
            0..=2 => {
                let claimed = bench.claim_as(request(&self.lane, 10)).await.messages;
                let input = Input::Claim {
                    owner: "worker".into(),
                    lease: Duration::from_secs(60),
                    key_lifetime: Some(Duration::from_secs(3600)),
                    batch: None,
                };
                assert_eq!(claimed.len(), usize::from(model.apply(&input, now).is_ok()));
            }
            3..=7 => {
                let outcome = self.outcome(kind).await;
                self.steps.push(format!("{token}: {outcome:?}"));
                let settlement = Settlement {
                    lease: LeaseRef { id, token },
                    outcome: outcome.clone(),
                    report: Report::default(),
                    answer: None,
                    unkept: None,
                };
                let settled =
                    bench.store.settle(vec![settlement]).await.unwrap().remove(0).unwrap();
                let applied = model.apply(&Input::Settle { token, outcome }, now);
                assert_eq!(settled.applied, applied.ok(), "{:#?}", self.steps);
            }
            8 => {
                let step = [1, 7, 61][self.draw.below(3)];
                bench.advance_secs(step).await;
            }
            9 => {
                bench.store.reap(10).await.unwrap();
                let token = model.token;
                let _ = model.apply(&Input::LeaseOver { token }, now);
                let _ = model.apply(&Input::DeadlineOver, now);
            }
            10 => {
                let lease = Duration::from_secs(60);
                let held = bench.store.extend(vec![LeaseRef { id, token }], lease).await.unwrap();
                assert_eq!(held, [model.apply(&Input::Extend { token, lease }, now).is_ok()]);
            }
            _ => {
                let (action, input) = match self.draw.below(8) {
                    0 => (Action::Cancel, Input::Cancel),
                    1 => (Action::Discard, Input::Discard),
                    _ => {
                        let key = ExpiredKey::Refuse;
                        (Action::Replay(key), Input::Replay { key })
                    }
                };
                self.steps.push(format!("{action:?}"));
                let on = Selection::One(id);
                let acted = bench.store.act(on, action, "ada".into(), "why".into()).await.unwrap();
                assert_eq!(acted.changed.len(), usize::from(model.apply(&input, now).is_ok()));
            }
        }
    }

    async fn outcome(&mut self, kind: usize) -> Outcome {
        let draw = &mut self.draw;
        let at = self.bench.after([0, 3, 200][draw.below(3)]).await;
        match kind {
            3 if draw.below(3) == 0 => Outcome::Delivered { hook_again: at },
            3 if draw.below(2) == 0 => Outcome::HookFailed { at },
            3 | 4 => Outcome::Retry { at, effect: Effect::None },
            5 if draw.below(4) == 0 => Outcome::RetryApart { at },
            5 => Outcome::Retry { at, effect: Effect::Unknown },
            6 if draw.below(2) == 0 => Outcome::Accepted { at, uri: "/jobs/1".into() },
            6 => Outcome::Dead([DeadReason::Rejected, DeadReason::Sealed][draw.below(2)]),
            _ => Outcome::Snooze { until: at },
        }
    }
}

/// What holds in every step, whatever the machine says.
fn check(before: &Progress, after: &Progress, steps: &[String]) {
    assert_eq!(after.lease.is_some(), after.state == State::Leased, "{steps:#?}");
    assert_eq!(after.dead_reason.is_some(), matches!(after.state, State::Dead | State::Discarded));
    let is_open = matches!(after.state, State::Ready | State::Leased);
    assert_eq!(after.settled.is_none(), is_open, "{steps:#?}");
    assert!(after.attempt <= after.max_attempts, "{steps:#?}");
    assert!(after.token >= before.token && after.token <= before.token + 1, "{steps:#?}");
    let ended = [State::Delivered, State::Cancelled, State::Discarded];
    let is_late_success = before.state != State::Delivered
        && (after.state == State::Delivered || after.phase == Phase::Hook);
    if ended.contains(&before.state) && !is_late_success {
        assert_eq!(after, before, "an end is final: {steps:#?}");
    }
}

/// A reproducible sequence (SplitMix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap()
    }
}
