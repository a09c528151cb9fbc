use super::merged::Merged;
use super::reload::Baseline;
use crate::settings::ValidationError;

/// Without the feature `serde`, what is set in code is all there is.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(());

impl Settings {
    pub(super) fn merge(&self, base: &Baseline, found: &mut Vec<ValidationError>) -> Merged {
        Merged::checked(base.slots.clone(), base.limits, found)
    }
}
