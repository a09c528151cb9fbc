use std::time::Duration;

use super::layer::HedgeLayer;
use crate::settings::Ratio;
use crate::settings::read::Reader;
use crate::settings::section::{Table, section};

section! {
    /// `[hedge]`: `quantile` or `after`.
    HedgeSettings { quantile: Option<Ratio>, after: Option<Duration>, at_least: Duration }
}

impl Table<HedgeLayer> for HedgeSettings {
    fn of(layer: &HedgeLayer) -> Self {
        Self {
            quantile: Some(layer.quantile_set()),
            after: Some(layer.fixed()),
            at_least: Some(layer.least()),
        }
    }

    fn merge(&self, layer: &mut HedgeLayer, reader: &mut Reader<'_>) {
        let (quantile, after) = (self.quantile.flatten(), self.after.flatten());
        if quantile.is_some() && after.is_some() {
            reader.wrong("`quantile` and `after` are two ways to say when: use one of them");
            return;
        }
        let named = self.quantile.is_some() || self.after.is_some();
        if named {
            let keeps = |set: Option<_>, known| if set.is_some() { set.flatten() } else { known };
            let after = match (quantile, self.after) {
                (Some(_), _) => None,
                (None, set) => set.unwrap_or_else(|| layer.fixed()),
            };
            let quantile = match after {
                Some(_) => None,
                None => keeps(self.quantile, layer.quantile_set()),
            };
            *layer = layer.clone().set_to(after, quantile);
        }
        if let Some(least) = self.at_least {
            *layer = layer.clone().at_least(least);
        }
    }
}
