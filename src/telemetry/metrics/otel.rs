use std::collections::HashMap;
use std::fmt;

use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, UpDownCounter};
use opentelemetry::{KeyValue, StringValue, Value};

use super::labels::{Labels, Text};
use super::names::{ALL, ATTEMPTS, Kind, Metric, SECONDS, Unit};
use super::sink::Sink;
use super::subscriber::Metrics;

/// OpenTelemetry's instruments, one for each metric.
struct Meters(HashMap<&'static str, Instrument>);

enum Instrument {
    Counter(Counter<u64>),
    UpDown(UpDownCounter<f64>),
    Gauge(Gauge<f64>),
    Histogram(Histogram<f64>),
}

impl Metrics {
    /// Metrics that go to OpenTelemetry, by a meter of yours.
    ///
    /// Its readers collect when they like: let the gauges be
    /// [observed every so often](Self::observe_every), as often as they do.
    #[must_use]
    pub fn metered_by(meter: &Meter) -> Self {
        let instruments = ALL.iter().map(|metric| (metric.name, Instrument::of(metric, meter)));
        Self::over(Meters(instruments.collect()))
    }
}

impl Sink for Meters {
    fn record(&self, metric: &Metric, labels: Labels, value: f64) {
        let attributes: Vec<_> =
            labels.into_iter().map(|(name, text)| KeyValue::new(name, text)).collect();
        match self.0.get(metric.name) {
            Some(Instrument::Counter(counter)) => counter.add(value as u64, &attributes),
            Some(Instrument::UpDown(counter)) => counter.add(value, &attributes),
            Some(Instrument::Gauge(gauge)) => gauge.record(value, &attributes),
            Some(Instrument::Histogram(histogram)) => histogram.record(value, &attributes),
            None => {}
        }
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenTelemetry meter")
    }
}

impl Instrument {
    fn of(metric: &'static Metric, meter: &Meter) -> Self {
        let (name, help) = (metric.name, metric.help());
        // UCUM, as OpenTelemetry wants it.
        let (unit, buckets) = match metric.unit {
            Unit::Of(things) => (format!("{{{things}}}"), ATTEMPTS.to_vec()),
            Unit::Seconds => ("s".to_owned(), SECONDS.to_vec()),
        };
        match metric.kind {
            Kind::Counter => {
                let counter = meter.u64_counter(name).with_description(help);
                Self::Counter(counter.with_unit(unit).build())
            }
            Kind::UpDown => {
                let counter = meter.f64_up_down_counter(name).with_description(help);
                Self::UpDown(counter.with_unit(unit).build())
            }
            Kind::Gauge => {
                let gauge = meter.f64_gauge(name).with_description(help);
                Self::Gauge(gauge.with_unit(unit).build())
            }
            Kind::Histogram => {
                let histogram = meter.f64_histogram(name).with_description(help);
                Self::Histogram(histogram.with_unit(unit).with_boundaries(buckets).build())
            }
        }
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        match text {
            Text::Word(word) => Self::String(StringValue::from(word)),
            Text::Kept(text) => Self::String(StringValue::from(text)),
            Text::Number(number) => Self::I64(number.into()),
        }
    }
}
