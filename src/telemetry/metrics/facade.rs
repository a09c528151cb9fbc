use std::fmt;

use ::metrics::{Key, Label, Level, Metadata, Recorder, SharedString};

use super::labels::{Labels, Text};
use super::names::{ALL, Kind, Metric, Unit};

/// The `metrics` facade: a recorder of one's own, or the one that is installed.
pub(super) struct Facade(Option<Box<dyn Recorder + Send + Sync>>);

impl Facade {
    pub(super) fn installed() -> Self {
        Self(None).described()
    }

    pub(super) fn own(recorder: impl Recorder + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(recorder))).described()
    }

    pub(super) fn count(&self, metric: &Metric, labels: Labels, times: u64) {
        self.with(|to| to.register_counter(&key(metric, labels), &METADATA).increment(times));
    }

    pub(super) fn measure(&self, metric: &Metric, labels: Labels, value: f64) {
        self.with(|to| to.register_histogram(&key(metric, labels), &METADATA).record(value));
    }

    /// Moves a gauge up or down.
    pub(super) fn shift(&self, metric: &Metric, labels: Labels, by: f64) {
        self.with(|to| to.register_gauge(&key(metric, labels), &METADATA).increment(by));
    }

    /// Sets a gauge.
    pub(super) fn put(&self, metric: &Metric, labels: Labels, value: f64) {
        self.with(|to| to.register_gauge(&key(metric, labels), &METADATA).set(value));
    }

    fn described(self) -> Self {
        self.with(|to| {
            for metric in ALL {
                let unit = Some(match metric.unit {
                    Unit::One => ::metrics::Unit::Count,
                    Unit::Seconds => ::metrics::Unit::Seconds,
                });
                let (name, help) = (metric.name.into(), metric.help().into());
                match metric.kind {
                    Kind::Counter => to.describe_counter(name, unit, help),
                    Kind::Gauge => to.describe_gauge(name, unit, help),
                    Kind::Histogram => to.describe_histogram(name, unit, help),
                }
            }
        });
        self
    }

    fn with(&self, record: impl FnOnce(&dyn Recorder)) {
        match &self.0 {
            Some(own) => record(own),
            None => ::metrics::with_recorder(record),
        }
    }
}

impl fmt::Debug for Facade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "own recorder" } else { "installed recorder" })
    }
}

impl From<Text> for SharedString {
    fn from(text: Text) -> Self {
        match text {
            Text::Word(word) => Self::const_str(word),
            Text::Kept(text) => Self::from_shared(text),
            Text::Own(text) => Self::from_owned(text),
        }
    }
}

fn key(metric: &Metric, labels: Labels) -> Key {
    let labels: Vec<_> =
        labels.into_iter().map(|(name, says)| Label::new(name, SharedString::from(says))).collect();
    Key::from_parts(metric.name, labels)
}

static METADATA: Metadata<'static> = Metadata::new("outrigger", Level::INFO, Some(module_path!()));
