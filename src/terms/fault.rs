named! {
    /// How a connection failed.
    Fault {
        /// The name could not be resolved.
        Dns: "name_not_resolved", "name could not be resolved";
        /// The connection was refused.
        Refused: "connection_refused", "connection refused";
        /// The connection could not be made, for another reason.
        Connect: "connection_failed", "connection could not be made";
        /// The TLS handshake or the TLS connection failed.
        Tls: "tls_failed", "tls failed";
        /// The connection was reset.
        Reset: "connection_reset", "connection reset";
        /// The connection ended before the message did.
        Closed: "connection_closed", "connection closed before the message was complete";
        /// The peer broke the protocol.
        Protocol: "protocol_error", "protocol error";
        /// The peer said that it did not process the request (HTTP/2 `REFUSED_STREAM`; RFC 9113, 8.7),
        /// or the client took it back unsent.
        NotProcessed: "not_processed", "request was not processed";
        /// The peer is ending the connection in an orderly way (HTTP/2 `GOAWAY` without an error) that
        /// had the request on it. It may have processed it: clients report this for streams on either
        /// side of the last one that the peer names.
        GoneAway: "connection_ended", "connection was ended by its peer";
        /// The response's body could not be read or decoded.
        Body: "body_unreadable", "response body could not be read";
        /// Something else.
        Other: "transport_failed", "transport failed";
    }
}
