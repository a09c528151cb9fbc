//! The words of a fleet.

named! {
    /// What happened between an instance and its fleet.
    FleetEvent {
        /// The database has not answered: controls and settings stay as they are. It is told once, and so is the end.
        Unheard: "unheard";
        /// The database answers again.
        Heard: "heard";
        /// The database's last change is older than one that was seen before: an older copy was restored. What it says now is obeyed.
        Restored: "restored";
        /// This instance can't obey, for one integration: health says what it is.
        Disobeyed: "disobeyed";
        /// There is no lease of a share, or it has ended, and the database gives no other: a hundredth of the account's rate is used, or less.
        ShareEnded: "share_ended";
        /// A share of an account's rate is held, for the first time or again.
        ShareHeld: "share_held";
        /// Most instances have found a reason to open their breakers: fewer failures open this one.
        Hinted: "hinted";
    }
}
