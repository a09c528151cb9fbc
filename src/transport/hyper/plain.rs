//! Without TLS.

use http::Uri;
use tower_service::Service;

use super::proxy::Via;

/// There is nothing to set.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(());

/// There is nothing to prepare.
pub(super) type Prepared = Settings;

pub(super) type Io = <Via as Service<Uri>>::Response;

pub(super) const SCHEMES: &[&str] = &["http"];

pub(super) fn prepare(settings: &Settings) -> Prepared {
    settings.clone()
}

pub(super) fn connector(tcp: Via, _: &Prepared) -> Via {
    tcp
}
