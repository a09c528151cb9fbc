//! Who may use how much of an account's rate. It is pure: the rows of the database go in.

/// A rate, in millionths of a request a second: whole numbers, so that sums are exact.
pub(super) type Millionths = u64;

/// One who uses a part of an account's rate: an integration of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// The most that it uses at present, as far as it has said.
    pub(super) using: Millionths,
    /// How much it could use.
    pub(super) demand: Millionths,
    /// What it takes for the account's whole rate.
    pub(super) rate: Millionths,
}

/// The other holders of an account.
#[derive(Clone, Debug, Default)]
pub(super) struct OtherHolders {
    /// Those whose leases hold.
    pub(super) live: Vec<Holder>,
    /// How many there are whose leases ended a short time ago without a word.
    pub(super) silent: u64,
}

/// The answer to a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Portion {
    /// What it may use from now on.
    pub(super) share: Millionths,
    /// What it is to have as soon as others have lowered theirs.
    pub(super) fair: Millionths,
    /// What nobody uses after that.
    pub(super) free: Millionths,
    /// What is counted as used by it, until it has said that it uses less.
    pub(super) counted: Millionths,
    /// How many holders there are, itself and the silent ones included.
    pub(super) holders: u64,
}

/// What a holder may use. Those that want little get it; the others get the same.
///
/// A holder that has to give back is counted with what it had until it says that it uses less. So the
/// sum of what is counted never exceeds the rate, whichever answer is lost.
pub(super) fn portion(asking: Holder, others: &OtherHolders) -> Portion {
    let holders = || others.live.iter().copied().chain([asking]);
    // Versions that are told different rates may run beside each other.
    let rate = holders().map(|holder| holder.rate).min().unwrap_or_default();
    let silent = small(rate, FEWEST).saturating_mul(others.silent).min(rate / FOR_SILENT);
    let capacity = rate - silent - least(rate, FEWEST) * FEWEST;
    let fair = fair(asking, &holders().collect::<Vec<_>>(), capacity);
    let used: Millionths = others.live.iter().map(|holder| holder.using).sum();
    let free = capacity.saturating_sub(used);
    // If more is used than there is, because the rate was lowered, one that lowers its own makes room for others.
    let share = fair.min(free.max(asking.using));
    let (free, counted) = (free.saturating_sub(share), share.max(asking.using));
    Portion { share, fair, free, counted, holders: others.live.len() as u64 + others.silent + 1 }
}

/// The most that a holder uses of this rate for a time after its lease has ended, if there are so many holders: together
/// they use no more than is left for them.
pub(super) fn small(rate: Millionths, holders: u64) -> Millionths {
    rate / holders.max(FEWEST).saturating_mul(FOR_SILENT)
}

/// What a holder uses that has had no lease for longer, or never had one.
pub(super) fn least(rate: Millionths, holders: u64) -> Millionths {
    small(rate, holders) / LEAST
}

fn fair(asking: Holder, holders: &[Holder], capacity: Millionths) -> Millionths {
    let number = holders.len() as u64;
    let floor = capacity / (number * FLOOR);
    let want =
        |holder: &Holder| holder.demand.saturating_add(holder.demand / 4).saturating_add(floor);
    let wants: Vec<_> = holders.iter().map(want).collect();
    let level = level(wants.clone(), capacity);
    let given: Millionths = wants.iter().map(|want| *want.min(&level)).sum();
    // Most of what nobody wants stays there, for whoever comes to want it; the rest is given out.
    let extra = (capacity - given) / (EXTRA * number);
    want(&asking).min(level) + extra
}

/// The most that anybody gets, so that what is given is no more than there is (max-min fairness).
fn level(mut wants: Vec<Millionths>, capacity: Millionths) -> Millionths {
    wants.sort_unstable();
    let (mut left, mut number) = (capacity, wants.len() as u64);
    for want in wants {
        if want > left / number {
            return left / number;
        }
        (left, number) = (left - want, number - 1);
    }
    Millionths::MAX
}

/// One in so many of the rate is the most that is left to those that were not heard. A process that
/// crashes and starts over and over must not take the rate from the others.
const FOR_SILENT: u64 = 10;
/// Among how many that is divided, if there are fewer or nobody knows: a hundredth of the rate is enough to go on.
pub(super) const FEWEST: u64 = 10;
/// One in so many of that stays to one that is forgotten. It is left for such holders at all times: a hundredth of the rate.
const LEAST: u64 = 10;
/// One in so many of what nobody wants is given out, so that everybody can use a little more at once.
const EXTRA: u64 = 4;
/// One in so many of an equal part is wanted by one that is idle, so that it can begin.
const FLOOR: u64 = 10;
