//! By how much the provider's clock differs, as far as its answers tell.

/// How many seconds the provider's clock is ahead of ours.
#[derive(Debug, Default)]
pub(super) struct Offset {
    ahead: i64,
    /// What held before, until an answer shows that the present one is right.
    earlier: Option<i64>,
}

/// What an answer says of the time that was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The signature was accepted.
    Accepted,
    /// It was refused; if because of the time, with how many seconds the provider's clock is ahead.
    Refused(Option<i64>),
    /// Neither.
    Nothing,
}

/// A clock that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Skew {
    pub(super) ahead: i64,
    pub(super) may_repeat: bool,
}

impl Offset {
    pub(super) fn ahead(&self) -> i64 {
        self.ahead
    }

    /// Takes what was heard of a request that was signed for a clock so many seconds ahead. Returns the
    /// difference to tell of, if there is one.
    ///
    /// A new difference stays only if it helps: when the first request that was signed with it is refused,
    /// too, the earlier one is back. So a wrong `date` beside a refusal of another reason spoils nothing.
    pub(super) fn hear(&mut self, signed: i64, heard: Heard) -> Option<Skew> {
        let is_present = signed == self.ahead;
        match heard {
            Heard::Accepted if is_present => self.earlier = None,
            Heard::Refused(found) => {
                if let Some(earlier) = self.earlier.take_if(|_| is_present) {
                    self.ahead = earlier;
                    return None;
                }
                let found = found?;
                let may_repeat = found.unsigned_abs() <= MOST_AHEAD;
                // Otherwise another answer was faster.
                if may_repeat && is_present {
                    (self.ahead, self.earlier) = (found, Some(signed));
                }
                return Some(Skew { ahead: found, may_repeat });
            }
            Heard::Accepted | Heard::Nothing => {}
        }
        None
    }
}

/// A day: a clock that shows another zone's time as UTC is at most 14 hours wrong. Whoever writes an answer's
/// date must not get signatures for any time.
const MOST_AHEAD: u64 = 24 * 3600;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_difference_that_does_not_help_is_given_up_and_one_that_does_stays() {
        let mut offset = Offset::default();
        let skew = Skew { ahead: 600, may_repeat: true };
        assert_eq!(offset.hear(0, Heard::Refused(Some(600))), Some(skew));
        // Another request that was signed before it.
        assert_eq!(offset.hear(0, Heard::Refused(Some(601))), Some(Skew { ahead: 601, ..skew }));
        assert_eq!(offset.hear(0, Heard::Accepted), None);
        assert_eq!(offset.ahead(), 600);
        assert_eq!(offset.hear(600, Heard::Refused(None)), None);
        assert_eq!(offset.ahead(), 0);

        offset.hear(0, Heard::Refused(Some(600)));
        offset.hear(600, Heard::Nothing);
        offset.hear(600, Heard::Accepted);
        assert_eq!(offset.hear(600, Heard::Refused(None)), None);
        assert_eq!(offset.ahead(), 600);
    }

    proptest! {
        #[test]
        fn what_was_never_accepted_is_given_up_by_the_next_refusal(
            dates in proptest::collection::vec(-MOST..MOST, 1..20),
        ) {
            let mut offset = Offset::default();
            for date in dates {
                offset.hear(offset.ahead(), Heard::Refused(Some(date)));
                offset.hear(offset.ahead(), Heard::Refused(Some(date)));
                prop_assert_eq!(offset.ahead(), 0);
            }
        }
    }

    const MOST: i64 = 200_000;
}
