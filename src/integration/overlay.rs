use super::slots::Slots;
use crate::settings::{Mistake, Mistakes};
use crate::transport::pool::PoolLimits;

/// Settings from elsewhere, laid over what was set in code.
#[derive(Clone, Debug)]
pub(super) struct Laid {
    pub(super) slots: Slots,
    /// Absent where the client is not the integration's own.
    pub(super) limits: Option<PoolLimits>,
}

impl Laid {
    /// Checks all together.
    pub(super) fn checked(
        slots: Slots,
        limits: Option<PoolLimits>,
        found: &mut Vec<Mistake>,
    ) -> Self {
        let slots = slots.wire();
        slots.check_into(found);
        slots.check_connect(limits.and_then(|limits| limits.connect), found);
        if let Some(limits) = &limits {
            limits.check_into(&mut Mistakes::new("hyper", found));
        }
        Self { slots, limits }
    }
}
