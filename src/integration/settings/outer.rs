//! What stands outside of retry: ids, keys, the deadline, the fallback.

use std::time::Duration;

use http::HeaderName;

use crate::correlation::CorrelationLayer;
use crate::fallback::FallbackLayer;
use crate::idempotency::{Form, Honoured, IdempotencyLayer, InHeader, KeyedMethods, Minting};
use crate::integration::slots::AnyPlacement;
use crate::settings::section::{lay, section};
use crate::settings::values::LARGEST;

section! {
    /// `[correlation]`
    Correlation { header: HeaderName, baggage_to: Vec<String> }
}

section! {
    /// `[fallback]`: what it answers is code.
    Fallback { limit: Duration }
}

section! {
    /// `[idempotency]`
    Idempotency {
        header: HeaderName,
        form: Form,
        longest: usize,
        lifetime: Duration,
        honoured: Honoured,
        methods: KeyedMethods,
        minting: Minting,
    }
}

impl Correlation {
    pub(super) fn of(layer: &CorrelationLayer) -> Self {
        Self { header: Some(layer.header.clone()), baggage_to: Some(layer.baggage_to.clone()) }
    }

    pub(super) fn lay_over(&self, layer: &mut CorrelationLayer) {
        lay(&mut layer.header, &self.header);
        lay(&mut layer.baggage_to, &self.baggage_to);
    }
}

impl Fallback {
    pub(super) fn of(layer: &FallbackLayer) -> Self {
        Self { limit: Some(layer.limit) }
    }

    pub(super) fn lay_over(&self, layer: &mut FallbackLayer) {
        lay(&mut layer.limit, &self.limit);
    }
}

impl Idempotency {
    pub(super) fn of(layer: &IdempotencyLayer<AnyPlacement>) -> Self {
        let settings = layer.settings();
        Self {
            header: settings.profile.header.clone(),
            form: Some(settings.profile.form),
            longest: Some(settings.profile.longest.min(LARGEST)),
            lifetime: Some(settings.profile.lifetime),
            honoured: Some(settings.profile.honoured),
            methods: Some(settings.methods()),
            minting: Some(settings.minting()),
        }
    }

    pub(super) fn lay_over(&self, layer: &mut IdempotencyLayer<AnyPlacement>) {
        let mut settings = layer.settings().clone();
        let header =
            self.header.clone().filter(|own| Some(own) != settings.profile.header.as_ref());
        lay(&mut settings.profile.form, &self.form);
        lay(&mut settings.profile.longest, &self.longest);
        lay(&mut settings.profile.lifetime, &self.lifetime);
        // What was said of one header is not said of another.
        let honoured = self.honoured.or(header.is_some().then_some(Honoured::CallersOnly));
        lay(&mut settings.profile.honoured, &honoured);
        settings.methods = self.methods.or(settings.methods);
        settings.minting = self.minting.or(settings.minting);
        *layer = match header {
            // Another header is another place for the key.
            Some(header) => {
                settings.profile.header = Some(header.clone());
                let placed = layer.clone().place_with(InHeader::new(header));
                AnyPlacement::of(placed).with_settings(settings)
            }
            None => layer.clone().with_settings(settings),
        };
    }
}
