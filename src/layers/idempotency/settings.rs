use std::time::Duration;

use http::HeaderName;

use super::layer::{IdempotencyLayer, KeyedMethods, Minting};
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
        longest: usize,
        lifetime: Duration,
        honoured: Honoured,
        methods: KeyedMethods,
        minting: Minting,
    }
}

impl<P: Clone + From<InHeader>> Table<IdempotencyLayer<P>> for IdempotencySettings {
    fn of(layer: &IdempotencyLayer<P>) -> Self {
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

    fn merge(&self, layer: &mut IdempotencyLayer<P>, _: &mut Reader<'_>) {
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
                layer.clone().place_with(InHeader::new(header).into()).with_settings(settings)
            }
            None => layer.clone().with_settings(settings),
        };
    }

    fn key_of<'f>(field: &'f str, _: &IdempotencyLayer<P>) -> &'f str {
        match field {
            "profile.longest" => "longest",
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
        Self::CallersOnly => "callers-only" as Self::CallersOnly,
        Self::All => "all" as Self::All,
    }
    KeyedMethods {
        Self::Unsafe => "unsafe" as Self::Unsafe,
        Self::Writing => "writing" as Self::Writing,
    }
    Minting {
        Self::Always => "always" as Self::Always,
        Self::CallersOnly => "callers-only" as Self::CallersOnly,
    }
}
