use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::host::Host;
use super::hosts::Shared;

/// The right to make one connection. Dropping it gives it back.
pub(in super::super) struct Place(Option<Arc<Host>>);

/// A waiting request, which counts in the figures.
pub(in super::super) struct Waiting<'a>(&'a Shared);

impl Place {
    /// A place that is counted already.
    pub(super) fn new(host: &Arc<Host>) -> Self {
        Self(Some(Arc::clone(host)))
    }

    /// The place is a connection's from now on.
    pub(super) fn keep(&mut self) {
        self.0 = None;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(host) = self.0.take() {
            host.free_place();
            host.grant_place();
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

// === impl Waiting ===

impl<'a> Waiting<'a> {
    pub(in super::super) fn at(host: &'a Host) -> Self {
        host.shared.waiting.fetch_add(1, Ordering::Relaxed);
        Self(&host.shared)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
