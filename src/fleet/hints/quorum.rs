//! When what others say counts. It is pure.

use std::collections::BTreeSet;

/// One breaker of all instances: that of an integration, or of one key of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BreakerName {
    pub(super) integration: String,
    /// The key's hash; empty without keys.
    pub(super) key: String,
}

/// What all instances together say of one breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) of: BreakerName,
    /// How many found a reason to open it.
    pub(super) open: u64,
    /// How many have the integration, and give signs.
    pub(super) live: u64,
}

impl Said {
    /// Half of those that live, and two: one alone proves nothing, whether it lies or has lost its way out.
    pub(super) fn is_quorum(&self) -> bool {
        self.open >= 2 && self.open.saturating_mul(2) >= self.live
    }
}

/// The breakers that most instances found a reason to open.
pub(super) fn hints(said: Vec<Said>) -> BTreeSet<BreakerName> {
    said.into_iter().filter(Said::is_quorum).map(|said| said.of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_living_and_two_are_a_quorum_and_one_alone_never_is() {
        let is = |open, live| {
            let of = BreakerName { integration: "crm".to_owned(), key: String::new() };
            !hints(vec![Said { of, open, live }]).is_empty()
        };
        assert!(is(2, 2) && is(2, 3) && is(2, 4) && is(20, 40));
        assert!(!is(1, 1) && !is(1, 2) && !is(2, 5) && !is(19, 40) && !is(0, 0));
    }

    #[test]
    fn no_single_instance_can_make_a_quorum_or_break_one() {
        for live in 1..100 {
            let others_say = |open| {
                let of = BreakerName { integration: "crm".to_owned(), key: String::new() };
                Said { of, open, live }.is_quorum()
            };
            // Its word alone, and its word against all others.
            assert!(!others_say(1));
            assert!(live < 3 || others_say(live - 1));
        }
    }
}
