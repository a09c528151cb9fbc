named! {
    /// A credential that expires.
    Credential {
        /// The certificate that a host presented last, if that was within 25 hours: an older one may
        /// have been renewed since. Resumed TLS sessions present none.
        ServerCertificate: "server_certificate";
        /// Our client certificate, for hosts that ask for one.
        ClientCertificate: "client_certificate";
        /// The token that our requests carry: from then on it isn't sent any more.
        Token: "token";
    }
}
