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

named! {
    /// Why an act on the console was refused before it was known by which right it is done.
    ActRefusal {
        /// Nobody knows who sends it.
        UnknownActor: "unknown_actor";
        /// The form came from a page of another origin.
        ForeignForm: "foreign_form";
        /// The form isn't one that this console made for this person and this act, or it is too old.
        BadToken: "bad_token";
        /// It is sent as JSON, without a bearer token or with a cookie.
        NoBearer: "no_bearer";
        /// It can't be read, or asks for what can't be.
        BadForm: "bad_form";
        /// They did 20 acts within a minute.
        TooMany: "too_many";
        /// There is nothing to do it to.
        NotFound: "not_found";
        /// The outbox's store doesn't answer.
        Unavailable: "unavailable";
    }
}
