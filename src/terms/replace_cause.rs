named! {
    /// Why a rotating client is replaced.
    ReplaceCause {
        /// It is old.
        Age: "age";
        /// Its connections could not be made, or broke, too often in a row.
        Failures: "failures";
    }
}
