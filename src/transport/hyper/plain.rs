//! Without TLS.

use std::time::SystemTime;

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

pub(super) fn connector(tcp: Via, _: &Prepared, _: bool) -> Via {
    tcp
}

/// No host shows anything.
pub(super) fn server_expiry(_: &Io) -> Option<SystemTime> {
    None
}

/// Nothing is shown to hosts.
pub(super) fn client_expiry(_: &Prepared) -> Option<SystemTime> {
    None
}
