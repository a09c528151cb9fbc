use std::fmt;

/// How a connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The name could not be resolved.
    Dns,
    /// The connection was refused.
    Refused,
    /// The connection could not be made, for another reason.
    Connect,
    /// The TLS handshake or the TLS connection failed.
    Tls,
    /// The connection was reset.
    Reset,
    /// The connection ended before the message did.
    Closed,
    /// The peer broke the protocol.
    Protocol,
    /// The peer said that it did not process the request (HTTP/2 `REFUSED_STREAM`; RFC 9113, 8.7),
    /// or the client took it back unsent.
    NotProcessed,
    /// The peer is ending the connection in an orderly way (HTTP/2 `GOAWAY` without an error) that
    /// had the request on it. It may have processed it: clients report this for streams on either
    /// side of the last one that the peer names.
    GoneAway,
    /// The response's body could not be read or decoded.
    Body,
    /// Something else.
    Other,
}

impl Fault {
    /// The word for it, the same in spans, metrics and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "name_not_resolved",
            Self::Refused => "connection_refused",
            Self::Connect => "connection_failed",
            Self::Tls => "tls_failed",
            Self::Reset => "connection_reset",
            Self::Closed => "connection_closed",
            Self::Protocol => "protocol_error",
            Self::NotProcessed => "not_processed",
            Self::GoneAway => "connection_ended",
            Self::Body => "body_unreadable",
            Self::Other => "transport_failed",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "name could not be resolved",
            Self::Refused => "connection refused",
            Self::Connect => "connection could not be made",
            Self::Tls => "tls failed",
            Self::Reset => "connection reset",
            Self::Closed => "connection closed before the message was complete",
            Self::Protocol => "protocol error",
            Self::NotProcessed => "request was not processed",
            Self::GoneAway => "connection was ended by its peer",
            Self::Body => "response body could not be read",
            Self::Other => "transport failed",
        })
    }
}
