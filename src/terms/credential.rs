/// A credential that expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Credential {
    /// The certificate that a host presented last, if that was within 25 hours: an older one may
    /// have been renewed since. Resumed TLS sessions present none.
    ServerCertificate,
    /// Our client certificate, for hosts that ask for one.
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
