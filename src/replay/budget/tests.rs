use std::time::Duration;

use super::RetryBudget;
use crate::rt;
use crate::settings::Ratio;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_budget_allows_what_the_reference_model_allows(
        percent in 0_u32..=100,
        floor in 0_u32..5,
        burst in 0_u32..10,
        steps in proptest::collection::vec((0_u64..4_000, any::<bool>()), 0..300),
    ) {
        let start = rt::now();
        let budget = RetryBudget::new(Ratio::percent(percent), floor).burst(burst);
        // The model: hundredths of a token, and a log of when the floor was used.
        let (mut hundredths, mut log) = (u64::from(burst) * 100, Vec::<u64>::new());
        let mut millis = 1_000_000;
        for (step, is_call) in steps {
            millis += step;
            if is_call {
                drop(budget.begin_call());
                hundredths += u64::from(percent);
                continue;
            }
            hundredths = hundredths.min(u64::from(burst) * 100);
            let recent = log.iter().filter(|used| millis - **used < 10_000).count();
            let expected = if hundredths >= 100 {
                hundredths -= 100;
                true
            } else if recent < floor as usize {
                log.push(millis);
                true
            } else {
                false
            };
            let now = start + Duration::from_millis(millis);
            prop_assert_eq!(budget.withdraw(now).is_some(), expected);
        }
    }
}

#[test]
fn a_ratio_is_kept_to_the_retry() {
    for percent in [1, 4, 10, 40, 51, 90] {
        let budget = RetryBudget::new(Ratio::percent(percent), 0).burst(1_000);
        assert_eq!((0..2_000).filter(|_| budget.withdraw(rt::now()).is_some()).count(), 1_000);
        (0..1_000).for_each(|_| drop(budget.begin_call()));
        let retries = (0..2_000).filter(|_| budget.withdraw(rt::now()).is_some()).count();
        assert_eq!(retries, percent as usize * 10, "{percent} %");
    }
}

#[test]
fn without_traffic_there_is_only_the_floor() {
    let budget = RetryBudget::new(Ratio::percent(50), 3).burst(0);
    let now = rt::now();
    assert_eq!((0..100).filter(|_| budget.withdraw(now).is_some()).count(), 3);
    let soon = now + Duration::from_millis(9_999);
    assert!(budget.withdraw(soon).is_none());
    let later = now + Duration::from_secs(10);
    assert_eq!((0..100).filter(|_| budget.withdraw(later).is_some()).count(), 3);
}

#[test]
fn a_race_for_one_token_has_one_winner() {
    for _ in 0..200 {
        let budget = RetryBudget::new(Ratio::ONE, 0).burst(1);
        let won = std::thread::scope(|scope| {
            let race = || budget.withdraw(rt::now()).is_some();
            let threads = [scope.spawn(race), scope.spawn(race)];
            threads.into_iter().map(|thread| thread.join().unwrap()).filter(|won| *won).count()
        });
        assert_eq!(won, 1);
    }
}
