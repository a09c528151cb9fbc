//! The words of local copies.

use std::time::Duration;

named! {
    /// How usable a local copy is.
    CopyState {
        /// There is none yet.
        Empty: "empty";
        /// It was loaded within the last two intervals.
        Current: "current";
        /// No load has succeeded for two intervals. It is served all the same.
        Late: "late";
        /// It is older than it may be, and isn't served any more.
        Expired: "expired";
    }
}

impl CopyState {
    /// Every value.
    pub const ALL: [Self; 4] = [Self::Empty, Self::Current, Self::Late, Self::Expired];
}

named! {
    /// Why a load of a local copy came to nothing.
    LoadFailure {
        /// The loader returned an error.
        Failed: "failed";
        /// The loader did not end within its limit.
        TimedOut: "timed_out";
        /// A function of the host panicked: the loader, the count or the guard.
        Panicked: "panicked";
        /// The guard refused what was loaded.
        Refused: "refused";
    }
}

impl LoadFailure {
    /// Every value.
    pub const ALL: [Self; 4] = [Self::Failed, Self::TimedOut, Self::Panicked, Self::Refused];
}

named! {
    /// What is wrong with the snapshot of a local copy.
    SnapshotProblem {
        /// The file can't be read, or not in time.
        Unreadable: "unreadable";
        /// The file is no snapshot of this copy in this version of the format.
        Foreign: "foreign";
        /// The file is not whole: its checksum is another.
        Torn: "torn";
        /// The host's function can't decode it.
        Undecodable: "undecodable";
        /// The host's function can't encode the copy.
        Unencodable: "unencodable";
        /// The file can't be written, or not in time.
        Unwritable: "unwritable";
    }
}

/// What happened to a local copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LocalCopyEvent {
    /// A load has succeeded.
    Loaded {
        /// Whether there is another copy. If not, the provider said that nothing has changed.
        changed: bool,
        /// How many entries the copy has.
        count: u64,
        /// How long the load took.
        elapsed: Duration,
    },
    /// A load came to nothing. The copy stays as it is.
    LoadFailed {
        /// Why.
        failure: LoadFailure,
        /// How long the load took.
        elapsed: Duration,
        /// After which time the next one begins.
        retry_in: Duration,
    },
    /// No load has succeeded for two intervals. It is told once.
    Late,
    /// The copy is older than it may be. It is told once.
    Expired,
    /// The copy was read from its snapshot, at the start.
    SnapshotRead {
        /// How old it is.
        age: Duration,
        /// How many entries it has.
        count: u64,
    },
    /// The snapshot was not read or not written.
    SnapshotFailed {
        /// Why.
        problem: SnapshotProblem,
    },
}
