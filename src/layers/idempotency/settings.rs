use std::time::Duration;

use http::HeaderName;

use super::layer::{IdempotencyLayer, KeySource, KeyedMethods};
use super::placement::InHeader;
use super::profile::{Form, Honoured};
use crate::settings::read::Reader;
use crate::settings::section::{Table, lay, section};
use crate::settings::values::{LARGEST, words};

section! {
    /// `[idempotency]`
    IdempotencySettings {
        header: HeaderName,
        form: Form,
        max_len: usize,
        lifetime: Duration,
        honoured: Honoured,
        methods: KeyedMethods,
        key_source: KeySource,
    }
}

impl<P: Clone + From<InHeader>> Table<IdempotencyLayer<P>> for IdempotencySettings {
    fn of(layer: &IdempotencyLayer<P>) -> Self {
        let settings = layer.settings();
        Self {
            header: settings.profile.header.clone(),
            form: Some(settings.profile.form),
            max_len: Some(settings.profile.max_len.min(LARGEST)),
            lifetime: Some(settings.profile.lifetime),
            honoured: Some(settings.profile.honoured),
            methods: Some(settings.methods()),
            key_source: Some(settings.key_source()),
        }
    }

    fn merge(&self, layer: &mut IdempotencyLayer<P>, _: &mut Reader<'_>) {
        let mut settings = layer.settings().clone();
        let header =
            self.header.clone().filter(|own| Some(own) != settings.profile.header.as_ref());
        lay(&mut settings.profile.form, &self.form);
        lay(&mut settings.profile.max_len, &self.max_len);
        lay(&mut settings.profile.lifetime, &self.lifetime);
        // A declaration for one header doesn't hold for another.
        let honoured = self.honoured.or(header.is_some().then_some(Honoured::Caller));
        lay(&mut settings.profile.honoured, &honoured);
        settings.methods = self.methods.or(settings.methods);
        settings.key_source = self.key_source.or(settings.key_source);
        *layer = match header {
            // Another header replaces the placement.
            Some(header) => {
                settings.profile.header = Some(header.clone());
                layer.clone().write_with(InHeader::new(header).into()).with_settings(settings)
            }
            None => layer.clone().with_settings(settings),
        };
    }

    fn key_of<'f>(field: &'f str, _: &IdempotencyLayer<P>) -> &'f str {
        match field {
            "profile.max_len" => "max_len",
            "profile.lifetime" => "lifetime",
            field => field,
        }
    }
}

words! {
    Form {
        Self::Bare => "bare" as Self::Bare,
        Self::Quoted => "quoted" as Self::Quoted,
    }
    Honoured {
        Self::Caller => "callers-only" as Self::Caller,
        Self::All => "all" as Self::All,
    }
    KeyedMethods {
        Self::Unsafe => "unsafe" as Self::Unsafe,
        Self::Writing => "writing" as Self::Writing,
    }
    KeySource {
        Self::CallerOrGenerated => "caller-or-generated" as Self::CallerOrGenerated,
        Self::Caller => "caller" as Self::Caller,
    }
}
