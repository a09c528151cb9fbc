use super::live::Base;
use super::overlay::Laid;
use crate::settings::Mistake;

/// Without the feature `serde`, what is set in code is all there is.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(());

impl Settings {
    pub(super) fn merge(&self, base: &Base, found: &mut Vec<Mistake>) -> Laid {
        Laid::checked(base.slots.clone(), base.limits, found)
    }
}
