use std::time::Duration;

use super::layer::HedgeLayer;

/// Reads after how long a second request goes out, and how many did.
#[derive(Clone, Debug)]
pub struct HedgeHandle(HedgeLayer);

/// Counts of second requests since the layer was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HedgeCounts {
    /// Those that went out.
    pub sent: u64,
    /// Those that were answered first.
    pub won: u64,
    /// Those that were not sent because of the budget or the provider's state.
    pub skipped: u64,
}

impl HedgeHandle {
    pub(super) fn new(layer: HedgeLayer) -> Self {
        Self(layer)
    }

    /// How long a first request has before a second goes out; `None` as long as too little is known,
    /// or where there are no second requests.
    #[must_use]
    pub fn delay(&self) -> Option<Duration> {
        self.0.delay()
    }

    /// How many second requests went out, won or were skipped since the layer was made.
    #[must_use]
    pub fn counts(&self) -> HedgeCounts {
        let [sent, won, skipped] = self.0.counters.read();
        HedgeCounts { sent, won, skipped }
    }
}
