named! {
    /// Why a kill switch's source could not be read.
    SourceProblem {
        /// There is nothing there.
        Missing: "missing";
        /// What is there can't be read.
        Unreadable: "unreadable";
        /// What is there names no position.
        Malformed: "malformed";
    }
}
