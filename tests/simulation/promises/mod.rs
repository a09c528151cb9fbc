//! What must hold in every world, at every step.

mod breaker;
mod call;
mod whole;

pub(crate) use breaker::Watched;
pub(crate) use call::{Rules, Tally};
pub(crate) use whole::Whole;

/// A promise. Its name is what a failing world says was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Promise {
    /// No call outlives its deadline.
    Deadline,
    /// Nor does the reading of its body.
    DeadlineOfBody,
    /// Nor does a body that is always ready.
    DeadlineOfReadyBody,
    /// An answer that nobody reads holds nothing past its call's deadline.
    NothingHeldPastDeadline,
    /// A call whose deadline has passed already is not sent.
    NothingSentTooLate,
    /// Nothing is cut by a deadline that hasn't come.
    NotCutEarly,
    /// The deadline only falls.
    DeadlineFalls,
    /// No unsafe request goes out twice without a key.
    SentOnce,
    /// Nor does one go out twice under a key that we made ourselves, where nobody said that the provider
    /// honours it.
    SentOnceUnderOwnKey,
    /// No unsafe request is done twice where keys are honoured.
    DoneOnce,
    /// All attempts of a call have one key, and no two calls the same.
    OneKey,
    /// All attempts of a call have its id.
    OneId,
    /// All attempts of a call have its whole body.
    WholeBody,
    /// What is said not to have been sent was never seen by the provider.
    NotSent,
    /// What is said to have been answered was answered, each attempt of it.
    Answered,
    /// The attempts that are told of are those that the provider saw.
    AttemptsCounted,
    /// For a call that is over, nothing is sent any more.
    NothingAfterEnd,
    /// No call has more attempts than are set.
    AttemptsLimited,
    /// All retries together stay within the budget.
    Budget,
    /// Nobody comes back sooner than the provider asked.
    RetryAfter,
    /// Each call ends in one event.
    OneEnd,
    /// Each attempt that began ends.
    AttemptsEnd,
    /// When all calls are over, nothing is held.
    AllGivenBack,
    /// When nothing can go on without time, nobody waits for what is free.
    NoneWaitsForNothing,
    /// No more is under way than there are places.
    Places,
    /// The breaker closes and calls succeed when the provider is well again.
    Recovers,
    /// The breaker opens after as many failures in a row as are set.
    OpensForAReason,
    /// While it is open, one call at a time tries the provider, at the pace that is set.
    SparesTheProvider,
    /// Nobody is refused by the breaker while the provider is well.
    WellIsNotRefused,
    /// While somebody stopped it, nothing is sent.
    Stopped,
    /// While somebody stopped retries, none is sent.
    RetriesStopped,
    /// While the breaker is forced open, no call that came later is sent.
    ForcedOpen,
    /// No job is lost while its clock runs.
    NoJobLost,
    /// Nothing panics.
    NoPanic,
    /// The settings of a world work together.
    SettingsWork,
    /// A world comes to its end.
    Ends,
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) promise: Promise,
    /// A sentence that says how.
    pub(crate) how: String,
}

impl Promise {
    /// It was broken, in this way.
    pub(crate) fn broken(self, how: String) -> Broken {
        Broken { promise: self, how }
    }

    /// Asks for what must be so.
    pub(crate) fn holds(self, so: bool, how: impl FnOnce() -> String) -> Result<(), Broken> {
        if so { Ok(()) } else { Err(self.broken(how())) }
    }
}
