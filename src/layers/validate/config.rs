/// The settings of a [`ValidateLayer`](super::ValidateLayer) as data.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValidateConfig {
    pub(super) mode: Mode,
    pub(super) body_cap: usize,
    pub(super) must_check: bool,
}

/// Whether checks act on what they find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Those that may act do.
    #[default]
    Enforce,
    /// They only tell what they find.
    ReportOnly,
    /// No answer is looked at.
    Off,
}

impl Default for ValidateConfig {
    fn default() -> Self {
        Self { mode: Mode::Enforce, body_cap: BODY_CAP, must_check: false }
    }
}

/// 64 KiB: larger answers are lists and files, and nobody should wait for their ends.
const BODY_CAP: usize = 64 * 1024;
