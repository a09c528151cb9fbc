//! What Prometheus would read.

use std::collections::BTreeMap;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use outrigger::telemetry::metrics::{Metrics, names};

/// One line: a name, labels, a value.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// All lines of one scrape.
#[derive(Clone, Debug)]
pub(crate) struct Page(pub(crate) Vec<Sample>);

/// Metrics with an exporter of their own.
pub(crate) fn exported() -> (Metrics, PrometheusHandle) {
    let attempts = Matcher::Full(names::CALL_ATTEMPTS.name.to_owned());
    let recorder = PrometheusBuilder::new()
        .with_recommended_naming(true)
        .set_buckets(&names::SECONDS)
        .and_then(|exporter| exporter.set_buckets_for_metric(attempts, &names::ATTEMPTS))
        .expect("there are buckets")
        .build_recorder();
    let handle = recorder.handle();
    (Metrics::recorded_by(recorder), handle)
}

impl Page {
    pub(crate) fn of(exporter: &PrometheusHandle) -> Self {
        let text = exporter.render();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(lines.map(Sample::parse).collect())
    }

    /// The sum of all samples with this name and at least these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.having(name, labels).map(|sample| sample.value).sum()
    }

    /// How many samples have this name and at least these labels.
    pub(crate) fn count(&self, name: &str, labels: &[(&str, &str)]) -> usize {
        self.having(name, labels).count()
    }

    fn having(&self, name: &str, labels: &[(&str, &str)]) -> impl Iterator<Item = &Sample> {
        self.0.iter().filter(move |sample| {
            let has = |(label, value): &(&str, &str)| {
                sample.labels.get(*label).is_some_and(|says| says == value)
            };
            sample.name == name && labels.iter().all(has)
        })
    }
}

impl Sample {
    fn parse(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = match series.split_once('{') {
            Some((name, rest)) => (name, rest.strip_suffix('}').expect("a closing brace")),
            None => (series, ""),
        };
        let mut parsed = BTreeMap::new();
        let mut rest = labels;
        while let Some((label, after)) = rest.split_once("=\"") {
            let (says, after) = after.split_once('"').expect("a closing quote");
            parsed.insert(label.trim_start_matches(',').to_owned(), says.to_owned());
            rest = after;
        }
        let value = value.parse().expect("a number");
        Self { name: name.to_owned(), labels: parsed, value }
    }
}

/// A metric's name as Prometheus has it.
pub(crate) fn exported_name(metric: &names::Metric) -> String {
    let mut name = metric.name.replace('.', "_");
    if metric.unit == names::Unit::Seconds {
        name += "_seconds";
    }
    if metric.kind == names::Kind::Counter {
        name += "_total";
    }
    name
}
