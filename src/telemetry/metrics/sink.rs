use std::fmt;

use super::labels::Labels;
use super::names::Metric;

/// A destination of metrics.
pub(super) trait Sink: fmt::Debug + Send + Sync {
    /// Adds the value to a counter, changes an up-down counter by it, records it in a histogram, or
    /// sets a gauge to it.
    fn record(&self, metric: &Metric, labels: Labels, value: f64);
}
