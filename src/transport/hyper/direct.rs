//! Without proxies.

use http::Uri;

use super::request::Forward;
use super::tcp::Tcp;
use crate::outcome::Error;
use crate::settings::Errors;

/// There are none.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies(());

pub(super) type Via = Tcp;

impl Proxies {
    #[expect(clippy::unused_self, reason = "as where there are proxies")]
    pub(super) fn check_into(&self, _: &mut Errors<'_>) {}

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as where there are proxies")]
    pub(super) fn route(&self, to: Uri, tcp: Tcp) -> Result<(Via, Uri, Option<Forward>), Error> {
        Ok((tcp, to, None))
    }
}
