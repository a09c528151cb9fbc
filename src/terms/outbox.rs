//! The words of the outbox.

named! {
    /// Which due messages of a lane go first.
    ///
    /// One of a higher priority goes before those that came due up to ten minutes before it, and not before
    /// older ones: so none waits for ever.
    #[derive(Default, PartialOrd, Ord)]
    Priority {
        /// Before the others.
        High: "high";
        /// As they come.
        #[default]
        Normal: "normal";
        /// After the others.
        Low: "low";
    }
}

named! {
    /// Where a message stands.
    State {
        /// It waits for its time, or for a worker.
        Ready: "ready";
        /// A worker has it, for as long as its lease lasts.
        Leased: "leased";
        /// The provider did it.
        Delivered: "delivered";
        /// It is parked until a person replays, edits or discards it. See [`DeadReason`].
        Dead: "dead";
        /// It was called off before it was delivered.
        Cancelled: "cancelled";
        /// A person gave it up.
        Discarded: "discarded";
    }
}

named! {
    /// What a worker does next with a message.
    Phase {
        /// It sends the request.
        Send: "send";
        /// The provider accepted the job; it asks for the result.
        Poll: "poll";
        /// The provider did it; only the function of the host that settles it has to run.
        Hook: "hook";
        /// Nothing is sent; the function of the host that settles it has to run.
        Handle: "handle";
    }
}

named! {
    /// Why a message is dead.
    #[derive(PartialOrd, Ord)]
    DeadReason {
        /// The provider refused it for good, or it can't be sent as it is.
        Rejected: "rejected", "rejected by the provider";
        /// Every attempt failed.
        Exhausted: "exhausted", "attempts used up";
        /// Its deadline has passed, or the next attempt would be past it.
        Expired: "expired", "deadline passed";
        /// Its last allowed attempt never ended: it may be what ends the process.
        Poison: "poison", "last attempt never ended";
        /// An attempt may have had its effect, and to repeat it isn't safe by the lane's policy.
        UnknownOutcome: "unknown_outcome", "may have been done";
        /// The provider did it, and the host's function that settles it failed every time.
        HookFailed: "hook_failed", "settling function failed";
        /// It is stored encrypted, and its key isn't there, or doesn't open it. Nothing was sent for this attempt.
        Sealed: "sealed", "sealed by a key that doesn't open it";
    }
}

named! {
    /// Why something isn't done to a message.
    Refusal {
        /// Somebody else had the message since: the lease is not the current one.
        Stale: "stale", "the lease is over";
        /// It isn't due, or is past its deadline.
        NotDue: "not_due", "the message isn't due";
        /// It isn't waiting.
        NotReady: "not_ready", "the message isn't waiting";
        /// It isn't dead.
        NotDead: "not_dead", "the message isn't dead";
        /// The provider has done it already.
        Done: "done", "the provider has done it";
        /// It is still to be delivered.
        Open: "open", "the message is still to be delivered";
        /// An edited message took its place.
        Replaced: "replaced", "an edited message took its place";
        /// Its request was erased.
        Erased: "erased", "its request was erased";
        /// The provider has forgotten its key by now. Force it if the effect can't have happened.
        KeyExpired: "key_expired", "the provider has forgotten its key";
    }
}

/// What happened to a message of an outbox, or to a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutboxEvent {
    /// A message is dead: a person has to decide about it. That the lease or the deadline of another process's
    /// message was over is told by the process that finds it, to the subscribers of its first lane, as of an
    /// integration of the message's lane's name.
    Parked {
        /// Why.
        why: DeadReason,
    },
    /// A message failed, and has at most three attempts or a tenth of its time left.
    RunningOut,
    /// A message's lease was over, so that the outcome of an attempt is unknown.
    Recovered,
    /// A success was told after its lease was over.
    LateSuccess,
    /// Somebody else has a message that is still being sent here.
    LeaseLost,
    /// The provider asked all to wait, or refused the credentials: the lane pauses.
    LanePaused,
    /// What a key sealed can't be opened here, so that it waits for some time, and this process claims less of the lane. It
    /// is told once a key.
    KeyMissing,
    /// The store fails: nothing more is claimed or settled until it is back. It is told once.
    StoreFailing,
    /// The store works again.
    StoreBack,
}

impl OutboxEvent {
    /// The word for it, the same in spans and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parked { .. } => "parked",
            Self::RunningOut => "running_out",
            Self::Recovered => "recovered",
            Self::LateSuccess => "late_success",
            Self::LeaseLost => "lease_lost",
            Self::LanePaused => "lane_paused",
            Self::KeyMissing => "key_missing",
            Self::StoreFailing => "store_failing",
            Self::StoreBack => "store_back",
        }
    }
}

macro_rules! parsed {
    ($($kind:ident: $($variant:ident)+;)+) => {
        $(impl $kind {
            /// Every value, in the order in which they are declared.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The value of this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.name() == name)
            }
        })+
    };
}

parsed! {
    Priority: High Normal Low;
    State: Ready Leased Delivered Dead Cancelled Discarded;
    Phase: Send Poll Hook Handle;
    DeadReason: Rejected Exhausted Expired Poison UnknownOutcome HookFailed Sealed;
}
