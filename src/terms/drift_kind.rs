named! {
    /// What a provider's answers show of a change of its API.
    DriftKind {
        /// The endpoint is deprecated, or will be (`Deprecation`, RFC 9745).
        Deprecation: "deprecation", "deprecated";
        /// The endpoint will be gone, or is to be gone already (`Sunset`, RFC 8594).
        Sunset: "sunset", "sunset";
        /// A page about the deprecation (`Link` with `rel="deprecation"`, RFC 9745).
        DeprecationLink: "deprecation_link", "a page about the deprecation";
        /// A page about the sunset (`Link` with `rel="sunset"`, RFC 8594).
        SunsetLink: "sunset_link", "a page about the sunset";
        /// There is a newer version (`Link` with `rel="successor-version"`, RFC 5829).
        SuccessorVersion: "successor_version", "a newer version";
        /// A warning that stays (`Warning` with the code 299, RFC 7234).
        Warning: "warning", "a warning";
        /// A header that the provider uses for it, such as `X-Shopify-API-Deprecated-Reason`.
        Notice: "notice", "a notice";
        /// Answers of another media type than before.
        MediaType: "media_type", "another media type";
        /// Answers have a field that they didn't have.
        NewField: "new_field", "a new field";
        /// A field that was always there is gone.
        FieldGone: "field_gone", "a field is gone";
        /// A field has a value of a type that it never had.
        TypeChanged: "type_changed", "a field of another type";
        /// A field is null that never was.
        NewNull: "new_null", "a field is null";
        /// A field that has one of a few words has a new one.
        NewValue: "new_value", "a new value";
    }
}
