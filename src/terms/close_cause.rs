named! {
    /// Why a connection was closed.
    CloseCause {
        /// The peer ended it in an orderly way.
        ByPeer: "by_peer";
        /// It broke, or it was idle for as long as one that broke and has answered nothing since.
        Broken: "broken";
        /// It was unused for too long.
        Idle: "idle";
        /// It was too old.
        Expired: "expired";
        /// A request on it timed out or was dropped by its caller, or it was idle for as long as one
        /// that timed out and has answered nothing since.
        Cut: "cut";
        /// It led to the wrong server (421).
        Misdirected: "misdirected";
        /// There were more connections than needed.
        Surplus: "surplus";
    }
}
