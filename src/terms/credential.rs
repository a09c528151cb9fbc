/// What shows that somebody is who they say, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Credential {
    /// The certificate that a host showed last, if that was within 25 hours: what wasn't seen for
    /// longer may have been renewed. TLS sessions that are resumed show none.
    ServerCertificate,
    /// The certificate that is shown to hosts that ask for one.
    ClientCertificate,
}

impl Credential {
    /// The word for it, the same in health and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServerCertificate => "server_certificate",
            Self::ClientCertificate => "client_certificate",
        }
    }
}
