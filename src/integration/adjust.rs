use super::slots::AnyPlacement;
use crate::cache::CacheLayer;
use crate::fallback::FallbackLayer;
use crate::hedge::HedgeLayer;
use crate::idempotency::IdempotencyLayer;
use crate::validate::ValidateLayer;

/// What a slot of an [`IntegrationBuilder`](super::IntegrationBuilder) becomes: a layer that takes the
/// slot, or a function that adjusts the layer that is there. Sealed.
///
/// The function names its argument's type, because the compiler can't infer it where a layer may stand
/// too; one that doesn't use its argument needs no type:
///
/// ```
/// use std::time::Duration;
/// use outrigger::Integration;
/// use outrigger::fallback::FallbackLayer;
/// use outrigger::hedge::HedgeLayer;
/// use outrigger::idempotency::{IdempotencyLayer, KeyProfile, KeySource};
///
/// # fn main() -> Result<(), outrigger::ConfigError> {
/// let crm = Integration::user_flow("crm")
///     // A layer takes the slot.
///     .idempotency(IdempotencyLayer::new(KeyProfile::stripe()))
///     .fallback(FallbackLayer::function(|_| None))
///     // A function adjusts what is there.
///     .idempotency(|keys: IdempotencyLayer<_>| keys.key_source(KeySource::CallerOrGenerated))
///     .fallback(|fallback: FallbackLayer| fallback.limit(Duration::from_millis(200)))
///     .hedge(|_| HedgeLayer::after(Duration::from_millis(500)))
///     .build()?;
/// # let _ = crm;
/// # Ok(()) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a `{L}` nor a function that adjusts one",
    label = "give a layer, or a function such as `|layer: {L}| layer`"
)]
pub trait Adjust<L>: sealed::Sealed<L> {
    /// The layer that takes the slot.
    type Layer;

    /// What the slot becomes.
    #[doc(hidden)]
    fn adjust(self, present: L) -> Self::Layer;
}

mod sealed {
    pub trait Sealed<L> {}
}

impl<F, L, M> sealed::Sealed<L> for F where F: FnOnce(L) -> M {}

impl<F, L, M> Adjust<L> for F
where
    F: FnOnce(L) -> M,
{
    type Layer = M;

    fn adjust(self, present: L) -> M {
        self(present)
    }
}

impl sealed::Sealed<Self> for CacheLayer {}

impl Adjust<Self> for CacheLayer {
    type Layer = Self;

    fn adjust(self, _: Self) -> Self {
        self
    }
}

impl sealed::Sealed<Self> for FallbackLayer {}

impl Adjust<Self> for FallbackLayer {
    type Layer = Self;

    fn adjust(self, _: Self) -> Self {
        self
    }
}

impl sealed::Sealed<Self> for HedgeLayer {}

impl Adjust<Self> for HedgeLayer {
    type Layer = Self;

    fn adjust(self, _: Self) -> Self {
        self
    }
}

impl sealed::Sealed<Self> for ValidateLayer {}

impl Adjust<Self> for ValidateLayer {
    type Layer = Self;

    fn adjust(self, _: Self) -> Self {
        self
    }
}

impl<P> sealed::Sealed<IdempotencyLayer<AnyPlacement>> for IdempotencyLayer<P> {}

impl<P> Adjust<IdempotencyLayer<AnyPlacement>> for IdempotencyLayer<P> {
    type Layer = Self;

    fn adjust(self, _: IdempotencyLayer<AnyPlacement>) -> Self {
        self
    }
}
