use std::time::Duration;

use super::rows::{Counted, LimitHeader};
use super::times::{Now, Told};

/// One limit, with the facts that were announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LimitFact {
    /// Which of the provider's limits it is.
    pub(crate) scope: u64,
    pub(crate) limit: Option<u64>,
    pub(crate) window: Option<Duration>,
    pub(crate) remaining: Option<u64>,
    /// From now until there is more.
    pub(crate) reset: Option<Duration>,
    /// The same as a Unix time in seconds, if that was announced.
    pub(crate) reset_stamp: Option<u64>,
    /// Which of the provider's resources it is of, where that is named.
    pub(crate) resource: Option<Resource>,
    /// It is of something else than requests.
    pub(super) counts_others: bool,
    /// It is a policy without a name, of which there may be several.
    pub(super) is_unnamed: bool,
    /// What is spent comes back at once, within the window.
    pub(super) is_fixed: bool,
}

/// A part of the provider with limits of its own, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Named(u64),
    /// Of those who ask for the same thing.
    Bucket(u64),
}

/// All limits that a response announces.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LimitFacts(pub(super) [Option<LimitFact>; MOST]);

impl LimitFact {
    fn is_told(&self) -> bool {
        let counts = self.limit.is_some() || self.remaining.is_some();
        !self.counts_others && (counts || self.window.is_some() || self.reset.is_some())
    }

    /// The longest time until there is more, as far as announced.
    pub(super) fn ends_within(&self) -> Option<Duration> {
        self.reset.or(self.window.filter(|_| self.is_fixed))
    }

    /// What is left of the whole; nothing less is known than a half.
    pub(super) fn share_left(&self) -> f64 {
        let told = self.remaining.zip(self.limit.filter(|limit| *limit > 0));
        told.map_or(0.5, |(left, limit)| left as f64 / limit as f64)
    }
}

impl LimitFacts {
    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The limits of requests.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &LimitFact> {
        self.all().filter(|fact| fact.is_told())
    }

    /// Those of something else, too.
    pub(super) fn all(&self) -> impl Iterator<Item = &LimitFact> {
        self.0.iter().flatten()
    }

    /// The fact of this scope; none where there are too many already.
    pub(super) fn of(&mut self, scope: u64) -> Option<&mut LimitFact> {
        let known = |fact: &&mut Option<LimitFact>| fact.is_none_or(|fact| fact.scope == scope);
        let slot = self.0.iter_mut().find(known)?;
        Some(slot.get_or_insert(LimitFact { scope, ..LimitFact::default() }))
    }

    /// One header of a limit.
    pub(super) fn read(&mut self, says: LimitHeader, of: Counted, text: &str, now: &Now<'_>) {
        let Some(fact) = self.of(of.scope) else { return };
        fact.counts_others = of.is_other;
        let time = || Told::parse(text, says.unit());
        match says {
            LimitHeader::Limit => {
                fact.limit = leading(text).or(fact.limit);
                fact.window = of.window.map(Duration::from_secs).or(fact.window);
                if of.scope == PLAIN && text.contains(';') {
                    // `100, 100;w=60`: the limit that comes closest, and all policies.
                    self.read_policies(text);
                }
            }
            LimitHeader::Remaining => fact.remaining = leading(text),
            LimitHeader::Reset | LimitHeader::ResetMillis => {
                let told = time();
                fact.reset = told.and_then(|told| told.until(now));
                fact.reset_stamp = match told {
                    Some(Told::Stamp(since)) => fact.reset.map(|_| since.as_secs()),
                    _ => None,
                };
            }
            LimitHeader::Window | LimitHeader::WindowMillis => {
                if let Some(Told::In(window)) = time() {
                    (fact.window, fact.is_fixed) = (Some(window), true);
                }
            }
            _ => {}
        }
    }

    /// `used/size` of a leaky bucket that is empty again after 20 s, whichever its size (40 at 2 a
    /// second, 80 at 4).
    pub(super) fn read_leaky(&mut self, text: &str) {
        let parts = text.split_once('/').map(|(used, size)| (used.trim(), size.trim()));
        let numbers = parts.and_then(|(used, size)| Some((used.parse().ok()?, size.parse().ok()?)));
        let Some((used, size)) = numbers else { return };
        if let Some(fact) = self.of(PLAIN) {
            (fact.limit, fact.remaining) = (Some(size), Some(u64::saturating_sub(size, used)));
            fact.window = Some(Duration::from_secs(20));
        }
    }

    /// What is told without a name is of the policy with that limit: of the one that comes closest,
    /// and of the first where no limit is told.
    pub(super) fn join_unnamed(&mut self) {
        let at = |scope: &Option<LimitFact>| scope.is_some_and(|fact| fact.scope == PLAIN);
        let state = self.0.iter().position(at);
        let told = state.and_then(|state| self.0[state]).unwrap_or_default();
        let is_alone = self.0.iter().flatten().filter(|fact| fact.is_unnamed).count() == 1;
        let mut policies = self.0.iter_mut().flatten().filter(|fact| fact.is_unnamed);
        let of_it = |policy: &&mut LimitFact| told.limit.is_none() || told.limit == policy.limit;
        let Some(policy) = policies.find(of_it) else { return };
        (policy.remaining, policy.reset) = (told.remaining, told.reset);
        policy.reset_stamp = told.reset_stamp;
        if is_alone {
            // Where it isn't told each time, it is the same limit without it.
            policy.scope = PLAIN;
        }
        if let Some(state) = state {
            self.0[state] = None;
        }
    }
}

/// The number that a text begins with: `100, 100;w=60` is sent for a limit of 100. Nobody pads it.
fn leading(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let digits = &text[..end];
    (digits.len() == 1 || !digits.starts_with('0')).then(|| digits.parse().ok())?
}

/// A name as a number (FNV-1a).
pub(super) fn named(text: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, mix).max(NAMED)
}

/// More limits than any known provider announces at once.
pub(super) const MOST: usize = 6;
/// The scope of a limit without a name; the window is added that the header's name or a policy tells.
pub(super) const PLAIN: u64 = 1;
/// Names come after all windows.
pub(super) const NAMED: u64 = 1 << 20;
