use super::limit::{Round, Sample, Signal};
use super::settings::Adaptive;

/// Additive increase, multiplicative decrease.
///
/// D.-M. Chiu, R. Jain, *Analysis of the Increase and Decrease Algorithms for Congestion Avoidance
/// in Computer Networks*, Computer Networks and ISDN Systems 17, 1989: of the linear rules, it is the
/// one that leads all clients of a provider to equal and efficient shares.
#[derive(Debug)]
pub(in super::super) struct Aimd {
    settings: Adaptive,
    limit: u32,
    /// Answers of this round; a round is as many of them as the limit.
    answered: u32,
    round: Round,
}

impl Aimd {
    pub(super) fn new(settings: Adaptive, begin: u32) -> Self {
        Self { settings, limit: begin, answered: 0, round: Round::default() }
    }

    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    pub(super) fn learn(&mut self, sample: &Sample) {
        match sample.signal {
            Signal::Overloaded if self.round.is_new(sample) => {
                self.limit = self.settings.lowered(self.limit);
                self.answered = 0;
            }
            Signal::Answered if sample.is_limit_used(self.limit) => {
                self.answered += 1;
                if self.answered >= self.limit {
                    self.limit = self.limit.saturating_add(1).min(self.settings.max);
                    self.answered = 0;
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::limit::testing::Calls;
    use super::*;
    use crate::settings::Ratio;
    use proptest::prelude::*;

    fn machine(begin: u32) -> Aimd {
        Aimd::new(Adaptive::aimd().min(2).max(20), begin)
    }

    #[test]
    fn a_round_of_good_answers_adds_one_place() {
        let (mut aimd, calls) = (machine(10), Calls::new());
        for answers in 1..=21 {
            aimd.learn(&calls.answered(100, 10));
            // Ten for the eleventh permit, eleven for the twelfth.
            let grown = u32::from(answers >= 10) + u32::from(answers >= 21);
            assert_eq!(aimd.limit(), 10 + grown, "after {answers}");
        }
    }

    #[test]
    fn a_limit_that_is_half_empty_does_not_grow() {
        let (mut aimd, calls) = (machine(10), Calls::new());
        (0..1_000).for_each(|_| aimd.learn(&calls.answered(100, 4)));
        assert_eq!(aimd.limit(), 10);
        (0..10).for_each(|_| aimd.learn(&calls.answered(100, 5)));
        assert_eq!(aimd.limit(), 11);
    }

    #[test]
    fn an_overload_takes_a_tenth_and_all_calls_of_its_round_are_one() {
        let (mut aimd, mut calls) = (machine(20), Calls::new());
        let overloads: Vec<_> = (0..20).map(|_| calls.overloaded(100, 20)).collect();
        // They were all under way when the first of them came back.
        let first = overloads[0];
        for overload in &overloads {
            aimd.learn(&Sample { began: first.began, ..*overload });
        }
        assert_eq!(aimd.limit(), 18);
        aimd.learn(&calls.overloaded(100, 18));
        assert_eq!(aimd.limit(), 16);
    }

    #[test]
    fn an_overload_begins_the_round_of_answers_anew() {
        let (mut aimd, mut calls) = (machine(10), Calls::new());
        (0..9).for_each(|_| aimd.learn(&calls.answered(100, 10)));
        aimd.learn(&calls.overloaded(100, 10));
        (0..8).for_each(|_| aimd.learn(&calls.answered(100, 10)));
        assert_eq!(aimd.limit(), 9);
        aimd.learn(&calls.answered(100, 9));
        assert_eq!(aimd.limit(), 10);
    }

    #[test]
    fn small_limits_shrink_too() {
        let (mut aimd, mut calls) = (machine(5), Calls::new());
        for left in [4, 3, 2, 2, 2] {
            aimd.learn(&calls.overloaded(100, 5));
            assert_eq!(aimd.limit(), left);
        }
    }

    proptest! {
        #[test]
        fn the_limit_keeps_its_bounds_and_moves_as_it_is_told(
            begin in 2_u32..=20,
            percent in 1_u32..100,
            steps in proptest::collection::vec((any::<bool>(), 0_u32..40), 0..500),
        ) {
            let settings = Adaptive::aimd().min(2).max(20).decrease(Ratio::percent(percent));
            let (mut aimd, mut calls) = (Aimd::new(settings, begin), Calls::new());
            for (overloaded, in_flight) in steps {
                let before = aimd.limit();
                let sample = match overloaded {
                    true => calls.overloaded(10, in_flight),
                    false => calls.answered(10, in_flight),
                };
                aimd.learn(&sample);
                let after = aimd.limit();
                prop_assert!((2..=20).contains(&after));
                match overloaded {
                    true => prop_assert!(after < before || before == 2),
                    false => prop_assert!(after == before || (after == before + 1 && in_flight * 2 >= before)),
                }
            }
        }
    }
}
