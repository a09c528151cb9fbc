use std::fmt;

use super::labels::Labels;
use super::names::Metric;

/// A destination of metrics. Each call has the metric and its labels.
pub(super) trait Sink: fmt::Debug + Send + Sync {
    /// Adds one to a counter.
    fn count(&self, metric: &Metric, labels: Labels);

    /// Records a value in a histogram.
    fn measure(&self, metric: &Metric, labels: Labels, value: f64);

    /// Changes a gauge by a difference.
    fn shift(&self, metric: &Metric, labels: Labels, by: f64);

    /// Sets a gauge.
    fn put(&self, metric: &Metric, labels: Labels, value: f64);
}
