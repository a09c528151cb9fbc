use super::slots::Slots;
use crate::settings::{Errors, ValidationError};
use crate::transport::pool::PoolLimits;

/// Settings from a file, merged with those from code.
#[derive(Clone, Debug)]
pub(super) struct Merged {
    pub(super) slots: Slots,
    /// Absent if the client isn't the integration's own.
    pub(super) limits: Option<PoolLimits>,
}

impl Merged {
    /// Checks all settings together.
    pub(super) fn checked(
        slots: Slots,
        limits: Option<PoolLimits>,
        found: &mut Vec<ValidationError>,
    ) -> Self {
        let slots = slots.wire();
        slots.check_into(found);
        slots.check_connect(limits.and_then(|limits| limits.connect), found);
        if let Some(limits) = &limits {
            limits.check_into(&mut Errors::new("hyper", found));
        }
        Self { slots, limits }
    }
}
