named! {
    /// Whether an instance of a fleet obeys.
    InstanceState {
        /// It has taken over everything.
        Obeys: "obeys";
        /// It hasn't looked yet: it does so within 3 s.
        Behind: "behind";
        /// It has looked, and can't obey, or somebody has set it otherwise on the spot.
        Disobeys: "disobeys";
        /// It has given no sign for 15 s: it has ended, hangs, or can't reach the database.
        NotSeen: "not seen";
    }
}
