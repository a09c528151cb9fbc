use std::time::Duration;

use super::layer::TokenLayer;
use crate::settings::read::Reader;
use crate::settings::section::{Table, assign, section};

section! {
    /// `[token]`: whether there is one is code, and so are its issuer and all that is secret.
    TokenSettings {
        fetch_timeout: Duration,
        margin: Duration,
        renew_ahead: Duration,
        serve_expired: Option<Duration>,
    }
}

impl Table<TokenLayer> for TokenSettings {
    fn of(layer: &TokenLayer) -> Self {
        let config = &layer.settings.config;
        Self {
            fetch_timeout: Some(config.fetch_timeout),
            margin: Some(config.margin),
            renew_ahead: Some(config.renew_ahead),
            serve_expired: Some(config.serve_expired),
        }
    }

    fn merge(&self, layer: &mut TokenLayer, _: &mut Reader<'_>) {
        let config = &mut layer.settings.config;
        assign(&mut config.fetch_timeout, &self.fetch_timeout);
        assign(&mut config.margin, &self.margin);
        assign(&mut config.renew_ahead, &self.renew_ahead);
        assign(&mut config.serve_expired, &self.serve_expired);
    }
}
