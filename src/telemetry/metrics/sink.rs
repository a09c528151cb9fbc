use std::fmt;

use super::labels::Labels;
use super::names::Metric;

/// Where metrics go. All that is known of names and labels comes with them.
pub(super) trait Sink: fmt::Debug + Send + Sync {
    /// One more.
    fn count(&self, metric: &Metric, labels: Labels);

    /// One value among many.
    fn measure(&self, metric: &Metric, labels: Labels, value: f64);

    /// Up or down, from where it was.
    fn shift(&self, metric: &Metric, labels: Labels, by: f64);

    /// From now on, this.
    fn put(&self, metric: &Metric, labels: Labels, value: f64);
}
