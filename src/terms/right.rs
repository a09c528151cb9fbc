named! {
    /// What somebody may do on the console.
    Right {
        /// See how integrations and lanes are.
        Look: "look";
        /// Find calls and messages by a key.
        Search: "search";
        /// See requests and answers as they are, unredacted.
        Reveal: "reveal";
        /// Set controls (kill switch, circuit breaker, fault injection), pause and resume lanes.
        Steer: "steer";
        /// Send dead messages again, as they are or edited.
        Replay: "replay";
        /// Call off waiting messages, give up dead ones, erase their contents.
        Discard: "discard";
        /// Change the settings of an integration on all instances of a fleet.
        Configure: "configure";
    }
}

named! {
    /// What an act on the console came to.
    ActOutcome {
        /// It was done.
        Done: "done";
        /// They have no right to do it.
        NotAllowed: "not_allowed";
        /// It could not be done.
        Failed: "failed";
    }
}
