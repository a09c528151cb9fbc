use std::fmt;

use ::metrics::{Key, Label, Level, Metadata, Recorder, SharedString};

use super::labels::{Labels, Text};
use super::names::{ALL, Kind, Metric, Unit};
use super::sink::Sink;
use super::subscriber::Metrics;

/// The `metrics` facade: a recorder of one's own, or the one that is installed.
struct Facade(Option<Box<dyn Recorder + Send + Sync>>);

impl Metrics {
    /// Metrics that go to the recorder that is installed, which is where they are described:
    /// install it first.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Facade(None).described())
    }

    /// Metrics that go to a recorder of their own, whatever is installed.
    pub fn recorded_by(recorder: impl Recorder + Send + Sync + 'static) -> Self {
        Self::over(Facade(Some(Box::new(recorder))).described())
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Facade {
    fn described(self) -> Self {
        self.with(|to| {
            for metric in ALL {
                let unit = Some(match metric.unit {
                    Unit::Of(_) => ::metrics::Unit::Count,
                    Unit::Seconds => ::metrics::Unit::Seconds,
                });
                let (name, help) = (metric.name.into(), metric.help().into());
                match metric.kind {
                    Kind::Counter => to.describe_counter(name, unit, help),
                    Kind::UpDown | Kind::Gauge => to.describe_gauge(name, unit, help),
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

impl Sink for Facade {
    fn record(&self, metric: &Metric, labels: Labels, value: f64) {
        self.with(|to| {
            let key = key(metric, labels);
            match metric.kind {
                Kind::Counter => to.register_counter(&key, &METADATA).increment(value as u64),
                Kind::UpDown => to.register_gauge(&key, &METADATA).increment(value),
                Kind::Gauge => to.register_gauge(&key, &METADATA).set(value),
                Kind::Histogram => to.register_histogram(&key, &METADATA).record(value),
            }
        });
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
            Text::Number(number) => Self::from_owned(number.to_string()),
        }
    }
}

fn key(metric: &Metric, labels: Labels) -> Key {
    let labels: Vec<_> =
        labels.into_iter().map(|(name, text)| Label::new(name, SharedString::from(text))).collect();
    Key::from_parts(metric.name, labels)
}

static METADATA: Metadata<'static> = Metadata::new("outrigger", Level::INFO, Some(module_path!()));
