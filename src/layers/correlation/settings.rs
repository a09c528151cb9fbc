use http::HeaderName;

use super::layer::CorrelationLayer;
use crate::settings::read::Reader;
use crate::settings::section::{Table, assign, section};

section! {
    /// `[correlation]`
    CorrelationSettings { header: HeaderName, baggage_to: Vec<String> }
}

impl Table<CorrelationLayer> for CorrelationSettings {
    fn of(layer: &CorrelationLayer) -> Self {
        Self { header: Some(layer.header.clone()), baggage_to: Some(layer.baggage_to.clone()) }
    }

    fn merge(&self, layer: &mut CorrelationLayer, _: &mut Reader<'_>) {
        assign(&mut layer.header, &self.header);
        assign(&mut layer.baggage_to, &self.baggage_to);
    }
}
