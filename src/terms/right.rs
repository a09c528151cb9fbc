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
    }
}
