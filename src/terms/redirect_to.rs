named! {
    /// Where a redirect leads: an origin is a scheme, a host and a port (RFC 6454, 4).
    RedirectTo {
        /// To the origin that redirects.
        SameOrigin: "same_origin";
        /// To another, which gets no credentials.
        OtherOrigin: "other_origin";
    }
}
