//! The words of a fleet.

named! {
    /// What happened between an instance and its fleet.
    FleetEvent {
        /// The database has not answered: controls and settings stay as they are. It is told once, and so is the end.
        Unheard: "unheard";
        /// The database answers again.
        Heard: "heard";
        /// This instance can't obey, for one integration: health says what it is.
        Disobeyed: "disobeyed";
    }
}
