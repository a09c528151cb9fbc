//! Without TLS.

use super::connect::Tcp;

/// There is nothing to set.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(());

pub(super) const SCHEMES: &[&str] = &["http"];

pub(super) type Connector = Tcp;

pub(super) fn connector(tcp: Tcp, _: &Settings) -> Connector {
    tcp
}
