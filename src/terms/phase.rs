named! {
    /// The phase of a call in which a time limit passed.
    ///
    /// Its name is the word for a timeout in it, such as `call_timeout`.
    Phase {
        /// The call as a whole: queues, waits, attempts and body.
        Call: "call_timeout", "call";
        /// One attempt, to the response head.
        Attempt: "attempt_timeout", "attempt";
        /// The wait for a connection of the pool.
        Acquire: "acquire_timeout", "pool acquire";
        /// Making a connection: name, TCP and TLS.
        Connect: "connect_timeout", "connect";
        /// From the end of the request to the response head.
        ResponseHead: "response_head_timeout", "response head";
        /// Sending the request's body: the provider took nothing of it for too long.
        Upload: "upload_timeout", "upload";
        /// Receiving the response's body: nothing of it arrived for too long.
        BodyIdle: "body_idle_timeout", "idle body";
        /// A limit of the client or the system, which doesn't say which one.
        Transport: "transport_timeout", "transport";
    }
}
