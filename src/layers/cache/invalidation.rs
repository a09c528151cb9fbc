use http::{HeaderValue, Uri};

use super::key::{normalised, origin_of};
use super::shared::Shared;

/// What an unsafe call outdates. It does so too if the call is dropped, because it may have happened.
pub(super) struct Invalidation<'a> {
    shared: &'a Shared,
    /// The normalised URI.
    uri: String,
    is_open: bool,
}

impl<'a> Invalidation<'a> {
    pub(super) fn new(shared: &'a Shared, uri: String) -> Self {
        Self { shared, uri, is_open: true }
    }

    pub(super) fn carry_out(&mut self) {
        if std::mem::take(&mut self.is_open) {
            self.shared.invalidate(&self.uri);
        }
    }

    /// The call has changed nothing.
    pub(super) fn cancel(&mut self) {
        self.is_open = false;
    }

    /// Outdates another URI.
    pub(super) fn also(&self, uri: &Uri) {
        self.shared.invalidate(&normalised(uri, None));
    }

    /// Outdates groups of the same origin (RFC 9875, 3).
    pub(super) fn groups(&self, groups: &[String]) {
        let origin = origin_of(&self.uri);
        groups.iter().for_each(|group| self.shared.invalidate_group(origin, group));
    }
}

impl Drop for Invalidation<'_> {
    fn drop(&mut self) {
        self.carry_out();
    }
}

/// Whether it begins with a scheme and an authority (RFC 3986, 4.3).
fn is_absolute(named: &str) -> bool {
    let scheme = named.find(['/', '?', '#']).map(|end| named.split_at(end));
    scheme.is_some_and(|(scheme, rest)| scheme.ends_with(':') && rest.starts_with("//"))
}

/// The URI that a header names, relative to the request's, if it has the same origin (RFC 9111, 4.4).
pub(super) fn same_origin(request: &Uri, named: &HeaderValue) -> Option<Uri> {
    let named = named.to_str().ok()?.trim();
    let authority = request.authority()?;
    let scheme = request.scheme_str()?;
    let absolute = match named {
        _ if is_absolute(named) => named.to_owned(),
        _ if named.starts_with("//") => format!("{scheme}:{named}"),
        _ if named.starts_with('/') => format!("{scheme}://{authority}{named}"),
        _ => {
            let folder = request.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{scheme}://{authority}{folder}/{named}")
        }
    };
    let absolute: Uri = absolute.parse().ok()?;
    let origin = |uri: &Uri| {
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let default = if scheme == "https" { 443 } else { 80 };
        let host = uri.host()?.to_ascii_lowercase();
        Some((uri.port_u16().unwrap_or(default), host, scheme))
    };
    (origin(request).is_some() && origin(request) == origin(&absolute)).then_some(absolute)
}
