//! Bodies are looked at with the feature `json` alone.

use http::response::Parts;
use http_body::Frame;

use super::layer::DriftLayer;
use super::signal::Signal;
use super::state::Endpoint;

/// There is none.
pub(super) enum Reading {}

impl Reading {
    pub(super) fn begin(_: &DriftLayer, _: &Parts, _: &Endpoint) -> Option<Self> {
        None
    }

    pub(super) fn take<D>(&mut self, _: &Frame<D>) {
        match *self {}
    }

    pub(super) fn end(&mut self, _: &DriftLayer) -> Vec<Signal> {
        match *self {}
    }
}
